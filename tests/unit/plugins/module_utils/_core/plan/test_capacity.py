# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capacity of a window and the time left in it (covers TM-26, TCS-22; F20, F21)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.capacity import (
    may_start,
    plan_capacity,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.schedule import to_occurrence
from hypothesis import given
from hypothesis import strategies as st

OPEN = datetime(2026, 11, 21, 2, 0, tzinfo=timezone.utc)
WINDOW = to_occurrence(OPEN, 3, 1)  # 02:00 to 05:00, cutoff 04:00: 120 minutes


def wave(linux: int = 0, windows: int = 0) -> list[tuple[str, int]]:
    return [(f"l{number}", 15) for number in range(linux)] + [(f"w{number}", 40) for number in range(windows)]


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return OPEN.replace(hour=hour, minute=minute, second=second)


@pytest.mark.parametrize(
    ("linux", "windows", "concurrency", "needed", "late"),
    [
        (8, 0, 1, 120, 0),
        (9, 0, 1, 135, 1),
        (0, 3, 1, 120, 0),
        (0, 4, 1, 160, 1),
        (2, 2, 1, 110, 0),
        (100, 100, None, 40, 0),
        (80, 0, "10%", 150, 16),  # 8 at a time, ten rounds, two too many
        (3, 0, "1%", 45, 0),  # a share is rounded up to one node
        (5, 0, 50, 15, 0),
    ],
)
def test_wave_in_two_hours(linux: int, windows: int, concurrency: int | str | None, needed: int, late: int) -> None:
    found = plan_capacity(wave(linux, windows), WINDOW, concurrency)
    assert (found.needed_minutes, found.usable_minutes) == (needed, 120)
    assert len(found.too_late) == late


def test_what_does_not_fit_is_said() -> None:
    found = plan_capacity(wave(linux=7, windows=1), WINDOW, 1)
    assert (
        found.text == "8 nodes, 1 at a time, need 145 minutes; the window has 120 before its cutoff: 2 nodes do not fit"
    )
    assert found.too_late == ("l5", "l6")
    assert (
        plan_capacity(wave(1), WINDOW).text
        == "1 node, 1 at a time, needs 15 minutes; the window has 120 before its cutoff"
    )


def test_without_window_or_nodes_everything_fits() -> None:
    assert not plan_capacity(wave(1000), None, 1).too_late
    found = plan_capacity([], WINDOW)
    assert (found.too_late, found.needed_minutes, found.concurrency, found.text) == ((), 0, 0, "no nodes")


def test_bad_concurrency_and_minutes() -> None:
    with pytest.raises(BadInput, match=r"^patching.max_concurrency: '0%' is not valid"):
        plan_capacity(wave(1), WINDOW, "0%", option="patching.max_concurrency")
    with pytest.raises(BadInput, match=r"^expected_minutes of n: 0 is not valid"):
        plan_capacity([("n", 0)], WINDOW)


@pytest.mark.parametrize(
    ("now", "minutes", "ok", "text"),
    [
        (at(1, 59, 59), 1, False, "the window opens at 2026-11-21 02:00 UTC"),
        (at(2, 0), 180, True, ""),
        (at(2, 0), 180.5, False, "the window closes at 2026-11-21 05:00 UTC, in 180 minutes; this step needs 180.5"),
        (at(3, 59, 59), 40, True, ""),
        (at(3, 59, 59), 61, False, "the window closes at 2026-11-21 05:00 UTC, in 60 minutes; this step needs 61"),
        (at(4, 0), 1, False, "no further work starts after the window's cutoff at 2026-11-21 04:00 UTC"),
        (at(5, 0), 1, False, "the window closed at 2026-11-21 05:00 UTC"),
    ],
)
def test_time_left_for_a_step(now: datetime, minutes: float, ok: bool, text: str) -> None:
    found = may_start(now, minutes, WINDOW)
    assert (found.ok, found.text) == (ok, text)


def test_no_window_means_at_any_time() -> None:
    assert may_start(OPEN, 10_000, None).ok


@given(st.integers(0, 12), st.integers(0, 12), st.integers(1, 6))
def test_plan_is_neither_better_than_the_ideal_nor_twice_as_bad(linux: int, windows: int, lanes: int) -> None:
    nodes = wave(linux, windows)
    found = plan_capacity(nodes, WINDOW, lanes)
    work = sum(minutes for _unused, minutes in nodes)
    longest = max((minutes for _unused, minutes in nodes), default=0)
    assert max(longest, -(-work // lanes)) <= found.needed_minutes <= work / lanes + longest
    assert bool(found.too_late) == (found.needed_minutes > 120)


@given(st.integers(-300, 300), st.integers(1, 200))
def test_what_may_start_ends_inside_the_window(offset: int, minutes: int) -> None:
    now = OPEN + timedelta(minutes=offset)
    inside = WINDOW.start <= now < WINDOW.cutoff_at and now + timedelta(minutes=minutes) <= WINDOW.end
    assert may_start(now, minutes, WINDOW).ok is inside
