# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts node records into Ansible's inventory: hosts, variables, groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..module_utils._core.fleet import Node
from ..module_utils._core.fleet_groups import group_names
from .unsafe import mark_unsafe

PREFIX = "patchtide_"


class HostWriter:
    """Adds hosts to the inventory without the checks that Ansible repeats for every single variable.

    Our variable names are valid by construction and the values are plain data, so they go straight into the
    host's dictionary; groups are looked up once, not once per host.
    """

    def __init__(self, inventory: Any) -> None:
        self._inventory = inventory
        self._groups: dict[str, Any] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._keys: dict[str, str] = {}

    def add(self, name: str, node: Node) -> dict[str, Any]:
        """Add one host with its variables and built-in groups; return the variables."""
        self._inventory.add_host(name)
        host = self._inventory.hosts[name]
        variables = mark_unsafe(self._to_variables(node))
        host.vars.update(variables)
        for group in group_names(node, self._names):
            self._group(group).add_host(host)
        return host.vars  # type: ignore[no-any-return]

    def add_all(self, nodes: Iterable[tuple[str, Node]], after: Callable[[str, dict[str, Any]], None] | None) -> None:
        """Add many hosts; ``after`` is called with each one's name and variables."""
        for name, node in nodes:
            variables = self.add(name, node)
            if after:
                after(name, variables)

    def _to_variables(self, node: Node) -> dict[str, Any]:
        keys = self._keys
        if len(keys) < len(node):
            keys.update({member: PREFIX + member for member in node})
        return {keys[member]: value for member, value in node.items()}

    def _group(self, name: str) -> Any:
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = self._inventory.groups[self._inventory.add_group(name)]
        return group
