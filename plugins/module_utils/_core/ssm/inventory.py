# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom inventory and custom compliance: data from other sources that SSM keeps for a node. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from ..change import Change
from ..errors import BadInput
from . import limits
from .targets import NODE_ID

#: Entries by node ID, each a mapping of names to text.
EntriesOfNodes = Mapping[str, tuple[Mapping[str, str], ...]]
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNSPECIFIED")
CUSTOM = r"Custom:[a-zA-Z0-9_\-]\w{1,90}"
MAX_ENTRIES, MAX_VALUE, MAX_NAMES = 10000, 4096, 50
#: "Maximum number of days Systems Manager keeps inventory data" (service quotas)
KEPT_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """Entries of one node and inventory type; ``at`` is ISO 8601 in UTC, "" if there are none."""

    entries: tuple[Mapping[str, str], ...] = ()
    at: str = ""
    schema_version: str = ""


class InventoryPort(Protocol):
    """Entries of one inventory type in one account-Region."""

    def read(self, node_ids: Sequence[str]) -> Mapping[str, Captured]:
        """Return the entries of each node."""

    def put(self, node_id: str, entries: Sequence[Mapping[str, str]]) -> None:
        """Replace the node's entries."""

    def exists(self) -> bool:
        """Return whether any node has entries of the type."""

    def delete_type(self) -> None:
        """Delete the type with the entries of all nodes; does nothing if it does not exist."""


def to_entries(content: Any) -> tuple[dict[str, str], ...]:
    """Read one entry or a list of entries; values become text, as in the service."""
    rows = [content] if isinstance(content, Mapping) else content or []
    return tuple({str(key): str(value) for key, value in row.items()} for row in rows)


def check_entries(type_name: str, entries: Sequence[Mapping[str, str]]) -> None:
    """Validate the values against the limits of the service. :raises BadInput: names the option."""
    limits.matches("type_name", type_name, CUSTOM, "a type of your own such as Custom:PatchInformation")
    limits.at_most("content", entries, MAX_ENTRIES)
    for index, entry in enumerate(entries):
        _check_map(f"content[{index}]", entry)


def _check_map(where: str, values: Mapping[str, str]) -> None:
    limits.at_most(where, values, MAX_NAMES)
    for key, value in values.items():
        limits.matches(where, key, r"(?s).{1,64}", "a name of 1 to 64 characters")
        limits.shorter(f"{where}.{key}", value, MAX_VALUE)


def check_nodes(node_ids: Sequence[str] | None) -> None:
    """Validate node IDs. :raises BadInput: names the option."""
    for node_id in node_ids or ():
        limits.matches("instance_ids", node_id, NODE_ID, "a node ID such as mi-0123456789abcdef0")


def check_query(types: Sequence[str], filters: Sequence[Mapping[str, Any]]) -> None:
    """Validate the options of GetInventory. :raises BadInput: names the option."""
    for name in types:
        limits.matches("types", name, r"(AWS|Custom):.{0,93}", "a type such as AWS:Application or Custom:Rack")
    limits.at_most("filters", filters, 5)
    for at, row in enumerate(filters):
        limits.matches(f"filters[{at}].key", row["key"], r".{1,200}", "1 to 200 characters")
        if not row["values"]:
            raise BadInput(f"filters[{at}].values", [], "at least one value")
        limits.at_most(f"filters[{at}].values", row["values"], 40)


class InventoryNoun:
    """Declared custom inventory of nodes, or the absence of a type, in one account-Region."""

    def __init__(self, port: InventoryPort, options: Mapping[str, Any], now: datetime) -> None:
        self._port = port
        self._options = options
        self._now = now
        self._old: list[str] = []

    def plan(self) -> Change[EntriesOfNodes]:
        options, nodes = self._options, self._options["instance_ids"]
        entries = to_entries(options["content"])
        check_entries(options["type_name"], entries)
        check_nodes(nodes)
        version = options["schema_version"]
        limits.matches("schema_version", version, r"[0-9]{1,6}\.[0-9]{1,6}", "a version such as '1.0'")
        limits.within("renew_days", options["renew_days"], 1, KEPT_DAYS, "days")
        if nodes is None:
            if options["state"] == "present":
                raise BadInput("instance_ids", None, "the nodes of the content")
            return Change({"*": ({},)} if self._port.exists() else {}, {})
        wanted = entries if options["state"] == "present" else ()
        found = self._port.read(nodes)
        self._old = [node_id for node_id, row in found.items() if row.entries and self._is_old(row)] if wanted else []
        reason = f"the content of {len(self._old)} nodes is old" if self._old else None
        return Change(
            {node_id: row.entries for node_id, row in found.items()}, dict.fromkeys(nodes, wanted), renew=reason
        )

    def _is_old(self, row: Captured) -> bool:
        if not row.at:
            return True
        age = self._now - datetime.fromisoformat(row.at.replace("Z", "+00:00"))
        return age >= timedelta(days=self._options["renew_days"])

    def apply(self, change: Change[EntriesOfNodes]) -> EntriesOfNodes | None:
        before, after = change.before or {}, change.after or {}
        if "*" in before:
            self._port.delete_type()
        for node_id, entries in after.items():
            if before.get(node_id) != entries or node_id in self._old:
                self._port.put(node_id, entries)
        return after


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceItem:
    """A finding about a node."""

    id: str
    status: str
    severity: str = "UNSPECIFIED"
    title: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


#: Findings of one compliance type by node ID, sorted by ID.
ItemsOfNodes = Mapping[str, tuple[ComplianceItem, ...]]


class ComplianceItemPort(Protocol):
    """Findings of one custom compliance type in one account-Region."""

    def items(self, node_ids: Sequence[str]) -> ItemsOfNodes:
        """Return the findings of each node."""

    def put(self, node_id: str, items: Sequence[ComplianceItem]) -> None:
        """Replace the node's findings."""


def to_items(rows: Sequence[Mapping[str, Any]]) -> tuple[ComplianceItem, ...]:
    """Read the option ``items``, sorted by ID."""
    found = [
        ComplianceItem(
            id=str(row["id"]),
            status=row["status"],
            severity=row.get("severity") or "UNSPECIFIED",
            title=row.get("title") or "",
            details={str(key): str(value) for key, value in (row.get("details") or {}).items()},
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda item: item.id))


def check_items(compliance_type: str, items: Sequence[ComplianceItem]) -> None:
    """Validate the values against the limits of the service. :raises BadInput: names the option."""
    limits.matches("compliance_type", compliance_type, CUSTOM, "a type of your own such as Custom:Backup")
    limits.at_most("items", items, MAX_ENTRIES)
    ids = Counter(item.id for item in items)
    for item in items:
        if ids[item.id] > 1:
            raise BadInput("items", item.id, "a unique ID for each item")
        if not re.fullmatch(r".{1,100}", item.id):
            raise BadInput("items.id", item.id, "1 to 100 characters")
        limits.shorter(f"items.{item.id}.title", item.title, 500)
        for key, value in item.details.items():
            limits.matches(f"items.{item.id}.details", key, r"(?s).{1,64}", "a name of 1 to 64 characters")
            limits.shorter(f"items.{item.id}.details.{key}", value, MAX_VALUE)


class ComplianceItemsNoun:
    """Declared findings of nodes in one account-Region. They are the only ones of their type ``Custom:…``."""

    def __init__(self, port: ComplianceItemPort, options: Mapping[str, Any]) -> None:
        self._port = port
        self._options = options

    def plan(self) -> Change[ItemsOfNodes]:
        options = self._options
        items = to_items(options["items"] or []) if options["state"] == "present" else ()
        check_items(options["compliance_type"], items)
        check_nodes(options["instance_ids"])
        limits.matches("execution_type", options["execution_type"], r".{1,50}", "1 to 50 characters")
        limits.shorter("execution_id", options["execution_id"], 100)
        before = self._port.items(options["instance_ids"])
        return Change(before, dict.fromkeys(options["instance_ids"], items))

    def apply(self, change: Change[ItemsOfNodes]) -> ItemsOfNodes | None:
        before, after = change.before or {}, change.after or {}
        for node_id, items in after.items():
            if before.get(node_id) != items:
                self._port.put(node_id, items)
        return after
