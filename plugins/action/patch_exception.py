# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, approves, rejects and revokes exceptions; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.change import Change
from ..module_utils._core.exceptions.ledger import declare, name_of
from ..module_utils._core.exceptions.records import ExceptionRecord, ExceptionRules
from ..module_utils._core.stamp import to_time
from ..module_utils._core.times.schedule import to_zone
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction, operator
from ..plugin_utils.exceptions.open_ledger import open_ledger


class ActionModule(ControllerAction):
    """One record of the ledger; the ledger lies with the controller, as a rollout's journal does."""

    SPEC: ClassVar[dict[str, Any]] = {
        "ledger": {"type": "str", "required": True},
        "state": {
            "type": "str",
            "choices": ["requested", "approved", "rejected", "revoked", "absent"],
            "default": "requested",
        },
        "exception_id": {"type": "str"},
        "node": {"type": "str"},
        "select": {"type": "dict"},
        "from": {"type": "str"},
        "to": {"type": "str"},
        "reason": {"type": "str"},
        "requested_by": {"type": "str"},
        "decided_by": {"type": "str", "aliases": ["approver"]},
        "note": {"type": "str", "default": ""},
        "max_days": {"type": "int", "default": 90},
        "four_eyes": {"type": "bool", "default": True},
        "timezone": {"type": "str", "default": "UTC"},
        "create_table": {"type": "bool", "default": False},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "mutually_exclusive": [("node", "select")],
        "required_together": [("from", "to")],
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        now = find_clock().now()
        today = now.astimezone(to_zone(options["timezone"])).date()
        rules = ExceptionRules.from_dict({key: options[key] for key in ("max_days", "four_eyes")}, "")
        ledger = open_ledger(options["ledger"], options, create=options["create_table"] and not self.check_mode)
        name, who = name_of(options), operator(task_vars)

        def decide(before: ExceptionRecord | None) -> ExceptionRecord | None:
            return declare(before, options, rules, who=who, today=today, at=to_time(now))

        before, after = ledger.change(name, decide, write=not self.check_mode)
        change = Change(_shown(before), _shown(after))
        result: dict[str, Any] = {"changed": change.changed, "patch_exception": change.after or {}}
        if self.diff_mode and change.changed:
            result["diff"] = change.to_diff(f"exception {name}")
        return result


def _shown(record: ExceptionRecord | None) -> dict[str, Any] | None:
    return record.to_dict() if record else None
