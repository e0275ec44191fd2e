# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters: checked, sent to the services where that can't change the result, and applied to every node in any case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..errors import BadInput
from ..nodes import EMPTY
from .records import Node

#: Members that hold text or a flag; only these can be filtered.
FILTERED = tuple(name for name, value in EMPTY.items() if isinstance(value, (str, bool)))

_SSM_KEYS = {
    "node_id": "InstanceIds",
    "ping_status": "PingStatus",
    "agent_version": "AgentVersion",
    "resource_type": "ResourceType",
}
_PLATFORM_TYPES = {"linux": "Linux", "windows": "Windows", "macos": "MacOS"}
#: Values of one filter that the services take.
_SSM_VALUES = 40
_EC2_VALUES = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """Values by member, any of which a node must have; patterns (``*``, ``?``) are allowed. Tags likewise by key."""

    members: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, tuple[str, ...]]

    @property
    def wants_instances(self) -> bool:
        """Whether an EC2 instance can pass."""
        kinds = self.members.get("resource_type")
        return kinds is None or any(fnmatchcase("EC2Instance", kind) for kind in kinds)

    def matches(self, node: Node) -> bool:
        for name, values in self.members.items():
            if not _any_matches(str(node[name]), values):
                return False
        tags = node["tags"]
        return all(key in tags and _any_matches(tags[key], values) for key, values in self.tags.items())

    def to_ssm(self, instances: bool) -> list[dict[str, Any]]:
        """Return filters for DescribeInstanceProperties.

        A node that SSM leaves out must not come back through EC2 as if it were unmanaged, so only members are sent
        that EC2's entry can't have otherwise: with ``instances`` the platform is not.
        """
        found = []
        for name, key in _SSM_KEYS.items():
            values = self.members.get(name)
            if values and _is_plain(values) and len(values) <= _SSM_VALUES:
                found.append({"Key": key, "Values": list(values), "Operator": "Equal"})
        platforms = self.members.get("platform")
        if platforms and not instances and all(value in _PLATFORM_TYPES for value in platforms):
            types = [_PLATFORM_TYPES[value] for value in platforms]
            found.append({"Key": "PlatformTypes", "Values": types, "Operator": "Equal"})
        return found

    def to_ec2(self) -> list[dict[str, Any]]:
        """Return filters for DescribeInstances.

        State and zone are not sent: SSM's own entry may claim them as well, and would then lack EC2's tags.
        """
        found = []
        ids = self.members.get("node_id")
        if ids and _is_plain(ids) and len(ids) <= _EC2_VALUES:
            found.append({"Name": "instance-id", "Values": list(ids)})
        for tag, values in self.tags.items():
            if _is_plain(values, "\\") and len(values) <= _EC2_VALUES:
                found.append({"Name": f"tag:{tag}", "Values": list(values)})
        return found


def to_filters(option: Mapping[str, Any]) -> Filters:
    """Check the option ``filters`` and return it: a member or ``tags`` → a value or a list of values."""
    members: dict[str, tuple[str, ...]] = {}
    tags: dict[str, tuple[str, ...]] = {}
    for name, value in option.items():
        if name == "tags":
            if not isinstance(value, Mapping):
                raise BadInput("filters.tags", value, "a dictionary of tag keys to values")
            tags = {str(key): _values(f"filters.tags.{key}", item) for key, item in value.items()}
        elif name in FILTERED:
            members[name] = _values(f"filters.{name}", value)
        else:
            raise BadInput("filters", name, f"tags or one of {', '.join(FILTERED)}")
    return Filters(members, tags)


def _values(option: str, value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, (list, tuple)) else [value]
    if not listed or not all(isinstance(item, (str, bool, int)) for item in listed):
        raise BadInput(option, value, "a value or a list of values")
    return tuple(str(item) for item in listed)


def _any_matches(text: str, values: Iterable[str]) -> bool:
    return any(text == value or (("*" in value or "?" in value) and fnmatchcase(text, value)) for value in values)


def _is_plain(values: Iterable[str], more: str = "") -> bool:
    """Whether the service would read the values as we do; an empty value means "unknown", which no service knows."""
    return all(value and not any(char in value for char in "*?[" + more) for value in values)
