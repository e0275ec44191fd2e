# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the exception ledger; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.change import to_data
from ..module_utils._core.exceptions.guard import in_force_nodes
from ..module_utils._core.exceptions.records import ExceptionRules, ExceptionStatus, in_force, to_day
from ..module_utils._core.exceptions.tags import reconcile
from ..module_utils._core.times.schedule import to_zone
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.exceptions.open_ledger import open_ledger
from ..plugin_utils.inventory.nodes import candidates


class ActionModule(ControllerAction):
    """Sees the inventory, so it can say which nodes an exception is for and what their tags show."""

    SPEC: ClassVar[dict[str, Any]] = {
        "ledger": {"type": "str", "required": True},
        "exception_id": {"type": "str"},
        "status": {"type": "list", "elements": "str", "choices": [item.value for item in ExceptionStatus]},
        "at": {"type": "str"},
        "tag": {"type": "str", "default": "PatchException"},
        "application_tag": {"type": "str", "default": "Application"},
        "expiring_days": {"type": "int", "default": 7},
        "timezone": {"type": "str", "default": "UTC"},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        day = self._day(options)
        rules = ExceptionRules.from_dict({"expiring_days": options["expiring_days"]}, "")
        records = open_ledger(options["ledger"], options).read()
        nodes = list(candidates(task_vars, options["application_tag"])) if task_vars.get("hostvars") else []
        found = reconcile(records, nodes, options["tag"], day, rules)
        wanted = [
            item
            for item in records
            if options["exception_id"] in (None, item.exception_id)
            and (not options["status"] or item.status.value in options["status"])
        ]
        force = in_force(wanted, day)
        covered = in_force_nodes(force, nodes)
        alarms = [alarm for alarm in found.alarms if nodes or alarm.kind != "no_node"]
        return {
            "changed": False,
            "day": day.isoformat(),
            "exceptions": [item.to_dict() for item in wanted],
            "in_force": [{**item.to_dict(), "node_ids": covered[item.exception_id]} for item in force],
            "alarms": to_data(alarms),
        }

    def _day(self, options: Mapping[str, Any]) -> date:
        if options["at"]:
            return to_day(options["at"], "at")
        return find_clock().now().astimezone(to_zone(options["timezone"])).date()
