# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends the notices that are due; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock, is_rehearsal
from ..module_utils._core.errors import BadInput
from ..module_utils._core.exceptions.tags import ALARMS, Alarm
from ..module_utils._core.notice.exceptions import OF_LEDGER
from ..module_utils._core.notice.model import Notice
from ..module_utils._core.policy.values import Policy
from ..plugin_utils.aws_options import aws_spec
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.history.places import open_history
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.notices.delivery import Result
from ..plugin_utils.notices.evidence import Reader
from ..plugin_utils.notices.ledger import Busy
from ..plugin_utils.notices.run import NoticeRun
from ..plugin_utils.policy.file import load_policy

_ALARM: dict[str, Any] = {
    "kind": {"type": "str", "required": True, "choices": list(ALARMS)},
    "text": {"type": "str", "required": True},
    "node_id": {"type": "str", "default": ""},
    "exception_id": {"type": "str", "default": ""},
}


class ActionModule(ControllerAction):
    """Derives notices from the evidence, and delivers those that the ledger does not know."""

    SPEC: ClassVar[dict[str, Any]] = {
        "policy_file": {"type": "path", "required": True},
        "dir": {"type": "path"},
        "alarms": {"type": "list", "elements": "dict", "options": _ALARM, "default": []},
        "coverage": {"type": "list", "elements": "dict"},
        "reports": {"type": "str"},
        "link_hours": {"type": "int", "default": 24},
        "seconds": {"type": "int", "default": 60},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if options["seconds"] < 1:
            raise BadInput("seconds", options["seconds"], "1 or more")
        if not 1 <= options["link_hours"] <= 168:
            raise BadInput("link_hours", options["link_hours"], "1 to 168")
        file = Path(options["policy_file"]).expanduser()
        policy, clock = load_policy(file), find_clock()
        run = NoticeRun(policy.notices, file.parent, clock, options)
        if not policy.notices.routes:
            return self._result(run, Result(), [])
        alarms = [Alarm(**item) for item in options["alarms"] if item["kind"] not in OF_LEDGER]
        if not self.check_mode:  # before anything else, since the tags that caused them are corrected already
            run.ledger.raise_alarms(alarms, clock.now())
            if options["coverage"] is not None:
                run.ledger.keep_coverage(options["coverage"], clock.now())
        nodes = list(candidates(task_vars, policy.tags.application)) if task_vars.get("hostvars") else []
        reader, done = Reader(policy, clock, nodes), Result()
        try:
            with nullcontext() if self.check_mode else run.ledger.alone(options["seconds"]):
                known = run.ledger.read()
                if self.check_mode:
                    known = replace(known, alarms=(*known.alarms, *((clock.now(), alarm) for alarm in alarms)))
                reader.needed = lambda drafts: run.needed(drafts, known, rehearsal=is_rehearsal())
                notices = [*_derive(reader, policy, options), *reader.alarms(known.alarms)]
                notices += reader.coverage(run.ledger.coverage)
                problems = run.collect(notices, known, rehearsal=is_rehearsal(), waiting=reader.waiting)
                done = Result(failed=dict(run.broken))
                if not self.check_mode:
                    run.ledger.settle(set(reader.settled) - known.settled, clock.now())
                    done = run.send(clock.now(), options["seconds"])
        except Busy as busy:
            problems = [str(busy)]
        return self._result(run, done, [*reader.problems, *problems])

    def _result(self, run: NoticeRun, done: Result, problems: list[str]) -> dict[str, Any]:
        rows = run.due_rows() if self.check_mode else run.rows(done.sent)
        verb = "would be sent to" if self.check_mode else "sent to"
        for row in rows:
            self.say(f"{row['route']}: {verb} {row['receiver'] or 'nobody'}: {row['subject']}")
        failed = [{"route": route, "text": text} for route, text in sorted(done.failed.items())]
        for item in failed:
            self.say(f"{item['route']}: not sent: {item['text']}")
        for text in (*(f"{route}: {text}" for route, text in sorted(done.remarks.items())), *problems):
            self.say(text)
        return {
            "changed": bool(rows),
            "notices": rows,
            "failed_routes": failed,
            "remarks": [f"{route}: {text}" for route, text in sorted(done.remarks.items())],
            "problems": problems,
            "later": run.later,
        }


def _derive(reader: Reader, policy: Policy, options: Mapping[str, Any]) -> Iterator[Notice]:
    if options["dir"]:
        yield from reader.rollouts(Path(options["dir"]))
    if options["reports"]:
        store = open_history(options["reports"], options, "reports")
        yield from reader.reports(store, timedelta(hours=options["link_hours"]))
    if policy.exceptions.ledger:
        yield from reader.exceptions(options)
