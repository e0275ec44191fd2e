# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the hosts that a scan covers; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils._core.plan.scan_targets import scan_targets
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.inventory.nodes import candidates


class ActionModule(ControllerAction):
    """Reads the inventory only, so it has no options."""

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        found = list(candidates(task_vars))
        if not any(node.executor for node in found):
            raise EmptyInventory(NO_NODES)
        targets = scan_targets(found)
        return {
            "changed": False,
            "direct_hosts": [node.host for node in targets.direct],
            "ssm_hosts": [node.host for node in targets.ssm],
            "unscanned": [
                {"host": node.host, "name": node.name, "executor": node.executor, "reason": why}
                for node, why in targets.unscanned
            ],
        }
