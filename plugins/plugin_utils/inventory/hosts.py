# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts node records into Ansible's inventory: hosts, variables, groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._core.azure_ids import machine_key, node_key
from ...module_utils._core.executors import comes_first
from ...module_utils._core.fleet.groups import group_names
from ...module_utils._core.fleet.records import Node
from ...module_utils._core.nodes import EMPTY, PREFIX
from .unsafe import mark_unsafe


class HostWriter:
    """Adds hosts without the checks that Ansible repeats for every variable and group of every host.

    The variable names are known to be valid and the values are plain data, so they are written directly into the
    host's dictionary. Groups are looked up once, not once per host.
    """

    def __init__(self, inventory: Any) -> None:
        self._inventory = inventory
        self._hosts: Mapping[str, Any] = inventory.hosts
        self._groups: dict[str, Any] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._keys: dict[str, str] = {}

    def add(self, name: str, node: Node, order: Sequence[str] = ()) -> dict[str, Any]:
        """Add a host with its variables and built-in groups; return all its variables.

        A host of an earlier inventory source keeps the variables of that source, and so its executor, unless the node
        has one that comes earlier in ``order``.
        """
        known = self._hosts.get(name)
        if known is None:
            self._inventory.add_host(name)
            known = self._hosts[name]
            known.vars.update(self.to_variables(node))
        else:
            node = self._joined(known, node, order)
        for group in group_names(node, self._names):
            self.group(group).add_host(known)
        return known.vars  # type: ignore[no-any-return]

    def _joined(self, known: Any, node: Node, order: Sequence[str]) -> Node:
        """Make a host of an earlier source and a node one host of one executor; return it as a node."""
        before = _record(known)
        if comes_first(node["executor"], str(before["executor"]), order):
            both = {**node, "tags": {**before["tags"], **node["tags"]}}
            known.vars = {**known.vars, **self.to_variables(both)}
        else:
            known.vars = {**self.to_variables(node), **known.vars}
        after = _record(known)
        ids = {before["node_id"], *before["merged_ids"], node["node_id"], *node["merged_ids"]}
        after["merged_ids"] = sorted({node_key(str(item)) for item in ids} - {"", node_key(str(after["node_id"]))})
        known.vars[f"{PREFIX}merged_ids"] = mark_unsafe(after["merged_ids"])
        for group in set(group_names(before, self._names)) - set(group_names(after, self._names)):
            self.group(group).remove_host(known)
        return after

    def group(self, name: str) -> Any:
        """Return a group; create it if it does not exist."""
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = self._inventory.groups[self._inventory.add_group(name)]
        return group

    def to_variables(self, node: Node) -> dict[str, Any]:
        """Return a node's host variables, marked so that they are never templated."""
        keys = self._keys
        if not keys:
            keys.update({member: PREFIX + member for member in node})
        return {keys[member]: mark_unsafe(value) for member, value in node.items()}


def _record(host: Any) -> Node:
    """Return a host's variables of ours as a node, empty ones where it has none."""
    return {member: host.vars.get(f"{PREFIX}{member}", empty) for member, empty in EMPTY.items()}


class HostFirst:
    """View of the inventory for Constructable, in which a name is a host even if a group has the same name.

    Ansible looks up groups first. A machine with the name of a group, chosen by its tags, could otherwise set variables
    of that group.
    """

    def __init__(self, inventory: Any, writer: HostWriter) -> None:
        self._inventory = inventory
        self._writer = writer
        self.hosts = inventory.hosts
        self.groups = inventory.groups

    def add_group(self, group: str) -> str:
        return str(self._writer.group(group).name)

    def add_host(self, host: str, group: str | None = None) -> str:
        if group:
            self.groups[group].add_host(self.hosts[host])
        return host

    def add_child(self, group: str, child: str) -> bool:
        if child in self.hosts:
            return bool(self.groups[group].add_host(self.hosts[child]))
        return bool(self._inventory.add_child(group, child))

    def set_variable(self, host: str, name: str, value: Any) -> None:
        self.hosts[host].set_variable(name, value)

    def get_host(self, host: str) -> Any:
        return self.hosts[host]


def known_machines(hosts: Iterable[Any]) -> dict[str, str]:
    """Return the hosts of earlier inventory sources by the IDs that identify a machine.

    ``vmid`` is the ID of an Azure VM or Arc server in azure_rm. If a VM and its Arc entry share an ID, the VM is the
    host.
    """
    found: dict[str, tuple[bool, str]] = {}
    for host in hosts:
        is_arc = "hybridcompute" in str(host.vars.get("resource_type", "")).lower()
        for name in (f"{PREFIX}node_id", f"{PREFIX}source_id", "vmid"):
            machine = machine_key(str(host.vars.get(name) or ""))
            if machine:
                found[machine] = min(found.get(machine, (True, "\uffff")), (is_arc, host.name))
    return {machine: name for machine, (_arc, name) in found.items()}
