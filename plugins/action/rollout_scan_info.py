# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the hosts that a scan covers; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._core.executors import NOT_SERVED
from ..module_utils._core.plan.scan_targets import not_served_message, scan_targets
from ..module_utils._core.plan.waves import wave_of
from ..module_utils._core.policy.values import to_policy
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.executors.served import why_unserved
from ..plugin_utils.inventory.nodes import candidates


class ActionModule(ControllerAction):
    """Reads the inventory only."""

    SPEC: ClassVar[dict[str, Any]] = {"policy": {"type": "dict"}}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        policy = to_policy(options["policy"]) if options["policy"] else None
        found = list(candidates(task_vars, policy.tags.application if policy else ""))
        if not any(node.executor for node in found):
            raise EmptyInventory(NO_NODES)
        targets = scan_targets(found, policy, why_unserved)
        return {
            "changed": False,
            "direct_hosts": [node.host for node in targets.direct],
            "direct_waves": {node.host: wave_of(node, policy.waves if policy else ()) for node in targets.direct},
            "windows_hosts": [node.host for node in targets.windows],
            "ssm_hosts": [node.host for node in targets.ssm],
            "azure_hosts": [node.host for node in targets.azure],
            "unscanned": [
                {"host": node.host, "name": node.name, "executor": node.executor, "reason": why}
                for node, why in targets.unscanned
            ],
            "not_served": [
                {"host": node.host, "name": node.name, "executor": node.executor, "code": NOT_SERVED, "reason": why}
                for node, why in targets.not_served
            ],
            "not_served_message": not_served_message(targets.not_served),
        }
