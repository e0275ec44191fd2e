# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what an estate has before it has a policy: nodes, patch baselines, patch groups and windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils._aws.baselines_info import BaselineReader, PatchGroupReader
from ...module_utils._aws.fleet_gather import Wish
from ...module_utils._aws.session import Sessions, to_places
from ...module_utils._aws.windows_info import WindowReader
from ...module_utils._core.accounts import Account
from ...module_utils._core.executors import find
from ...module_utils._core.failed_places import failed_place
from ...module_utils._core.fleet.merge import RULES, merge_nodes
from ...module_utils._core.fleet.records import Node, Spellings
from ...module_utils._core.model import Place
from ...module_utils._core.plan.covered import system_of
from ...module_utils._core.policy.draft import DraftNode, FoundBaseline, FoundWindow, Seen
from ...module_utils._core.tags import TagKeys
from .sources import Services

_WORKERS = 32
_BASELINE = (
    "name",
    "operating_system",
    "description",
    "global_filters",
    "approved_patches",
    "approved_patches_compliance_level",
    "approved_patches_enable_non_security",
    "rejected_patches",
    "rejected_patches_action",
    "available_security_updates_status",
)
#: Members of a window in a policy, and their names in the service's.
_WINDOW = {
    **{name: name for name in ("name", "schedule", "timezone", "duration_hours", "cutoff_hours", "offset_days")},
    "start_date": "start",
    "end_date": "end",
}
_ALL: Mapping[str, Any] = {"names": None, "prefix": None, "owner": "self", "operating_systems": [], "default": None}
_READ_BASELINES: Mapping[str, Any] = {**_ALL, "effective_patches": False}
_READ_GROUPS: Mapping[str, Any] = {**_ALL, "state_counts": False}
_READ_WINDOWS: Mapping[str, Any] = {
    "names": None,
    "instance_id": None,
    "enabled": True,
    "targets": False,
    "tasks": False,
    "occurrences": 0,
}
Rows = list[dict[str, Any]]


@dataclass(slots=True, kw_only=True)
class Discovered:
    """The answers of all account-Regions. ``baselines`` and ``windows`` by the label of their account-Region."""

    regions: list[str]
    accounts: list[Account]
    places: list[Place]
    nodes: list[Node] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    baselines: dict[str, Rows] = field(default_factory=dict)
    windows: dict[str, Rows] = field(default_factory=dict)


def discover(sessions: Sessions, regions: Sequence[str], accounts: Sequence[Account], keys: TagKeys) -> Discovered:
    """Read the nodes of all account-Regions, each machine once, as ``ssm_fleet`` lists them by default. An
    account-Region that does not answer is in ``failed``.

    :raises BadInput: no Region is given or configured.
    """
    to_places(regions, accounts)
    given = list(accounts) or [Account(id=sessions.own_account(regions[0]))]
    places = to_places(regions, given)
    found = Discovered(regions=list(regions), accounts=given, places=places)
    names = {account.id: account.name for account in given}
    spellings = Spellings(patch_group=[keys.patch_group], maintenance_window=[keys.maintenance_window])
    nodes, found.failed = read_nodes(sessions, places, names, spellings)
    found.nodes = merge_nodes(nodes, list(RULES), spellings)
    return found


def read_nodes(
    sessions: Sessions, places: Sequence[Place], names: Mapping[str, str], spellings: Spellings
) -> tuple[list[Node], list[dict[str, Any]]]:
    """Return the nodes of all account-Regions, unmerged, and the account-Regions that did not answer.

    :param names: names of accounts by number.
    """
    nodes: list[Node] = []
    failed: list[dict[str, Any]] = []
    for told in Services(lambda _name: _WORKERS, sessions, Wish(), spellings).ask(places, names):
        if told.error:
            failed.append(failed_place(told.place.label, told.error.to_dict()))
        nodes.extend(told.nodes)
    return nodes, failed


def read_place(sessions: Sessions, place: Place) -> tuple[Rows, Rows]:
    """Return the baselines of an account-Region with the patch groups bound to them, and its enabled windows."""
    client = sessions.client("ssm", place)
    baselines = {row["baseline_id"]: row for row in BaselineReader(client).read(_READ_BASELINES)}
    for group in PatchGroupReader(client).read(_READ_GROUPS):
        for bound in group["baselines"]:
            if row := baselines.get(bound["baseline_id"]):
                row.setdefault("groups", []).append(group["name"])
    return list(baselines.values()), WindowReader(client).read(_READ_WINDOWS)


def to_seen(found: Discovered, nodes: Sequence[Node], name: str, keys: TagKeys) -> Seen:
    """Return what a draft is made from."""
    return Seen(
        name=name,
        regions=found.regions,
        accounts=found.accounts,
        nodes=[_draft_node(node, keys) for node in nodes],
        baselines=_merge_baselines(found.baselines),
        windows=_merge_windows(found.windows),
        tags=keys,
    )


def _draft_node(node: Node, keys: TagKeys) -> DraftNode:
    tags = node["tags"]
    row = find(str(node["executor"]))
    return DraftNode(
        patch_group=str(node["patch_group"]),
        environment=str(tags.get(keys.environment, "")),
        owner=str(tags.get(keys.owner, "")),
        window=str(node["maintenance_window"] or tags.get(keys.maintenance_window, "")),
        system=system_of(str(node["platform"]), str(node["os"]), str(node["os_version"]))
        if row and row.by_baseline
        else "",
    )


def _merge_baselines(found: Mapping[str, Rows]) -> list[FoundBaseline]:
    """Return each baseline once. Those with the same name and different members have ``differs``."""
    kinds: dict[str, list[tuple[dict[str, Any], set[str], list[str]]]] = {}
    for label, rows in sorted(found.items()):
        for row in rows:
            members = _policy_members(row)
            same = kinds.setdefault(row["name"], [])
            known = next((item for item in same if item[0] == members), None)
            if known is None:
                same.append(known := (members, set(), []))
            known[1].update(row.get("groups", ()))
            known[2].append(label)
    return [
        FoundBaseline(
            members=members,
            groups=frozenset(groups),
            places=places,
            differs=[place for other in same if other[0] != members for place in other[2]],
        )
        for same in kinds.values()
        for members, groups, places in same
    ]


def _policy_members(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a baseline as a policy declares it, without what is empty or a default."""
    rules = [_given(rule) for rule in row.get("rules") or row.get("approval_rules") or ()]
    return {**_given({name: row.get(name) for name in _BASELINE}), **({"rules": rules} if rules else {})}


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    defaults = (None, "", "UNSPECIFIED", "ALLOW_AS_DEPENDENCY")
    return {
        name: value
        for name, value in members.items()
        if value not in defaults and value is not False and value not in ([], {}, ())
    }


def _merge_windows(found: Mapping[str, Rows]) -> list[FoundWindow]:
    kinds: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for label, rows in sorted(found.items()):
        for row in rows:
            members = {name: row[other] for name, other in _WINDOW.items() if row.get(other)}
            members["cutoff_hours"] = row["cutoff_hours"]
            kept = kinds.setdefault(row["name"], (members, []))
            if kept[0] == members:
                kept[1].append(label)
    return [FoundWindow(members=members, places=places) for members, places in kinds.values()]
