# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Freeze calendars in the shapes that programs export, the examples of RFC 5545, and a second evaluator (dateutil).

What cannot be read for certain is refused: a freeze must not move, shorten or vanish.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible.ics import read_calendar
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.calendars import Calendar
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

START, END = datetime(2026, 10, 1, tzinfo=timezone.utc), datetime(2027, 1, 1, tzinfo=timezone.utc)
BERLIN = "DTSTART;TZID=Europe/Berlin:20261020T220000"


def text(*events: str, head: Sequence[str] = ()) -> str:
    """Return a calendar; the properties of an event are separated by ``|``."""
    lines = ["BEGIN:VCALENDAR", "PRODID:-//Example//EN", "VERSION:2.0", *head]
    for number, event in enumerate(events):
        uid = [] if "UID:" in event else [f"UID:{number}"]
        lines += ["BEGIN:VEVENT", *uid, "DTSTAMP:20260101T000000Z", *event.split("|"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def zone(tzid: str, standard: str, summer: str) -> list[str]:
    """Return a VTIMEZONE as Exchange and Outlook write it, with the rules of the European Union."""
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
    for name, before, after, month in (("STANDARD", summer, standard, 10), ("DAYLIGHT", standard, summer, 3)):
        lines += [f"BEGIN:{name}", "DTSTART:16010101T020000", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}"]
        lines += [f"RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH={month}", f"END:{name}"]
    return [*lines, "END:VTIMEZONE"]


def shown(calendar: Calendar) -> list[str]:
    return [f"{item.start:%m-%d %H:%M} {item.end:%m-%d %H:%M}" for item in calendar.events]


def read(calendar: str, policy_zone: str = "") -> list[str]:
    return shown(read_calendar(calendar, "feed", START, END, policy_zone))


def test_two_files_may_define_the_same_custom_zone_differently() -> None:
    """Exchange calls every zone that was edited "Customized Time Zone"."""
    event = "DTSTART;TZID=Customized Time Zone:20261120T080000|DTEND;TZID=Customized Time Zone:20261120T090000"
    delhi = text(event, head=zone("Customized Time Zone", "+0530", "+0530"))
    york = text(event, head=zone("Customized Time Zone", "-0500", "-0500"))
    assert read(delhi) == ["11-20 02:30 11-20 03:30"]
    assert read(york) == ["11-20 13:00 11-20 14:00"]
    assert read(delhi) == ["11-20 02:30 11-20 03:30"]


@pytest.mark.parametrize(
    ("tzid", "head"),
    [
        ("Europe/Berlin", ()),
        ('"Europe/Berlin"', ()),
        ("W. Europe Standard Time", ()),
        ("W. Europe Standard Time", zone("W. Europe Standard Time", "+0100", "+0200")),
        ('"(UTC+01:00) Amsterdam"', zone("(UTC+01:00) Amsterdam", "+0100", "+0200")),
        (
            "/freeassociation.sourceforge.net/Europe/Berlin",
            zone("/freeassociation.sourceforge.net/Europe/Berlin", "+0100", "+0200"),
        ),
    ],
)
def test_names_of_zones_as_programs_write_them(tzid: str, head: Sequence[str]) -> None:
    """IANA, quoted, Windows with and without a definition, Outlook's display name, Evolution's global name."""
    event = f"DTSTART;TZID={tzid}:20261020T220000|DURATION:PT8H|RRULE:FREQ=WEEKLY;COUNT=2"
    assert read(text(event, head=head)) == ["10-20 20:00 10-21 04:00", "10-27 21:00 10-28 05:00"]


@pytest.mark.parametrize("key", ["DTSTART", "DTEND", "EXDATE", "RDATE", "RECURRENCE-ID"])
def test_an_unknown_zone_is_refused(key: str) -> None:
    utc = {"DTSTART": "20261120T080000Z", "DTEND": "20261120T090000Z"}
    times = [f"{name}:{utc[name]}" for name in utc if name != key]
    event = "|".join([*times, f"{key};TZID=Europe/Nowhere:20261120T090000", "RRULE:FREQ=DAILY;COUNT=3"])
    with pytest.raises(BadInput, match=rf"^feed: 0: {key}: 'Europe/Nowhere' is not valid, expected a time zone that"):
        read(text(event))


@pytest.mark.parametrize(
    ("head", "policy_zone", "expected"),
    [
        (["X-WR-TIMEZONE:Asia/Tokyo"], "Europe/Berlin", "12-23 15:00 12-24 15:00"),
        (["X-WR-TIMEZONE:W. Europe Standard Time"], "", "12-23 23:00 12-24 23:00"),
        (zone("Custom", "+0530", "+0530"), "Europe/Berlin", "12-23 18:30 12-24 18:30"),
        ([*zone("One", "+0530", "+0530"), *zone("Two", "-0500", "-0500")], "UTC", "12-24 00:00 12-25 00:00"),
        ([], "Europe/Berlin", "12-23 23:00 12-24 23:00"),
    ],
)
def test_whole_days_are_in_the_files_zone_or_the_policys(head: list[str], policy_zone: str, expected: str) -> None:
    assert read(text("SUMMARY:Christmas|DTSTART;VALUE=DATE:20261224", head=head), policy_zone) == [expected]


@pytest.mark.parametrize("event", ["DTSTART;VALUE=DATE:20261224", "DTSTART:20261224T080000|DURATION:PT1H"])
def test_days_and_times_of_nobody_are_refused(event: str) -> None:
    with pytest.raises(BadInput, match=r"^feed: Freeze: DTSTART: .*X-WR-TIMEZONE, or freeze.timezone in the policy"):
        read(text(f"SUMMARY:Freeze|{event}"))


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("DTSTART:2026122499|DURATION:PT1H", "0: 'DTSTART' .*a property that can be read"),
        ("DTSTART:20261231T235960Z|DURATION:PT1H", "0: 'DTSTART' .*a property that can be read"),
        ("DTSTART:20261224T080000Z|DURATION:1H", "0: 'DURATION'"),
        ("DTSTART:20261224T080000Z|DURATION:-PT1H", "0: DURATION: .*no negative duration"),
        ("DTSTART:20261224T080000Z|DURATION:PT1H|RRULE:FREQ=SOMETIMES", "0: 'RRULE'"),
        ("DTSTART:20261224T080000Z|DURATION:PT1H|RRULE:BYDAY=MO", "an iCalendar document"),
        ("DTSTART:20261224T080000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=9|EXDATE:soon", "0: 'EXDATE'"),
        ("DTSTART:20261224T080000Z|DURATION:PT1H|RRULE:FREQ=DAILY|EXRULE:FREQ=WEEKLY", "0: EXRULE: .*EXDATE instead"),
        ("DTSTART:20261224T080000Z|DURATION:PT1H|RRULE:FREQ=SECONDLY", "0: RRULE: 'FREQ=SECONDLY' .*hourly at most"),
        ("DTSTART:20261224T080000Z|DURATION:PT1M|RRULE:FREQ=minutely;INTERVAL=5", "0: RRULE: .*hourly at most"),
        (f"{BERLIN}|DURATION:PT1H|RRULE:FREQ=WEEKLY;UNTIL=20261103", "0: UNTIL: '2026-11-03' .*a time in UTC"),
        ("DTSTART:20261224T080000Z|DTEND:20261223T080000Z", "0: DTEND: .*an end after DTSTART"),
        ("DTSTART:20261224T080000Z|DTEND;VALUE=DATE:20261225", "0: DTEND: .*a time with a time"),
        ("DTSTART:20261224T080000Z|DTEND:20261225T080000", "0: DTEND: .*an end after DTSTART"),
        ("SUMMARY:Freeze", "Freeze: 'no DTSTART' .*an event with a beginning"),
    ],
)
def test_events_that_cannot_be_read_for_certain_are_refused(event: str, message: str) -> None:
    with pytest.raises(BadInput, match=f"^feed: .*{message}"):
        read(text(event), "UTC")


def test_a_file_that_was_cut_or_has_two_calendars_is_refused() -> None:
    whole = text("DTSTART:20261120T080000Z|DURATION:PT1H")
    for damaged in (whole[:-20], whole.replace("END:VEVENT\r\n", ""), whole * 2):
        with pytest.raises(BadInput, match=r"^feed: .*expected an iCalendar document"):
            read(damaged)


def test_line_ends_folding_and_byte_order_marks() -> None:
    whole = text("SUMMARY:Über Nacht|DTSTART:20261120T080000Z|DURATION:PT1H")
    folded = whole.replace("DTSTART:2026", "DTSTART:20\r\n 26").replace("SUMMARY:Üb", "SUMMARY:Ü\r\n\tb")
    for shape in (whole, folded, "\ufeff" + whole, whole.replace("\r\n", "\n")):
        calendar = read_calendar(shape, "feed", START, END)
        assert (calendar.events[0].name, shown(calendar)) == ("Über Nacht", ["11-20 08:00 11-20 09:00"])


WEEKLY = f"UID:night|{BERLIN}|DTEND;TZID=Europe/Berlin:20261020T230000|RRULE:FREQ=WEEKLY;COUNT=3"
MOVED = (
    "UID:night|RECURRENCE-ID{};TZID=Europe/Berlin:20261027T220000|DTSTART;TZID=Europe/Berlin:20261028T220000"
    "|DTEND;TZID=Europe/Berlin:20261029T060000"
)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (MOVED.format(""), ["10-28 21:00 10-29 05:00", "11-03 21:00 11-03 22:00"]),
        (MOVED.format(";RANGE=THISANDFUTURE"), ["10-28 21:00 10-29 05:00", "11-04 21:00 11-05 05:00"]),
        (MOVED.format("") + "|STATUS:CANCELLED", ["11-03 21:00 11-03 22:00"]),
    ],
)
def test_occurrences_that_were_moved_or_cancelled(other: str, expected: list[str]) -> None:
    assert read(text(WEEKLY, other)) == ["10-20 20:00 10-20 21:00", *expected]
    assert read(text(other, WEEKLY)) == ["10-20 20:00 10-20 21:00", *expected]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("RRULE:FREQ=WEEKLY;UNTIL=20261103T210000Z", ["10-20", "10-27", "11-03"]),
        ("RRULE:FREQ=WEEKLY;UNTIL=20261103T205959Z", ["10-20", "10-27"]),
        ("RRULE:FREQ=WEEKLY;UNTIL=20261103T220000", ["10-20", "10-27", "11-03"]),
        ("RRULE:FREQ=WEEKLY;COUNT=3|EXDATE;VALUE=DATE:20261027", ["10-20", "11-03"]),
        ("RRULE:FREQ=WEEKLY;COUNT=3|EXDATE:20261027T210000Z", ["10-20", "11-03"]),
        ("RRULE:FREQ=WEEKLY;COUNT=3|EXDATE;TZID=America/New_York:20261027T170000", ["10-20", "11-03"]),
        ("RDATE;TZID=Europe/Berlin:20261110T220000,20261117T220000", ["10-20", "11-10", "11-17"]),
        ("RDATE;VALUE=PERIOD:20261121T210000Z/PT3H,20261122T210000Z/20261122T233000Z", ["10-20", "11-21", "11-22"]),
    ],
)
def test_ends_exceptions_and_additions_of_rules(more: str, expected: list[str]) -> None:
    found = read(text(f"{BERLIN}|DURATION:PT1H|{more}"), "Europe/Berlin")
    assert [item[:5] for item in found] == expected


def test_google_writes_utc_and_the_zone_of_the_calendar() -> None:
    """The wall clock counts, as in Google Calendar: 22:00 in Berlin before and after the clocks change."""
    event = "DTSTART:20261020T200000Z|DTEND:20261020T210000Z|RRULE:FREQ=WEEKLY;COUNT=2"
    found = read(text(event, head=["X-WR-TIMEZONE:Europe/Berlin"]))
    assert found == ["10-20 20:00 10-20 21:00", "10-27 21:00 10-27 22:00"]


@pytest.mark.parametrize(
    ("kind", "first", "end"),
    [("OPEN", "20261024", "10-25 05:00"), ("CLOSED", "20261024", "10-25 04:00")],
)
def test_over_a_change_of_the_clocks_a_freeze_takes_the_later_end(kind: str, first: str, end: str) -> None:
    """The clock says 06:00, RFC 5545 says 8 hours; while a calendar opens by events, the earlier end is on the safe
    side."""
    event = f"DTSTART;TZID=Europe/Berlin:{first}T220000|DURATION:PT8H"
    assert read(text(event, head=[f"X-CALENDAR-TYPE:DEFAULT_{kind}"])) == [f"10-24 20:00 {end}"]
    fixed = f"DTSTART;TZID=Europe/Berlin:{first}T220000|DTEND;TZID=Europe/Berlin:20261025T060000"
    assert read(text(fixed, head=[f"X-CALENDAR-TYPE:DEFAULT_{kind}"])) == ["10-24 20:00 10-25 05:00"]


def test_an_event_that_began_long_ago_still_lasts() -> None:
    assert read(text("DTSTART:20250101T080000Z|DURATION:P800D")) == ["01-01 08:00 03-12 08:00"]


YORK = "DTSTART;TZID=America/New_York:19970902T090000"
#: Rules and the days that RFC 5545, 3.8.5.3, lists for them, as month and day of 1997 and 1998.
EXAMPLES = (
    (
        "RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "19970901",
        "0901 0903 0905 0915 0917 0919 0929 1001 1003 1013 1015 1017 1027 1029 1031 1110 1112 1114 1124 1126 1128"
        " 1208 1210 1212 1222",
    ),
    ("RRULE:FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "19970905", "0905 1003 1107 1205 0102 0206 0306 0403 0501 0605"),
    ("RRULE:FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "19970922", "0922 1020 1117 1222 0119 0216"),
    ("RRULE:FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", "19970930", "0930 1001 1031 1101 1130 1201 1231 0101 0131 0201"),
    ("RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904", "0904 1007 1106"),
    ("RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "19970805", "0805 0817 0819 0831"),
    ("RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "19970805", "0805 0810 0819 0824"),
)


@pytest.mark.parametrize(("rule", "first", "days"), EXAMPLES, ids=[row[0][11:40] for row in EXAMPLES])
def test_examples_of_the_rfc(rule: str, first: str, days: str) -> None:
    begin, end = datetime(1997, 8, 1, tzinfo=timezone.utc), datetime(1998, 8, 1, tzinfo=timezone.utc)
    event = f"DTSTART;TZID=America/New_York:{first}T090000|DURATION:PT1H|{rule}"
    calendar = read_calendar(text(event), "rfc", begin, end)
    clock = [item.start.astimezone(ZoneInfo("America/New_York")) for item in calendar.events]
    assert [f"{at:%m%d}" for at in clock] == days.split()
    assert {f"{at:%H:%M}" for at in clock} == {"09:00"}


RULES = st.builds(
    lambda freq, interval, days, until: f"FREQ={freq};INTERVAL={interval}{days}{until}",
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 3),
    st.sampled_from(["", ";BYDAY=MO,TH", ";BYMONTHDAY=1,15,-1", ";BYMONTH=10,11", ";BYDAY=SA;BYSETPOS=1"]),
    st.sampled_from(["", ";COUNT=5", ";UNTIL=20261120T120000Z"]),
)


@settings(max_examples=60, deadline=None)
@given(
    rule=RULES, day=st.integers(1, 28), hour=st.integers(0, 23), name=st.sampled_from(["Europe/Berlin", "Asia/Tokyo"])
)
def test_dateutil_finds_the_same_occurrences(rule: str, day: int, hour: int, name: str) -> None:
    first = datetime(2026, 9, day, hour, 30, tzinfo=ZoneInfo(name))
    begin = f"DTSTART;TZID={name}:{first:%Y%m%dT%H%M%S}"
    calendar = read_calendar(text(f"{begin}|DURATION:PT1H|RRULE:{rule}"), "feed", START, END)
    wanted = rrulestr(rule, dtstart=first).between(START - timedelta(hours=1), END, inc=False)
    # dateutil always counts DTSTART only if the rule has it; RFC 5545 counts it in any case
    starts = {at.astimezone(timezone.utc) for at in wanted}
    assert starts <= {item.start for item in calendar.events} <= starts | {first.astimezone(timezone.utc)}
