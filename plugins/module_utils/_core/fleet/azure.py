# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of Azure as nodes: virtual machines, instances of scale sets and servers of Azure Arc. Pure.

A row has the members that the query in ``_azure/machines.py`` projects; the list APIs are brought to the same form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..executors import AZURE
from ..nodes import EMPTY
from .records import Node, Row, Spellings, set_tags, text

VM, ARC, SCALE_SET_VM = "AzureVM", "ArcServer", "ScaleSetVM"
#: Type of a resource in lower case → kind of node.
KINDS: Mapping[str, str] = {
    "microsoft.compute/virtualmachines": VM,
    "microsoft.hybridcompute/machines": ARC,
    "microsoft.compute/virtualmachinescalesets/virtualmachines": SCALE_SET_VM,
}
#: ``PowerState/<code>`` → state (VirtualMachines - Instance View). ``deallocated`` is stopped and not billed.
_STATES = {
    "running": "running",
    "starting": "pending",
    "stopping": "stopping",
    "stopped": "stopped",
    "deallocating": "stopping",
    "deallocated": "deallocated",
}
_PLATFORMS = {"linux": "linux", "windows": "windows"}
#: Source of a node that Systems Manager manages on an Azure VM; its ``SourceId`` is the ``vmId``.
SOURCE_TYPE = "Microsoft.Compute/virtualMachines"


def from_row(row: Row, names: Mapping[str, str], keys: Spellings) -> Node | None:
    """Return the node of a machine; ``None`` for a row without an ID or of another type.

    :param names: names of subscriptions by ID.
    :param keys: keys of the tags. Azure does not distinguish upper and lower case in them.
    """
    machine = text(row.get("id")).lower()
    kind = KINDS.get(text(row.get("type")).lower(), "")
    if not machine or not kind:
        return None
    if kind == VM and row.get("scaleSet"):
        kind = SCALE_SET_VM
    get = row.get
    subscription = text(get("subscriptionId")).lower() or machine.split("/")[2]
    node: Node = {
        **EMPTY,
        "node_id": machine,
        "name": text(get("name")) or machine.rpartition("/")[2],
        # Update Manager does not support the instances of scale sets, which are replaced rather than patched.
        "executor": "" if kind == SCALE_SET_VM else AZURE.name,
        "platform": _PLATFORMS.get(text(get("osType")).lower(), ""),
        "os": text(get("osName")),
        "os_version": text(get("osVersion")),
        "account": subscription,
        "account_name": names.get(subscription, ""),
        "region": text(get("location")).lower().replace(" ", ""),
        "zone": _first(get("zones")),
        "resource_type": kind,
        "state": _state(kind, row),
        "managed": True,
        "ping_status": _ping(kind, row),
        "agent_version": text(get("agentVersion")),
        "tags": {},
        "source_type": SOURCE_TYPE,
        "source_id": text(get("vmId")).lower(),
        "computer_name": text(get("computerName")),
        "instance_type": text(get("size")),
        "patch_mode": text(get("patchMode")),
        "auto_patching": auto_patching(text(get("patchMode")), bool(get("bypass")), bool(get("hotpatch"))),
    }
    set_tags(node, to_tags(get("tags")), keys)
    fold_tags(node, keys)
    return node


def auto_patching(mode: str, bypass: bool, hotpatch: bool) -> str:
    """Return who patches a machine besides us: ``platform``, ``hotpatch`` or ``os``; ``""`` if nobody does.

    Under AutomaticByPlatform the platform patches at a time that it chooses, unless schedules of the customer bypass
    its safety checks (Microsoft Learn, "Automatic Guest Patching for Azure Virtual Machines", "Configure schedule
    patching on Azure VMs for business continuity"). Under AutomaticByOS it is Windows Update.
    """
    if hotpatch:
        return "hotpatch"
    if mode.lower() == "automaticbyplatform":
        return "" if bypass else "platform"
    return "os" if mode.lower() == "automaticbyos" else ""


def to_tags(value: Any) -> dict[str, str]:
    """Return the tags of a resource as text."""
    return {text(key): text(item) for key, item in value.items()} if isinstance(value, Mapping) else {}


def fold_tags(node: Node, keys: Spellings) -> None:
    """Read patch group and maintenance window from tags in other spellings: Azure ignores the case of tag names."""
    folded = {key.casefold(): value for key, value in node["tags"].items()}
    for member, spellings in (("patch_group", keys.patch_group), ("maintenance_window", keys.maintenance_window)):
        if not node[member]:
            node[member] = next((value for key in spellings if (value := folded.get(key.casefold()))), "")


def power_state(code: str) -> str:
    """Return the state for ``PowerState/deallocated``; ``""`` if it is not known."""
    return _STATES.get(code.rpartition("/")[2].lower(), "")


def _state(kind: str, row: Row) -> str:
    if kind == ARC:
        return "running" if _ping(kind, row) == "Online" else ""
    return power_state(text(row.get("powerState")))


def _ping(kind: str, row: Row) -> str:
    """Only Arc servers report to Azure by themselves: connected, or not heard of for 15 to 30 minutes."""
    if kind != ARC:
        return ""
    return "Online" if text(row.get("status")).lower() == "connected" else "ConnectionLost"


def _first(value: Any) -> str:
    return text(value[0]) if isinstance(value, (list, tuple)) and value else ""
