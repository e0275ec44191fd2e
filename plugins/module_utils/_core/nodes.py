# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node: its members and their uses, its form in the inventory, and selectors. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from enum import Flag, auto
from typing import Any

from .azure_ids import in_azure, node_key
from .read import to_document

#: What the names of a node's host variables begin with.
PREFIX = "patchtide_"
#: By what nodes are grouped when a plan is split. Nodes of one group are never divided.
ACCOUNT_REGION, ACCOUNT, GROUP_SITE = "account_region", "account", "site"
BY = (ACCOUNT_REGION, ACCOUNT, GROUP_SITE)


class Use(Flag):
    """What a member is used for."""

    NONE = 0
    VARIABLE = auto()
    "A host variable of the inventory, ``patchtide_<name>``; ``docs/inventory.md`` describes each."
    PLANNED = auto()
    "Frozen into the plan, from which reports and task files of the user's know it."
    NAMED = auto()
    "A name by which people know the node."
    ADDRESS = auto()
    "Needed by a service to reach the node."
    IDENTITY = auto()
    "In every result record: identifies the node and how it is patched."
    WATCHED = auto()
    "Determines who patches the node, how, and by which rules: a plan no longer matches if it changes."


_SEEN = Use.VARIABLE | Use.PLANNED


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a node. ``empty``: its value if it is unknown, which also defines its type."""

    name: str
    use: Use = Use.VARIABLE
    empty: Any = ""


#: Every member of a node, in the order of the host variables.
MEMBERS = (
    Member("node_id", _SEEN | Use.NAMED | Use.ADDRESS | Use.IDENTITY),
    Member("host", Use.PLANNED | Use.NAMED),
    Member("name", _SEEN | Use.NAMED),
    Member("executor", _SEEN | Use.IDENTITY | Use.WATCHED),
    Member("platform", _SEEN | Use.ADDRESS | Use.IDENTITY | Use.WATCHED),
    Member("os", _SEEN),
    Member("os_version"),
    Member("account", _SEEN | Use.ADDRESS | Use.IDENTITY | Use.WATCHED),
    Member("account_name"),
    Member("account_role_arn"),
    Member("account_external_id"),
    Member("region", _SEEN | Use.ADDRESS | Use.IDENTITY | Use.WATCHED),
    Member("zone", _SEEN),
    Member("resource_type"),
    Member("state", _SEEN),
    Member("managed", empty=False),
    Member("ping_status"),
    Member("last_ping"),
    Member("agent_version"),
    Member("patch_group", _SEEN | Use.WATCHED),
    Member("maintenance_window"),
    Member("tags", empty={}),
    Member("source_type"),
    Member("source_id"),
    Member("source_location"),
    Member("cloud_connector"),
    Member("ip"),
    Member("computer_name"),
    Member("instance_type"),
    Member("instance_profile", _SEEN),
    Member("launched_at"),
    Member("registered_at"),
    Member("merged_ids", empty=[]),
    Member("coverage", empty=[]),
    Member("stale", empty=False),
    Member("cache_age", empty=0),
    Member("patch_state", empty={}),
    Member("missing_patches", empty=[]),
    Member("next_window"),
    Member("next_window_name"),
    Member("exception", empty={}),
    Member("patch_mode"),
    Member("auto_patching"),
)


def members(use: Use) -> tuple[str, ...]:
    """Return the names of the members with that use."""
    return tuple(member.name for member in MEMBERS if use in member.use)


#: An unknown node, without the prefix of its host variables: the shape of every inventory record.
EMPTY: Mapping[str, Any] = {member.name: member.empty for member in MEMBERS if Use.VARIABLE in member.use}
PLANNED, NAMED = members(Use.PLANNED), members(Use.NAMED)
#: Members that are read from tags; the policy's ``tags`` name the keys.
TAGGED = ("owner", "application", "environment")
ADDRESS, IDENTITY, WATCHED = members(Use.ADDRESS), members(Use.IDENTITY), members(Use.WATCHED)


def texts(data: Mapping[str, Any], names: Collection[str], prefix: str = "") -> dict[str, str]:
    """Return members as texts, "" for missing ones."""
    return {name: str(data.get(f"{prefix}{name}") or "") for name in names}


def is_aws_id(node_id: str) -> bool:
    """Return whether an ID is that of an EC2 instance or of a hybrid node of Systems Manager."""
    return node_id.startswith(("i-", "mi-"))


def in_aws(node_id: str, account: str, region: str) -> bool:
    """Return whether a node is an instance or a hybrid node of an account-Region, where AWS keeps its tags."""
    return bool(is_aws_id(node_id) and account and region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Open findings of scanners on a node. ``days``: by severity, how long the oldest is known."""

    cves: frozenset[str] = frozenset()
    kev: bool = False
    days: Mapping[str, float] = field(default_factory=dict)


_NO_RISK = Risk()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A node of the inventory, with the members that selectors use."""

    node_id: str
    host: str
    name: str = ""
    executor: str = ""
    platform: str = ""
    os: str = ""
    os_version: str = ""
    instance_profile: str = ""
    account: str = ""
    region: str = ""
    zone: str = ""
    patch_group: str = ""
    maintenance_window: str = ""
    auto_patching: str = ""
    application: str = ""
    state: str = ""
    ping_status: str = ""
    managed: bool = True
    missed: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    merged_ids: tuple[str, ...] = ()
    risk: Risk = _NO_RISK

    @property
    def in_aws(self) -> bool:
        return in_aws(self.node_id, self.account, self.region)

    @property
    def in_azure(self) -> bool:
        return in_azure(self.node_id)


#: Members that a candidate takes from host variables as they are.
VARIABLES = tuple(item.name for item in fields(Candidate) if isinstance(EMPTY.get(item.name), str))


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """A selector: a node must match one entry of every given key. Accounts are numbers once the policy is read.

    ``nodes`` are IDs or names of hosts; resource IDs of Azure match in any case.
    """

    patch_groups: tuple[str, ...] = ()
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    executors: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    missed: bool = False
    cves: tuple[str, ...] = ()
    kev: bool = False
    severity_sla: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(map(node_key, self.nodes)))

    @property
    def by_name(self) -> bool:
        """Whether it selects by name only."""
        return bool(self.nodes) and self == Select(nodes=self.nodes)

    @property
    def by_risk(self) -> bool:
        """Whether it selects by findings of scanners, which only plans know."""
        return bool(self.cves or self.kev or self.severity_sla)

    def to_dict(self) -> dict[str, Any]:
        """Return the criteria that are given, as plain data."""
        return {name: value for name, value in to_document(self).items() if value}


_FACTS: Mapping[str, Callable[[Candidate], Collection[str]]] = {
    "patch_groups": lambda node: (node.patch_group,),
    "executors": lambda node: (node.executor,),
    "platforms": lambda node: (node.platform,),
    "accounts": lambda node: (node.account,),
    "regions": lambda node: (node.region,),
    "zones": lambda node: (node.zone,),
    "applications": lambda node: (node.application,),
    "nodes": lambda node: (node.node_id, node.host),
    "groups": lambda node: node.groups,
    "cves": lambda node: node.risk.cves,
}


def matches(node: Candidate, select: Select) -> bool:
    """Return whether a node meets every given criterion, each a list of alternatives; without criteria, it does.

    ``nodes`` are IDs or inventory names; ``missed`` selects the nodes that an earlier rollout missed.
    ``severity_sla`` selects nodes with a finding that is open for at least so many days.
    """
    for key, facts in _FACTS.items():
        if (wanted := getattr(select, key)) and set(wanted).isdisjoint(facts(node)):
            return False
    if (select.missed and not node.missed) or (select.kev and not node.risk.kev):
        return False
    days = node.risk.days
    if select.severity_sla and not any(days.get(name, -1) >= most for name, most in select.severity_sla.items()):
        return False
    return all(node.tags.get(key) in values for key, values in select.tags.items())
