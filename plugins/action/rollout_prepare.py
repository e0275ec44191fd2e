# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does to nodes what is undone after their patching; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.spec import PLACES
from ..module_utils._core.errors import BadInput
from ..module_utils._core.rollout.state import PREPARATIONS
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.prepare.preparation import at_once, preparing
from ..plugin_utils.prepare.preparers import PREPARERS, hook_nodes
from ..plugin_utils.rollout.controller_lock import at_work
from ..plugin_utils.rollout.folder import RolloutDir


class ActionModule(ControllerAction):
    """One task for a whole wave; the journal knows of it before the nodes do."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "wave": {"type": "str", "required": True},
        "what": {"type": "str", "required": True, "choices": list(PREPARATIONS)},
        "tag": {"type": "str", "default": ""},
        "policy": {"type": "dict"},
        "update_agent": {"type": "bool", "default": True},
        "timeout_minutes": {"type": "int", "default": 15},
        "poll_interval": {"type": "int", "default": 15},
        "accounts": PLACES["accounts"],
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_if": [("what", "patch_now", ["tag"]), ("what", "promoted", ["policy"])]
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rollout = RolloutDir(options["dir"], find_clock())
        rollout.state_of_wave(options["wave"])
        if options["what"] == "promoted" and "part" in rollout.plan:
            expected = "a plan that was not split, if the policy's repositories.servers promote patches for its waves"
            raise BadInput("dir", str(rollout.path), expected)
        preparer = PREPARERS[options["what"]](rollout, options["wave"], options, self.say)
        if rollout.state.status != "running":
            return {"changed": False, "nodes": [], "servers": []}
        if self.check_mode:
            wanted = preparer.wanted()
            return {"changed": bool(wanted), "nodes": hook_nodes(rollout, options["wave"], wanted), "servers": []}
        with at_work(rollout):
            nodes = at_once(preparing(preparer, preparer.wanted()))
        done = rollout.state.prepared.get((options["wave"], options["what"]), {}) if nodes else {}
        servers = [item for details in done.values() for item in details.get("servers", ())]
        return {"changed": bool(nodes), "nodes": hook_nodes(rollout, options["wave"], nodes), "servers": servers}
