# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The trust bundle: who may approve, decide and request what. It belongs to the security team, not to the policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .keys import Key
from .operator import Operator

SCHEMA = "patchtide/trust/1"
#: Activities whose actor the collection knows, so that it checks the responsibility for them.
ACTIVITIES: Mapping[str, str] = {
    "apply_policy": "Change baselines, patch groups and windows",
    "plan_rollout": "Plan a rollout",
    "approve_plan": "Approve a plan",
    "run_rollout": "Run a rollout",
    "decide": "Decide about a paused rollout",
    "request_exception": "Request an exception",
    "approve_exception": "Approve an exception",
}
#: Decisions that a bundle may give to roles.
ACTIONS = ("promote", "retry", "skip", "write_off", "accept_policy", "run_now", "abort")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person, who counts once, however many keys and accounts they have. A service account never counts.

    ``logins``: accounts on the controller. ``awx``: the user's ID for each controller's address. ``servicenow``: the
    sys_id of the user for each instance's address.
    """

    principal: str
    name: str = ""
    roles: tuple[str, ...] = ()
    service: bool = False
    logins: tuple[str, ...] = ()
    awx: Mapping[str, int] = field(default_factory=dict)
    servicenow: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Nodes that belong together, by data from their platform. Without criteria: all remaining nodes."""

    name: str
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    patch_groups: tuple[str, ...] = ()
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def holds(self, node: Mapping[str, Any]) -> bool:
        """Return whether a node of a plan belongs to it."""
        members = (("account", self.accounts), ("region", self.regions), ("patch_group", self.patch_groups))
        tags = node.get("tags") or {}
        return all(not wanted or str(node.get(name) or "") in wanted for name, wanted in members) and all(
            tags.get(key) in values for key, values in self.tags.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A number of people, each in one of these roles."""

    roles: tuple[str, ...]
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """The demands on a plan in these environments and waves; none named means all."""

    people: tuple[Demand, ...]
    environments: tuple[str, ...] = ()
    waves: tuple[str, ...] = ()
    sources: tuple[str, ...] = ("ssh",)
    max_hours: int = 168

    def concerns(self, wave: str, environment: str) -> bool:
        return (not self.waves or wave in self.waves) and (not self.environments or environment in self.environments)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionDemands:
    """Whose signature each step of an exception needs, and the maximum days by severity (``any`` for others)."""

    steps: Mapping[str, Demand] = field(default_factory=dict)
    max_days: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A key (its fingerprint), a person or a statement (its SHA-256) that no longer counts since a time."""

    what: str
    name: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsibility:
    """A row of the RACI matrix: roles that are responsible, accountable, consulted and informed."""

    activity: str
    responsible: tuple[str, ...] = ()
    accountable: tuple[str, ...] = ()
    consulted: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return ACTIVITIES.get(self.activity, self.activity)

    @property
    def doers(self) -> tuple[str, ...]:
        """Return the roles whose people may do the activity."""
        return (*self.responsible, *self.accountable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The whole document. ``unknown_identity``: the consequence if it is unknown who planned or runs a rollout."""

    version: int
    people: Mapping[str, Person]
    roles: Mapping[str, str]
    environments: tuple[Environment, ...]
    plans: tuple[Requirement, ...]
    decisions: Mapping[str, Demand] = field(default_factory=dict)
    exceptions: ExceptionDemands = field(default_factory=ExceptionDemands)
    revocations: tuple[Revocation, ...] = ()
    responsibilities: tuple[Responsibility, ...] = ()
    unknown_identity: str = "refuse"
    awx_workflows: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def environment_of(self, node: Mapping[str, Any]) -> str:
        """Return the first environment that holds a node; empty if none does."""
        return next((item.name for item in self.environments if item.holds(node)), "")

    def environments_of(self, nodes: Iterable[Mapping[str, Any]]) -> frozenset[str]:
        return frozenset(self.environment_of(node) for node in nodes)

    def revoked(self, what: str, name: str, at: datetime) -> str:
        """Return since when and why a key, a person or a statement no longer counts; empty if it counts."""
        for item in self.revocations:
            if (item.what, item.name) == (what, name) and at >= item.since:
                return f"{what} {name} was revoked on {item.since:%Y-%m-%d}: {item.reason}"
        return ""

    def people_of(self, operator: Operator) -> frozenset[str]:
        """Return all people to whom the accounts of an operator belong."""
        return frozenset(
            person.principal
            for person in self.people.values()
            if operator.login in person.logins or operator.awx_user_id in person.awx.values()
        )

    def knows(self, operator: Operator) -> bool:
        """Return whether a personal account identifies the operator.

        A claim by AWX does not: until it is read from the API, an extra variable could have set it.
        """
        return any(operator.login in person.logins for person in self.people.values())
