# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a policy that say how a rollout treats nodes besides patching them. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
class Budgets:
    """Nodes that may be out of service at once, as a count or a share; ``None`` is no limit."""

    rollout: int | str | None = None
    wave: int | str | None = None
    zone: int | str | None = None
    cluster: int | str | None = None
    quorum: tuple[QuorumRule, ...] = ()


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
class Drift:
    """How far the estate may differ from a plan that is about to start: counts or shares; ``None`` is not checked."""

    nodes: int | str | None = "10%"
    patches: int | str | None = "20%"
