# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives one wave of a rollout: asks the state machine what is due and carries it out; no node waits for another.

One process, one journal writer: all events are recorded in the loop's thread; what blocks runs in threads (``tempo``).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, TypeVar

from ...module_utils._core.errors import JournalError
from ...module_utils._core.executors import is_direct
from ...module_utils._core.rollout.due import PREPARED_FOR, Effect, Preparations, due
from ...module_utils._core.rollout.first_alone import first_alone
from ...module_utils._core.rollout.gathering import Gathering
from ...module_utils._core.rollout.nights import BEFORE_WORK, number_of
from ...module_utils._core.rollout.state import WHOLE_WAVE, due_nodes
from ..prepare.preparation import Preparer, Step, announcing, carrying_out, preparing, restoring
from ..prepare.preparers import HOOKS
from ..rollout.folder import RETRY_SECONDS, RolloutDir
from .courses import GUARDED, STALE, Courses
from .notes import Notes
from .opening import Opening
from .permits import Permits
from .progress_line import WaveProgress
from .tempo import Tempo

T = TypeVar("T")
#: Seconds between two checks of what is due, so that chunks of nodes fill up.
LULL_SECONDS = 3.0
#: How far to drive a wave: to the start of its work, through its pre-checks, or through all work on its nodes.
STARTED, CHECKED, WORKED = "started", "checked", "worked"
_ALLOWED = {
    STARTED: {("start_wave", ""), ("claim", "")},
    CHECKED: {("start_wave", ""), ("claim", ""), ("reconcile", ""), ("run", "precheck"), ("run", "verify")},
}


@dataclass(slots=True)
class Driver:
    """Carries out what is due in one turn of one wave.

    A piece of work reserves its nodes until its intent is in the journal; from then on the journal reserves them.

    :param courses: carries work on the executors. :param preparer: makes the preparer of a kind.
    """

    rollout: RolloutDir
    wave: str
    courses: Courses
    permits: Permits
    preparer: Callable[[str], Preparer]
    opening: Opening
    tempo: Tempo
    notes: Notes
    preparations: Preparations
    progress: WaveProgress
    turn: int = 1
    gathering: Gathering = field(default_factory=Gathering)
    _reminder: asyncio.Task[None] | None = None
    _busy: Counter[str] = field(default_factory=Counter)
    _later: datetime | None = None
    _stuck: set[tuple[str, str]] = field(default_factory=set)
    _waiting: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def run(self, until: str) -> None:
        """Drive the wave as far as ``until``. :raises PatchtideError: the controller itself can't continue."""
        asyncio.run(self._run(until))

    async def _run(self, until: str) -> None:
        beside = {asyncio.create_task(self.tempo.pass_time()), asyncio.create_task(self._show())}
        if self.permits.sharing:
            beside.add(asyncio.create_task(self._beat()))
        try:
            while True:
                self.notes.changed.clear()
                self._later = None
                self._begin_what_is_due(until)
                if not self._tasks and not self._await_night():
                    break
                await self._something_happens(beside)
                await self.tempo.sleep(LULL_SECONDS)
            self.courses.check_answers()
            if until == CHECKED and self.rollout.state.status == "running":
                await self.permits.allowed("patch", self._open_nodes("patch"))
        finally:
            for other in (*beside, *self._tasks):
                other.cancel()
            await asyncio.gather(*beside, *self._tasks, return_exceptions=True)
            self.progress.show(self.rollout.state, self.courses.works.values(), last=True)

    async def _something_happens(self, beside: set[asyncio.Task[None]]) -> None:
        """Wait until work ends or an event is recorded. :raises PatchtideError: the controller can't continue."""
        changed = asyncio.create_task(self.notes.changed.wait())
        watched = {*self._tasks, *(task for task in beside if not task.done())}
        try:
            ended, _pending = await asyncio.wait({*watched, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
        self._tasks -= ended
        problems = [why for task in ended - {changed} if (why := task.exception())]
        if problems:
            raise problems[0]

    async def _show(self) -> None:
        while True:
            self.progress.show(self.rollout.state, self.courses.works.values())
            await asyncio.sleep(1)

    async def _beat(self) -> None:
        while True:
            await self.tempo.sleep(RETRY_SECONDS)
            await self.permits.beat()

    def _begin_what_is_due(self, until: str) -> None:
        """Begin everything that is due and not in progress."""
        self._waiting = first_alone(self.rollout.state, self.wave).waiting
        for effect in due(self.rollout.state, self.preparations):
            for part in self._parts(effect, until):
                keys = part.nodes if self._by_node(part) else (self._key(part),)
                self._hold(keys, self._HANDLERS[part.kind](self, part))

    def _hold(self, keys: Iterable[str], work: Coroutine[Any, Any, None]) -> None:
        """Begin work that reserves nodes, a token or an effect until it is done."""
        held = tuple(keys)
        self._busy.update(held)
        self._tasks.add(asyncio.create_task(self._holding(held, work)))

    def _parts(self, effect: Effect, until: str) -> list[Effect]:
        """Return the parts of an effect that this run covers and that are not in progress, retries separate."""
        stage = effect.stage if effect.kind == "run" else ""
        allowed = _ALLOWED.get(until)
        if effect.wave != self.wave or effect.kind not in self._HANDLERS:
            return []
        if allowed is not None and (effect.kind, stage) not in allowed:
            return []
        if not self._by_node(effect):
            return [] if self._key(effect) in self._busy or effect.token in self.courses.works else [effect]
        free = [node for node in effect.nodes if self._is_free(effect, node)]
        free = self._gathered(effect, free) if effect.kind in ("run", "restore") and free else free
        again = {node for node in free if effect.kind == "run" and self._was_tried(effect.stage, node)}
        groups = [[node for node in free if node not in again], [node for node in free if node in again]]
        return [replace(effect, nodes=tuple(nodes)) for nodes in groups if nodes]

    def _by_node(self, effect: Effect) -> bool:
        return effect.kind in ("prepare", "run", "restore")

    def _key(self, effect: Effect) -> str:
        return effect.token or f"{effect.kind} {effect.wave}"

    def _gathered(self, effect: Effect, nodes: Sequence[str]) -> list[str]:
        """Return the nodes that begin now; the driver checks again when the others have waited long enough."""
        now = self.tempo.clock.now()
        about = self.rollout.state, self.wave, effect.stage, nodes, now
        if effect.kind == "run":
            held = self._waiting if effect.stage == PREPARED_FOR else frozenset[str]()
            chosen, seconds = self.gathering.choose(*about, held)
        else:
            chosen, seconds = self.gathering.choose_restores(*about)
        if seconds and (self._reminder is None or self._reminder.done()):
            self._reminder = asyncio.create_task(self.tempo.sleep(seconds))
            self._tasks.add(self._reminder)
        return chosen

    def _is_free(self, effect: Effect, node: str) -> bool:
        if node in self._busy:
            return False
        if node in self._waiting and (effect.stage == PREPARED_FOR or effect.kind == "prepare"):
            return False
        if effect.kind == "restore":
            done_by_play = node == WHOLE_WAVE or effect.stage in HOOKS
            return not done_by_play and (effect.stage, node) not in self._stuck
        return self.rollout.state.nodes[node].turn == self.turn and self._is_night(effect, node)

    def _is_night(self, effect: Effect, node: str) -> bool:
        """Return whether the node's night allows work to begin; work that has begun continues in any case."""
        if effect.kind == "run" and effect.stage not in BEFORE_WORK:
            return True
        window = self.rollout.window_of(node)
        if window is None or window.start <= self.tempo.clock.now():
            return True
        self._later = min(self._later or window.start, window.start)
        return False

    def _await_night(self) -> bool:
        """Wait for the next night of the turn if it opens soon; return whether there is one.

        :raises OutsideWindow: it opens too late to wait for.
        """
        if self._later is None:
            return False
        self.opening.check_wait(self.wave, self.turn)
        seconds = (self._later - self.tempo.clock.now()).total_seconds()
        self._tasks.add(asyncio.create_task(self.tempo.sleep(max(seconds, 0))))
        return True

    def _was_tried(self, stage: str, node: str) -> bool:
        return stage in self.rollout.state.nodes[node].results

    async def _holding(self, held: Sequence[str], work: Coroutine[Any, Any, None]) -> None:
        """Carry out work. A decision made meanwhile, such as an abort, ends only work that has not begun."""
        nodes = self.rollout.state.nodes
        before = {key: nodes[key].stage for key in held if key in nodes}
        try:
            await work
        except JournalError:
            nodes = self.rollout.state.nodes
            overtaken = any(nodes[key].stage != stage for key, stage in before.items())
            if self.rollout.state.status == "running" and not overtaken:
                raise
        finally:
            for key in held:
                self._busy[key] -= 1
                if not self._busy[key]:
                    del self._busy[key]
            self.notes.changed.set()

    async def _start(self, _effect: Effect) -> None:
        await self.opening.start(self.wave, self.permits.watch, self.tempo, self._prepare_started)

    async def _claim(self, _effect: Effect) -> None:
        self.opening.claim(self.wave)
        self.permits.note_claims()
        await self._prepare_started()

    async def _prepare_started(self) -> None:
        """Start the nodes that were stopped when the plan was made, and check those that an earlier run started."""
        preparer = self.preparer("started")
        await self._steps(preparing(preparer, preparer.wanted()))

    async def _reconcile(self, effect: Effect) -> None:
        await self.courses.take_up(effect.token, self._prepare_all)

    async def _prepare(self, effect: Effect) -> None:
        """Prepare nodes for their install. A node that needs nothing or is ready does not wait for the others."""
        states = self.rollout.state.nodes
        reboots = [node for node in effect.nodes if states[node].stage == "reboot"]  # postponed by an earlier night
        installs = [node for node in effect.nodes if node not in reboots]
        nodes = [*await self.permits.allowed("reboot", reboots), *await self.permits.allowed("patch", installs)]
        self._hold_waiting()
        if not nodes:
            return
        preparer, settled, loop = self.preparer(effect.stage), self.preparations.settled, asyncio.get_running_loop()
        wanted = set(preparer.wanted())
        found = await self._steps(announcing(preparer, [node for node in nodes if node in wanted]))
        done = {node: loop.create_future() for node in found}
        settled[effect.stage].update(node for node in nodes if node not in found)

        def ready(some: Iterable[str]) -> None:
            for node in some:
                if not done[node].done():
                    done[node].set_result(None)

        async def carry_out() -> None:
            try:
                await self._steps(carrying_out(preparer, found))
            finally:
                ready(found)

        async def settle(node: str) -> None:
            await done[node]
            settled[effect.stage].add(node)

        preparer.ready = lambda some: _in_loop(loop, partial(ready, list(some)))
        for node in found:
            self._hold([node], settle(node))
        if found:
            self._tasks.add(asyncio.create_task(carry_out()))

    async def _prepare_all(self, nodes: Sequence[str]) -> None:
        for what in self.preparations.wanted:
            preparer = self.preparer(what)
            wanted = set(preparer.wanted())
            await self._steps(preparing(preparer, [node for node in nodes if node in wanted]))
            self.preparations.settled[what].update(nodes)

    async def _restore(self, effect: Effect) -> None:
        left = await self._steps(restoring(self.preparer(effect.stage), effect.nodes))
        self._stuck |= {(effect.stage, node) for node in left}
        self.preparations.settled[effect.stage] -= set(effect.nodes)

    async def _stage(self, effect: Effect) -> None:
        """Begin a stage on nodes that are due for it, a minute after an attempt that failed."""
        nodes = list(effect.nodes)
        if self._was_tried(effect.stage, nodes[0]):
            await self.tempo.sleep(RETRY_SECONDS)
        asked = self.tempo.clock.now()
        if effect.stage in GUARDED:
            nodes = await self.permits.allowed(effect.stage, nodes)
            self._hold_waiting()
        elif effect.stage == "verify":
            nodes = await self.permits.to_look_at(nodes)
        for name in self._executors_of(nodes):
            of_one = [node for node in nodes if self.rollout.nodes[node]["executor"] == name]
            for attempt, place, ids in self._batches(effect.stage, of_one):
                self._hold(ids, self._begin(effect.stage, attempt, place, ids, asked))

    def _hold_waiting(self) -> None:
        """Let nodes of a child plan that wait for room in shared budgets ask again a minute later."""
        if waiting := self.permits.take_waiting():
            self._hold(waiting, self.tempo.sleep(RETRY_SECONDS))

    def _batches(self, stage: str, nodes: Sequence[str]) -> Iterator[tuple[int, str, list[str]]]:
        """Yield (attempt, place, node ids) for each piece of work on one executor's nodes, separate for each night."""
        groups: dict[tuple[int, int], list[str]] = {}
        for node in nodes:
            attempt = self.rollout.state.nodes[node].attempts.get(stage, 0) + 1
            groups.setdefault((attempt, number_of(self.rollout.state, node)), []).append(node)
        for (attempt, _night), members in sorted(groups.items()):
            for place, ids in self.courses.port(nodes[0]).batches(stage, members):
                yield attempt, place, ids

    async def _begin(self, stage: str, attempt: int, place: str, nodes: Sequence[str], asked: datetime) -> None:
        """Announce and begin a piece of work as soon as its place has capacity; another task completes it.

        :param asked: when the guards were asked.
        """
        promised, asked_for = self.permits.promised, nodes
        try:
            async with self.tempo.lane(place, direct=self.courses.port(nodes[0]).row.is_direct):
                if stage in GUARDED and self.tempo.clock.now() - asked > STALE:
                    nodes = await self.permits.allowed(stage, nodes)
                if not nodes:
                    return
                work = await self.courses.announce(stage, attempt, place, nodes)
                promised.difference_update(nodes)
                begun = await self.courses.begin(work)
        finally:
            promised.difference_update(asked_for)
        self._hold([work.token], self.courses.see_through(work, begun=begun))

    async def _steps(self, steps: Step[T]) -> T:
        """Carry out the steps of a preparation: the calls it yields block and run in a thread."""
        try:
            call = next(steps)
            while True:
                answer = await self.tempo.apart(call)
                call = steps.send(answer)
        except StopIteration as end:
            value: T = end.value
            return value

    def _executors_of(self, nodes: Sequence[str]) -> list[str]:
        """Return the executors of nodes, services first: their work continues while hosts are patched."""
        names = {str(self.rollout.nodes[node]["executor"]) for node in nodes}
        return sorted(names, key=lambda name: (is_direct(name), name))

    def _open_nodes(self, stage: str) -> list[str]:
        """Return the nodes of the turn that are due for a stage."""
        found = due_nodes(self.rollout.state, self.wave, stage)
        return [node for node in found if self.rollout.state.nodes[node].turn == self.turn]

    _HANDLERS: ClassVar[Mapping[str, Callable[[Driver, Effect], Coroutine[Any, Any, None]]]] = {
        "start_wave": _start,
        "claim": _claim,
        "reconcile": _reconcile,
        "prepare": _prepare,
        "run": _stage,
        "restore": _restore,
    }


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody is waiting
        loop.call_soon_threadsafe(call)
