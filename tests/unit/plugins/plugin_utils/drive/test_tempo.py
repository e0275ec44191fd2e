# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time and threads of the driver."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.tempo import (
    CALLS_OF_A_PLACE,
    Tempo,
)

from tests.fakes.fleet_port import START, FakeClock


def drive(tempo: Tempo, work: Any) -> Any:
    async def main() -> Any:
        beside = asyncio.create_task(tempo.pass_time())
        try:
            return await asyncio.wait_for(work(), 20)
        finally:
            beside.cancel()

    return asyncio.run(main())


def test_waits_end_in_the_order_of_their_ends_and_the_clock_goes_on_to_each() -> None:
    tempo, order = Tempo(FakeClock(), rehearsal=True), list[tuple[float, float]]()

    async def wait(seconds: float) -> None:
        await tempo.sleep(seconds)
        order.append((seconds, (tempo.clock.now() - START).total_seconds()))

    async def all_of_them() -> None:
        await asyncio.gather(wait(3600), wait(5), wait(60))

    drive(tempo, all_of_them)
    assert order == [(5, 5), (60, 60), (3600, 3600)]


def test_time_stands_still_while_a_service_is_called() -> None:
    tempo, seen = Tempo(FakeClock(), rehearsal=True), []

    def call() -> None:
        threading.Event().wait(0.1)
        seen.append(tempo.clock.now())

    async def both() -> None:
        await asyncio.gather(tempo.sleep(60), tempo.call("here", call))

    drive(tempo, both)
    assert seen == [START]


def test_time_passes_slowly_while_a_real_host_is_at_work() -> None:
    """A host that restarts for 0.6 s of its own time has no limit of 300 s behind it then."""
    tempo, seen = Tempo(FakeClock(), rehearsal=True), []

    async def host() -> None:
        with tempo.at_host_pace():
            await asyncio.sleep(0.6)
            seen.append((tempo.clock.now() - START).total_seconds())

    async def both() -> None:
        await asyncio.gather(host(), tempo.sleep(300))

    drive(tempo, both)
    assert 1 < seen[0] < 30 and tempo.clock.now() == START + timedelta(seconds=300)


def test_no_more_is_announced_than_can_begin() -> None:
    tempo, most, now = Tempo(FakeClock(), rehearsal=False), [0], [0]

    async def begin(place: str) -> None:
        async with tempo.lane(place, direct=False):
            now[0] += 1
            most[0] = max(most[0], now[0])
            await asyncio.sleep(0.01)
            now[0] -= 1

    async def many() -> None:
        await asyncio.gather(*(begin("here") for _number in range(20)))

    drive(tempo, many)
    assert most == [CALLS_OF_A_PLACE]


def test_a_place_that_hangs_blocks_no_other() -> None:
    tempo, release = Tempo(FakeClock(), rehearsal=False), threading.Event()

    async def main() -> str:
        hung = [asyncio.create_task(tempo.call("dead", release.wait)) for _number in range(CALLS_OF_A_PLACE + 4)]
        answer = await tempo.call("alive", lambda: "answer")
        release.set()
        await asyncio.gather(*hung)
        return answer

    assert drive(tempo, main) == "answer"


@pytest.mark.parametrize("way", ["call", "on_host", "apart"])
def test_an_error_comes_out_where_the_call_was_awaited(way: str) -> None:
    tempo = Tempo(FakeClock(), rehearsal=False)

    def fail() -> None:
        raise KeyError("it")

    async def main() -> None:
        await (tempo.call("here", fail) if way == "call" else getattr(tempo, way)(fail))

    with pytest.raises(KeyError):
        drive(tempo, main)
