# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the provider sees of all tenants: compliance, rollouts, decisions, late nodes, exceptions, what is not known.

Everything comes from the tenant's own files and history. What can't be read is a sentence in ``unknown``, never a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.exceptions.records import ExceptionRecord, ExceptionStatus, in_force
from ...module_utils._core.policy.emergency import policy_of
from ...module_utils._core.policy.values import Policy
from ...module_utils._core.report.csv import to_cell, to_line
from ...module_utils._core.report.model import build_report
from ...module_utils._core.rollout.agenda import Need
from ...module_utils._core.stamp import from_time, to_time
from ...module_utils._core.tenants.values import Tenant
from ...module_utils._core.text import counted, plain
from ...module_utils._core.times.schedule import to_zone
from ..approvals.trust import Trust
from ..approvals.wave_check import objection_to_begin
from ..exceptions.open_ledger import open_ledger
from ..history.duck import rows_of
from ..history.places import open_history
from ..history.read import open_history_tables
from ..rollout.due_plans import Found, Search
from ..rollout.folder import RolloutDir
from ..scan_file import read_scan
from .directory import Directory

SCHEMA = "patchtide/tenants-overview/1"
#: A history whose newest moment is older than this does not say what is true today.
OLD = timedelta(days=2)
_COMPLIANCE = (
    "SELECT coalesce(sum(nodes), 0) AS nodes, coalesce(sum(compliant), 0) AS compliant, "
    "coalesce(sum(non_compliant), 0) AS non_compliant, coalesce(sum(unknown), 0) AS unknown FROM compliance_now"
)
_LATE = (
    "SELECT count(DISTINCT node_id) AS nodes, count(*) AS patches, max(age_days) AS oldest_days "
    "FROM patch_ages WHERE overdue"
)
_LIMITS = "SELECT count(*) AS limits FROM all_limits WHERE name LIKE 'sla_%'"
_SILENT = "SELECT account, region FROM coverage_now WHERE problem = 'place_failed' ORDER BY account, region"
_WITHOUT_LIMIT = "SELECT count(*) AS patches FROM patch_ages WHERE sla_days IS NULL"
_COLUMNS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "tenant": lambda row: row["name"],
    "title": lambda row: row["title"],
    "policy": lambda row: row["policy"],
    "nodes": lambda row: _of(row["compliance"], "nodes"),
    "compliant": lambda row: _of(row["compliance"], "compliant"),
    "non_compliant": lambda row: _of(row["compliance"], "non_compliant"),
    "unknown": lambda row: _of(row["compliance"], "unknown"),
    "as_of": lambda row: _of(row["compliance"], "as_of"),
    "last_rollout": lambda row: _of(row["last"], "dir"),
    "last_state": lambda row: _of(row["last"], "title"),
    "last_at": lambda row: _of(row["last"], "at"),
    "next_rollout": lambda row: _of(row["next"], "dir"),
    "next_at": lambda row: _of(row["next"], "at"),
    "open_decisions": lambda row: len(row["open_decisions"]),
    "late_nodes": lambda row: _of(row["late"], "nodes"),
    "overdue_patches": lambda row: _of(row["late"], "patches"),
    "exceptions_in_force": lambda row: _of(row["exceptions"], "in_force"),
    "exceptions_expiring": lambda row: None if row["exceptions"] is None else len(row["exceptions"]["expiring"]),
    "not_known": lambda row: "; ".join(row["unknown"]),
}


def _of(part: Mapping[str, Any] | None, name: str) -> Any:
    return None if part is None else part[name]


@dataclass(slots=True)
class _Facts:
    """What is found of one tenant; ``unknown`` collects what is not."""

    directory: Directory
    tenant: Tenant
    clock: Clock
    options: Mapping[str, Any]
    unknown: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Return the tenant's row. ``compliance``, ``late`` and ``exceptions`` are ``None`` if not known:
        ``unknown`` says why; ``last`` and ``next`` are ``None`` if there is no such rollout."""
        try:
            policy: Policy | None = self.directory.policy(self.tenant)
        except PatchtideError as error:
            policy = None
            self.unknown.append(plain(error))
        rollouts = self._rollouts()
        compliance, late = self._history()
        found = self._exceptions(policy)
        open_decisions = [*self._decisions(rollouts, policy), *(found or {}).pop("requested", ())]
        return {
            "name": self.tenant.name,
            "title": self.tenant.title,
            "policy": policy.name if policy else "",
            "compliance": compliance,
            "last": self._last(rollouts),
            "next": self._next(rollouts),
            "open_decisions": open_decisions,
            "late": late,
            "exceptions": found,
            "unknown": self.unknown,
        }

    def _rollouts(self) -> list[Found]:
        folder = self.directory.folder(self.tenant)
        if not folder.is_dir():
            self.unknown.append(f"{folder} is not there")
            return []
        found = Search(root=folder, objection=self._unapproved).all(self.clock.now())
        self.unknown += [plain(f"{self._name(item)}: {item.broken}") for item in found if item.broken]
        if not found:
            self.unknown.append("rollouts: there is no plan")
        return [item for item in found if not item.broken]

    def _unapproved(self, rollout: RolloutDir) -> str | None:
        return objection_to_begin(rollout, launcher=None, job={})

    def _name(self, item: Found) -> str:
        return str(item.folder.relative_to(self.directory.folder(self.tenant)))

    def _last(self, rollouts: Iterable[Found]) -> dict[str, Any] | None:
        """Return how the rollout ended, or stands, that wrote the last record."""
        begun = [item for item in rollouts if item.last_at]
        if not begun:
            return None
        item = max(begun, key=lambda found: from_time(found.last_at))
        rollout, scan = RolloutDir(item.folder, self.clock), item.folder / "scan.json"
        try:
            scanned = read_scan(scan) if scan.exists() else None
        except PatchtideError as error:
            scanned = None
            self.unknown.append(plain(f"{self._name(item)}: {error}"))
        journal = rollout.stores.open_journal(str(rollout.plan["rollout"]))
        summary = build_report(rollout.plan, journal.stream(), scanned).summary
        told = {name: summary["conclusion"][name] for name in ("code", "tone", "title", "headline")}
        nodes = dict(summary["totals"]["tones"])
        return {"dir": self._name(item), "rollout": item.rollout, "at": item.last_at, **told, "nodes": nodes}

    def _next(self, rollouts: Iterable[Found]) -> dict[str, Any] | None:
        """Return the rollout that needs its controller first."""
        coming = [(item.agenda.at, item) for item in rollouts if item.agenda and item.agenda.at]
        if not coming:
            return None
        at, item = min(coming, key=lambda pair: (pair[0], str(pair[1].folder)))
        data = item.to_data()
        return {"dir": self._name(item), "at": to_time(at), "local": data["local"], "text": data["text"]}

    def _decisions(self, rollouts: Iterable[Found], policy: Policy | None) -> list[dict[str, str]]:
        """Return what waits for a person."""
        found = []
        for item in rollouts:
            need = item.agenda.need if item.agenda else None
            text = item.to_data()["text"]
            if need in (Need.HELD, Need.SETTLE, Need.OVER):
                found.append({"about": self._name(item), "text": text})
            elif not item.last_at and (why := self._without_approval(item, policy)):
                found.append({"about": self._name(item), "text": f"{why}; {text}"})
        return found

    def _without_approval(self, item: Found, policy: Policy | None) -> str:
        """Return why a plan that has not begun is not approved; "" if it is, or needs no approval."""
        try:
            text = self._unapproved(RolloutDir(item.folder, self.clock))
        except PatchtideError as error:
            return plain(f"whether the plan is approved is not known: {error}")
        if text is None and policy and policy_of(RolloutDir(item.folder, self.clock).plan, policy).approval.required:
            text = "" if item.approval_file else "the plan is not approved"
        return plain(text or "")

    def _exceptions(self, policy: Policy | None) -> dict[str, Any] | None:
        if policy is None:
            return None
        rules = policy.exceptions
        if not rules.ledger:
            self.unknown.append("exceptions: the policy names no ledger, so only tags of nodes have them")
            return None
        try:
            records = open_ledger(rules.ledger, self.options).read()
        except PatchtideError as error:
            self.unknown.append(plain(f"exceptions: {error}"))
            return None
        today = self.clock.now().astimezone(to_zone(rules.timezone)).date()
        valid = in_force(records, today)
        last = today + timedelta(days=rules.expiring_days)
        expiring = [_expiring(item, today) for item in reversed(valid) if item.period.end <= last]
        asked = [item for item in records if item.status is ExceptionStatus.REQUESTED and item.period.end >= today]
        requested = [
            {
                "about": f"exception {item.exception_id}",
                "text": plain(f"{item.requested_by} asks for it: {item.reason}"),
            }
            for item in asked
        ]
        return {"in_force": len(valid), "expiring": expiring, "requested": requested}

    def _history(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """Return compliance and lateness, from the history of this tenant alone."""
        where = self.directory.history(self.tenant)
        try:
            with open_history_tables(open_history(where, self.options)) as database:
                return self._compliance(database), self._late(database)
        except PatchtideError as error:
            self.unknown.append(plain(f"compliance: {error}"))
            return None, None

    def _compliance(self, database: Any) -> dict[str, Any] | None:
        (as_of,) = _row(database, "SELECT as_of FROM as_of").values()
        found = _row(database, _COMPLIANCE)
        if not as_of or not found["nodes"]:
            self.unknown.append("compliance: the history has no nodes")
            return None
        if (old := self.clock.now() - from_time(as_of)) > OLD:
            days = counted(old.days, "day")
            self.unknown.append(f"compliance today: the newest data are {days} old, of {as_of[:10]}")
        if places := ["/".join(row) for row in rows_of(database, _SILENT)[1]]:
            self.unknown.append(f"nodes of account-Regions that did not answer: {', '.join(places)}")
        if found["unknown"]:
            self.unknown.append(f"the state of {counted(found['unknown'])}")
        return {**found, "as_of": as_of}

    def _late(self, database: Any) -> dict[str, Any] | None:
        if not _row(database, _LIMITS)["limits"]:
            self.unknown.append("late nodes: the history has no limits; publish them with patchtide_sla_days")
            return None
        if open_ended := _row(database, _WITHOUT_LIMIT)["patches"]:
            patches = counted(open_ended, "missing patch")
            self.unknown.append(f"whether {patches} are late: there is no limit for their severity")
        return _row(database, _LATE)


def _row(database: Any, sql: str) -> dict[str, Any]:
    columns, rows = rows_of(database, sql)
    return dict(zip(columns, rows[0], strict=True))


def _expiring(record: ExceptionRecord, today: date) -> dict[str, Any]:
    end = record.period.end
    names = {"exception_id": record.exception_id, "valid_until": end.isoformat(), "days_left": (end - today).days}
    return {**names, "reason": plain(record.reason)}


def overview(directory: Directory, trust: Trust | None, clock: Clock, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overview of all tenants: ``schema, at, problems, totals, tenants``.

    :param options: the AWS connection, for histories in buckets and ledgers in tables.
    """
    rows = [_Facts(directory, tenant, clock, options).row() for tenant in directory.found.tenants.values()]
    problems = [plain(text) for text in directory.problems(trust)]
    at = to_time(clock.now())
    return {"schema": SCHEMA, "at": at, "problems": problems, "totals": totals(rows), "tenants": rows}


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the sums. Tenants whose figure is not known are counted in a number of their own, ``…_not_known``."""
    found: dict[str, int] = {"tenants": len(rows)}
    for part, name in (("compliance", "nodes"), ("compliance", "compliant"), ("late", "nodes")):
        key = name if part == "compliance" else "late_nodes"
        found[key] = sum(int(row[part][name]) for row in rows if row[part] is not None)
    for part in ("compliance", "late", "exceptions"):
        found[f"{part}_not_known"] = sum(row[part] is None for row in rows)
    found["open_decisions"] = sum(len(row["open_decisions"]) for row in rows)
    found["expiring"] = sum(len(row["exceptions"]["expiring"]) for row in rows if row["exceptions"] is not None)
    found["with_unknown"] = sum(bool(row["unknown"]) for row in rows)
    return found


def to_csv(found: Mapping[str, Any]) -> str:
    """Return the tenants as CSV; an empty cell is not known, and ``not_known`` says why."""
    lines = [[to_cell(get(row)) for get in _COLUMNS.values()] for row in found["tenants"]]
    return "".join([to_line(_COLUMNS), *map(to_line, lines)])
