# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what the tickets of a rollout contain; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.errors import BadInput
from ..module_utils._core.report.model import build_report
from ..module_utils._core.report.rows import COMPLIANT
from ..module_utils._core.stamp import from_time
from ..module_utils._core.ticket.gate import objections
from ..module_utils._core.ticket.items import Lookup, item_queries, match_items
from ..module_utils._core.ticket.texts import correlation_id, page_name, to_change, to_incidents, to_outcome
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.rollout.folder import RolloutDir
from ..plugin_utils.scan_file import read_scan

_LOOKUP = {
    "table": {"type": "str", "required": True},
    "column": {"type": "str", "required": True},
    "by": {"type": "str", "choices": ["node_id", "name", "host"], "default": "name"},
}


class ActionModule(ControllerAction):
    """Reads the rollout's directory on the controller. It asks no service, and writes nothing."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "scan": {"type": "path"},
        "change": {"type": "dict"},
        "lookups": {"type": "list", "elements": "dict", "default": [], "options": _LOOKUP},
        "items": {"type": "dict"},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        folder, clock = Path(options["dir"]), find_clock()
        rollout = RolloutDir(folder, clock)
        plan, scan = rollout.plan, folder / "scan.json"
        journal = rollout.stores.open_journal(str(plan["rollout"]))
        report = build_report(plan, journal.stream(), read_scan(scan) if scan.exists() else None)
        nodes = [node for wave in plan["waves"] for node in wave["nodes"]]
        lookups = [Lookup(**row) for row in options["lookups"]]
        compliant = _compliant(Path(options["scan"]), rollout.last_at) if options["scan"] else frozenset()
        found: dict[str, Any] = {
            "changed": False,
            "rehearsal": plan["rehearsal"],
            "finished": rollout.state.finished,
            "change": to_change(plan).to_dict(),
            "page": page_name(plan),
            "outcome": to_outcome(report, finished=rollout.state.finished),
            "incidents": [item.to_dict() for item in to_incidents(plan, report, compliant)],
            "item_queries": list(item_queries(nodes, lookups)),
        }
        if options["change"] is not None:
            found["objections"] = objections(options["change"], correlation_id(plan), clock.now())
        if options["items"] is not None:
            found["items"] = match_items(nodes, lookups, options["items"]).to_dict()
        return found


def _compliant(path: Path, since: str) -> frozenset[str]:
    """Return the nodes that a scan has found compliant. :raises BadInput: it is not newer than the rollout's end."""
    scan = read_scan(path, "scan")
    if since and from_time(scan["at"]) <= from_time(since):
        raise BadInput("scan", scan["at"], f"a scan that is newer than the last record of the rollout, of {since}")
    return frozenset(row.node_id for row in build_report(None, (), scan).rows if row.compliance_before == COMPLIANT)
