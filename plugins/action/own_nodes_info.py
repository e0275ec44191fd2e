# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows owners their own nodes; see the module of the same name for the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.exceptions.guard import ExceptionGuard
from ..module_utils._core.owners.own_nodes import own_rows
from ..module_utils._core.owners.window_choices import owned_by
from ..module_utils._core.report.model import build_report
from ..module_utils._core.report.rows import COMPLIANT, NON_COMPLIANT, UNKNOWN
from ..module_utils._core.text import counted
from ..module_utils._core.times.schedule import to_zone
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.exceptions.open_ledger import open_ledger
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.owner import requester
from ..plugin_utils.policy.file import load_policy
from ..plugin_utils.scan_file import read_scan


class ActionModule(ControllerAction):
    """Reads policy, scan and ledger on the controller, and returns what belongs to the person who runs it."""

    SPEC: ClassVar[dict[str, Any]] = {
        "policy_file": {"type": "path", "required": True},
        "scan_file": {"type": "path", "required": True},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        policy, now = load_policy(options["policy_file"]), find_clock().now()
        mine = list(owned_by(requester(task_vars), policy, candidates(task_vars, policy.tags.application)))
        scan, rules = read_scan(Path(options["scan_file"]), "scan_file"), policy.exceptions
        records = open_ledger(rules.ledger, options).read() if rules.ledger else ()
        guard = ExceptionGuard(records=tuple(records), tag=rules.tag, zone=to_zone(rules.timezone))
        why = guard.during(now, now + timedelta(seconds=1))
        rows = own_rows(mine, build_report(None, (), scan), why)
        counts = Counter(row["compliance"] for row in rows)
        for row in rows:
            notes = [row["compliance"].replace("_", " "), row["reason"], row["exception"]]
            self.say(f"{row['name']} ({row['node_id']}): {'; '.join(filter(None, notes))}")
        self.say(f"{counted(len(rows))}, {counts[COMPLIANT]} compliant, by the scan of {scan['at']}")
        summary = {name: counts[name] for name in (COMPLIANT, NON_COMPLIANT, UNKNOWN)}
        return {"changed": False, "nodes": rows, "summary": summary, "scanned_at": scan["at"]}
