# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One flat record per machine, combined from SSM, EC2 and the tagging service.

The records are dictionaries because they become host variables as they are: at 100,000 nodes a class between
the API's row and Ansible's dictionary costs seconds. Every member is always there; unknown is ``""``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..executors import SSM
from ..model import Place
from ..nodes import EMPTY
from ..tags import SPACED_MAINTENANCE_WINDOW, SPACED_PATCH_GROUP, TagKeys

Row = Mapping[str, Any]
#: A node's host variables without their prefix; see ``nodes.EMPTY`` for the members.
Node = dict[str, Any]

#: Both spellings that SSM uses; the one with a space takes precedence. Tag keys are case-sensitive.
PATCH_GROUP_KEYS = (SPACED_PATCH_GROUP, TagKeys().patch_group)
MAINTENANCE_WINDOW_KEYS = (SPACED_MAINTENANCE_WINDOW, TagKeys().maintenance_window)

_PLATFORMS = {"linux": "linux", "windows": "windows", "macos": "macos"}
_SOURCES = {
    "AWS::EC2::Instance": "ec2",
    "AWS::IoT::Thing": "iot",
    "Microsoft.Compute/virtualMachines": "azure",
    "compute.googleapis.com/Instance": "gcp",
}
_RESOURCE_TYPES = {"AWS::EC2::Instance": "EC2Instance", "AWS::SSM::ManagedInstance": "ManagedInstance"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spellings:
    """Keys of the tags for patch group and maintenance window; the first one that is set applies."""

    patch_group: Sequence[str] = PATCH_GROUP_KEYS
    maintenance_window: Sequence[str] = MAINTENANCE_WINDOW_KEYS


def place_members(place: Place, account_name: str = "") -> Node:
    """Return the members that all nodes of an account-Region share."""
    return {
        "account": place.account or "",
        "account_name": account_name,
        "account_role_arn": place.role_arn or "",
        "account_external_id": place.external_id or "",
        "region": place.region,
    }


def from_managed(row: Row, shared: Row) -> Node | None:
    """Return the node of a row of DescribeInstanceProperties or DescribeInstanceInformation.

    :param shared: what ``place_members`` returned. A row without an id is no node: ``None``.
    """
    node_id = text(row.get("InstanceId"))
    if not node_id:
        return None
    get = row.get
    kind = text(get("ResourceType"))
    return {
        **EMPTY,
        **shared,
        "node_id": node_id,
        "name": text(get("Name")) or text(get("ComputerName")) or node_id,
        "executor": SSM.name,
        "platform": _PLATFORMS.get(text(get("PlatformType")).lower(), ""),
        "os": text(get("PlatformName")),
        "os_version": text(get("PlatformVersion")),
        "zone": text(get("AvailabilityZone")),
        "resource_type": _RESOURCE_TYPES.get(kind, kind) or type_of(node_id),
        "state": text(get("InstanceState")).lower(),
        "managed": True,
        "ping_status": text(get("PingStatus")),
        "last_ping": iso(get("LastPingDateTime")),
        "agent_version": text(get("AgentVersion")),
        "tags": {},
        "source_type": text(get("SourceType")),
        "source_id": text(get("SourceId")),
        "source_location": text(get("SourceLocation")),
        "ip": text(get("IPAddress")),
        "computer_name": text(get("ComputerName")),
        "instance_type": text(get("InstanceType")),
        "registered_at": iso(get("RegistrationDate")),
    }


def from_instance(row: Row, shared: Row) -> Node | None:
    """Return the node of an instance of DescribeInstances, with what EC2 knows: not managed by SSM.

    Only a stopped instance that has an instance profile keeps the executor: it may register once it runs.
    """
    node_id = text(row.get("InstanceId"))
    if not node_id:
        return None
    get = row.get
    tags = from_tag_rows(get("Tags"))
    state = text(_inside(row, "State", "Name"))
    profile = text(_inside(row, "IamInstanceProfile", "Arn"))
    return {
        **EMPTY,
        **shared,
        "node_id": node_id,
        "name": tags.get("Name") or node_id,
        "executor": SSM.name if profile and state != "running" else "",
        "platform": _ec2_platform(row),
        "zone": text(_inside(row, "Placement", "AvailabilityZone")),
        "resource_type": "EC2Instance",
        "state": state,
        "tags": tags,
        "ip": text(get("PrivateIpAddress")),
        "instance_type": text(get("InstanceType")),
        "instance_profile": profile,
        "launched_at": iso(get("LaunchTime")),
    }


def complete(managed: Node, instance: Node) -> Node:
    """Add what only EC2 knows to a managed node. EC2 is authoritative for the state, the tags and the zone."""
    for name in ("state", "tags", "zone", "instance_type", "instance_profile", "launched_at"):
        managed[name] = instance[name] or managed[name]
    for name in ("ip", "platform"):
        managed[name] = managed[name] or instance[name]
    return managed


def set_tags(node: Node, tags: Mapping[str, str], keys: Spellings) -> None:
    """Set a node's tags and the members read from them: name, patch group and maintenance window."""
    node["tags"] = tags
    node["name"] = tags.get("Name") or node["name"]
    node["patch_group"] = first_of(tags, keys.patch_group) or node["patch_group"]
    node["maintenance_window"] = first_of(tags, keys.maintenance_window) or node["maintenance_window"]


def join(managed: Iterable[Row], instances: Iterable[Row], shared: Row) -> dict[str, Node]:
    """Return the nodes of one account-Region by ID: those that SSM manages, with EC2's data, and those only EC2 knows.

    The same id twice (pages may overlap while nodes come and go) is one node; its later row counts.
    """
    nodes = {node["node_id"]: node for row in managed if (node := from_managed(row, shared))}
    for row in instances:
        if node := from_instance(row, shared):
            known = nodes.get(node["node_id"])
            nodes[node["node_id"]] = complete(known, node) if known else node
    return nodes


def first_of(tags: Mapping[str, str], keys: Sequence[str]) -> str:
    """Return the value of the first key that is set and not empty."""
    for key in keys:
        if value := tags.get(key):
            return value
    return ""


def from_tag_rows(rows: Any) -> dict[str, str]:
    """``[{"Key": "a", "Value": "b"}]`` to ``{"a": "b"}``; rows without a key are left out."""
    return {text(tag["Key"]): text(tag.get("Value")) for tag in rows or () if tag.get("Key")}


def type_of(node_id: str) -> str:
    """Return the resource type by node ID: ``i-`` is EC2, ``mi-`` is hybrid."""
    return "ManagedInstance" if node_id.startswith("mi-") else "EC2Instance" if node_id.startswith("i-") else ""


def source_of(node: Row) -> str:
    """Return where a machine runs: ``ec2``, ``azure``, ``gcp``, ``iot``, or ``hybrid`` if nothing more is known."""
    if node["resource_type"] == "EC2Instance":
        return "ec2"
    return _SOURCES.get(node["source_type"], "hybrid")


def text(value: Any) -> str:
    """Return a member as text, "" if it is missing."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def iso(value: Any) -> str:
    """Return a time as ``2026-03-01T12:00:00Z``, from a datetime, epoch seconds or ISO 8601 text."""
    if value is None or value == "":
        return ""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        elif not isinstance(value, datetime):
            value = datetime.fromtimestamp(value, timezone.utc)
        if value.tzinfo is None:
            value = value.replace(tzinfo=timezone.utc)
        return str(value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    except (ValueError, TypeError, OverflowError, OSError):
        return ""


def _inside(row: Row, outer: str, inner: str) -> Any:
    return (row.get(outer) or {}).get(inner)


def _ec2_platform(row: Row) -> str:
    described = f"{text(row.get('Platform'))} {text(row.get('PlatformDetails'))}".lower()
    if "windows" in described:
        return "windows"
    return "macos" if text(row.get("InstanceType")).startswith("mac") else "linux"
