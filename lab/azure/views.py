# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines as the services show them: models, instance views, and rows of Resource Graph."""

from __future__ import annotations

from typing import Any

from lab.aws.clock import to_iso

from .machine import Machine
from .network import card_id

Data = dict[str, Any]


def vm_model(machine: Machine) -> Data:
    """A virtual machine as Compute shows it without its instance view."""
    windows = machine.node.is_windows
    settings: Data = {"patchMode": machine.patch_mode or ("AutomaticByOS" if windows else "ImageDefault")}
    settings["assessmentMode"] = machine.assessment_mode
    if windows and machine.hotpatch:
        settings["enableHotpatching"] = True
    if machine.patch_mode == "AutomaticByPlatform":
        own: Data = {"bypassPlatformSafetyChecksOnUserSchedule": machine.bypass}
        if machine.reboot_setting:
            own["rebootSetting"] = machine.reboot_setting
        settings["automaticByPlatformSettings"] = own
    profile: Data = {"computerName": machine.node.name, "adminUsername": "lab"}
    profile["windowsConfiguration" if windows else "linuxConfiguration"] = {
        "provisionVMAgent": True,
        "patchSettings": settings,
    }
    system = machine.node.system
    return {
        "id": machine.resource_id,
        "name": machine.node.name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": machine.spec.node.region,
        "tags": dict(machine.node.tags),
        "properties": {
            "vmId": machine.spec.vm_id,
            "hardwareProfile": {"vmSize": machine.spec.size},
            "storageProfile": {
                "imageReference": {"publisher": "lab", "offer": system.platform_name, "sku": system.platform_version},
                "osDisk": {"osType": system.platform},
            },
            "osProfile": profile,
            "networkProfile": {"networkInterfaces": [{"id": card_id(machine)}]},
            "provisioningState": "Succeeded",
        },
    }


def arc_model(machine: Machine) -> Data:
    """A server of Azure Arc."""
    system = machine.node.system
    kind = "windowsConfiguration" if machine.node.is_windows else "linuxConfiguration"
    mode = machine.patch_mode or ("AutomaticByOS" if machine.node.is_windows else "ImageDefault")
    return {
        "id": machine.resource_id,
        "name": machine.node.name,
        "type": "Microsoft.HybridCompute/machines",
        "location": machine.spec.node.region,
        "tags": dict(machine.node.tags),
        "properties": {
            "vmId": machine.spec.vm_id,
            "vmUuid": machine.spec.vm_uuid,
            "status": machine.arc_status,
            "lastStatusChange": to_iso(machine.node.last_ping),
            "agentVersion": "1.47.02876.001",
            "osType": system.platform.lower(),
            "osName": system.platform_name,
            "osVersion": system.platform_version,
            "osSku": f"{system.platform_name} {system.platform_version}",
            "osProfile": {
                "computerName": machine.node.name,
                kind: {"patchSettings": {"patchMode": mode, "assessmentMode": machine.assessment_mode}},
            },
            "provisioningState": "Succeeded",
        },
    }


def instance_view(machine: Machine) -> Data:
    """VirtualMachineInstanceView; ``patchStatus`` is absent until the patch extension ran (azure-docs issue 110681)."""
    ready = machine.agent_answers
    view: Data = {
        "computerName": machine.node.name,
        "osName": machine.node.system.platform_name,
        "osVersion": machine.node.system.platform_version,
        "statuses": [
            {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"},
            {"code": f"PowerState/{machine.power}", "level": "Info", "displayStatus": f"VM {machine.power}"},
        ],
    }
    if machine.power == "running":
        code, shown = (
            ("ProvisioningState/succeeded", "Ready") if ready else ("ProvisioningState/Unavailable", "Not Ready")
        )
        status = {"code": code, "level": "Info", "displayStatus": shown, "time": to_iso(machine.sim.now)}
        view["vmAgent"] = {"vmAgentVersion": "2.12.0.2", "statuses": [status]}
    status = patch_status(machine)
    if status and not machine.faults["drop_status"]:
        view["patchStatus"] = status
    return view


def patch_status(machine: Machine) -> Data:
    found: Data = {}
    if machine.assessment:
        row = machine.assessment
        found["availablePatchSummary"] = {
            "status": row["status"],
            "assessmentActivityId": row["id"],
            "rebootPending": machine.node.pending_reboot,
            "criticalAndSecurityPatchCount": row.get("security", 0),
            "otherPatchCount": row.get("other", 0),
            "startTime": to_iso(row["start"]),
            "lastModifiedTime": to_iso(row.get("end") or row["start"]),
            "error": row.get("error"),
        }
    if machine.installation:
        row = machine.installation
        found["lastPatchInstallationSummary"] = {
            "status": row["status"],
            "installationActivityId": row["id"],
            "maintenanceWindowExceeded": row["exceeded"],
            **machine.counts(),
            "startTime": to_iso(row["start"]),
            "lastModifiedTime": to_iso(row.get("end") or machine.sim.now),
            "error": row.get("error"),
        }
    return found


def graph_row(machine: Machine) -> Data:
    """A machine in the table ``resources``."""
    model = arc_model(machine) if machine.is_arc else vm_model(machine)
    row = {**model, "type": model["type"].lower(), "subscriptionId": machine.spec.node.account, "zones": None}
    if not machine.is_arc:
        view = {
            "osName": machine.node.system.platform_name.lower(),
            "osVersion": machine.node.system.platform_version,
            "powerState": {"code": f"PowerState/{machine.power}"},
        }
        row["properties"] = {**model["properties"], "extended": {"instanceView": view}}
    return row


def computeresource(machine: Machine) -> Data:
    """An instance of a uniform scale set, in the table ``computeresources``."""
    row = graph_row(machine)
    head, _, name = machine.resource_id.rpartition("/providers/")
    number = name.rpartition("-")[2].lstrip("0") or "0"
    own = (
        f"{head}/providers/Microsoft.Compute/virtualMachineScaleSets/{machine.spec.scale_set}/virtualMachines/{number}"
    )
    return {**row, "id": own, "type": "microsoft.compute/virtualmachinescalesets/virtualmachines"}


def patch_rows(machine: Machine, kind: str) -> list[Data]:
    """Rows of the tables ``patchassessmentresources`` and ``patchinstallationresources``: the run, then its patches.

    The published specification has no example of them: IDs and members are those that the two bodies have, under the
    names that field tools query (helderpinto/AzureUpdateManagerTools).
    """
    provider = "microsoft.hybridcompute/machines" if machine.is_arc else "microsoft.compute/virtualmachines"
    found = machine.assessment if kind == "assessment" else machine.installation
    if not found:
        return []
    name = "latest" if kind == "assessment" else found["id"]
    word = "patchAssessmentResults" if kind == "assessment" else "patchInstallationResults"
    base = f"{machine.resource_id}/{word}/{name}"
    kept = {"subscriptionId": machine.spec.node.account, "location": machine.spec.node.region}
    common: Data = {
        "status": found["status"],
        "startDateTime": to_iso(found["start"]),
        "lastModifiedDateTime": to_iso(found.get("end") or found["start"]),
        "osType": machine.node.system.platform,
        "errorDetails": found.get("error"),
    }
    if kind == "assessment":
        common.update(rebootPending=machine.node.pending_reboot, assessmentActivityId=found["id"])
        patches = [
            {
                "patchName": row["name"],
                "version": row["version"],
                "kbId": row["kbId"],
                "classifications": row["classifications"],
                "rebootBehavior": row["rebootBehavior"],
                "publishedDateTime": row["publishedDate"],
            }
            for row in found.get("rows", [])
        ]
    else:
        common.update(
            installationActivityId=found["id"],
            maintenanceRunId=found["run"] or None,
            rebootStatus=found["reboot"],
            maintenanceWindowExceeded=found["exceeded"],
            **machine.counts(),
        )
        patches = [
            {
                "patchName": row["name"],
                "version": row["version"],
                "kbId": row["kbId"],
                "classifications": row["classifications"],
                "installationState": row["installationState"],
            }
            for row in machine.installed_rows()
        ]
    rows: list[Data] = [{"id": base, "name": name, "type": f"{provider}/{word.lower()}", "properties": common, **kept}]
    for number, row in enumerate(patches):
        own = f"{base}/softwarePatches/{number}"
        kind_of = f"{provider}/{word.lower()}/softwarepatches"
        rows.append({"id": own, "name": str(number), "type": kind_of, "properties": row, **kept})
    return rows
