# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The occurrences of a window: against two independent readers of cron, and across clock changes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.calendars import Calendar, Interval
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.occurrences import (
    MaintenanceWindow,
    local_span,
    occurrence_data,
    read_occurrence,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.schedule import parse
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st
from pyawscron import AWSCron

UTC = timezone.utc
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAYS = {"*": "*", "TUE": "2", "TUE#1": "2#1", "SAT#3": "6#3", "6L": "5L"}


def window(fields: str, hours: int = 4, cutoff: int = 1, zone: str = "UTC") -> MaintenanceWindow:
    schedule = parse(f"cron({fields})", zone)
    return MaintenanceWindow(name="w", schedule=schedule, duration=hours, cutoff=cutoff, timezone=zone)


def in_turn(openings: list[datetime], now: datetime, hours: int, cutoff: int) -> list[datetime]:
    """The oracle: of openings one after the other, those that come after the last one's end and are not over."""
    found: list[datetime] = []
    busy = None
    for opening in openings:
        if busy is None or opening >= busy:
            busy = opening + timedelta(hours=hours)
            if busy - timedelta(hours=cutoff) > now:
                found.append(opening)
    return found


@given(
    st.sampled_from(["0", "0,30", "0/20"]),
    st.sampled_from(["*", "2", "22,23"]),
    st.sampled_from(sorted(DAYS)),
    st.integers(1, 6),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(microsecond=0)),
)
def test_agrees_with_two_other_readers_of_cron(minute: str, hour: str, day: str, hours: int, now: datetime) -> None:
    now, cutoff = now.replace(tzinfo=UTC), hours - 1
    until, since = now + timedelta(days=45), now - timedelta(hours=hours)
    cronsim = CronSim(f"{minute} {hour} * * {DAYS[day]}", since.replace(tzinfo=None))
    openings = [item.replace(tzinfo=UTC) for item in takewhile(lambda at: at.replace(tzinfo=UTC) < until, cronsim)]
    found = [item.start for item in window(f"{minute} {hour} ? * {day} *", hours, cutoff).occurrences(now, until)]
    inside = until - timedelta(hours=hours)
    assert found == [item for item in in_turn(openings, now, hours, cutoff) if item <= inside]
    if found:
        reader = AWSCron(f"{minute} {hour} ? * {day} *").occurrence(found[0] - timedelta(minutes=1))
        assert reader.next() == found[0]


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"]),
    st.integers(0, 23),
    st.sampled_from([0, 15, 30]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(microsecond=0)),
)
def test_a_daily_window_opens_once_a_day_whatever_happens(zone: str, hour: int, minute: int, now: datetime) -> None:
    now = now.replace(tzinfo=UTC)
    found = window(f"{minute} {hour} ? * * *", 2, 0, zone).occurrences(now, now + timedelta(days=40))
    days = [item.start.astimezone(ZoneInfo(zone)).date() for item in found]
    # one may be open at the beginning, and a change of the clock can bring one more into 40 days
    assert days == sorted(set(days)) and len(days) in (39, 40, 41)
    for item in found:
        wall = item.start.astimezone(ZoneInfo(zone))
        the_day_before = (item.start - timedelta(days=1)).astimezone(ZoneInfo(zone))
        assert (wall.hour, wall.minute) == (hour, minute) or wall.utcoffset() != the_day_before.utcoffset()
        assert item.end - item.start == timedelta(hours=2)
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "Sat 2026-10-24 23:00 UTC to Sun 2026-10-25 03:00 UTC"),
        ("Europe/Berlin", "Sun 2026-10-25 01:00 CEST to Sun 2026-10-25 04:00 CET"),
    ],
)
def test_a_night_across_a_clock_change_is_said_with_both_zones(zone: str, expected: str) -> None:
    start = datetime(2026, 10, 24, 23, tzinfo=UTC)
    assert local_span(start, start + timedelta(hours=4), ZoneInfo(zone)) == expected


def test_frozen_time_is_closed() -> None:
    event = Interval(start=NOW.replace(hour=0), end=NOW + timedelta(days=1, hours=11), name="Release")
    found = window("0 22 ? * * *").occurrences(NOW, NOW + timedelta(days=3), [Calendar(name="c", events=(event,))])
    assert [(item.start.day, item.start.hour, item.cutoff_at.hour) for item in found] == [(2, 23, 1), (3, 22, 1)]


@given(st.integers(1, 24), st.integers(0, 10**6))
def test_data_comes_back(hours: int, minutes: int) -> None:
    now = NOW + timedelta(minutes=minutes)
    found: Any = next(window("0 22 ? * * *", hours, 0).whole(now, now + timedelta(days=9)))
    assert read_occurrence(occurrence_data(found)) == found
