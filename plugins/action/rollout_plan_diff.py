# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares two plans; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._core.plan.diff import diff_plans, diff_to_text
from ..module_utils._core.plan.plan import check_plan
from ..module_utils._core.report.text import plan_to_text
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.files import read_json


class ActionModule(ControllerAction):
    """Reads files of the controller; no network, and nothing is written."""

    SPEC: ClassVar[dict[str, Any]] = {
        "before": {"type": "path", "required": True},
        "after": {"type": "path", "required": True},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        before, after = (_read(options[name], name) for name in ("before", "after"))
        found = diff_plans(before, after)
        text = diff_to_text(found)
        for line in text.splitlines():
            self.say(line)
        result = {"changed": False, **found, "text": text}
        if self.diff_mode and not found["same"]:
            result["diff"] = {"before": plan_to_text(before) + "\n", "after": plan_to_text(after) + "\n"}
        return result


def _read(path: str, option: str) -> dict[str, Any]:
    """Read a plan from its file or its directory."""
    file = Path(path) / "plan.json" if Path(path).is_dir() else Path(path)
    plan: dict[str, Any] = read_json(file, option)
    check_plan(plan, f"{option}: {file}")
    return plan
