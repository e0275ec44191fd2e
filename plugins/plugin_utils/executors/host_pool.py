# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small jobs on many hosts at once, for one main loop: no host waits for another, and a hung one holds one thread."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from ...module_utils._core.clock import Clock

T = TypeVar("T")

THREADS = 32


@dataclass(frozen=True)
class Finished(Generic[T]):
    """One job that ended: either ``value`` or ``error`` counts."""

    host: str
    value: T | None = None
    error: Exception | None = None

    def result(self) -> T:
        """Return what the job returned, or raise what it raised."""
        if self.error:
            raise self.error
        return self.value  # type: ignore[return-value]


class HostPool(Generic[T]):
    """Runs at most one job for a host at a time, and at most ``threads`` jobs in all; the rest waits in order.

    All methods belong to the main loop's thread. Jobs see the context variables of the thread that submits, where
    ansible-core 2.19 and newer keep the current task. Threads are daemons: a hung one never delays the process's end.
    """

    def __init__(self, clock: Clock, threads: int = THREADS) -> None:
        self._clock = clock
        self._limit = threads
        self._threads: list[threading.Thread] = []
        self._jobs: SimpleQueue[tuple[str, Callable[[], T]] | None] = SimpleQueue()
        self._finished: SimpleQueue[Finished[T]] = SimpleQueue()
        self._busy: set[str] = set()
        self._running: set[str] = set()
        self._closed = threading.Event()

    @property
    def busy(self) -> frozenset[str]:
        """Hosts with a job whose result was not taken yet."""
        return frozenset(self._busy)

    def submit(self, host: str, job: Callable[[], T]) -> None:
        """Start a job, or queue it while all threads work.

        :raises ValueError: the host has a job already, or the pool is closed.
        """
        if self._closed.is_set() or host in self._busy:
            raise ValueError(f"{host}: {'the pool is closed' if self._closed.is_set() else 'a job is running already'}")
        self._busy.add(host)
        self._jobs.put((host, job))
        if len(self._threads) < min(self._limit, len(self._busy)):
            self._start_thread()

    def take(self, seconds: float) -> list[Finished[T]]:
        """Return what ended since the last call; wait up to so many seconds for the first.

        While a job runs that is real time, as processes take it. Without any it is the clock's, which a rehearsal may
        let pass at once.
        """
        if not self._busy:
            self._clock.sleep(seconds)
            return []
        found: list[Finished[T]] = []
        wait = max(seconds, 0.0)
        while len(found) < len(self._busy):
            try:
                found.append(self._finished.get(timeout=wait))
            except Empty:
                break
            wait = 0
        self._busy -= {one.host for one in found}
        return found

    def close(self, seconds: float = 10) -> frozenset[str]:
        """Begin no further job, let running ones end for so many seconds; return the hosts still running then.

        Results that were not taken are dropped.
        """
        self._closed.set()
        for _thread in self._threads:
            self._jobs.put(None)
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))
        return frozenset(self._running)

    def _start_thread(self) -> None:
        context: Any = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(self._work,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) and not self._closed.is_set():
            self._running.add(job[0])
            self._finished.put(_do(*job))
            self._running.discard(job[0])


def _do(host: str, job: Callable[[], T]) -> Finished[T]:
    try:
        return Finished(host, value=job())
    except Exception as error:
        return Finished(host, error=error)
