# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the evidence from which notices are derived: rollouts, the exception ledger, alarms, repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.exceptions.tags import Alarm
from ...module_utils._core.nodes import Candidate
from ...module_utils._core.notice.coverage import coverage_notices
from ...module_utils._core.notice.due import OLDEST
from ...module_utils._core.notice.exceptions import alarm_notice, exception_notices, listed_notice
from ...module_utils._core.notice.model import Notice
from ...module_utils._core.notice.repositories import repository_notices
from ...module_utils._core.notice.rollouts import Evidence, Moments, rollout_notices
from ...module_utils._core.plan.scan import check_scan_shape, unpack_scan
from ...module_utils._core.policy.values import Policy
from ...module_utils._core.report.model import build_report
from ...module_utils._core.stamp import from_time
from ...module_utils._core.text import plain
from ...module_utils._core.times.schedule import to_zone
from ..exceptions.open_ledger import open_ledger
from ..files import read_json
from ..inventory.nodes import planned_candidate
from ..line_file import LineFile
from ..rollout.due_plans import plan_folders
from ..rollout.folder import RolloutDir
from ..rollout.stores import read_stores

_REPOSITORIES = "repositories.jsonl"


@dataclass(slots=True)
class Reader:
    """Reads what a policy's notices follow from. ``problems``: what could not be read; the rest is used.

    :param nodes: the inventory; may be empty.
    """

    policy: Policy
    clock: Clock
    nodes: Sequence[Candidate] = ()
    problems: list[str] = field(default_factory=list)

    def rollouts(self, root: Path) -> Iterator[Notice]:
        """Yield the notices of the policy's rollouts in a directory and below it, and of repositories.

        :raises BadInput: there is no such directory.
        """
        if not root.is_dir():
            raise BadInput("dir", str(root), "the directory of a rollout, or one above those of all rollouts")
        yield from self._each(root, self._repositories)
        for folder in plan_folders(root):
            yield from self._each(folder, self._rollout)

    def _each(self, folder: Path, read: Callable[[Path], list[Notice]]) -> list[Notice]:
        try:
            return read(folder)
        except PatchtideError as error:
            self.problems.append(plain(f"{folder}: {error}"))
            return []

    def _repositories(self, folder: Path) -> list[Notice]:
        history = LineFile(folder / _REPOSITORIES, "linux_repositories").read()
        return repository_notices(history, self.nodes, self.policy.name)

    def _rollout(self, folder: Path) -> list[Notice]:
        rollout = RolloutDir(folder, self.clock)
        plan, now = rollout.plan, self.clock.now()
        last = from_time(rollout.last_at or plan["created_at"])
        if plan["policy"]["name"] != self.policy.name or (rollout.state.finished and last < now - OLDEST):
            return []
        key, moments = self.policy.tags.application, Moments()
        planned = {node: planned_candidate(row, key) for node, row in rollout.state.planned.items()}
        journal = read_stores(folder).open_journal(str(plan["rollout"]))
        report = build_report(plan, moments.passing(journal.stream()), _scan(folder), tags=self.policy.tags)
        found = Evidence(state=rollout.state, moments=moments, report=report, nodes=planned)
        return rollout_notices(found, now, self.policy.notices.ahead_hours)

    def exceptions(self, options: Mapping[str, Any]) -> Iterator[Notice]:
        """Yield the notices of the exception ledger. :param options: the AWS connection, for a table."""
        rules = self.policy.exceptions
        today = self.clock.now().astimezone(to_zone(rules.timezone)).date()
        try:
            records = open_ledger(rules.ledger, options).read()
            yield from exception_notices(records, self.nodes, rules, today, self.policy.name)
            if listed := listed_notice(records, self.nodes, rules, self.clock.now(), self.policy.name):
                yield listed
        except PatchtideError as error:
            self.problems.append(plain(error))

    def coverage(self, path: Path) -> Iterator[Notice]:
        """Yield the notice of what ``enroll_nodes`` found last. :param path: the file that keeps it."""
        if path.exists():
            yield from self._each(path, self._coverage)

    def _coverage(self, path: Path) -> list[Notice]:
        data = read_json(path, "coverage")
        return coverage_notices(data, self.nodes, self.policy.tags.owner, self.policy.name)

    def alarms(self, raised: Sequence[tuple[datetime, Alarm]]) -> Iterator[Notice]:
        """Yield the notices of alarms about tags, one for each day on which an alarm is raised."""
        known = {node.node_id: node for node in self.nodes}
        for at, alarm in raised:
            about = (self.policy.exceptions.ledger, at.date().isoformat())
            nodes = (known[alarm.node_id],) if alarm.node_id in known else ()
            yield alarm_notice(alarm, about, at, nodes, self.policy.name)


def _scan(folder: Path) -> dict[str, Any] | None:
    path = folder / "scan.json"
    if not path.exists():
        return None
    data: dict[str, Any] = read_json(path, "dir")
    check_scan_shape(data, str(path))
    return unpack_scan(data, str(path))
