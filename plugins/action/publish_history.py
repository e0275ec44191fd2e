# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes what a cycle left behind; see the module of the same name for the documentation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.errors import BadInput, JournalError
from ..module_utils._core.history.rollout_rows import rollout_run
from ..module_utils._core.history.runs import Run, Seen, exception_run, finding_run, limit_run, scan_run
from ..module_utils._core.history.store import EXTENSIONS
from ..module_utils._core.plan.plan import check_plan
from ..module_utils._core.read import read
from ..module_utils._core.report.model import build_report
from ..module_utils._core.report.rows import SEVERITIES
from ..module_utils._core.stamp import to_time
from ..module_utils._core.tags import TagKeys
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.exceptions.open_ledger import open_ledger
from ..plugin_utils.files import read_json
from ..plugin_utils.history.places import open_history
from ..plugin_utils.history.publish import find_format, publish
from ..plugin_utils.history.seen import seen_nodes
from ..plugin_utils.rollout.journal_lines import read_journal
from ..plugin_utils.scan_file import read_scan
from ..plugin_utils.vulnerability.findings_file import stored_findings


class ActionModule(ControllerAction):
    """Sees the inventory, which says whose the nodes are and which of them no scan has."""

    SPEC: ClassVar[dict[str, Any]] = {
        "history": {"type": "str", "required": True},
        "dir": {"type": "path"},
        "ledger": {"type": "str"},
        "sla": {"type": "dict"},
        "stale_days": {"type": "int"},
        "gone_days": {"type": "int"},
        "format": {"type": "str", "choices": [*EXTENSIONS]},
        "kms_key": {"type": "str"},
        "tags": {"type": "dict"},
        "patch_baselines": {"type": "list", "elements": "dict", "default": []},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        store = open_history(options["history"], options)
        form = find_format(store, options["format"], not self.check_mode)
        now = to_time(find_clock().now())
        seen = seen_nodes(task_vars) if task_vars.get("hostvars") else {}
        found = [publish(store, run, form, now, not self.check_mode) for run in _runs(options, seen, now)]
        for item in found:
            rows = ", ".join(f"{count} {name}" for name, count in item["rows"].items()) or "no rows"
            self.say(f"{item['kind']}: {item['kept'] or rows}")
        return {
            "changed": any(item["changed"] for item in found),
            "history": store.where,
            "format": form,
            "published": found,
        }


def _runs(options: Mapping[str, Any], seen: Mapping[str, Seen], now: str) -> Iterator[Run]:
    tags = read(TagKeys, options["tags"] or {})
    if limits := _limits(options):
        yield limit_run(limits, now)
    if options["dir"]:
        yield from _runs_of(Path(options["dir"]), options["patch_baselines"], seen, tags)
    if options["ledger"]:
        yield exception_run(options["ledger"], open_ledger(options["ledger"], options).read(), seen, tags, now)


def _limits(options: Mapping[str, Any]) -> dict[str, float]:
    given = {"stale": options["stale_days"], "gone": options["gone_days"]}
    found = {name: float(days) for name, days in given.items() if days is not None}
    for severity, days in (options["sla"] or {}).items():
        if isinstance(days, bool) or not isinstance(days, (int, float)) or days <= 0:
            raise BadInput(f"sla.{severity}", days, "a number of days")
        if severity not in SEVERITIES:
            raise BadInput(f"sla.{severity}", days, f"one of the severities {', '.join(SEVERITIES)}")
        found[f"sla_{severity}"] = float(days)
    return found


def _runs_of(
    folder: Path, baselines: list[Mapping[str, Any]], seen: Mapping[str, Seen], tags: TagKeys
) -> Iterator[Run]:
    """Yield the runs of a rollout's directory. :raises PatchtideError: something in it was edited or is damaged."""
    scan = read_scan(folder / "scan.json") if (folder / "scan.json").exists() else None
    if scan:
        yield scan_run(scan, seen, tags, baselines)
    if (folder / "plan.json").exists():
        plan = read_json(folder / "plan.json", "dir")
        check_plan(plan, str(folder / "plan.json"))
        report = build_report(plan, read_journal(folder), scan, tags=tags, baselines=baselines)
        if damage := report.summary["evidence"]["chain_error"]:
            raise JournalError(f"{folder / 'journal.jsonl'} is not published: {damage}")
        yield rollout_run(plan, report, _released(baselines))
    elif not scan:
        raise BadInput("dir", str(folder), "a directory with scan.json or plan.json")
    for path in sorted(folder.glob("vulnerabilities*.jsonl")):
        end: dict[str, Any] = {}
        deque(stored_findings(path, "dir", end), maxlen=0)  # its digest is at its end
        yield finding_run(end["digest"], end["at"], stored_findings(path, "dir", {}), seen, tags)


def _released(baselines: list[Mapping[str, Any]]) -> dict[str, str]:
    patches = (patch for item in baselines for patch in item.get("effective_patches") or ())
    return {str(patch.get("kb_number") or patch.get("id")): str(patch.get("release_date") or "") for patch in patches}
