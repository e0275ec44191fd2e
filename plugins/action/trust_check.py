# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks approvals and responsibilities; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.plan.approval import NotApproved
from ..module_utils._core.report.next_words import after_approval
from ..module_utils._core.text import plain
from ..module_utils._core.trust.bundle import ACTIVITIES
from ..module_utils._core.trust.responsibilities import check_operator
from ..plugin_utils.approvals.page import write_plan_page
from ..plugin_utils.approvals.plan_check import NOT_VERIFIED, check_plan_trust
from ..plugin_utils.approvals.trust import find_trust
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.operator import find_operator
from ..plugin_utils.rollout.folder import read_plan
from ..plugin_utils.rollout.next_commands import to_commands
from ..plugin_utils.rollout.parent import to_approve

_NOT_CHECKED = "Responsibilities are not checked: this controller pins no trust bundle."


class ActionModule(ControllerAction):
    """Says who has approved a plan and what is missing, or whether the operator is responsible for something."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path"},
        "activity": {"type": "str", "choices": list(ACTIVITIES)},
        "strict": {"type": "bool", "default": True},
    }
    RULES: ClassVar[dict[str, Any]] = {"required_one_of": [("dir", "activity")]}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {"changed": False, "verified": False, "text": NOT_VERIFIED}
        if options["activity"]:
            result |= self._activity(options["activity"], task_vars)
        if options["dir"]:
            result |= self._plan(Path(options["dir"]), task_vars, strict=options["strict"])
        return result

    def _activity(self, activity: str, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        trust = find_trust(find_clock().now())
        text = check_operator(trust.bundle, activity, find_operator(task_vars)) if trust else _NOT_CHECKED
        self.say(text)
        return {"verified": trust is not None, "text": text}

    def _plan(self, folder: Path, task_vars: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        plan = read_plan(folder / "plan.json")
        about = to_approve(folder, plan)
        found = check_plan_trust(about.folder, about.plan, find_clock().now(), launcher=None, job=task_vars)
        changed = write_plan_page(folder, plan, found, write=not self.check_mode)
        lines = found.lines() if found else [NOT_VERIFIED]
        for line in lines:
            self.say(line)
        shown = found.to_dict() if found else {}
        if strict and found and not shown["approved"]:
            raise NotApproved(f"Plan {plan['digest']} is not approved: {'; '.join(found.judgement.reasons)}.")
        commands = to_commands(folder, task_vars, self._templar.template)
        then = plain(after_approval(plan, commands, approved=shown["approved"] if found else None))
        return {"changed": changed, "text": "\n".join(lines), "digest": plan["digest"], "next": then, **shown}
