# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a policy that say how a rollout treats nodes besides patching them. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..counts import to_count
from ..errors import BadInput
from ..read import read

#: Of budgets, from the widest.
SCOPES = ("rollout", "wave", "zone", "cluster")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Further attempts of a node, by class of failure: it was not reached, or its install failed."""

    delivery: int = 0
    execution: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumRule:
    """A health check that must be fine before members of these clusters are taken down; no cluster named means all."""

    health_check: Mapping[str, Any] = field(default_factory=dict)
    clusters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRules:
    """Nodes that may be out of service at once, per scope: a count, a share such as ``"25%"``, or no limit."""

    rollout: int | str | None = None
    wave: int | str | None = None
    zone: int | str | None = None
    cluster: int | str | None = None
    quorum: tuple[QuorumRule, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None, prefix: str = "budgets.") -> BudgetRules:
        """Read policy data. :raises BadInput: with the option's path."""
        known = [item.name for item in fields(cls)]
        for key, value in (data or {}).items():
            if key not in known:
                raise BadInput(f"{prefix}{key}", value, f"one of {', '.join(known)}")
            if value is not None and key in SCOPES:
                to_count(value, 1, f"{prefix}{key}")
        return read(cls, data or {})

    @property
    def limits(self) -> dict[str, int | str | None]:
        """Return the limit of each scope."""
        return {scope: getattr(self, scope) for scope in SCOPES}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer:
    """Whether nodes are taken out of Elastic Load Balancing while they are patched, and how long that may take."""

    drain: bool = False
    timeout_minutes: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Task files of the user's, relative to the policy file; empty means none."""

    load_balancer: LoadBalancer = LoadBalancer()
    before_wave: str = ""
    after_wave: str = ""
    before_nodes: str = ""
    after_nodes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftTolerance:
    """How far the estate may differ from a plan that is about to start: counts or shares; ``None`` is not checked."""

    nodes: int | str | None = "10%"
    patches: int | str | None = "20%"
