# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Freezes from change calendars (covers CG-22; F47)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.calendars import (
    Calendar,
    Interval,
    closed_periods,
    freeze_at,
    freeze_during,
    open_part,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.schedule import to_occurrence
from hypothesis import given
from hypothesis import strategies as st


def at(hour: float) -> datetime:
    return datetime(2026, 12, 24, tzinfo=timezone.utc) + timedelta(hours=hour)


def event(start: float, end: float, name: str = "") -> Interval:
    return Interval(start=at(start), end=at(end), name=name)


XMAS = Calendar(name="freeze", events=(event(8, 12, "christmas"), event(11, 14, "release"), event(20, 22)))
HOURS = Calendar(name="office", events=(event(9, 17),), opens=True)


@pytest.mark.parametrize(
    ("hour", "frozen", "change"),
    [(7, False, 8), (8, True, 14), (13.99, True, 14), (14, False, 20), (21, True, 22), (22, False, None)],
)
def test_state_and_next_transition(hour: float, frozen: bool, change: float | None) -> None:
    found = freeze_at([XMAS], at(hour))
    assert found.frozen is frozen
    assert found.next_transition == (None if change is None else at(change))


def test_reasons_name_every_event_of_the_freeze() -> None:
    assert freeze_at([XMAS], at(11.5)).reasons == ("christmas", "release")
    assert freeze_at([XMAS], at(21)).reasons == ("freeze",)


def test_calendar_that_is_closed_by_default() -> None:
    assert (freeze_at([HOURS], at(8)).frozen, freeze_at([HOURS], at(8)).next_transition) == (True, at(9))
    assert (freeze_at([HOURS], at(9)).frozen, freeze_at([HOURS], at(9)).next_transition) == (False, at(17))
    assert freeze_at([HOURS], at(17)).reasons == ("office is closed",)


def test_of_several_calendars_all_must_be_open() -> None:
    # Source: GetCalendarState: several calendars are OPEN only if all are.
    opening = [hour for hour in range(24) if not freeze_at([XMAS, HOURS], at(hour)).frozen]
    assert opening == [14, 15, 16]
    assert freeze_at([], at(0)).frozen is False


@pytest.mark.parametrize(
    ("start", "end", "frozen", "change"),
    [(6, 8, False, None), (6, 8.01, True, 14), (14, 20, False, None), (15, 21, True, 22)],
)
def test_step_that_would_run_into_a_freeze(start: float, end: float, frozen: bool, change: float | None) -> None:
    found = freeze_during([XMAS], at(start), at(end))
    assert found.frozen is frozen
    assert found.next_transition == (None if change is None else at(change))


def test_reason_of_a_frozen_step_gives_the_times() -> None:
    found = freeze_during([XMAS], at(6), at(9))
    assert found.reasons == ("christmas (2026-12-24 08:00 UTC to 2026-12-24 09:00 UTC)",)


@pytest.mark.parametrize(
    ("opening", "left"),
    [
        (2, (2, 6, 5)),
        (6, (6, 8, 8)),
        (9, None),
        (11, None),  # the cutoff is when the freeze ends: nothing may start any more
        (12, (14, 16, 15)),
        (18, (18, 20, 20)),
    ],
)
def test_what_a_freeze_leaves_of_a_window(opening: int, left: tuple[int, int, int] | None) -> None:
    found = open_part([XMAS], to_occurrence(at(opening), 4, 1))
    assert (found and (found.start, found.end, found.cutoff_at)) == (left and tuple(at(hour) for hour in left))


def test_beyond_what_is_known_counts_as_closed() -> None:
    known = Calendar(name="feed", known_until=at(10))
    found = freeze_during([known], at(9), at(11))
    assert (found.frozen, freeze_during([known], at(9), at(10)).frozen) == (True, False)
    assert found.reasons[0].startswith("feed is known only until 2026-12-24T10:00+00:00 (")


EVENTS = st.lists(
    st.tuples(st.integers(0, 48), st.integers(0, 12)).map(lambda pair: event(pair[0], pair[0] + pair[1])), max_size=5
)
CALENDARS = st.lists(
    st.builds(Calendar, name=st.sampled_from("ab"), events=EVENTS.map(tuple), opens=st.booleans()), max_size=3
)


@given(CALENDARS, st.integers(0, 60))
def test_periods_say_the_same_as_each_moment_does(calendars: list[Calendar], hour: int) -> None:
    periods = closed_periods(calendars, at(-1), at(70))
    moment = at(hour)
    inside = [any(item.start <= moment < item.end for item in calendar.events) for calendar in calendars]
    closed = any(within != calendar.opens for within, calendar in zip(inside, calendars, strict=True))
    assert any(item.start <= moment < item.end for item in periods) is closed
    assert freeze_at(calendars, moment).frozen is closed
    assert all(one.end < two.start for one, two in pairwise(periods))


@given(CALENDARS, st.integers(0, 40), st.integers(1, 12))
def test_what_is_left_of_a_window_is_free(calendars: list[Calendar], hour: int, length: int) -> None:
    window = to_occurrence(at(hour), length)
    found = open_part(calendars, window)
    if found:
        assert window.start <= found.start < found.cutoff_at <= found.end <= window.end
        assert not freeze_during(calendars, found.start, found.end).frozen
