# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists the machines of subscriptions: by Resource Graph, or by the lists of Compute and Azure Arc."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import graph
from .arm import Arm

COMPUTE_API = "2024-07-01"
HYBRID_API = "2022-12-27"
SUBSCRIPTIONS_API = "2022-12-01"

_COMMON = (
    "id, name, type, subscriptionId, location, zones, tags, "
    "vmId = properties.vmId, size = properties.hardwareProfile.vmSize"
)
_BYPASS = "automaticByPlatformSettings.bypassPlatformSafetyChecksOnUserSchedule"
#: Members that only virtual machines, only Arc servers have; what a type lacks is null.
_VM = (
    "osType = properties.storageProfile.osDisk.osType, osName = properties.extended.instanceView.osName, "
    "osVersion = properties.extended.instanceView.osVersion, "
    "powerState = properties.extended.instanceView.powerState.code, "
    "computerName = properties.osProfile.computerName, scaleSet = properties.virtualMachineScaleSet.id, "
    "linuxMode = properties.osProfile.linuxConfiguration.patchSettings.patchMode, "
    "windowsMode = properties.osProfile.windowsConfiguration.patchSettings.patchMode, "
    "hotpatch = properties.osProfile.windowsConfiguration.patchSettings.enableHotpatching, "
    f"linuxBypass = properties.osProfile.linuxConfiguration.patchSettings.{_BYPASS}, "
    f"windowsBypass = properties.osProfile.windowsConfiguration.patchSettings.{_BYPASS}"
)
_ARC = (
    "arcOsType = properties.osType, arcOsName = properties.osName, arcOsVersion = properties.osVersion, "
    "status = properties.status, "
    "agentVersion = properties.agentVersion, arcName = properties.osProfile.computerName, "
    "vmUuid = properties.vmUuid"
)
MACHINES = (
    "resources | where type in~ ('microsoft.compute/virtualmachines', 'microsoft.hybridcompute/machines') "
    f"| project {_COMMON}, {_VM}, {_ARC} | order by id asc"
)
SCALE_SETS = (
    "computeresources | where type =~ 'microsoft.compute/virtualmachinescalesets/virtualmachines' "
    f"| project {_COMMON}, {_VM} | order by id asc"
)


def subscriptions(arm: Arm) -> dict[str, str]:
    """Return the names of the subscriptions that the caller can read, by their ID in lower case."""
    found = arm.pages("/subscriptions", SUBSCRIPTIONS_API, "list the subscriptions")
    return {
        str(row.get("subscriptionId") or "").lower(): str(row.get("displayName") or "")
        for row in found
        if row.get("subscriptionId") and str(row.get("state", "Enabled")) in ("Enabled", "Warned", "PastDue")
    }


def by_graph(arm: Arm, wanted: Sequence[str], scale_sets: bool = True) -> Iterator[Mapping[str, Any]]:
    """Yield the machines of subscriptions from Resource Graph, 1,000 for each call. It may lag behind."""
    for query in (MACHINES, SCALE_SETS) if scale_sets else (MACHINES,):
        for row in graph.rows(arm, query, wanted, "query the machines with Resource Graph"):
            yield _flat(row)


def by_lists(arm: Arm, subscription: str) -> Iterator[Mapping[str, Any]]:
    """Yield the machines of a subscription from Compute and Azure Arc. Instances of uniform scale sets are missing."""
    compute = f"/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines"
    action = f"list the virtual machines of subscription {subscription}"
    states = {
        str(row.get("id") or "").lower(): _power(row)
        for row in arm.pages(compute, COMPUTE_API, action, {"statusOnly": "true"})
    }
    for row in arm.pages(compute, COMPUTE_API, action):
        yield _from_model({**row, "powerState": states.get(str(row.get("id") or "").lower(), "")}, subscription)
    hybrid = f"/subscriptions/{subscription}/providers/Microsoft.HybridCompute/machines"
    for row in arm.pages(hybrid, HYBRID_API, f"list the Arc servers of subscription {subscription}"):
        yield _from_model(row, subscription)


def machine(arm: Arm, node_id: str, api: str, expand: str = "") -> Mapping[str, Any]:
    """Return one machine. :raises PatchtideError: it can't be read."""
    query = {"$expand": expand} if expand else None
    return arm.read(node_id, api, f"read {node_id.rpartition('/')[2]}", query)


def instance_view(arm: Arm, node_id: str) -> Mapping[str, Any]:
    """Return the instance view of a virtual machine. :raises PatchtideError: it can't be read."""
    return arm.read(f"{node_id}/instanceView", COMPUTE_API, f"read the state of {node_id.rpartition('/')[2]}")


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the members of Arc servers under the names of those of virtual machines."""
    found = dict(row)
    for name, other in (("osType", "arcOsType"), ("osName", "arcOsName"), ("osVersion", "arcOsVersion")):
        found[name] = found.get(name) or found.get(other)
    found["computerName"] = found.get("computerName") or found.get("arcName")
    found["bypass"] = bool(found.get("linuxBypass") or found.get("windowsBypass"))
    found["patchMode"] = found.get("linuxMode") or found.get("windowsMode")
    # The vmId of an Arc server is that of its registration, vmUuid that of its firmware, which Azure VMs have as vmId.
    found["vmId"] = found.get("vmUuid") or found.get("vmId")
    return found


def _from_model(row: Mapping[str, Any], subscription: str) -> dict[str, Any]:
    """Return a machine of a list as a row of the query."""
    paths = {
        name.strip(): path.strip().split(".")
        for name, _sign, path in (item.partition("=") for item in f"{_COMMON}, {_VM}, {_ARC}".split(","))
        if path
    }
    # The lists have no extended instance view: the image tells what the operating system is.
    image = _inside(row, ["properties", "storageProfile", "imageReference"]) or {}
    found: dict[str, Any] = {name: _inside(row, path) for name, path in paths.items()}
    found.update({name: row.get(name) for name in ("id", "name", "type", "location", "zones", "tags")})
    found.update(
        subscriptionId=subscription,
        powerState=row.get("powerState") or "",
        osName=found.get("osName") or image.get("offer") or "",
        osVersion=found.get("osVersion") or image.get("sku") or "",
    )
    return _flat(found)


def _inside(row: Any, path: Sequence[str]) -> Any:
    for name in path:
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


def _power(row: Mapping[str, Any]) -> str:
    statuses = _inside(row, ["properties", "instanceView", "statuses"]) or ()
    codes = (str(item.get("code") or "") for item in statuses if isinstance(item, Mapping))
    return next((code for code in codes if code.startswith("PowerState/")), "")
