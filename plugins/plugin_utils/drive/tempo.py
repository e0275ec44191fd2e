# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time and threads of the driver: concurrent blocking calls, and waits that a rehearsal skips."""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Any, TypeVar

from ...module_utils._core.clock import Clock
from ..thread_context import own_context

T = TypeVar("T")
#: Concurrent calls to services, in total and for each place: one dead Region blocks no other.
CALLS, CALLS_OF_A_PLACE = 32, 4
#: Hosts that are patched concurrently over their own connections.
HOSTS = 32
#: While a host that is reached directly is at work in a rehearsal: how often time is advanced, in real seconds, and how
#: much faster than real time it passes. The limits of hosts are minutes to hours, so that they still hold.
_STEP_SECONDS, _PACE = 0.25, 10
#: Seconds between two readings of the clock while other work advances it.
_APART_SECONDS = 0.05


class _Threads:
    """Daemon threads, so that a hanging thread never delays the end of the process. They see the context variables of
    the loop's thread, where ansible-core 2.19 and newer keep the current task."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._busy = 0
        self._threads = 0
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Run work in a thread, or queue it while all are busy."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            answer: Any = None
            problem: BaseException | None = None
            try:
                answer = work()
            except BaseException as error:
                problem = error
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._end, future, answer, problem)

        self._busy += 1
        if self._threads < min(self._limit, self._busy):
            self._threads += 1
            threading.Thread(target=own_context().run, args=(self._work,), daemon=True).start()
        self._jobs.put(job)
        return future

    def _work(self) -> None:
        while True:
            self._jobs.get()()

    def _end(self, future: asyncio.Future[T], answer: T, problem: BaseException | None) -> None:
        self._busy -= 1
        if future.cancelled():
            return
        if problem is not None:
            future.set_exception(problem)
        else:
            future.set_result(answer)


class Tempo:
    """Runs blocking calls in threads and waits by the clock. Everything else runs in one thread, the loop's.

    In a rehearsal the clock advances to the end of the next wait as soon as no service call is running. While a real
    host is at work, the clock runs only a few times as fast as real time; otherwise the host's time limits would expire
    too early.
    """

    def __init__(self, clock: Clock, *, rehearsal: bool) -> None:
        self.clock = clock
        self._rehearsal = rehearsal
        self._services = _Threads(CALLS)
        self._hosts = _Threads(HOSTS)
        self._others = _Threads(CALLS)
        self._places: dict[str, asyncio.Semaphore] = {}
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._calling = 0
        self._apart = 0
        self._real_hosts = 0
        self._waits: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def in_loop(self, work: Callable[[], T]) -> T:
        """Run work in the loop's thread for another thread, which waits. Ansible's templates allow only one thread."""
        if self._loop is None:
            raise RuntimeError("called from no thread of this tempo")

        async def now() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(now(), self._loop).result()

    async def call(self, place: str, work: Callable[[], T]) -> T:
        """Run a call to a service; at most a few of one place run at once."""
        self._loop = asyncio.get_running_loop()
        gate = self._places.setdefault(place, asyncio.Semaphore(CALLS_OF_A_PLACE))
        async with gate:
            self._calling += 1
            try:
                return await self._services.run(work)
            finally:
                self._calling -= 1

    def lane(self, place: str, *, direct: bool) -> asyncio.Semaphore:
        """Return the semaphore that limits announced work that has not begun to what can begin now."""
        limit = HOSTS if direct else CALLS_OF_A_PLACE
        return self._lanes.setdefault("" if direct else place, asyncio.Semaphore(limit))

    async def on_host(self, work: Callable[[], T]) -> T:
        """Run work on a host that is reached directly; a host that hangs occupies its own thread."""
        self._loop = asyncio.get_running_loop()
        return await self._hosts.run(work)

    @contextmanager
    def at_host_pace(self) -> Iterator[None]:
        """Keep virtual time at a pace that real hosts keep up with, while one is at work or restarts."""
        self._real_hosts += 1
        try:
            yield
        finally:
            self._real_hosts -= 1

    async def apart(self, work: Callable[[], T]) -> T:
        """Run work that blocks for minutes, such as draining, concurrently with everything else. In a rehearsal it
        advances the clock itself while it waits."""
        self._apart += 1
        try:
            return await self._others.run(work)
        finally:
            self._apart -= 1

    async def sleep(self, seconds: float) -> None:
        """Wait by the clock."""
        if not self._rehearsal:
            await asyncio.sleep(seconds)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._waits, (self.clock.now() + timedelta(seconds=seconds), self._number, future))
        await future

    async def pass_time(self) -> None:
        """Advance a rehearsal's clock while nothing else happens; runs beside the driver until it is cancelled."""
        while self._rehearsal:
            began = time.monotonic()
            await asyncio.sleep(_STEP_SECONDS if self._real_hosts else 0.002)  # everything that can run has run by then
            if self._calling or not self._waits:
                continue
            left = (self._waits[0][0] - self.clock.now()).total_seconds()
            if left > 0 and self._apart:
                await asyncio.sleep(_APART_SECONDS)
            elif left > 0:
                self.clock.sleep(min(left, (time.monotonic() - began) * _PACE) if self._real_hosts else left)
            self._end_waits()

    def _end_waits(self) -> None:
        now = self.clock.now()
        while self._waits and self._waits[0][0] <= now:
            _at, _number, future = heapq.heappop(self._waits)
            if not future.done():
                future.set_result(None)
