# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notices of a rollout, from its plan, its journal and its report. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ..errors import JournalError
from ..events import GateJudged, RolloutFinished, RolloutStarted
from ..nodes import Candidate
from ..report.conclusion import to_sentences
from ..report.model import Report
from ..report.rows import Row
from ..rollout.journal import Record
from ..rollout.nights import NightTime, night_time, number_of, open_nights
from ..rollout.state import DONE, Rollout
from ..stamp import from_time
from ..text import counted
from .model import Notice

_SEVERITY = {"bad": "critical", "good": "info", "idle": "info"}
_GATES = {"pause": "paused", "abort": "aborted", "promote": "nodes_failed"}
#: Kinds of records that cause notices.
MOMENTS = (RolloutStarted.kind, GateJudged.kind, RolloutFinished.kind)


@dataclass(slots=True)
class Moments:
    """The records of a journal that cause notices, noted while somebody else reads it."""

    found: list[tuple[Record, Any]] = field(default_factory=list)

    def passing(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records and note those that matter. Malformed ones are left to the reader."""
        for record in records:
            if record.kind in MOMENTS:
                with suppress(JournalError):
                    self.found.append((record, record.event()))
            yield record

    @property
    def finished_at(self) -> datetime | None:
        """When the rollout finished, if this is the last of them."""
        record = self.found[-1][0] if self.found else None
        return from_time(record.at) if record and record.kind == RolloutFinished.kind else None


def sketches(plan: Mapping[str, Any], moments: Moments, nodes: Mapping[str, Candidate]) -> list[Notice]:
    """Return the notices of a rollout's records without what a report adds: enough to see who is due them.

    The severity of the end follows from the report, so it is taken as the highest.

    :param nodes: the planned nodes by ID.
    """
    rollout, rehearsal = str(plan["rollout"]), bool(plan["rehearsal"])
    waves = {wave["name"]: [nodes[node["node_id"]] for node in wave["nodes"]] for wave in plan["waves"]}
    everybody = tuple(nodes.values())
    found = [Notice(kind="plan_made", about=(rollout,), at=from_time(plan["created_at"]), nodes=everybody)]
    for record, event in moments.found:
        kind = _GATES[event.verdict] if isinstance(event, GateJudged) else record.kind.removeprefix("rollout_")
        concerned = tuple(waves.get(event.wave, ())) if isinstance(event, GateJudged) else everybody
        severity = "critical" if kind == "finished" else ""
        more: dict[str, Any] = {"severity": severity, "at": from_time(record.at), "nodes": concerned}
        found.append(Notice(kind=kind, about=(rollout, record.hash), **more))
    return [replace(notice, rehearsal=rehearsal) for notice in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a rollout. ``nodes``: its planned nodes by ID.

    :param report: from the same journal; ``None`` if nobody is due a notice that needs it.
    """

    state: Rollout
    moments: Moments
    report: Report | None
    nodes: Mapping[str, Candidate]

    @property
    def rows(self) -> Sequence[Row]:
        return self.report.rows if self.report else ()

    def about(self, *more: str) -> tuple[str, ...]:
        return (str(self.state.plan["rollout"]), *more)

    def facts(self, **more: str) -> dict[str, str]:
        plan = self.state.plan
        return {"policy": str(plan["policy"]["name"]), "rollout": str(plan["rollout"]), **more}


def rollout_notices(found: Evidence, now: datetime, ahead_hours: Sequence[int]) -> list[Notice]:
    """Return every notice that follows from a rollout, whether or not it was sent.

    :param ahead_hours: hours before a window at which its nodes are announced.
    """
    notices = [_plan_made(found), *_impending(found, now, ahead_hours)]
    for record, event in found.moments.found:
        needs_report = record.kind != RolloutStarted.kind
        notice = None if needs_report and not found.report else _HANDLERS[record.kind](found, record, event)
        if notice:
            notices.append(notice)
    return notices


def _notice(found: Evidence, kind: str, about: tuple[str, ...], at: datetime, **more: Any) -> Notice:
    return Notice(
        kind=kind,
        about=found.about(*about),
        at=at,
        rehearsal=bool(found.state.plan["rehearsal"]),
        **{"nodes": tuple(found.nodes.values()), **more},
    )


def _plan_made(found: Evidence) -> Notice:
    plan = found.state.plan
    nights = sorted((night["start"], night["local"]) for wave in plan["waves"] for night in wave["nights"])
    facts = found.facts(
        waves=f"{counted(plan['totals']['patches'], 'patch')} in {counted(len(plan['waves']), 'wave')}",
        nights=f"The first night is {nights[0][1]}." if nights else "",
        approval="It must be approved before it runs." if plan["approval"]["required"] else "",
        digest=str(plan["digest"]),
    )
    return _notice(found, "plan_made", (), from_time(plan["created_at"]), facts=facts)


def _impending(found: Evidence, now: datetime, ahead_hours: Sequence[int]) -> Iterator[Notice]:
    """Yield one notice for each window of a wave that opens soon, at the nearest of the announced hours only."""
    if found.state.status == "aborted" or found.state.finished:
        return
    coming: dict[tuple[str, str, datetime], tuple[NightTime, list[Candidate]]] = {}
    for wave in found.state.waves:
        for number in open_nights(found.state, wave):
            night = night_time(found.state, wave, number, now)
            if night and not night.is_over and night.at_hand.start > now:
                nodes = [
                    found.nodes[node]
                    for node in found.state.waves[wave].nodes
                    if found.state.nodes[node].stage != DONE and number_of(found.state, node) == number
                ]
                coming.setdefault((wave, night.window, night.at_hand.start), (night, []))[1].extend(nodes)
    for (wave, window, start), (night, nodes) in coming.items():
        hours = min((item for item in ahead_hours if now >= start - timedelta(hours=item)), default=None)
        if hours is not None:
            about = ("impending", wave, window, start.isoformat(), str(hours))
            facts = found.facts(wave=wave, window_name=window, window=night.local)
            at = start - timedelta(hours=hours)
            yield _notice(found, "impending", about, at, until=start, facts=facts, nodes=tuple(nodes))


def _started(found: Evidence, record: Record, event: RolloutStarted) -> Notice:
    facts = found.facts(operator="The schedule" if event.scheduled else event.operator or "Somebody")
    return _notice(found, "started", (record.hash,), from_time(record.at), facts=facts)


def _judged(found: Evidence, record: Record, event: GateJudged) -> Notice | None:
    rows = [row for row in found.rows if row.wave == event.wave and row.in_rollout]
    points = _points(rows)
    if event.verdict == "promote" and not points:
        return None
    facts = found.facts(wave=event.wave, reason=to_sentences(event.reasons) or "it gives no reason.")
    nodes = tuple(found.nodes[row.node_id] for row in rows if row.node_id in found.nodes)
    kind, at = _GATES[event.verdict], from_time(record.at)
    return _notice(found, kind, (record.hash,), at, facts=facts, nodes=nodes, points=points)


def _finished(found: Evidence, record: Record, event: RolloutFinished) -> Notice:
    told = found.report.summary["conclusion"] if found.report else {"headline": "", "reason": "", "tone": ""}
    facts = found.facts(status=event.status, headline=str(told["headline"]), reason=str(told["reason"]))
    severity = _SEVERITY.get(str(told["tone"]), "warning")
    points = _points(row for row in found.rows if row.in_rollout)
    at = from_time(record.at)
    return _notice(found, "finished", (record.hash,), at, facts=facts, severity=severity, points=points)


def _points(rows: Iterable[Row]) -> dict[str, str]:
    """Return what is wrong with the nodes that need attention: not patched, or patched and not compliant."""
    found = {}
    for row in rows:
        if row.needs_attention:
            why = row.reason if row.tone != "good" else ""
            found[row.node_id] = ": ".join(part for part in (row.label, why or row.open_points) if part)
    return found


_HANDLERS: Mapping[str, Callable[[Evidence, Record, Any], Notice | None]] = {
    RolloutStarted.kind: _started,
    GateJudged.kind: _judged,
    RolloutFinished.kind: _finished,
}
