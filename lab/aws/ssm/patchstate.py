# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch state: what the last Scan or Install of a node reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..catalogue import Patch
from ..node import Node
from ..world import world
from .evaluate import Found, Row, evaluate, is_non_compliant
from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: InstancePatchState member -> the state it counts
COUNTS = {
    "InstalledCount": "INSTALLED",
    "InstalledOtherCount": "INSTALLED_OTHER",
    "InstalledPendingRebootCount": "INSTALLED_PENDING_REBOOT",
    "InstalledRejectedCount": "INSTALLED_REJECTED",
    "MissingCount": "MISSING",
    "FailedCount": "FAILED",
    "NotApplicableCount": "NOT_APPLICABLE",
    "AvailableSecurityUpdateCount": "AVAILABLE_SECURITY_UPDATE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """How one run of a patch document looks at nodes: its baseline and what it was told."""

    baseline: dict[str, Any]
    operation: str
    snapshot_id: str
    reboot_option: str
    started: datetime
    override_list: str = ""
    as_of: datetime | None = None  #: evaluate as at this moment instead of now (snapshots on Windows)


@dataclass(slots=True)
class Report:
    """What DescribeInstancePatchStates and DescribeInstancePatches show of one node until the next report."""

    state: dict[str, Any]
    patches: list[dict[str, Any]] = field(repr=False)


def look(node: Node, baseline: dict[str, Any], now: datetime) -> list[Row]:
    """Evaluate a node's real packages against a baseline."""
    found = {
        key: Found(installed_at=row.at, awaits_reboot=row.awaits_reboot, version=row.patch.version)
        for key, row in node.installed.items()
    }
    for key in node.failed:
        found[key] = replace(found.get(key, Found()), failed=True)
    return evaluate(baseline, node.system.updates, found, now)


def write_report(place: Place, node: Node, scanner: Scanner, keep: bool = True) -> Report:
    """Make the node's report and, if it is to be kept, upload it: every scan overwrites the one before."""
    now = place.sim.now
    rows = [_tried(row, scanner) for row in look(node, scanner.baseline, scanner.as_of or now)]
    state = {
        "InstanceId": node.node_id,
        "PatchGroup": node.patch_group,
        "BaselineId": scanner.baseline["BaselineId"],
        "SnapshotId": scanner.snapshot_id,
        **_counts(rows, scanner.baseline, node),
        "OperationStartTime": scanner.started,
        "OperationEndTime": now,
        "Operation": scanner.operation,
    }
    if scanner.operation == "Install":
        state["RebootOption"] = scanner.reboot_option
        if scanner.reboot_option == "NoReboot":
            node.last_no_reboot = now
    if node.last_no_reboot and (scanner.operation, scanner.reboot_option) != ("Install", "RebootIfNeeded"):
        state["LastNoRebootInstallOperationTime"] = node.last_no_reboot
    if scanner.override_list:
        state["InstallOverrideList"] = scanner.override_list
    report = Report(state, [_patch_row(row) for row in rows] + _base_rows(node))
    if keep:
        place.sim.after(_upload_seconds(node), _arrive, place, node, report)
    return report


def _tried(row: Row, scanner: Scanner) -> Row:
    """An Install has tried what it still misses: "FailedCount … attempted to be installed … but failed to install".
    With a list it tried that alone, and what is not there is missing (the payload, tekumara/aws-ssm-patch-manager)."""
    if scanner.operation != "Install":
        return row
    one, other = ("FAILED", "MISSING") if scanner.override_list else ("MISSING", "FAILED")
    return replace(row, state=other) if row.state == one else row


def _upload_seconds(node: Node) -> float:
    """How long until the service shows what the node reported: the document's end does not wait for it."""
    node.uploads += 1
    if node.faults["upload_seconds"] is not None:
        return float(node.faults["upload_seconds"])
    return node.random(f"upload {node.uploads}").uniform(*world().estate.upload_seconds)


def _arrive(place: Place, node: Node, report: Report) -> None:
    shown = place.reports.get(node.node_id)
    if shown is None or shown.state["OperationEndTime"] <= report.state["OperationEndTime"]:
        place.reports[node.node_id] = report


def _counts(rows: Sequence[Row], baseline: dict[str, Any], node: Node) -> dict[str, int]:
    states = Counter(row.state for row in rows)
    states["INSTALLED_OTHER"] += len(node.system.base)
    bad = [row for row in rows if is_non_compliant(row, baseline)]
    critical = [row for row in bad if row.level == "CRITICAL"]
    security = [row for row in bad if row.level != "CRITICAL" and row.patch.is_security]
    return {
        **{member: states[state] for member, state in COUNTS.items()},
        "UnreportedNotApplicableCount": len(node.system.updates) - len(rows),
        "CriticalNonCompliantCount": len(critical),
        "SecurityNonCompliantCount": len(security),
        "OtherNonCompliantCount": len(bad) - len(critical) - len(security),
    }


def _patch_row(row: Row) -> dict[str, Any]:
    patch: Patch = row.patch
    data = {
        "Title": patch.title,
        "KBId": patch.patch_id,
        "Classification": patch.classification,
        "Severity": patch.severity,
        "State": row.state,
        # the service shows the epoch for what is not installed (API reference, example of DescribeInstancePatches)
        "InstalledTime": row.installed_at or _EPOCH,
    }
    # "CVEIds … only for patches with the state Missing or Failed" (API reference, PatchComplianceData)
    shown = patch.cves and row.state in ("MISSING", "FAILED")
    return {**data, "CVEIds": ",".join(patch.cves)} if shown else data


def _base_rows(node: Node) -> list[dict[str, Any]]:
    return [
        {
            "Title": f"{name}:installed",
            "KBId": name,
            "Classification": "",
            "Severity": "",
            "State": "INSTALLED_OTHER",
            "InstalledTime": _EPOCH,
        }
        for name in node.system.base
    ]


@operation("DescribeInstancePatchStates")
def describe_instance_patch_states(place: Place, request: Request) -> Answer:
    if not request["InstanceIds"]:
        raise SsmError("ValidationException", "InstanceIds is empty.")
    # Nodes that never reported have no state; the operation declares no error for unknown ids.
    ids = [node_id for node_id in dict.fromkeys(request["InstanceIds"]) if node_id in place.reports]
    return page("InstancePatchStates", [place.reports[node_id].state for node_id in ids], request, 10)


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "Equal": lambda a, b: a == b,
    "NotEqual": lambda a, b: a != b,
    "LessThan": lambda a, b: a < b,
    "GreaterThan": lambda a, b: a > b,
}


@operation("DescribeInstancePatchStatesForPatchGroup")
def describe_instance_patch_states_for_patch_group(place: Place, request: Request) -> Answer:
    rows = [report.state for report in reports_of_group(place, request["PatchGroup"])]
    for item in request.get("Filters", []):
        key, compare = item["Key"], _COMPARE[item["Type"]]
        if key not in COUNTS and key != "UnreportedNotApplicableCount":
            raise SsmError("InvalidFilter", f"The filter key {key} is not valid.")
        if not item["Values"][0].isdigit():
            raise SsmError("InvalidFilter", f"The value {item['Values'][0]!r} of {key} is no number.")
        rows = [row for row in rows if compare(row[key], int(item["Values"][0]))]
    return page("InstancePatchStates", rows, request, 10)


def reports_of_group(place: Place, group: str) -> list[Report]:
    return [report for _, report in sorted(place.reports.items()) if report.state["PatchGroup"] == group]


_LOOKS = {"Classification": "Classification", "KBId": "KBId", "Severity": "Severity", "State": "State"}


@operation("DescribeInstancePatches")
def describe_instance_patches(place: Place, request: Request) -> Answer:
    if place.managed_node(request["InstanceId"]) is None:
        raise SsmError("InvalidInstanceId", f"{request['InstanceId']} is no managed node of this account and Region.")
    report = place.reports.get(request["InstanceId"])
    rows = report.patches if report else []
    for item in request.get("Filters", []):
        key = item.get("Key", "")
        if key not in _LOOKS:
            raise SsmError("InvalidFilter", f"The filter key {key} is not valid; {sorted(_LOOKS)} are.")
        wanted = {_plain(value) for value in item.get("Values", [])}
        rows = [row for row in rows if _plain(row[_LOOKS[key]]) in wanted]
    return page("Patches", rows, request, 10)


def _plain(value: str) -> str:
    """The documentation filters State by both Missing and MISSING, InstalledOther and INSTALLED_OTHER."""
    return value.replace("_", "").lower()


_GROUP_COUNTS = {
    "InstancesWithInstalledPatches": "InstalledCount",
    "InstancesWithInstalledOtherPatches": "InstalledOtherCount",
    "InstancesWithInstalledPendingRebootPatches": "InstalledPendingRebootCount",
    "InstancesWithInstalledRejectedPatches": "InstalledRejectedCount",
    "InstancesWithMissingPatches": "MissingCount",
    "InstancesWithFailedPatches": "FailedCount",
    "InstancesWithNotApplicablePatches": "NotApplicableCount",
    "InstancesWithUnreportedNotApplicablePatches": "UnreportedNotApplicableCount",
    "InstancesWithCriticalNonCompliantPatches": "CriticalNonCompliantCount",
    "InstancesWithSecurityNonCompliantPatches": "SecurityNonCompliantCount",
    "InstancesWithOtherNonCompliantPatches": "OtherNonCompliantCount",
    "InstancesWithAvailableSecurityUpdates": "AvailableSecurityUpdateCount",
}


@operation("DescribePatchGroupState")
def describe_patch_group_state(place: Place, request: Request) -> Answer:
    states = [report.state for report in reports_of_group(place, request["PatchGroup"])]
    counts = {name: sum(state[member] > 0 for state in states) for name, member in _GROUP_COUNTS.items()}
    return {"Instances": len(states), **counts}
