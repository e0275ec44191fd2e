# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The course of each piece of work: announced, begun or found again, looked at until every node has its outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.model import Status
from ...module_utils._core.plan.capacity import REBOOT_MINUTES
from ...module_utils._core.rollout.state import NOT_BEGUN
from ...module_utils._core.stamp import from_time, to_time
from ...module_utils._core.work.final_record import error, lost_record
from ..executors.base import ExecutorPort, Result, Unknown, Work, seconds_to_look
from ..rollout.folder import RolloutDir
from .notes import Notes
from .tempo import Tempo

T = TypeVar("T")
#: After so many faults of an executor in a row, or lost beginnings of a node, nothing more is expected of it.
TRIES = 3
#: An intent that is older than this when its work is to begin is given up, and its nodes are due again.
STALE = timedelta(seconds=60)
_STATUSES = frozenset(item.value for item in Status)


class ExecutorFault(PatchtideError):
    """An executor did what it must not do; whether the node was touched is unknown."""

    code = "executor_fault"


@dataclass(slots=True)
class Courses:
    """``works``: what is in hand, by token."""

    rollout: RolloutDir
    wave: str
    executors: Mapping[str, ExecutorPort]
    tempo: Tempo
    notes: Notes
    works: dict[str, Work] = field(default_factory=dict)
    _lost: Counter[tuple[str, str]] = field(default_factory=Counter)

    def announce(self, stage: str, attempt: int, place: str, nodes: Sequence[str]) -> Work:
        """Record the intent of new work. :raises JournalError: it does not fit the rollout's state."""
        now, number = self.tempo.clock.now(), self.rollout.state.announced.get(f"{self.wave}/{stage}", 0) + 1
        work = Work(
            stage=stage,
            attempt=attempt,
            token=f"{self.rollout.plan['rollout']} {self.wave}/{stage}/{attempt}.{number}",
            place=place,
            nodes=tuple(nodes),
            at=now,
            deadline=self._deadline(self.port(nodes[0]), stage, now),
        )
        self.notes.intent(self.wave, work)
        self.works[work.token] = work
        return work

    async def begin(self, work: Work) -> None:
        """Begin announced work and see it through."""
        port = self.port(work.nodes[0])
        self.rollout.confirm()
        if work.stage in ("patch", "reboot") and self.tempo.clock.now() - work.at > STALE:
            self._ended(work, [{"node_id": node, "status": NOT_BEGUN} for node in work.nodes])
            return  # this controller was stopped, or slow: the guards are asked again
        with_us = await self._begun(port, work)
        await (self._follow(port, work) if with_us else self._find_out(port, work))

    async def take_up(self, token: str) -> None:
        """Find out what became of an open intent of an earlier run, and see it through."""
        intent = self.rollout.state.intents[token]
        port, at = self.port(intent.nodes[0]), from_time(intent.at)
        work = self.works[token] = Work(
            stage=intent.stage,
            attempt=intent.attempt,
            token=token,
            place=port.batches(intent.stage, intent.nodes)[0][0],
            nodes=intent.nodes,
            at=at,
            deadline=self._deadline(port, intent.stage, at),
            handle=intent.sent[1] if intent.sent else "",
        )
        await (self._follow(port, work) if work.handle else self._find_out(port, work))

    def _deadline(self, port: ExecutorPort, stage: str, at: datetime) -> datetime:
        """Return when work must have ended: its limit, or the window's end less what a reboot needs afterwards."""
        limit, window = port.deadline(stage, at), self.rollout.window(self.wave)
        if window is None or stage not in ("patch", "reboot"):
            return limit
        reserve = timedelta(minutes=REBOOT_MINUTES) if stage == "patch" else timedelta()
        return min(limit, max(at, window.end - reserve))

    def port(self, node: str) -> ExecutorPort:
        """Return a node's executor."""
        return self.executors[str(self.rollout.nodes[node]["executor"])]

    async def _begun(self, port: ExecutorPort, work: Work) -> bool:
        """Begin; return whether that is settled, one way or the other."""
        try:
            work.handle = await self._call(port, work, lambda: port.begin(work))
        except (Unknown, ExecutorFault) as why:
            work.trouble = str(why)
            self._lost.update((work.stage, node) for node in work.nodes)
            return False
        except PatchtideError as why:
            await self._give_up(port, work, why)
        else:
            self.notes.sent(self.wave, work)
        return True

    async def _find_out(self, port: ExecutorPort, work: Work) -> None:
        """Look work up until it is clear whether it began."""
        faults = misses = 0
        while True:
            try:
                found = await self._call(port, work, lambda: port.look_up(work))
                break
            except PatchtideError as why:
                faults = faults + 1 if isinstance(why, ExecutorFault) else 0
                misses, work.trouble = misses + 1, str(why)
            if faults >= TRIES or (misses >= TRIES and self.tempo.clock.now() >= work.deadline):
                await self._give_up(port, work, None)
                return
            await self.tempo.sleep(port.poll_seconds)
        if found:
            work.handle = found
            self.notes.sent(self.wave, work)
            await self._follow(port, work)
        else:
            await self._never_began(port, work)

    async def _never_began(self, port: ExecutorPort, work: Work) -> None:
        """Its nodes are due again, and whatever guards the stage is asked again; but not for ever."""
        if self.rollout.state.status != "running":
            why = PatchtideError("it was announced and never begun; the rollout was stopped meanwhile")
            await self._give_up(port, work, why)
        elif any(self._lost[work.stage, node] >= TRIES for node in work.nodes):
            await self._give_up(port, work, PatchtideError(f"{work.trouble} ({TRIES} times)"))
        else:
            self._ended(work, [{"node_id": node, "status": NOT_BEGUN} for node in work.nodes])

    async def _follow(self, port: ExecutorPort, work: Work) -> None:
        """Look at work until each of its nodes has an outcome or the deadline is over."""
        wait, faults, misses = 0.0 if port.row.is_direct else port.poll_seconds, 0, 0
        while work.nodes:
            await self.tempo.sleep(wait)
            wait = seconds_to_look(port, work, self.tempo.clock.now())
            try:
                self._ended(work, await self._call(port, work, lambda: port.poll(work)))
                faults = misses = 0
            except PatchtideError as why:
                faults = faults + 1 if isinstance(why, ExecutorFault) else 0
                misses, work.trouble = misses + 1, str(why)
            late = self.tempo.clock.now() >= work.deadline
            if work.nodes and (faults >= TRIES or (late and (not misses or misses >= TRIES))):
                await self._give_up(port, work, None)

    async def _give_up(self, port: ExecutorPort, work: Work, why: PatchtideError | None) -> None:
        """Record the outcomes of the nodes that are left; those that the executor leaves out failed."""
        trouble = work.trouble
        try:
            self._ended(work, await self._call(port, work, lambda: port.give_up(work, why)))
        except ExecutorFault as fault:
            trouble = str(fault)
        except PatchtideError as refused:
            trouble = trouble or str(refused)
        self._fault(work, work.nodes, trouble or str(why or "its time was over"))

    def _ended(self, work: Work, results: Sequence[Result]) -> None:
        """Record outcomes; the last one of the work closes it."""
        found: dict[str, Result] = {}
        for item in results:
            if item["node_id"] in work.nodes:
                found.setdefault(str(item["node_id"]), item)
        bad = [node for node, item in found.items() if not _is_readable(work.stage, item)]
        for node in bad:
            self._fault(work, [node], f"unreadable result: {found.pop(node)!r}"[:300])
        self.notes.outcome(self.wave, work.stage, list(found.values()))
        self._close(work, found)

    def _fault(self, work: Work, nodes: Sequence[str], text: str) -> None:
        """Record outcomes for an executor that gave none: unknown for changing stages, so that the scan tells."""
        at, results = to_time(self.tempo.clock.now()), []
        final = work.stage in ("precheck", "verify")
        for node in nodes:
            if final:
                planned = self.rollout.nodes[node]
                status = Status.SKIPPED if work.stage == "precheck" else Status.UNKNOWN
                results.append(lost_record(planned, status, ExecutorFault.code, text, at).to_dict())
            else:
                why = error(ExecutorFault.code, text)
                results.append({"node_id": node, "status": Status.UNKNOWN.value, "ended_at": at, "error": why})
        self.notes.outcome(self.wave, "verify" if final else work.stage, results)
        self._close(work, nodes)

    def _close(self, work: Work, ended: Sequence[str] | Mapping[str, Result]) -> None:
        work.nodes = tuple(node for node in work.nodes if node not in ended)
        if not work.nodes:
            self.works.pop(work.token, None)

    async def _call(self, port: ExecutorPort, work: Work, call: Callable[[], T]) -> T:
        """Call an executor. :raises ExecutorFault: it raised what it must not; other nodes' work goes on."""
        try:
            if port.row.is_direct:
                return await self.tempo.on_host(call)
            return await self.tempo.call(work.place, call)
        except PatchtideError:
            raise
        except Exception as why:
            raise ExecutorFault(f"{type(why).__name__}: {why}") from why


def _is_readable(stage: str, item: Result) -> bool:
    if stage == "precheck" and item.get("outcome") in ("pass", "skip"):
        return item.get("status") is None or item["status"] in _STATUSES
    return item.get("status") in _STATUSES or item.get("status") == NOT_BEGUN
