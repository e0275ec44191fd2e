# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a policy for a rollout besides patching: budgets, retries, hooks, drift. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..counts import to_count
from ..errors import BadInput
from ..nodes import Select
from ..read import read

#: Scopes of budgets, the widest first.
SCOPES = ("rollout", "wave", "zone", "cluster")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Number of retries per node by kind of failure: the node was not reached, or its install failed."""

    delivery: int = 0
    execution: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumRule:
    """A health check that must pass before members of these clusters are taken down; without ``clusters``, of all."""

    health_check: Mapping[str, Any] = field(default_factory=dict)
    clusters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRules:
    """Maximum number of nodes out of service at a time per scope: a count, a share such as ``"25%"``, or no limit."""

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
    """Whether targets are deregistered while nodes are patched, and how long to wait for it."""

    drain: bool = False
    timeout_minutes: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The user's own task files, relative to the policy file; "" for none."""

    load_balancer: LoadBalancer = LoadBalancer()
    before_wave: str = ""
    after_wave: str = ""
    before_nodes: str = ""
    after_nodes: str = ""
    after_gate: str = ""


#: The members of ``Hooks`` that name task files.
HOOK_FILES = ("before_wave", "after_wave", "before_nodes", "after_nodes", "after_gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftTolerance:
    """How much the estate may differ from a plan before it starts: counts or shares; ``None`` is not checked."""

    nodes: int | str | None = "10%"
    patches: int | str | None = "20%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """Which machines outside EC2 are registered with Systems Manager, and where; nothing is without ``region``.

    :param account: a name or number of ``estate.accounts``; "" for that of the credentials.
    :param iam_role: name of the service role of hybrid nodes, with its path.
    """

    select: Select = field(default_factory=Select)
    region: str = ""
    account: str = ""
    iam_role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """What ``enroll_nodes`` requires of every node, and what it may repair.

    :param instance_profile: for EC2 instances that have none; "" if none may be attached.
    :param role_policy_arn: managed policy for roles that lack permissions of the agent; "" if none may be attached.
    :param required_tags: by key what ``policy/required_tags.py`` reads: ``default``, ``allowed`` and ``pattern``.
    :param register_minutes: how long a launched instance may take to register.
    """

    instance_profile: str = ""
    role_policy_arn: str = ""
    required_tags: Mapping[str, Any] = field(default_factory=dict)
    custom_inventory: bool = True
    oldest_agent: str = ""
    update_agent: bool = False
    register_minutes: int = 30
    onboarding: Onboarding = field(default_factory=Onboarding)
