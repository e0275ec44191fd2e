# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches or scans nodes by AWS-RunPatchBaseline; see the module of the same name for the documentation."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._core.work.ssm.stagerun import Stage
from ..module_utils._core.work.ssm.stages import InstallStage, ScanStage, baseline_request
from ..plugin_utils.executors.ssm_action import SsmAction


class ActionModule(SsmAction):
    """Scan and Install."""

    SPEC: ClassVar[dict[str, Any]] = {
        **SsmAction.SPEC,
        "operation": {"type": "str", "required": True, "choices": ["Scan", "Install"]},
        "snapshot_id": {"type": "str"},
    }

    def writes(self, options: Mapping[str, Any]) -> bool:
        return bool(options["operation"] == "Install")

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        result = super().act(options, task_vars)
        unsettled = [row for row in result["results"] if row.get("missing_after") or row.get("pending_reboot")]
        return {**result, "open_nodes": sorted(row["node_id"] for row in unsettled)}

    def stage(self, options: Mapping[str, Any]) -> Stage:
        return InstallStage() if options["operation"] == "Install" else ScanStage(details=True)

    def request(self, options: Mapping[str, Any], platform: str, token: str) -> tuple[str, dict[str, list[str]]]:
        return baseline_request(options["operation"], options["snapshot_id"] or str(uuid.uuid4()))
