# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which occurrence a night is worked on: the planned one, a later one, and never an earlier one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.nights import RESERVE
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.nights import (
    has_windows,
    next_night,
    night_time,
    open_nights,
    time_to_run_now,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import DONE, Rollout, initial
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time

from tests.fakes.driving import night, planned
from tests.fakes.fleet_port import START

DAY = 24 * 60
#: Minutes from the opening of a window of 4 hours to its cutoff.
CUTOFF = 3 * 60
RESERVED = int(RESERVE.total_seconds() // 60)


def rollout(nights: list[dict[str, Any]], occurrences: list[dict[str, Any]], **nodes: int) -> Rollout:
    """Return a rollout of one wave. :param nodes: the night of each node, all in turn 1."""
    members = [{**planned(node, 1), "night": number} for node, number in nodes.items()]
    wave = {"name": "dev", "nodes": members, "nights": nights, "soak_minutes": 0, "turns": 2}
    windows = [{"name": "other", "occurrences": [night(1, 30, 0)]}, {"name": "w", "occurrences": occurrences}]
    return initial({"digest": "d" * 64, "rollout": "d" * 12, "waves": [wave], "windows": windows})


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def one_night(begin: int = 0, work: int = 30) -> Rollout:
    """Return a rollout whose night opens after an hour, in a window that opens every day, and begins its work later."""
    first = night(1, 60, begin + work) | {"begin": to_time(at(60 + begin))}
    return rollout([first], [night(1, 60 + day * DAY, 0) for day in (-1, 0, 1, 2)], a=1)


def begun(state: Rollout, stage: str, token: str | None = None) -> Rollout:
    state.nodes["a"] = replace(state.nodes["a"], stage=stage, token=token)
    return state


@pytest.mark.parametrize(
    ("minutes", "day"),
    [
        (-2 * DAY, 0),  # an earlier occurrence of the window is never used
        (60 + 15, 0),  # on time, up to a quarter of an hour
        (60 + CUTOFF - RESERVED - 30, 0),  # late, and its work and a reboot still fit
        (60 + CUTOFF - RESERVED - 29, 1),
        (60 + CUTOFF, 1),
        (60 + DAY, 1),
        (60 + DAY + CUTOFF, 2),
        (60 + 2 * DAY + CUTOFF, None),
    ],
)
def test_an_occurrence_is_used_if_it_is_on_time_or_its_work_still_fits(minutes: int, day: int | None) -> None:
    found = night_time(one_night(), "dev", 1, at(minutes))
    assert found is not None and found.is_over == (day is None)
    assert found.at_hand.start == at(60 + (2 if day is None else day) * DAY)
    assert (found.wave, found.number, found.window, found.timezone) == ("dev", 1, "w", "Europe/Berlin")


@pytest.mark.parametrize(("minutes", "day"), [(60 + 100 + 15, 0), (60 + 100 + 16, 1)])
def test_a_night_that_begins_within_its_window_is_late_after_its_begin(minutes: int, day: int) -> None:
    state = one_night(begin=100, work=60)
    found = night_time(state, "dev", 1, at(minutes))
    assert found is not None and found.at_hand.start == at(60 + day * DAY)


def test_in_a_later_occurrence_work_is_due_at_the_opening() -> None:
    state = one_night(begin=100, work=CUTOFF - RESERVED)
    for late, day in ((15, 1), (16, 2)):
        found = night_time(state, "dev", 1, at(60 + DAY + late))
        assert found is not None and found.at_hand.start == at(60 + day * DAY), late


@pytest.mark.parametrize(
    ("stage", "token", "day"),
    [
        ("precheck", None, 1),
        ("precheck", "t", 1),
        ("patch", None, 1),
        ("patch", "t", 0),
        ("reboot", None, 0),
        (DONE, None, 0),
    ],
)
def test_what_was_begun_in_a_night_goes_on_in_it_until_the_cutoff(stage: str, token: str | None, day: int) -> None:
    state = begun(one_night(work=120), stage, token)
    found = night_time(state, "dev", 1, at(60 + CUTOFF - 1))
    assert found is not None and found.at_hand.start == at(60 + day * DAY)
    found = night_time(state, "dev", 1, at(60 + CUTOFF))
    assert found is not None and found.at_hand.start == at(60 + DAY)


def test_work_on_another_night_does_not_count_as_begun() -> None:
    state = rollout([night(1, 60, 120), night(2, 60, 120)], [], a=1, b=2)
    state = begun(state, "reboot")
    first, second = (night_time(state, "dev", number, at(60 + CUTOFF - 1)) for number in (1, 2))
    assert first is not None and second is not None and (first.is_over, second.is_over) == (False, True)


def test_a_wave_that_runs_now_has_its_own_period_and_then_its_windows_again() -> None:
    state = one_night()
    state.waves["dev"].run_now = (to_time(at(5)), to_time(at(45)))
    found = night_time(state, "dev", 1, at(44))
    assert found is not None and not found.is_over
    assert (found.at_hand.start, found.at_hand.end, found.at_hand.cutoff_at) == (at(5), at(45), at(45) - RESERVE)
    found = night_time(state, "dev", 1, at(45))
    assert found is not None and found.at_hand.start == at(60)


def test_a_wave_runs_now_as_long_as_its_longest_night_while_the_plan_is_valid() -> None:
    state = rollout([night(1, 60, 30, hours=2), night(2, DAY, 30, hours=5)], [], a=1, b=2)
    assert time_to_run_now(state, "dev", at(0)) == (to_time(at(0)), to_time(at(5 * 60)))
    state.plan["valid_until"] = to_time(at(90))
    assert time_to_run_now(state, "dev", at(0)) == (to_time(at(0)), to_time(at(90)))
    assert time_to_run_now(state, "dev", at(90)) is None


def bounded(window: dict[str, Any] | None) -> Rollout:
    wave = {"name": "dev", "nodes": [planned("a", 1)], "window": window, "soak_minutes": 0, "turns": 1}
    return initial({"digest": "d" * 64, "rollout": "d" * 12, "waves": [wave]})


def test_a_plan_without_nights_has_one_window_or_any_time() -> None:
    state = bounded({"name": "w", **{key: night(1, 60, 0)[key] for key in ("start", "cutoff_at", "end")}})
    assert has_windows(state, "dev") and time_to_run_now(state, "dev", at(0)) == (to_time(at(0)), to_time(at(240)))
    for minutes, over in ((60 + CUTOFF - 1, False), (60 + CUTOFF, True)):
        found = next_night(state, "dev", at(minutes))
        assert found is not None and (found.is_over, found.number, found.timezone) == (over, 1, "UTC")
        assert (found.wave, found.window, found.at_hand.start) == ("dev", "w", at(60))
    free = bounded(None)
    assert next_night(free, "dev", at(0)) is None and not has_windows(free, "dev")


def test_the_next_night_is_the_earliest_that_has_nodes_left_and_is_not_over() -> None:
    """Of the nights of two windows, the one that opens first; of a turn, those of its nodes."""
    state = rollout([night(1, 300, 30), night(2, 60, 30), night(3, DAY, 30)], [], a=1, b=2, c=3)
    state.nodes["c"] = replace(state.nodes["c"], turn=2)

    def found(minutes: int, turn: int | None = None) -> tuple[int, bool]:
        night = next_night(state, "dev", at(minutes), turn)
        assert night is not None
        return night.number, night.is_over

    assert open_nights(state, "dev") == [1, 2, 3] and open_nights(state, "dev", 1) == [1, 2]
    assert found(0) == (2, False) and found(0, turn=2) == (3, False)
    assert found(60 + CUTOFF) == (1, False)  # night 2 is over, and its window has no other
    assert found(2 * DAY) == (2, True)
    state.nodes["b"] = replace(state.nodes["b"], stage=DONE)
    assert open_nights(state, "dev") == [1, 3] and found(0) == (1, False)
    assert next_night(begun(state, DONE), "dev", at(0), 1) is not None, "of the first night, if nothing is left"


def test_the_local_time_is_that_of_the_windows_own_zone() -> None:
    found = night_time(one_night(), "dev", 1, at(0))
    assert found is not None and found.local == "Mon 2026-06-01 23:00 CEST to Tue 2026-06-02 03:00 CEST"
