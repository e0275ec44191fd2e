# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assignments of maintenance configurations: to a machine, or to all that a filter selects in a scope. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..change import Change
from ..errors import BadInput
from .ports import ResourcePort

_SCOPE = re.compile(r"/subscriptions/[^/]+(/resourcegroups/[^/]+(/providers/[^/]+/[^/]+/[^/]+)?)?", re.IGNORECASE)
_LISTS: Mapping[str, str] = {
    "resource_types": "resourceTypes",
    "resource_groups": "resourceGroups",
    "os_types": "osTypes",
    "locations": "locations",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """An assignment. IDs are in lower case; ``filter`` has members with values only."""

    name: str
    scope: str
    configuration_id: str
    filter: Mapping[str, Any] = field(default_factory=dict)

    def to_body(self, location: str) -> dict[str, Any]:
        """Return the body of a PUT."""
        properties: dict[str, Any] = {"maintenanceConfigurationId": self.configuration_id}
        if self.filter:
            found: dict[str, Any] = {_LISTS[key]: value for key, value in self.filter.items() if key in _LISTS}
            if "tags" in self.filter:
                found["tagSettings"] = {
                    "tags": self.filter["tags"],
                    "filterOperator": self.filter["match_tags"].title(),
                }
            properties["filter"] = found
        return {"properties": properties, **({"location": location} if location else {})}


def from_body(name: str, scope: str, data: Mapping[str, Any]) -> Assignment:
    """Read an assignment that exists."""
    properties = data.get("properties") or {}
    given = properties.get("filter") or {}
    found: dict[str, Any] = {key: given.get(member) for key, member in _LISTS.items()}
    settings = given.get("tagSettings") or {}
    found.update(tags=settings.get("tags"), match_tags=str(settings.get("filterOperator") or "any").lower())
    target = str(properties.get("maintenanceConfigurationId") or "").lower()
    return Assignment(name=name, scope=scope, configuration_id=target, filter=to_filter(found))


def to_filter(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a filter in one form: sorted lists, without empty members."""
    found: dict[str, Any] = {key: sorted(map(str, given[key])) for key in _LISTS if given.get(key)}
    if given.get("tags"):
        values = {str(key): [item] if isinstance(item, str) else item for key, item in given["tags"].items()}
        found["tags"] = {key: sorted(map(str, value)) for key, value in sorted(values.items())}
        found["match_tags"] = str(given.get("match_tags") or "any")
    return found


class AssignmentNoun:
    """An assignment of a maintenance configuration."""

    def __init__(self, port: ResourcePort, given: Mapping[str, Any]) -> None:
        self._port, self._given = port, given
        self._scope = check_scope(str(given["scope"]))

    def plan(self) -> Change[Assignment]:
        name, given = str(self._given["name"]), self._given.get("filter") or {}
        found = self._port.read()
        before = from_body(name, self._scope, found) if found else None
        if self._given["state"] == "absent":
            return Change(before, None)
        if given and "/providers/" in self._scope:
            raise BadInput("filter", given, "no filter for a machine, only for a subscription or a resource group")
        target = str(self._given["configuration_id"]).lower()
        return Change(
            before, Assignment(name=name, scope=self._scope, configuration_id=target, filter=to_filter(given))
        )

    def apply(self, change: Change[Assignment]) -> Assignment | None:
        if change.after is None:
            self._port.delete()
            return None
        answer = self._port.put(change.after.to_body(str(self._given.get("location") or "")))
        return from_body(change.after.name, self._scope, answer)


def check_scope(scope: str) -> str:
    """Return a scope in lower case. :raises BadInput: it is none."""
    if not _SCOPE.fullmatch(scope.rstrip("/")):
        raise BadInput("scope", scope, "the resource ID of a subscription, a resource group or a machine")
    return scope.rstrip("/").lower()
