# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads of the driver: what must run in the loop's thread does, and a place that hangs blocks no other."""

from __future__ import annotations

import asyncio
import threading

from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.tempo import CALLS_OF_A_PLACE, Tempo

from tests.fakes.fleet_port import FakeClock


def test_a_thread_can_have_work_done_in_the_loops_thread() -> None:
    tempo = Tempo(FakeClock(), rehearsal=False)

    async def ask() -> tuple[int, int]:
        return await tempo.call("guards", lambda: (threading.get_ident(), tempo.in_loop(threading.get_ident)))

    thread, loop = asyncio.run(ask())
    assert loop == threading.get_ident() != thread


def test_a_place_that_hangs_leaves_threads_to_the_others() -> None:
    tempo, hangs = Tempo(FakeClock(), rehearsal=False), threading.Event()

    async def ask() -> list[str]:
        dead = [asyncio.create_task(tempo.call("dead", hangs.wait)) for _n in range(100)]
        answers = [await asyncio.wait_for(tempo.call(f"place {n}", lambda: "here"), 10) for n in range(50)]
        assert not any(task.done() for task in dead)
        hangs.set()
        await asyncio.gather(*dead)
        return answers

    assert asyncio.run(ask()) == ["here"] * 50
    assert CALLS_OF_A_PLACE < 100
