# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch states and patches of nodes through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

from .._core.model import Patch
from .._core.ssm.compliance import ListedPatch, NodeCompliance, to_status
from .convert import snake, to_time
from .fleet import FleetCalls
from .paging import read_all

_NODES_A_CALL = 50
_AT_ONCE = 8


class SsmCompliance:
    """The ``CompliancePort`` of one place; ``client`` is that place's SSM client, ``label`` names it in errors."""

    def __init__(self, client: Any, label: str) -> None:
        self._client = client
        self._label = label

    def node_ids(self) -> list[str]:
        pages = FleetCalls(lambda _service: self._client, self._label).managed()
        return sorted(str(row["InstanceId"]) for page in pages for row in page)

    def of_nodes(self, node_ids: Sequence[str]) -> list[NodeCompliance]:
        chunks = [list(node_ids[at : at + _NODES_A_CALL]) for at in range(0, len(node_ids), _NODES_A_CALL)]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return [state for found in pool.map(self._states, chunks) for state in found]

    def _states(self, chunk: list[str]) -> list[NodeCompliance]:
        action, operation = "read patch states", "describe_instance_patch_states"
        rows = read_all(self._client, action, operation, "InstancePatchStates", 50, InstanceIds=chunk)
        return [from_api(row) for row in rows]

    def of_group(self, patch_group: str) -> list[NodeCompliance]:
        rows = read_all(
            self._client,
            f"read patch states of patch group {patch_group}",
            "describe_instance_patch_states_for_patch_group",
            "InstancePatchStates",
            100,
            PatchGroup=patch_group,
        )
        return [from_api(row) for row in rows]

    def patches(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[list[ListedPatch]]:
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(lambda item: self._patches(*item), wanted))

    def _patches(self, node_id: str, states: Sequence[str]) -> list[ListedPatch]:
        rows = read_all(
            self._client,
            f"read patches of {node_id}",
            "describe_instance_patches",
            "Patches",
            100,
            InstanceId=node_id,
            Filters=[{"Key": "State", "Values": list(states)}],
        )
        return [_listed(row) for row in rows]


def from_api(row: Mapping[str, Any]) -> NodeCompliance:
    """Convert one InstancePatchState."""
    counts = {snake(key): int(value) for key, value in row.items() if key.endswith("Count")}
    return NodeCompliance(
        node_id=row["InstanceId"],
        status=to_status(counts),
        patch_group=row.get("PatchGroup", ""),
        baseline_id=row.get("BaselineId", ""),
        operation=row.get("Operation", ""),
        operation_started_at=to_time(row.get("OperationStartTime")),
        operation_ended_at=to_time(row.get("OperationEndTime")),
        last_no_reboot_install_at=to_time(row.get("LastNoRebootInstallOperationTime")),
        reboot_option=row.get("RebootOption", ""),
        snapshot_id=row.get("SnapshotId", ""),
        install_override_list=row.get("InstallOverrideList", ""),
        counts=counts,
    )


def _listed(row: Mapping[str, Any]) -> ListedPatch:
    """Convert one PatchComplianceData; of a patch that is not installed the service says 1970."""
    patch, at = patch_from_api(row), row.get("InstalledTime")
    members = {field.name: getattr(patch, field.name) for field in fields(patch)}
    return ListedPatch(**members, installed_at=to_time(at) if at and at.year > 1970 else "")


def patch_from_api(row: Mapping[str, Any]) -> Patch:
    """Convert one PatchComplianceData, whose CVEs are a comma-separated text."""
    return Patch(
        id=row["KBId"],
        title=row.get("Title", ""),
        classification=row.get("Classification", ""),
        severity=row.get("Severity", ""),
        state=row.get("State", ""),
        cve_ids=tuple(cve.strip() for cve in str(row.get("CVEIds") or "").split(",") if cve.strip()),
    )
