# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iCalendar text as SSM Change Calendar and office programs write it (covers CG-22; F47)."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible import ics
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.calendars import freeze_at

START, END = datetime(2026, 10, 1, tzinfo=timezone.utc), datetime(2027, 1, 1, tzinfo=timezone.utc)


def text(*events: str, head: str = "X-CALENDAR-TYPE:DEFAULT_OPEN") -> str:
    # The head is what SSM Change Calendar writes.
    lines = ["BEGIN:VCALENDAR", "PRODID:-//AWS//Change Calendar 1.0//EN", "VERSION:2.0", head]
    for number, event in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{number}", "DTSTAMP:20260101T000000Z", *event.split("|"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def periods(*events: str, head: str = "X-CALENDAR-TYPE:DEFAULT_OPEN") -> list[tuple[str, str]]:
    found = ics.read_calendar(text(*events, head=head), "feed", START, END)
    return [(item.start.strftime("%m-%d %H:%M"), item.end.strftime("%m-%d %H:%M")) for item in found.events]


def test_event_in_a_zone_and_in_utc() -> None:
    berlin = "DTSTART;TZID=Europe/Berlin:20261120T080000|DTEND;TZID=Europe/Berlin:20261120T100000"
    utc = "DTSTART:20261121T080000Z|DURATION:PT90M"
    assert periods(berlin, utc) == [("11-20 07:00", "11-20 09:00"), ("11-21 08:00", "11-21 09:30")]


def test_weekly_event_keeps_its_wall_clock_time_over_the_clock_change() -> None:
    weekly = (
        "DTSTART;TZID=Europe/Berlin:20261019T080000|DTEND;TZID=Europe/Berlin:20261019T090000"
        "|RRULE:FREQ=WEEKLY;COUNT=3|EXDATE;TZID=Europe/Berlin:20261102T080000"
    )
    assert periods(weekly) == [("10-19 06:00", "10-19 07:00"), ("10-26 07:00", "10-26 08:00")]


def test_whole_day_is_a_day_of_the_calendars_zone() -> None:
    event = "SUMMARY:Christmas|DTSTART;VALUE=DATE:20261224"
    assert periods(event, head="X-WR-TIMEZONE:UTC") == [("12-24 00:00", "12-25 00:00")]
    assert periods(event, head="X-WR-TIMEZONE:Asia/Tokyo") == [("12-23 15:00", "12-24 15:00")]


def test_cancelled_and_far_events_do_not_count() -> None:
    cancelled = "DTSTART:20261121T080000Z|DTEND:20261121T090000Z|STATUS:CANCELLED"
    far = "DTSTART:20300101T080000Z|DTEND:20300101T090000Z"
    assert periods(cancelled, far) == []


def test_default_closed_calendar_opens_during_its_events() -> None:
    event = "SUMMARY:patch night|DTSTART:20261121T220000Z|DTEND:20261122T020000Z"
    found = ics.read_calendar(text(event, head="X-CALENDAR-TYPE:DEFAULT_CLOSED"), "arn", START, END)
    now = datetime(2026, 11, 21, 21, tzinfo=timezone.utc)
    assert freeze_at([found], now).frozen is True
    assert freeze_at([found], now.replace(hour=23)).frozen is False


@pytest.mark.parametrize(
    "damaged", ["", "no calendar", "BEGIN:VEVENT\nEND:VEVENT\n", "BEGIN:VCALENDAR\nBEGIN:VEVENT\n"]
)
def test_damaged_text_is_bad_input(damaged: str) -> None:
    with pytest.raises(BadInput, match=r"^freeze.ics: .* is not valid, expected an iCalendar document"):
        ics.read_calendar(damaged, "freeze.ics", START, END)


def test_unknown_calendar_type() -> None:
    with pytest.raises(BadInput, match=r"^f: X-CALENDAR-TYPE: 'AJAR' is not valid, expected DEFAULT_OPEN or"):
        ics.read_calendar(text(head="X-CALENDAR-TYPE:AJAR"), "f", START, END)


def test_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ics, "MISSING", ImportError("No module named 'icalendar'"))
    with pytest.raises(ics.MissingLibrary, match=r"pip install icalendar recurring-ical-events \(No module named"):
        ics.read_calendar(text(), "feed", START, END)
