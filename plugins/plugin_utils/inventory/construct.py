# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Constructed options (include, exclude, compose, groups, keyed_groups), with Jinja only if necessary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.module_utils.parsing.convert_bool import boolean

from .expressions import Evaluate, Unsure, compiled, condition
from .hosts import HostFirst, HostWriter


class Construct:
    """Applies the constructed options of one inventory file to its hosts.

    Common expressions are evaluated without Jinja. Whatever those cannot decide is left to Ansible's ``Constructable``,
    option by option and host by host.
    """

    def __init__(self, plugin: Any) -> None:
        option = plugin.get_option
        self._plugin = plugin
        self._strict: bool = option("strict")
        self._include: list[str] = option("include")
        self._exclude: list[str] = option("exclude")
        self._compose, self._groups, self._keyed = option("compose"), option("groups"), option("keyed_groups")
        self._leading: bool = option("leading_separator") is not False
        # Extra variables may have the names of ours.
        own = (lambda _expression: None) if option("use_extra_vars") else None
        self._values = {item: (own or compiled)(item) for item in [*self._include, *self._exclude]}
        self._variables = [(name, text, (own or compiled)(text)) for name, text in _items(self._compose)]
        self._members = [(name, text, (own or condition)(text)) for name, text in _items(self._groups)]
        self._keys = [(row, (own or compiled)(row.get("key"))) for row in self._keyed or () if isinstance(row, dict)]
        self._simple = len(self._keys) == len(self._keyed or ())
        self._names: dict[tuple[int, str], Any] = {}
        self._writer: HostWriter | None = None

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
        self._writer = writer

    def build(self, name: str, variables: dict[str, Any]) -> None:
        """Compose variables and groups of one host. Groups can use composed variables."""
        plugin, strict = self._plugin, self._strict
        for variable, text, value in self._variables:
            try:
                plugin.inventory.set_variable(name, variable, _value(value, variables))
            except Unsure:
                plugin._set_composite_vars({variable: text}, variables, name, strict=strict)
        for group, text, value in self._members:
            try:
                if _value(value, variables):
                    self._join(name, plugin._sanitize_group_name(group))
            except Unsure:
                plugin._add_host_to_composed_groups({group: text}, variables, name, strict=strict, fetch_hostvars=False)
        if not self._simple:  # it names what is wrong
            plugin._add_host_to_keyed_groups(self._keyed, variables, name, strict=strict, fetch_hostvars=False)
            return
        for number, (row, value) in enumerate(self._keys):
            try:
                self._join(name, self._keyed_group(number, row, _value(value, variables)))
            except Unsure:
                plugin._add_host_to_keyed_groups([row], variables, name, strict=strict, fetch_hostvars=False)

    def _keyed_group(self, number: int, row: Mapping[str, Any], key: Any) -> str:
        """Return the name of the group of a text that is not empty, made once; other keys are Ansible's."""
        rare = ("parent_group", "default_value", "trailing_separator")
        if not isinstance(key, str) or not key or any(row.get(name) is not None for name in rare):
            raise Unsure
        known: str | None = self._names.get((number, key))
        if known is None:
            prefix, separator = row.get("prefix", ""), row.get("separator", "_")
            if prefix == "" and not self._leading:
                separator = ""
            known = self._names[number, key] = self._plugin._sanitize_group_name(f"{prefix}{separator}{key}")
        return known

    def _join(self, host: str, group: str) -> None:
        if self._writer is None:
            raise AssertionError("attach() comes first")
        self._writer.group(group).add_host(self._plugin.inventory.hosts[host])

    def _holds(self, option: str, expression: str, variables: dict[str, Any]) -> bool:
        try:
            try:
                found = _value(self._values[expression], variables)
            except Unsure:
                found = self._plugin._compose(expression, variables)
            return boolean(found) if isinstance(found, str) else bool(found)
        except Exception as error:  # Jinja's errors have no common base across the versions of ansible-core
            if self._strict:
                raise AnsibleParserError(f"{option}: {expression!r} can't be evaluated: {error}") from error
            return False


def _items(option: Any) -> list[tuple[str, Any]]:
    return list(option.items()) if isinstance(option, dict) else []


def _value(value: Evaluate | None, variables: Mapping[str, Any]) -> Any:
    if value is None:
        raise Unsure
    return value(variables)
