# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reboots nodes by Run Command; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils._core.work.ssm.stagerun import Stage
from ..module_utils._core.work.ssm.stages import RebootStage, reboot_request
from ..plugin_utils.executors.ssm_action import SsmAction


class ActionModule(SsmAction):
    """Reboots the nodes it is given; each proves by its boot id that it did."""

    def writes(self, options: Mapping[str, Any]) -> bool:
        return True

    def stage(self, options: Mapping[str, Any]) -> Stage:
        return RebootStage()

    def request(self, options: Mapping[str, Any], platform: str, token: str) -> tuple[str, dict[str, list[str]]]:
        return reboot_request(platform, token, options["execution_timeout"])
