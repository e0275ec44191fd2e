# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out which rollouts of a directory are due; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.text import plain
from ..plugin_utils.approvals.wave_check import objection_to_begin
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.operator import find_operator
from ..plugin_utils.rollout.due_plans import Search, take_one


class ActionModule(ControllerAction):
    """Reads only, but for the note that this controller works on the rollout that it chooses."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "policy_file": {"type": "path"},
        "ahead_minutes": {"type": "int", "default": 30},
        "takeover_minutes": {"type": "int", "default": 30},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        search = Search(
            root=Path(options["dir"]),
            policy_file=options["policy_file"] or "",
            ahead=timedelta(minutes=options["ahead_minutes"]),
            patience=timedelta(minutes=options["takeover_minutes"]),
            objection=partial(objection_to_begin, launcher=find_operator(task_vars), job=task_vars),
        )
        found = search.all(find_clock().now())
        chosen = take_one(found, write=not self.check_mode)
        for item in found:
            if item is chosen or item.broken:
                self.say(f"{plain(item.folder)}: {item.to_data()['text']}")
        return {
            "changed": False,
            "rollouts": [item.to_data() for item in found],
            "chosen": chosen.to_data() if chosen else {},
            "broken": [f"{plain(item.folder)}: {plain(item.broken)}" for item in found if item.broken],
        }
