# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the evidence from which notices are derived: rollouts, the exception ledger, alarms, repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ...module_utils._aws.history_bucket import HistoryBucket
from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.exceptions.tags import Alarm
from ...module_utils._core.history.store import HistoryStore
from ...module_utils._core.nodes import Candidate
from ...module_utils._core.notice.coverage import coverage_notices
from ...module_utils._core.notice.due import OLDEST
from ...module_utils._core.notice.exceptions import alarm_notice, exception_notices, listed_notice
from ...module_utils._core.notice.model import Notice
from ...module_utils._core.notice.reports import report_notice
from ...module_utils._core.notice.repositories import repository_notices
from ...module_utils._core.notice.rollouts import Evidence, Moments, rollout_notices, sketches
from ...module_utils._core.plan.scan import check_scan_shape, unpack_scan
from ...module_utils._core.policy.values import Policy
from ...module_utils._core.report.model import build_report
from ...module_utils._core.stamp import from_time
from ...module_utils._core.text import plain
from ...module_utils._core.times.schedule import to_zone
from ..exceptions.open_ledger import open_ledger
from ..files import read_json
from ..history.report import read_latest
from ..inventory.nodes import planned_candidate
from ..line_file import LineFile
from ..rollout.due_plans import plan_folders
from ..rollout.folder import RolloutDir, read_plan
from ..rollout.stores import JOURNAL, read_stores
from .moments import read_moments

_REPOSITORIES = "repositories.jsonl"
_WITHOUT_REPORT = frozenset({"plan_made", "started"})


@dataclass(slots=True)
class Reader:
    """Reads what a policy's notices follow from. ``problems``: what could not be read; the rest is used.

    :param nodes: the inventory; may be empty.
    """

    policy: Policy
    clock: Clock
    nodes: Sequence[Candidate] = ()
    problems: list[str] = field(default_factory=list)
    #: Returns those of the notices that somebody is due now; by default, all.
    needed: Callable[[Sequence[Notice]], Iterable[Notice]] = list
    #: Notices that nobody is due now, without what a report adds. They are only counted.
    waiting: list[Notice] = field(default_factory=list)
    #: Keys of notices that turned out to have nothing to say.
    settled: list[str] = field(default_factory=list)

    def rollouts(self, root: Path) -> Iterator[Notice]:
        """Yield the notices of the policy's rollouts in a directory and below it, and of repositories.

        Only what somebody is due is read: a rollout that has finished and whose notices were sent costs reading its
        plan, and a journal is folded into a report only for a notice of a gate or of the end.

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
        stores, now, plan = read_stores(folder), self.clock.now(), read_plan(folder / "plan.json")
        if plan["policy"]["name"] != self.policy.name:
            return []
        planned = self._planned(plan)
        moments = Moments() if stores.is_remote else read_moments(folder / JOURNAL)
        drafts = sketches(plan, moments, planned)
        wanted = {notice.kind for notice in self.needed(drafts)}
        if moments.finished_at and (moments.finished_at < now - OLDEST or not wanted):
            self.waiting += drafts if moments.finished_at >= now - OLDEST else []
            return []
        rollout, report = RolloutDir(folder, self.clock, stores), None
        last = from_time(rollout.last_at or plan["created_at"])
        if rollout.state.finished and last < now - OLDEST:
            return []
        if stores.is_remote or wanted - _WITHOUT_REPORT:
            moments, journal = Moments(), stores.open_journal(str(plan["rollout"]))
            report = build_report(plan, moments.passing(journal.stream()), _scan(folder), tags=self.policy.tags)
        found = Evidence(state=rollout.state, moments=moments, report=report, nodes=planned)
        notices = rollout_notices(found, now, self.policy.notices.ahead_hours)
        self._leave(drafts, notices, report is not None)
        return notices

    def _leave(self, drafts: Sequence[Notice], notices: Sequence[Notice], told: bool) -> None:
        """Note the drafts that became no notice: they have nothing to say (``told``), or wait."""
        keys = {notice.key for notice in notices}
        left = [draft for draft in drafts if draft.key not in keys]
        if told:
            self.settled += [draft.key for draft in left]
        else:
            self.waiting += left

    def _planned(self, plan: Mapping[str, Any]) -> dict[str, Candidate]:
        key = self.policy.tags.application
        rows = (row for wave in plan["waves"] for row in wave["nodes"])
        return {row["node_id"]: planned_candidate(row, key) for row in rows}

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

    def reports(self, store: HistoryStore, lifetime: timedelta) -> Iterator[Notice]:
        """Yield the notice of the newest report. :param lifetime: of the link to a report in a bucket."""
        try:
            latest = read_latest(store)
            if latest is None:
                self.problems.append(plain(f"{store.where} has no report; publish_report writes one"))
                return
            page = str(latest["page"])
            link = store.link(page, lifetime, self.clock.now()) if isinstance(store, HistoryBucket) else None
            yield report_notice(latest, f"{store.where}/{page}", link, self.policy.name)
        except PatchtideError as error:
            self.problems.append(plain(error))

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
