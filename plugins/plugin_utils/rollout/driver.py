# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives one wave of a rollout: asks the state machine what is due and carries it out, node by node, no node waiting.

One process, one journal writer: all events are recorded in the loop's thread; what blocks runs in threads (``tempo``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.executors import is_direct
from ...module_utils._core.model import Status
from ...module_utils._core.plan.capacity import REBOOT_MINUTES
from ...module_utils._core.rollout.budgets_left import over_budget
from ...module_utils._core.rollout.catch_up import final_without_look
from ...module_utils._core.rollout.due import Effect, Preparations, due
from ...module_utils._core.rollout.reboot_rule import reboot_is_due
from ...module_utils._core.rollout.state import DONE, NOT_BEGUN, due_nodes
from ...module_utils._core.stamp import from_time, to_time
from ...module_utils._core.work.final_record import error, lost_record
from ...module_utils._core.work.node_answer import not_understood
from ..executors.base import ExecutorPort, Result, Unknown, Work
from ..prepare.preparation import Preparer, Step, preparing, restoring
from ..prepare.preparers import HOOKS
from .folder import RETRY_SECONDS, RolloutDir
from .notes import Notes
from .opening import Opening
from .progress_line import WaveProgress
from .tempo import Tempo
from .watch import Objections, Watch

T = TypeVar("T")
#: The driver lets so many seconds pass between two looks at what is due, so that chunks of nodes fill up.
LULL_SECONDS = 3.0
#: How far a wave is carried: to the start of its work, through its pre-checks, through all work on its nodes.
STARTED, CHECKED, WORKED = "started", "checked", "worked"
_ALLOWED = {
    STARTED: {("start_wave", ""), ("claim", "")},
    CHECKED: {("start_wave", ""), ("claim", ""), ("reconcile", ""), ("run", "precheck"), ("run", "verify")},
}


@dataclass(slots=True)
class Driver:
    """Carries out what is due in one turn of one wave.

    :param executors: the executors of the wave's nodes by name.
    :param preparer: makes the preparer of a kind.
    """

    rollout: RolloutDir
    wave: str
    executors: Mapping[str, ExecutorPort]
    preparer: Callable[[str], Preparer]
    opening: Opening
    watch: Watch
    tempo: Tempo
    notes: Notes
    preparations: Preparations
    progress: WaveProgress
    turn: int = 1
    _busy: set[str] = field(default_factory=set)
    _stuck: set[tuple[str, str]] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _works: dict[str, Work] = field(default_factory=dict)

    def run(self, until: str) -> None:
        """Carry the wave as far as ``until``. :raises PatchtideError: the controller itself can't go on."""
        asyncio.run(self._run(until))

    async def _run(self, until: str) -> None:
        beside = [asyncio.create_task(self.tempo.pass_time()), asyncio.create_task(self._show())]
        try:
            while True:
                self.notes.changed.clear()
                self._begin_what_is_due(until)
                if not self._tasks:
                    break
                await self._something_happens()
                await self.tempo.sleep(LULL_SECONDS)
        finally:
            for other in (*beside, *self._tasks):
                other.cancel()
            await asyncio.gather(*beside, *self._tasks, return_exceptions=True)
            self.progress.show(self.rollout.state, self._works.values(), last=True)

    async def _something_happens(self) -> None:
        """Wait until work ended or an event was recorded. :raises PatchtideError: the controller can't go on."""
        changed = asyncio.create_task(self.notes.changed.wait())
        ended, _pending = await asyncio.wait({*self._tasks, changed}, return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()
        self._tasks -= ended
        for task in ended - {changed}:
            task.result()

    async def _show(self) -> None:
        while True:
            self.progress.show(self.rollout.state, self._works.values())
            await asyncio.sleep(1)

    def _begin_what_is_due(self, until: str) -> None:
        """Begin everything that is due and not in hand."""
        for effect in due(self.rollout.state, self.preparations):
            work = self._take_in_hand(effect, until)
            if work is not None:
                self._tasks.add(asyncio.create_task(work))

    def _take_in_hand(self, effect: Effect, until: str) -> Coroutine[Any, Any, None] | None:
        """Return the work that carries an effect out, ``None`` if it is in hand or not for this run of the driver."""
        allowed = _ALLOWED.get(until)
        stage = effect.stage if effect.kind == "run" else ""
        if allowed is not None and (effect.kind, stage) not in allowed:
            return None
        if effect.wave != self.wave or effect.token in self._works or effect.kind not in self._HANDLERS:
            return None
        key = effect.token or (f"{effect.kind} {effect.wave}" if not effect.nodes or effect.kind == "claim" else "")
        if key:
            return self._hold([key], self._HANDLERS[effect.kind](self, effect)) if key not in self._busy else None
        nodes = tuple(node for node in effect.nodes if self._is_free(effect, node))
        if not nodes:
            return None
        fresh = Effect(effect.kind, effect.wave, effect.stage, nodes)
        return self._hold(nodes, self._HANDLERS[effect.kind](self, fresh))

    def _is_free(self, effect: Effect, node: str) -> bool:
        if node in self._busy:
            return False
        if effect.kind == "restore":
            return effect.stage not in HOOKS and (effect.stage, node) not in self._stuck
        return self.rollout.state.nodes[node].turn == self.turn

    def _hold(self, keys: Iterable[str], work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        held = set(keys)
        self._busy |= held

        async def holding() -> None:
            try:
                await work
            finally:
                self._busy -= held

        return holding()

    async def _start(self, _effect: Effect) -> None:
        await self.opening.start(self.wave, self.watch, self.tempo, self._prepare_started)

    async def _claim(self, _effect: Effect) -> None:
        self.opening.claim(self.wave)
        await self._prepare_started()

    async def _prepare_started(self) -> None:
        """Start the nodes that the plan saw stopped, and make sure of those that an earlier run started."""
        preparer = self.preparer("started")
        await self._steps(preparing(preparer, preparer.wanted()))

    async def _reconcile(self, effect: Effect) -> None:
        """Find out what became of an intent, or begin it where it surely never began."""
        intent = self.rollout.state.intents[effect.token]
        port, at = self._port(intent.nodes[0]), from_time(intent.at)
        place = port.batches(intent.stage, intent.nodes)[0][0]
        work = Work(
            stage=intent.stage,
            attempt=intent.attempt,
            token=intent.token,
            place=place,
            nodes=intent.nodes,
            at=at,
            deadline=self._deadline(port, intent.stage, at),
            handle=intent.sent[1] if intent.sent else "",
        )
        self._works[work.token] = work
        await (self._follow(port, work) if work.handle else self._find_out(port, work))

    async def _find_out(self, port: ExecutorPort, work: Work) -> None:
        """Look work up until it is clear whether it began; what surely did not begin is begun."""
        while True:
            try:
                found = await self._call(port, work, lambda: port.look_up(work))
                break
            except PatchtideError as why:
                work.trouble = str(why)
            if self.tempo.clock.now() >= work.deadline:
                await self._give_up(port, work, None)
                return
            await self.tempo.sleep(port.poll_seconds)
        if found:
            work.handle = found
            self.notes.sent(self.wave, work)
            await self._follow(port, work)
        elif self.rollout.state.status == "running" and port.look_up_is_final:
            self._works.pop(work.token, None)
            self._ended(work, [{"node_id": node, "status": NOT_BEGUN} for node in work.nodes])
        elif self.rollout.state.status == "running":
            await self._begin(port, work)
        else:
            stopped = PatchtideError("it was announced and never begun; the rollout was stopped meanwhile")
            await self._give_up(port, work, stopped)

    async def _give_up(self, port: ExecutorPort, work: Work, why: PatchtideError | None) -> None:
        self._works.pop(work.token, None)
        self._ended(work, await self._given_up(port, work, why))

    async def _given_up(self, port: ExecutorPort, work: Work, why: PatchtideError | None) -> list[Result]:
        """Return the results of nodes that nothing more is heard of; the executor knows best, else nobody does."""
        try:
            return await self._call(port, work, lambda: port.give_up(work, why))
        except PatchtideError as trouble:
            at, text = to_time(self.tempo.clock.now()), work.trouble or str(trouble)
            nodes = [self.rollout.nodes[node] for node in work.nodes]
            return [lost_record(node, Status.UNKNOWN, "unreadable", text, at).to_dict() for node in nodes]

    async def _prepare(self, effect: Effect) -> None:
        nodes = await self._allowed("patch", effect.nodes)
        if nodes:
            await self._steps(preparing(self.preparer(effect.stage), nodes))
            self.preparations.settled[effect.stage].update(nodes)
            self.notes.changed.set()

    async def _restore(self, effect: Effect) -> None:
        left = await self._steps(restoring(self.preparer(effect.stage), effect.nodes))
        self._stuck |= {(effect.stage, node) for node in left}

    async def _stage(self, effect: Effect) -> None:
        """Carry a stage out on nodes that are due for it."""
        await self._pause_before_retry(effect)
        nodes = list(effect.nodes)
        if effect.stage in ("patch", "reboot"):
            nodes = await self._allowed(effect.stage, nodes)
        elif effect.stage == "verify":
            nodes = self._settle_without_look(nodes)
        if not nodes:
            return
        works = [work for name in self._executors_of(nodes) for work in self._announce(name, effect.stage, nodes)]
        await asyncio.gather(*(self._begin(self._port(work.nodes[0]), work) for work in works))

    async def _pause_before_retry(self, effect: Effect) -> None:
        """Wait a minute between an attempt that failed and the next one."""
        if any(effect.stage in self.rollout.state.nodes[node].results for node in effect.nodes):
            await self.tempo.sleep(RETRY_SECONDS)

    async def _allowed(self, stage: str, nodes: Sequence[str]) -> list[str]:
        """Return the nodes on which the stage may begin now; the others get their outcome."""
        if stage == "reboot":
            idle = [node for node in nodes if not reboot_is_due(self.rollout.state, node)]
            self._refuse("reboot", dict.fromkeys(idle, ("", "")))
            nodes = [node for node in nodes if node not in set(idle)]
        if not nodes:
            return []
        now = self.tempo.clock.now()
        objections = await self.tempo.call("guards", lambda: self.watch.objections(nodes, now))
        if stage == "patch":
            free = [node for node in nodes if node not in objections]
            objections |= await self.tempo.call("guards", lambda: self.watch.without_quorum(free))
            over = over_budget(self.rollout.state, self.wave)
            objections |= {node: ("missed_budget", why) for node, why in over.items() if node in free}
        for node in nodes:
            minutes = REBOOT_MINUTES if stage == "reboot" else float(self.rollout.nodes[node]["expected_minutes"])
            guard = self.rollout.may_start(self.wave, minutes)
            if node not in objections and not guard.ok:
                objections[node] = ("out_of_time" if stage == "reboot" else "missed_out_of_time", guard.text)
        self._refuse(stage, objections)
        return [node for node in nodes if node not in objections]

    def _refuse(self, stage: str, objections: Objections) -> None:
        """Record why a stage does not begin; a node that was tried before keeps that result and is not tried again."""
        results: list[Result] = []
        for node, (code, text) in objections.items():
            tried = self.rollout.state.nodes[node].results.get(stage)
            if tried:
                results.append({**tried, "node_id": node, "no_retry": text})
            elif stage == "reboot":
                status = Status.REBOOT_PENDING if code else Status.NO_OP
                why = {"error": error(code, text)} if code else {}
                results.append({"node_id": node, "status": status.value, "rebooted": False, **why})
            else:
                results.append({"node_id": node, "status": Status.SKIPPED.value, "error": error(code, text)})
        self.notes.outcome(self.wave, stage, results)

    def _settle_without_look(self, nodes: Sequence[str]) -> list[str]:
        """Give nodes that were skipped or lost their final record; return those that have to be looked at."""
        at, found = to_time(self.tempo.clock.now()), {}
        for node in nodes:
            record = final_without_look(self.rollout.nodes[node], self.rollout.state.nodes[node].results, at)
            if record is not None:
                found[node] = record.to_dict()
        self.notes.outcome(self.wave, "verify", list(found.values()))
        return [node for node in nodes if node not in found]

    def _announce(self, executor: str, stage: str, nodes: Sequence[str]) -> list[Work]:
        """Record the intents of an executor's nodes, by the number of their attempt."""
        port, state, now = self.executors[executor], self.rollout.state, self.tempo.clock.now()
        attempts: dict[int, list[str]] = {}
        for node in nodes:
            if self.rollout.nodes[node]["executor"] == executor:
                attempts.setdefault(state.nodes[node].attempts.get(stage, 0) + 1, []).append(node)
        works = []
        for attempt, members in sorted(attempts.items()):
            for place, ids in port.batches(stage, members):
                number = state.announced.get(f"{self.wave}/{stage}", 0) + 1
                token = f"{self.rollout.plan['rollout']} {self.wave}/{stage}/{attempt}.{number}"
                deadline = self._deadline(port, stage, now)
                work = Work(
                    stage=stage, attempt=attempt, token=token, place=place, nodes=tuple(ids), at=now, deadline=deadline
                )
                self._works[token] = work
                self.notes.intent(self.wave, work)
                works.append(work)
        return works

    def _deadline(self, port: ExecutorPort, stage: str, at: datetime) -> datetime:
        """Return when work must have ended: its limit, or the window's end less what a reboot needs afterwards."""
        limit, window = port.deadline(stage, at), self.rollout.window(self.wave)
        if window is None or stage not in ("patch", "reboot"):
            return limit
        reserve = timedelta(minutes=REBOOT_MINUTES) if stage == "patch" else timedelta()
        return min(limit, max(at, window.end - reserve))

    async def _begin(self, port: ExecutorPort, work: Work) -> None:
        try:
            work.handle = await self._call(port, work, lambda: port.begin(work))
        except Unknown:
            await self._find_out(port, work)
        except PatchtideError as why:
            await self._give_up(port, work, why)
        else:
            self.notes.sent(self.wave, work)
            await self._follow(port, work)

    async def _follow(self, port: ExecutorPort, work: Work) -> None:
        """Look at work until each of its nodes has an outcome or the deadline is over."""
        wait = 0.0 if port.row.is_direct else port.poll_seconds
        try:
            while work.nodes:
                await self.tempo.sleep(wait)
                wait = port.poll_seconds
                self._ended(work, await self._look(port, work))
        finally:
            self._works.pop(work.token, None)

    async def _look(self, port: ExecutorPort, work: Work) -> list[Result]:
        try:
            results = await self._call(port, work, lambda: port.poll(work))
        except PatchtideError as why:
            results, work.trouble = [], str(why)
        ended = {item["node_id"] for item in results}
        if self.tempo.clock.now() >= work.deadline and ended < set(work.nodes):
            self._ended(work, results)
            results = await self._given_up(port, work, None)
        return results

    def _ended(self, work: Work, results: Sequence[Result]) -> None:
        ours = [item for item in results if item["node_id"] in work.nodes]
        ended = {item["node_id"] for item in ours}
        work.nodes = tuple(node for node in work.nodes if node not in ended)
        self.notes.outcome(self.wave, work.stage, ours)

    async def _call(self, port: ExecutorPort, work: Work, call: Callable[[], T]) -> T:
        try:
            return await (self.tempo.on_host(call) if port.row.is_direct else self.tempo.call(work.place, call))
        except PatchtideError:
            raise
        except Exception as why:  # of this work alone: what it came to is looked up, and the other nodes go on
            raise Unknown(str(not_understood(why))) from why

    async def _steps(self, steps: Step[T]) -> T:
        """Carry out the steps of a preparation: what it yields blocks and runs in a thread."""
        try:
            call = next(steps)
            while True:
                answer = await self.tempo.apart(call)
                call = steps.send(answer)
        except StopIteration as end:
            value: T = end.value
            return value

    def _port(self, node: str) -> ExecutorPort:
        return self.executors[str(self.rollout.nodes[node]["executor"])]

    def _executors_of(self, nodes: Sequence[str]) -> list[str]:
        """Return the executors of nodes: services first, whose work goes on while hosts are worked on."""
        names = {str(self.rollout.nodes[node]["executor"]) for node in nodes}
        return sorted(names, key=lambda name: (is_direct(name), name))

    def open_nodes(self, stage: str) -> list[str]:
        """Return the nodes of the turn that are due for a stage."""
        states = self.rollout.state.nodes
        due_now = due_nodes(self.rollout.state, self.wave, stage)
        return [node for node in due_now if states[node].turn == self.turn and states[node].stage != DONE]

    async def _guard(self) -> None:
        await self._allowed("patch", self.open_nodes("patch"))

    def guard(self) -> None:
        """Take nodes that must not be patched out of the turn, before the user's task file gets its list."""

        async def once() -> None:
            beside = asyncio.create_task(self.tempo.pass_time())
            try:
                await self._guard()
            finally:
                beside.cancel()

        asyncio.run(once())

    _HANDLERS: ClassVar[Mapping[str, Callable[[Driver, Effect], Coroutine[Any, Any, None]]]] = {
        "start_wave": _start,
        "claim": _claim,
        "reconcile": _reconcile,
        "prepare": _prepare,
        "run": _stage,
        "restore": _restore,
    }
