# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the host probe on nodes by Run Command; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._core.work.precheck import PrecheckRules
from ..module_utils._core.work.ssm.stagerun import Stage
from ..module_utils._core.work.ssm.stages import PrecheckStage, probe_request
from ..plugin_utils.executors.ssm_action import SsmAction

#: Seconds that the script may run.
_SECONDS = 300


class ActionModule(SsmAction):
    """Only reads the nodes, and compares what it sees with the thresholds."""

    SPEC: ClassVar[dict[str, Any]] = {
        **SsmAction.SPEC,
        "thresholds": {"type": "dict", "default": {}},
        "endpoints": {"type": "list", "elements": "str", "default": []},
    }

    def stage(self, options: Mapping[str, Any]) -> Stage:
        rules = PrecheckRules.from_dict(options["thresholds"], "thresholds.")
        return PrecheckStage(rules, ways=bool(options["endpoints"]))

    def request(self, options: Mapping[str, Any], platform: str, token: str) -> tuple[str, dict[str, list[str]]]:
        urls = [url.replace("{region}", options["region_of_nodes"]) for url in options["endpoints"]]
        return probe_request(platform, _SECONDS, endpoints=urls)
