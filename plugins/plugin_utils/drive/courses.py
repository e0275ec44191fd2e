# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The course of each piece of work: announced, begun or found again, and polled until every node has an outcome."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from ...module_utils._core.errors import PatchtideError, TakenOver
from ...module_utils._core.executors import Reach
from ...module_utils._core.model import Status
from ...module_utils._core.plan.capacity import REBOOT_MINUTES
from ...module_utils._core.rollout.state import NOT_BEGUN
from ...module_utils._core.stamp import from_time, to_time
from ...module_utils._core.text import counted
from ...module_utils._core.work.final_record import error, lost_record
from ..executors.base import ExecutorPort, Result, Unknown, Work, seconds_to_look
from ..rollout.folder import RolloutDir
from .notes import Notes
from .permits import Permits
from .tempo import Tempo
from .watch import Objections

T = TypeVar("T")
#: Prepares nodes for their install; nodes that cannot be prepared get their outcome.
Prepare = Callable[[Sequence[str]], Awaitable[None]]
#: Give up after this many consecutive faults of an executor, or lost beginnings on a node.
TRIES = 3
#: Ask the guards again if work begins more than this many seconds after they were asked.
STALE = timedelta(seconds=60)
#: How long an intent stays open while the service refuses to look it up.
OPEN_LOOKS = timedelta(days=1)
#: Stages that change nodes; they begin only if no guard objects.
GUARDED = ("patch", "reboot")
_STATUSES = frozenset(item.value for item in Status)


class NotDue(PatchtideError):
    """Announced work must no longer begin; nothing was sent."""

    code = "NotDue"


class NoAnswer(PatchtideError):
    """Whether announced work began is unknown, and the next run may learn it."""

    code = "NoAnswer"


class ExecutorFault(PatchtideError):
    """An executor broke its contract; whether the node was changed is unknown."""

    code = "executor_fault"


@dataclass(slots=True)
class Courses:
    """``works``: the work in progress, by token. ``unanswered``: work of which nobody could say whether it began."""

    rollout: RolloutDir
    wave: str
    executors: Mapping[str, ExecutorPort]
    permits: Permits
    tempo: Tempo
    notes: Notes
    works: dict[str, Work] = field(default_factory=dict)
    unanswered: list[Work] = field(default_factory=list)
    _numbers: Counter[str] = field(default_factory=Counter)
    _lost: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def announce(self, stage: str, attempt: int, place: str, nodes: Sequence[str]) -> Work:
        """Record the intent of new work. :raises JournalError: the rollout's state does not allow it."""
        now, key = self.tempo.clock.now(), f"{self.wave}/{stage}"
        number = self._numbers[key] = max(self.rollout.state.announced.get(key, 0), self._numbers[key]) + 1
        work = Work(
            stage=stage,
            attempt=attempt,
            token=f"{self.rollout.plan['rollout']} {self.wave}/{stage}/{attempt}.{number}",
            place=place,
            nodes=tuple(nodes),
            at=now,
            deadline=self._deadline(self.port(nodes[0]), stage, now, nodes),
            snapshot_id=str(uuid.uuid4()) if stage in ("patch", "scan") and self.port(nodes[0]).row.by_baseline else "",
        )
        self.works[work.token] = work
        try:
            await self.notes.intent(self.wave, work)
        except BaseException:
            del self.works[work.token]
            raise
        return work

    async def begin(self, work: Work) -> bool:
        """Begin announced work; return whether it is known to have begun. ``see_through`` continues from there."""
        if work.stage in GUARDED:
            self.rollout.confirm()
            if self.tempo.clock.now() - work.at > STALE:
                return False  # this controller was suspended or slow: ask the guards again
        port = self.port(work.nodes[0])
        with self._pace(port):
            return await self._begun(port, work)

    def _confirm(self, work: Work) -> None:
        """Check, in an executor's thread right before work reaches a node, that the work is still ours and due.

        :raises TakenOver: another controller has continued the rollout. :raises NotDue: it must no longer begin.
        """
        self.tempo.in_loop(lambda: self._still_ours(work))
        if work.stage in GUARDED and self.tempo.clock.now() - work.at > STALE:
            # this controller was suspended, or the executor took minutes before it began, to list packages for example
            try:
                objections = self.permits.blocking_objections(work.stage, work.nodes)
            except PatchtideError as why:
                raise NotDue(str(why)) from why
            if objections:
                raise NotDue("; ".join(text for _code, text in objections.values())[:300])
            self.tempo.in_loop(lambda: self._still_ours(work))

    def _still_ours(self, work: Work) -> None:
        self.rollout.confirm()
        if self.rollout.state.status != "running" or work.token not in self.rollout.state.intents:
            raise NotDue(f"the rollout is {self.rollout.state.status}")

    async def see_through(self, work: Work, *, begun: bool, prepare: Prepare | None = None) -> None:
        """Find out whether work began, if that is unknown, and poll it until every node has an outcome."""
        if not work.nodes:
            return
        port = self.port(work.nodes[0])
        with self._pace(port):
            await (self._follow(port, work) if begun else self._find_out(port, work, prepare))

    async def take_up(self, token: str, prepare: Prepare) -> None:
        """Find out how an open intent of an earlier run ended, and complete it.

        :param prepare: ensures that nodes are prepared before their install begins.
        """
        intent = self.rollout.state.intents[token]
        port, at = self.port(intent.nodes[0]), from_time(intent.at)
        work = self.works[token] = Work(
            stage=intent.stage,
            attempt=intent.attempt,
            token=token,
            place=port.batches(intent.stage, intent.nodes)[0][0],
            nodes=intent.nodes,
            at=at,
            deadline=self._deadline(
                port, intent.stage, from_time(intent.sent_at) if intent.sent_at else at, intent.nodes
            ),
            handle=intent.sent[1] if intent.sent else "",
            snapshot_id=intent.snapshot_id,
        )
        await self.see_through(work, begun=bool(work.handle), prepare=prepare if work.stage == "patch" else None)

    def _pace(self, port: ExecutorPort) -> AbstractContextManager[None]:
        return self.tempo.at_host_pace() if port.row.is_direct else nullcontext()

    def _deadline(self, port: ExecutorPort, stage: str, at: datetime, nodes: Sequence[str]) -> datetime:
        """Return the deadline of work: its time limit, or the end of the window minus the time for a reboot."""
        limit = port.deadline(stage, at)
        ends = [window.end for node in nodes if (window := self.rollout.window_of(node))]
        if not ends or stage not in ("patch", "reboot"):
            return limit
        reserve = timedelta(minutes=REBOOT_MINUTES) if stage == "patch" else timedelta()
        return min(limit, max(at, min(ends) - reserve))

    def port(self, node: str) -> ExecutorPort:
        """Return a node's executor."""
        return self.executors[str(self.rollout.nodes[node]["executor"])]

    async def _begun(self, port: ExecutorPort, work: Work) -> bool:
        """Begin; return whether it is known if the work began.

        :raises TakenOver: another controller has continued the rollout.
        """
        work.confirm = partial(self._confirm, work)
        try:
            work.handle = await self._call(port, work, lambda: port.begin(work))
        except TakenOver:
            raise
        except NotDue:
            await self._ended(work, [{"node_id": node, "status": NOT_BEGUN} for node in work.nodes])
        except (Unknown, ExecutorFault) as why:
            work.trouble = str(why)
            self._lost.update((work.stage, node) for node in work.nodes)
            return False
        except PatchtideError as why:
            await self._give_up(port, work, why)
        else:
            if work.handle:
                await self.notes.sent(self.wave, work)
        return True

    async def _find_out(self, port: ExecutorPort, work: Work, prepare: Prepare | None) -> None:
        """Look work up until it is clear whether it began. Work that did not begin is begun now, under the token that
        the journal already has, unless a guard objects. A controller that dies repeatedly still makes progress."""
        faults = misses = 0
        while work.nodes:
            await self._check_clock()
            try:
                objections = await self._objections(work)
                never = bool(objections) or self._why_never(work) is not None
                found = await self._call(port, work, partial(port.look_up, work, final=never))
            except PatchtideError as why:
                faults = faults + 1 if isinstance(why, ExecutorFault) else 0
                misses, work.trouble = misses + 1, str(why)
            else:
                if found != "" or prepare is None:
                    await self._found_out(port, work, found, objections)
                    return
                await prepare(work.nodes)  # this takes time, so ask all guards again
                prepare = None
                self._close(work, [node for node in work.nodes if self.rollout.state.nodes[node].token != work.token])
                continue
            now = self.tempo.clock.now()
            if faults >= TRIES or (misses >= TRIES and now >= work.deadline):
                if faults or not self._may_answer_later(port, work, now):
                    refused = work.stage == "precheck" and port.row.reach is Reach.SERVICE  # it changes nothing
                    await self._give_up(port, work, PatchtideError(work.trouble) if refused else None)
                else:
                    self.unanswered.append(work)
                return
            await self.tempo.sleep(port.poll_seconds)

    def check_answers(self) -> None:
        """:raises NoAnswer: the places of announced work did not tell whether it began."""
        if self.unanswered:
            places = ", ".join(sorted({work.place for work in self.unanswered}))
            nodes = counted(sum(len(work.nodes) for work in self.unanswered), "node")
            raise NoAnswer(
                f"{places} did not say whether the {self.unanswered[0].stage} announced on {nodes} has begun:"
                f" {self.unanswered[0].trouble}. Nothing is decided about them. Run the rollout again once it answers."
            )

    def _may_answer_later(self, port: ExecutorPort, work: Work, now: datetime) -> bool:
        """Return whether to leave the intent open, because the next run may learn if the work began: a service that
        refuses look-ups, for example to expired credentials, is no failure of a node."""
        by_service = work.stage in GUARDED and port.row.reach is Reach.SERVICE
        return by_service and now < work.at + OPEN_LOOKS

    async def _found_out(self, port: ExecutorPort, work: Work, found: str | None, objections: Objections) -> None:
        """Continue according to the answer of a look-up."""
        if found:
            work.handle, now = found, self.tempo.clock.now()
            work.deadline = self._deadline(port, work.stage, now, work.nodes)  # it may have begun a moment ago
            await self.notes.sent(self.wave, work)
            await self._follow(port, work)
        elif found is None:
            await self._never_began(port, work, objections)
        else:
            self.rollout.confirm()
            work.at = self.tempo.clock.now()
            work.deadline = self._deadline(port, work.stage, work.at, work.nodes)
            await self.see_through(work, begun=await self._begun(port, work))

    async def _check_clock(self) -> None:
        """:raises ClockSkew: the controller's clock is wrong, so that nothing may begin or be stopped by it."""
        await self.tempo.call("clock", self.permits.check_clock)

    async def _objections(self, work: Work) -> Objections:
        """Return the objections to beginning work that was announced earlier, by node."""
        if work.stage not in GUARDED or self.rollout.state.status != "running":
            return {}
        return await self.permits.objections(work.stage, work.nodes)

    def _why_never(self, work: Work) -> PatchtideError | None:
        """Return why announced work must no longer begin on any node."""
        if self.rollout.state.status != "running":
            return PatchtideError("it was announced and never begun; the rollout was stopped meanwhile")
        if any(self._lost[work.stage, node] >= TRIES for node in work.nodes):
            return PatchtideError(f"{work.trouble} ({TRIES} times)")
        return None

    async def _never_began(self, port: ExecutorPort, work: Work, objections: Objections) -> None:
        """Close work that never begins under its token; nodes without an objection are due again."""
        if why := self._why_never(work):
            await self._give_up(port, work, why)
            return
        await self.permits.refuse(work.stage, objections)
        self._close(work, objections)
        await self._ended(work, [{"node_id": node, "status": NOT_BEGUN} for node in work.nodes])

    async def _follow(self, port: ExecutorPort, work: Work) -> None:
        """Poll work until each of its nodes has an outcome or the deadline has passed."""
        at_once = port.row.is_direct and work.stage not in GUARDED  # the poll itself does the stage's work
        wait, faults, misses = 0.0 if at_once else port.poll_seconds, 0, 0
        while work.nodes:
            await self.tempo.sleep(wait)
            wait = seconds_to_look(port, work, self.tempo.clock.now())
            if self.tempo.clock.now() >= work.deadline:
                await self._check_clock()  # the poll stops what is late
            try:
                found = await self._call(port, work, lambda: port.poll(work))
            except PatchtideError as why:
                faults = faults + 1 if isinstance(why, ExecutorFault) else 0
                misses, work.trouble = misses + 1, str(why)
            else:
                faults = misses = 0
                await self._ended(work, found)
            late = self.tempo.clock.now() >= work.deadline
            if work.nodes and (faults >= TRIES or (late and (not misses or misses >= TRIES))):
                await self._give_up(port, work, None)

    async def _give_up(self, port: ExecutorPort, work: Work, why: PatchtideError | None) -> None:
        """Record the outcomes of the remaining nodes; nodes that the executor omits have failed."""
        trouble, found = work.trouble, list[Result]()
        if why is None:
            await self._check_clock()
        self.rollout.confirm()  # what runs may belong to another controller by now, so we must not stop it
        try:
            found = await self._call(port, work, lambda: port.give_up(work, why))
        except ExecutorFault as fault:
            trouble = str(fault)
        except PatchtideError as refused:
            trouble = trouble or str(refused)
        await self._ended(work, found)
        await self._fault(work, work.nodes, trouble or str(why or "its time was over"))

    async def _ended(self, work: Work, results: Sequence[Result]) -> None:
        """Record outcomes; the last one of the work closes it."""
        found: dict[str, Result] = {}
        for item in results:
            if item["node_id"] in work.nodes:
                found.setdefault(str(item["node_id"]), item)
        bad = [node for node, item in found.items() if not _is_readable(work.stage, item)]
        for node in bad:
            await self._fault(work, [node], f"unreadable result: {found.pop(node)!r}"[:300])
        await self.notes.outcome(self.wave, work.stage, list(found.values()))
        self._close(work, found)

    async def _fault(self, work: Work, nodes: Sequence[str], text: str) -> None:
        """Record outcomes for an executor that gave none: unknown for changing stages, so that the scan decides."""
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
        await self.notes.outcome(self.wave, "verify" if final else work.stage, results)
        self._close(work, nodes)

    def _close(self, work: Work, nodes: Iterable[str]) -> None:
        ended = frozenset(nodes)
        work.nodes = tuple(node for node in work.nodes if node not in ended)
        if not work.nodes:
            self.works.pop(work.token, None)

    async def _call(self, port: ExecutorPort, work: Work, call: Callable[[], T]) -> T:
        """Call an executor. :raises ExecutorFault: it raised an unexpected error; work on other nodes continues."""
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
