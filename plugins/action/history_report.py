# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes the report of a period; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timezone
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.history.period import LAST_30_DAYS, to_period
from ..module_utils._core.stamp import to_time
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.history.places import open_history
from ..plugin_utils.history.read import open_history_tables
from ..plugin_utils.history.report import PAGE, report_files, to_lines, write_report


class ActionModule(ControllerAction):
    """Reads one place and writes another, both a directory or a bucket."""

    SPEC: ClassVar[dict[str, Any]] = {
        "history": {"type": "str", "required": True},
        "dest": {"type": "str", "required": True},
        "period": {"type": "str", "default": LAST_30_DAYS},
        "title": {"type": "str", "default": "Patch report"},
        "kms_key": {"type": "str"},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        now = find_clock().now()
        period = to_period(options["period"], now.astimezone(timezone.utc).date())
        store = open_history(options["dest"], options, "dest")
        with open_history_tables(open_history(options["history"], options), until=period.last.isoformat()) as database:
            files, figures = report_files(database, period, options["title"])
        for line in to_lines(figures, period):
            self.say(line)
        changed = write_report(store, files, figures, period, to_time(now), write=not self.check_mode)
        page = f"{store.where}/{period.name}/{PAGE}"
        self.say(f"Report  {page}")
        return {
            "changed": changed,
            "dest": store.where,
            "page": page,
            "period": period.to_data(),
            "figures": figures,
            "files": sorted(f"{period.name}/{name}" for name in files),
        }
