# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reboots nodes by Run Command; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils._core.model import Status
from ..module_utils._core.plan.capacity import REBOOT_MINUTES
from ..module_utils._core.rollout.reboot_rule import reboot_is_due
from ..module_utils._core.rollout.state import due_nodes
from ..module_utils._core.work.final_record import error
from ..module_utils._core.work.ssm.stagerun import Stage
from ..module_utils._core.work.ssm.stages import RebootStage, reboot_request
from ..plugin_utils.executors.ssm_action import SsmAction
from ..plugin_utils.rollout.folder import RolloutDir


class ActionModule(SsmAction):
    """Reboots only after the install has ended, and only the nodes whose rule asks for it."""

    def writes(self, options: Mapping[str, Any]) -> bool:
        return True

    def minutes(self, node: Mapping[str, Any]) -> float | None:
        return REBOOT_MINUTES

    def late(self, node_id: str, text: str) -> dict[str, Any]:
        """It was patched and stays as it is: the final look says that its reboot is pending."""
        return {
            "node_id": node_id,
            "status": Status.FAILED.value,
            "rebooted": False,
            "error": error("out_of_time", text),
        }

    def stage(self, options: Mapping[str, Any], rollout: RolloutDir | None) -> Stage:
        return RebootStage()

    def request(self, options: Mapping[str, Any], platform: str, token: str) -> tuple[str, dict[str, list[str]]]:
        return reboot_request(platform, token, options["execution_timeout"])

    def settle(self, rollout: RolloutDir, wave: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"node_id": node_id, "status": Status.NO_OP.value, "rebooted": False}
            for node_id in due_nodes(rollout.state, wave, "reboot")
            if rollout.nodes[node_id]["executor"] == "ssm" and not reboot_is_due(rollout.state, node_id)
        ]
