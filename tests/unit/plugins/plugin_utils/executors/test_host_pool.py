# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool of threads: no barrier, one job per host, results in one place."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.host_pool import Finished, HostPool

GENEROUS_SECONDS = 30.0


class StoppedClock:
    """Remembers how long it was to sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=timezone.utc)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def pool(clock: StoppedClock) -> Iterator[HostPool[str]]:
    made: HostPool[str] = HostPool(clock, threads=2)
    yield made
    made.close(0)


def take_all(pool: HostPool[str]) -> dict[str, Finished[str]]:
    found: dict[str, Finished[str]] = {}
    while pool.busy:
        taken = pool.take(GENEROUS_SECONDS)
        assert taken, f"nothing more from {pool.busy}"
        found |= {one.host: one for one in taken}
    return found


def test_more_jobs_than_threads_all_end(pool: HostPool[str]) -> None:
    for number in range(20):
        pool.submit(f"h{number}", lambda number=number: f"did {number}")  # type: ignore[misc]
    found = take_all(pool)
    assert {host: one.result() for host, one in found.items()} == {f"h{n}": f"did {n}" for n in range(20)}


def test_a_hung_host_holds_one_thread_and_no_other_host(pool: HostPool[str]) -> None:
    let_go = threading.Event()
    pool.submit("hung", lambda: str(let_go.wait(GENEROUS_SECONDS)))
    for round_number in range(3):
        pool.submit("well", lambda n=round_number: f"round {n}")  # type: ignore[misc]
        assert [(one.host, one.value) for one in pool.take(GENEROUS_SECONDS)] == [("well", f"round {round_number}")]
    assert pool.busy == {"hung"}
    let_go.set()
    assert take_all(pool)["hung"].result() == "True"


def test_never_more_jobs_at_once_than_threads(pool: HostPool[str]) -> None:
    at_work, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def job() -> str:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        both.wait(GENEROUS_SECONDS)
        with lock:
            at_work -= 1
        return ""

    for number in range(8):
        pool.submit(f"h{number}", job)
    assert len(take_all(pool)) == 8
    assert most == 2


def test_an_error_is_a_result(pool: HostPool[str]) -> None:
    def job() -> str:
        raise OSError("no route")

    pool.submit("h", job)
    with pytest.raises(OSError, match="no route"):
        take_all(pool)["h"].result()


def test_a_host_has_one_job_at_a_time(pool: HostPool[str]) -> None:
    let_go = threading.Event()
    pool.submit("h", lambda: str(let_go.wait(GENEROUS_SECONDS)))
    with pytest.raises(ValueError, match="running already"):
        pool.submit("h", lambda: "")
    let_go.set()
    take_all(pool)
    pool.submit("h", lambda: "again")
    assert take_all(pool)["h"].value == "again"


def test_idle_waiting_is_the_clocks_and_busy_waiting_is_not(pool: HostPool[str], clock: StoppedClock) -> None:
    assert pool.take(3600) == []
    let_go = threading.Event()
    pool.submit("h", lambda: str(let_go.wait(GENEROUS_SECONDS)))
    assert pool.take(0.05) == []
    assert clock.slept == [3600]
    let_go.set()


def test_jobs_see_the_context_of_the_main_loop(pool: HostPool[str]) -> None:
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("the task")
    pool.submit("h", variable.get)
    assert take_all(pool)["h"].value == "the task"


def test_close_names_the_hosts_still_running_and_begins_no_other(clock: StoppedClock) -> None:
    pool: HostPool[str] = HostPool(clock, threads=1)
    let_go, begun, other = threading.Event(), threading.Event(), threading.Event()
    pool.submit("hung", lambda: str(begun.set() or let_go.wait(GENEROUS_SECONDS)))
    pool.submit("waiting", lambda: str(other.set()))
    begun.wait(GENEROUS_SECONDS)
    assert pool.close(0.05) == {"hung"}
    let_go.set()
    assert pool.close(GENEROUS_SECONDS) == frozenset()
    assert not other.is_set()
    with pytest.raises(ValueError, match="closed"):
        pool.submit("new", lambda: "")
