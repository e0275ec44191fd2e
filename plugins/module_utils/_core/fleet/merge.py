# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine seen twice is one host. Every rule is explicit and can be turned off.

``source``
    A node whose ``source_id`` names another node's machine: an ``mi-`` registration on an EC2 instance, or two
    registrations of the same Azure VM or GCP instance. SSM tells the source since botocore 1.44 knows cloud connectors.
``registration``
    Registrations (``mi-``) of one account and Region with the same computer name and the same address, of which at
    most one is online: a machine that was registered again leaves its old entry behind. A name that images give to all
    their machines (``localhost``, ``ubuntu``) identifies none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..azure_ids import machine_key
from ..nodes import EMPTY
from .records import Node, Spellings, set_tags

Key = tuple[str, ...]

#: What a merged node takes from the entry that gave way, where it has nothing itself.
#: Names that installers, images and cloud-init give to every machine.
_GENERIC = frozenset(
    (
        *("localhost", "localhost4", "localhost6", "ubuntu", "debian", "raspberrypi", "centos", "rocky", "almalinux"),
        *("fedora", "rhel", "sles", "opensuse", "amazonlinux", "oraclelinux", "linux", "windows", "mac", "macbook"),
        *("server", "host", "computer", "vm", "template", "unassigned", "unknown", "none"),
    )
)
#: A name made of an address (``ip-10-0-0-5``) is not more than the address.
_BY_ADDRESS = re.compile(r"(ip|host|vm|dhcp)?-?\d{1,3}(-\d{1,3}){3}")

_FILLED = tuple(name for name in EMPTY if name not in ("merged_ids", "executor", "node_id", "tags", "managed"))


def merge_nodes(nodes: Sequence[Node], rules: Sequence[str], keys: Spellings) -> list[Node]:
    """Return the nodes with those of the same machine made one; ``merged_ids`` holds the ids that gave way.

    The entry that can be worked with stays: managed before unmanaged, online before offline, ``i-`` before ``mi-``,
    the newest registration. The order of the result is that of the input.
    """
    for rule in rules:
        nodes = _merge_by(nodes, RULES[rule], keys)
    return list(nodes)


def _merge_by(
    nodes: Sequence[Node], groups: Callable[[Sequence[Node]], Iterable[list[Node]]], keys: Spellings
) -> list[Node]:
    instead: dict[int, Node | None] = {}
    for same in _connected(groups(nodes)):
        first, *others = sorted(same, key=_worth, reverse=True)
        instead.update((id(other), None) for other in others)
        instead[id(first)] = _merged(first, others, keys)
    if not instead:
        return list(nodes)
    return [found for node in nodes if (found := instead.get(id(node), node)) is not None]


def _connected(groups: Iterable[list[Node]]) -> Iterable[list[Node]]:
    """Join groups that share a node: what is the same as the same is the same."""
    group_of: dict[int, list[Node]] = {}
    for same in groups:
        joined: dict[int, Node] = {}
        for node in same:
            joined.update((id(item), item) for item in group_of.get(id(node), [node]))
        members = list(joined.values())
        group_of.update((number, members) for number in joined)
    return {id(members): members for members in group_of.values()}.values()


def _by_source(nodes: Sequence[Node]) -> Iterable[list[Node]]:
    found: dict[Key, list[Node]] = {}
    for node in nodes:
        source = node["source_id"]
        if source and source != node["node_id"]:
            kind = "" if source.startswith("i-") else node["source_type"]
            found.setdefault((kind, machine_key(source) if kind else source), []).append(node)
    if found:
        for node in nodes:
            if ("", node["node_id"]) in found:
                found["", node["node_id"]].append(node)
    return [same for same in found.values() if len(same) > 1]


def _by_registration(nodes: Sequence[Node]) -> Iterable[list[Node]]:
    found: dict[Key, list[Node]] = {}
    for node in nodes:
        if node["resource_type"] == "ManagedInstance" and node["ip"] and is_own_name(node["computer_name"]):
            place = node["account"], node["region"]
            found.setdefault((*place, node["computer_name"].lower(), node["ip"]), []).append(node)
    return [same for same in found.values() if len(same) > 1 and sum(map(_is_online, same)) <= 1]


def is_own_name(name: str) -> bool:
    """Return whether a computer name was given to one machine: not what images, installers and clouds write."""
    short = name.lower().partition(".")[0]
    return bool(short) and short not in _GENERIC and not _BY_ADDRESS.fullmatch(short)


RULES: dict[str, Callable[[Sequence[Node]], Iterable[list[Node]]]] = {
    "source": _by_source,
    "registration": _by_registration,
}


def _is_online(node: Node) -> bool:
    return bool(node["ping_status"] == "Online")


def _may_work(node: Node) -> bool:
    """Return whether its agent is online, or it runs and has none that would tell, as a virtual machine of Azure."""
    return _is_online(node) or (not node["ping_status"] and node["state"] == "running")


def _worth(node: Node) -> tuple[Any, ...]:
    is_machine = node["resource_type"] in ("EC2Instance", "AzureVM")
    return node["managed"], _may_work(node), is_machine, node["registered_at"], node["node_id"]


def _merged(first: Node, others: Sequence[Node], keys: Spellings) -> Node:
    """Return ``first`` with what it lacks, taken from the others in their order."""
    node, tags = dict(first), dict(first["tags"])
    gone = set(first["merged_ids"])
    for other in others:
        gone.update((other["node_id"], *other["merged_ids"]))
        node.update((name, other[name]) for name in _FILLED if not node[name])
        tags = {**other["tags"], **tags}
    node["merged_ids"] = sorted(gone)
    set_tags(node, tags, keys)
    return node
