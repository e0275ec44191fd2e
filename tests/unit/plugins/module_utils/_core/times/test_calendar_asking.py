# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calendars that only tell their state at a time: closed periods are found by asking from change to change."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.calendars import (
    Calendar,
    ask_calendar,
    freeze_at,
)

START = datetime(2026, 11, 17, 22, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
#: Closed from 23:00 to 24:00 and from 02:00 on.
CLOSED = ((START + HOUR, START + 2 * HOUR), (START + 4 * HOUR, START + 99 * HOUR))


class Service:
    """Tells a state as SSM does, with or without the time of the next change."""

    def __init__(self, tells: bool) -> None:
        self.tells = tells
        self.asked = 0

    def __call__(self, at: datetime) -> tuple[bool, datetime | None]:
        self.asked += 1
        later = [edge for period in CLOSED for edge in period if edge > at]
        closed = any(start <= at < end for start, end in CLOSED)
        return not closed, min(later) if later and self.tells else None


@pytest.mark.parametrize(("tells", "asked"), [(True, 4), (False, 6)])
def test_closed_periods_of_a_window(tells: bool, asked: int) -> None:
    service = Service(tells)
    events = ask_calendar(service, "contoso", START, START + 5 * HOUR)
    calendar = Calendar(name="contoso", events=tuple(events))
    assert service.asked == asked
    states = [freeze_at([calendar], START + number * HOUR).frozen for number in range(6)]
    assert states == [False, True, False, False, True, True]


def test_one_question_for_one_moment() -> None:
    service = Service(True)
    found = ask_calendar(service, "contoso", START + HOUR, START + HOUR)
    assert service.asked == 1
    assert [(item.start, item.end) for item in found] == [CLOSED[0]]


def test_a_change_that_is_not_in_the_future_does_not_ask_for_ever() -> None:
    assert ask_calendar(lambda at: (True, at), "contoso", START, START + HOUR) == []
