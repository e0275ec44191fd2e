# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Constructed options (include, exclude, compose, groups, keyed_groups), with Jinja only if necessary."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleParserError
from ansible.module_utils.parsing.convert_bool import boolean

from .hosts import HostFirst, HostWriter


class Construct:
    """Applies the constructed options of one inventory file to its hosts."""

    def __init__(self, plugin: Any) -> None:
        option = plugin.get_option
        self._plugin = plugin
        self._strict: bool = option("strict")
        self._include: list[str] = option("include")
        self._exclude: list[str] = option("exclude")
        self._compose, self._groups, self._keyed = option("compose"), option("groups"), option("keyed_groups")

    @property
    def selects(self) -> bool:
        return bool(self._include or self._exclude)

    @property
    def builds(self) -> bool:
        return bool(self._compose or self._groups or self._keyed)

    def wants(self, variables: dict[str, Any]) -> bool:
        """Return whether a host is selected: one of O(include) is true, if there are any, and none of O(exclude)."""
        included = not self._include or any(self._holds("include", item, variables) for item in self._include)
        return included and not any(self._holds("exclude", item, variables) for item in self._exclude)

    def attach(self, inventory: Any, writer: HostWriter) -> None:
        """Make Constructable use ``HostFirst``."""
        self._plugin.inventory = HostFirst(inventory, writer)

    def build(self, name: str, variables: dict[str, Any]) -> None:
        """Compose variables and groups of one host. Groups can use composed variables."""
        plugin, strict = self._plugin, self._strict
        plugin._set_composite_vars(self._compose, variables, name, strict=strict)
        plugin._add_host_to_composed_groups(self._groups, variables, name, strict=strict, fetch_hostvars=False)
        plugin._add_host_to_keyed_groups(self._keyed, variables, name, strict=strict, fetch_hostvars=False)

    def _holds(self, option: str, expression: str, variables: dict[str, Any]) -> bool:
        try:
            found = self._plugin._compose(expression, variables)
            return boolean(found) if isinstance(found, str) else bool(found)
        except Exception as error:  # Jinja's errors have no common base across the versions of ansible-core
            if self._strict:
                raise AnsibleParserError(f"{option}: {expression!r} can't be evaluated: {error}") from error
            return False
