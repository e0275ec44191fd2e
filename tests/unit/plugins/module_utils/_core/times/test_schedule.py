# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules: published examples of AWS, three independent evaluators, clock changes and bad input."""

from __future__ import annotations

import contextlib
import itertools
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.schedule import UTC, localise, parse
from aws_cron_expression_validator.validator import AWSCronExpressionError, AWSCronExpressionValidator
from cronsim import CronSim
from hypothesis import given, reject
from hypothesis import strategies as st
from pyawscron import AWSCron

NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(expression: str, after: str, limit: int, **options: object) -> list[str]:
    found = parse(expression, **options).occurrences(utc(after), limit)
    assert all(item.tzinfo is timezone.utc for item in found)
    return [item.strftime("%Y-%m-%d %H:%M") for item in found]


# Source: SSM user guide, "Reference: Cron and rate expressions for Systems Manager", general and window examples.
PUBLISHED = [
    ("0 10 * * ? *", ["2026-11-21 10:00", "2026-11-22 10:00"]),
    ("15 12 * * ? *", ["2026-11-21 12:15", "2026-11-22 12:15"]),
    ("0 18 ? * MON-FRI *", ["2026-11-23 18:00", "2026-11-24 18:00"]),
    ("0 8 1 * ? *", ["2026-12-01 08:00", "2027-01-01 08:00"]),
    ("0/15 * * * ? *", ["2026-11-21 01:15", "2026-11-21 01:30"]),
    ("0/10 * ? * MON-FRI *", ["2026-11-23 00:00", "2026-11-23 00:10"]),
    ("0/5 8-17 ? * MON-FRI *", ["2026-11-23 08:00", "2026-11-23 08:05"]),
    ("0 2 ? * THU#3 *", ["2026-12-17 02:00", "2027-01-21 02:00"]),
    ("15 10 ? * * *", ["2026-11-21 10:15", "2026-11-22 10:15"]),
    ("0 2 L * ? *", ["2026-11-30 02:00", "2026-12-31 02:00"]),
    ("15 10 ? * 6L *", ["2026-11-27 10:15", "2026-12-25 10:15"]),
    ("30 09 ? * * *", ["2026-11-21 09:30", "2026-11-22 09:30"]),
    ("0 16 ? * TUE *", ["2026-11-24 16:00", "2026-12-01 16:00"]),
]
# The expressions on which evaluators disagree, worked out by hand on a calendar.
DISPUTED = [
    ("0 2 ? * 1 *", ["2026-11-22 02:00", "2026-11-29 02:00"]),  # 1 is Sunday
    ("0 2 ? * TUE#3 *", ["2026-12-15 02:00", "2027-01-19 02:00"]),
    ("0 2 ? * 3#3 *", ["2026-12-15 02:00", "2027-01-19 02:00"]),
    ("0 2 ? * 5L *", ["2026-11-26 02:00", "2026-12-31 02:00"]),  # last Thursday
    ("0 2 ? * THUL *", ["2026-11-26 02:00", "2026-12-31 02:00"]),
    ("0 2 ? * L *", ["2026-11-21 02:00", "2026-11-28 02:00"]),  # last day of the week: Saturday
    ("0 2 15W * ? *", ["2026-12-15 02:00", "2027-01-15 02:00"]),
    ("0 2 1W * ? *", ["2026-12-01 02:00", "2027-01-01 02:00", "2027-02-01 02:00", "2027-03-01 02:00"]),
    ("0 2 1W 5 ? *", ["2027-05-03 02:00"]),  # 1 May 2027 is a Saturday: never back into April
    ("0 2 31W * ? *", ["2026-12-31 02:00", "2027-01-29 02:00", "2027-03-31 02:00"]),
    ("0 2 L-2 * ? *", ["2026-11-28 02:00", "2026-12-29 02:00"]),
    ("0 2 LW * ? *", ["2026-11-30 02:00", "2026-12-31 02:00", "2027-01-29 02:00"]),
    ("0 2 ? * FRI#5 *", ["2027-01-29 02:00", "2027-04-30 02:00"]),
    ("0 2 ? * FRI-MON *", ["2026-11-21 02:00", "2026-11-22 02:00", "2026-11-23 02:00", "2026-11-27 02:00"]),
    ("0 22-1/2 * * ? *", ["2026-11-21 22:00", "2026-11-22 00:00"]),
    ("0 2 1 1 ? 2025", []),  # a year that is over
    ("0 2 29 FEB ? *", ["2028-02-29 02:00", "2032-02-29 02:00"]),
    ("0 2 30 2 ? *", []),
]


@pytest.mark.parametrize(("fields", "expected"), PUBLISHED + DISPUTED)
def test_cron_example(fields: str, expected: list[str]) -> None:
    found = parse(f"cron({fields})").occurrences(NOW, max(1, len(expected)))
    assert [item.strftime("%Y-%m-%d %H:%M") for item in found] == expected


def test_leading_seconds_field() -> None:
    # Source: the same page: "runs a maintenance window at 9:30:24 AM every day".
    assert parse("cron(24 30 09 ? * * *)").next_after(NOW) == utc("2026-11-21T09:30:24")


def test_guide_example_with_time_zone_and_start_date() -> None:
    # Source: SSM user guide, schedule options, example 1: the first Wednesday after the start date, 09:00 Pacific.
    schedule = parse("cron(0 09 ? * WED *)", "America/Los_Angeles", start="2021-01-01T00:00:00-08:00")
    assert schedule.next_after(utc("2020-01-01")) == utc("2021-01-06T17:00:00")


def test_guide_example_rate_between_bounds() -> None:
    # Source: example 2: every Tuesday from 1 January 2019, the last one on 25 June.
    start, end = "2019-01-01T03:15:00+09:00", "2019-06-30T06:15:00+09:00"
    found = parse("rate(7 days)", "Asia/Tokyo", start=start, end=end).occurrences(utc("2018-01-01"), 100)
    local = [item.astimezone(ZoneInfo("Asia/Tokyo")) for item in found]
    assert {item.strftime("%a %H:%M") for item in local} == {"Tue 03:15"}
    assert (len(local), local[0].date().isoformat(), local[-1].date().isoformat()) == (26, "2019-01-01", "2019-06-25")


def test_guide_example_once() -> None:
    # Source: example 3.
    schedule = parse("at(2020-07-07T15:55:00)")
    assert schedule.next_after(utc("2020-01-01")) == utc("2020-07-07T15:55")
    assert schedule.next_after(utc("2020-07-07T15:55")) is None
    assert parse("at(2019-07-07T13:15:30)", "America/Los_Angeles").next_after(utc("2019-01-01")) == utc(
        "2019-07-07T20:15:30"
    )


def test_guide_example_offset_is_days_after_the_base_day() -> None:
    # Source: example 4: third Tuesday 23:30, offset 2 -> Thursday.
    expression = "cron(0 30 23 ? * TUE#3 *)"
    assert starts(expression, "2026-11-01", 2, offset_days=2) == ["2026-11-19 23:30", "2026-12-17 23:30"]
    assert starts(expression, "2026-11-18", 1, offset_days=2) == ["2026-11-19 23:30"]  # the window is still ahead


def test_offset_waits_for_the_next_period_if_the_base_day_had_passed_at_creation() -> None:
    # facts: "if base day already passed this period it runs next period".
    schedule = parse("cron(0 30 23 ? * TUE#3 *)", offset_days=2, created=utc("2026-11-18"))
    assert schedule.next_after(utc("2026-11-18")) == utc("2026-12-17T23:30")


def test_offset_is_counted_on_the_wall_clock() -> None:
    # Base Saturday 24 October 2026 02:00 +02:00; two days later it is 02:00 +01:00.
    assert starts("cron(0 2 ? * SAT#4 *)", "2026-10-20", 1, timezone=BERLIN, offset_days=2) == ["2026-10-26 01:00"]


def test_spring_gap_opens_at_the_next_instant_that_exists() -> None:
    # Berlin skips 02:00-03:00 on 29 March 2026: 02:30 becomes 03:00 CEST = 01:00 UTC.
    assert starts("cron(30 2 * * ? *)", "2026-03-28", 3, timezone=BERLIN) == [
        "2026-03-28 01:30",
        "2026-03-29 01:00",
        "2026-03-30 00:30",
    ]


def test_times_of_a_skipped_hour_open_once() -> None:
    found = starts("cron(0/20 2-3 29 3 ? 2026)", "2026-03-28", 9, timezone=BERLIN)
    assert found == ["2026-03-29 01:00", "2026-03-29 01:20", "2026-03-29 01:40"]


def test_autumn_overlap_opens_at_the_first_of_two() -> None:
    # Berlin has 02:30 twice on 25 October 2026; the first is CEST, 00:30 UTC.
    assert starts("cron(30 2 25 10 ? 2026)", "2026-01-01", 2, timezone=BERLIN) == ["2026-10-25 00:30"]
    schedule = parse("cron(30 2 * * ? *)", BERLIN)
    assert schedule.next_after(utc("2026-10-25T00:30")) == utc("2026-10-26T01:30")


def test_gap_of_half_an_hour_and_of_a_whole_day() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # 02:00 -> 02:30 on 4 October 2026
    assert localise(datetime(2026, 10, 4, 2, 10), lord_howe) == utc("2026-10-03T15:30")
    apia = ZoneInfo("Pacific/Apia")  # 30 December 2011 did not happen
    assert localise(datetime(2011, 12, 30, 12), apia) == utc("2011-12-30T10:00")


def test_rate_counts_from_creation_and_ignores_clock_changes() -> None:
    schedule = parse("rate(12 hours)", BERLIN, created=utc("2026-10-24T12:00"))
    assert schedule.occurrences(utc("2026-10-24T12:00"), 3) == [
        utc("2026-10-25T00:00"),
        utc("2026-10-25T12:00"),
        utc("2026-10-26T00:00"),
    ]


def test_rate_without_an_anchor_is_refused_rather_than_guessed() -> None:
    with pytest.raises(
        BadInput, match=r"^start: None is not valid, expected a start date, from which rate\(7 days\) counts"
    ):
        parse("rate(7 days)").next_after(NOW)


def test_bounds_do_not_depend_on_the_zone_and_the_end_is_exclusive() -> None:
    bounds = {"start": "2026-11-03T02:00:00Z", "end": "2026-11-05T02:00:00Z"}
    assert starts("cron(0 2 * * ? *)", "2026-11-01", 9, **bounds) == ["2026-11-03 02:00", "2026-11-04 02:00"]
    assert parse("cron(0 2 * * ? *)", start="2026-11-03").start == utc("2026-11-03")


def test_occurrence_open_now_else_the_next() -> None:
    schedule = parse("cron(0 2 ? * THU *)")
    for now, opening in (("2026-11-19T02:00", "19"), ("2026-11-19T05:59", "19"), ("2026-11-19T06:00", "26")):
        found = schedule.occurrence_at(utc(now), 4, 1)
        assert found is not None
        assert found.start == utc(f"2026-11-{opening}T02:00")
        assert (found.end - found.start, found.end - found.cutoff_at) == (timedelta(hours=4), timedelta(hours=1))
        assert found.is_open(utc(now)) == (opening == "19")


def test_no_occurrence_once_the_schedule_has_ended() -> None:
    assert parse("at(2020-07-07T15:55:00)").occurrence_at(NOW, 4) is None


BAD = [
    ("every day", "schedule: 'every day' is not valid, expected cron("),
    ("cron(0 2 * * ?)", "schedule: 'cron(0 2 * * ?)' is not valid, expected six fields"),
    ("cron(0 2 * * * *)", "schedule: day-of-month and day-of-week: '* *' is not valid, expected ? in exactly one"),
    ("cron(0 2 ? * ? *)", "schedule: day-of-month and day-of-week: '? ?' is not valid"),
    ("cron(60 2 ? * TUE *)", "schedule: minutes: '60' is not valid, expected 0-59"),
    ("cron(0 24 ? * TUE *)", "schedule: hours: '24' is not valid, expected 0-23"),
    ("cron(0 2 32 * ? *)", "schedule: day-of-month: '32' is not valid, expected 1-31"),
    ("cron(0 2 0W * ? *)", "schedule: day-of-month: '0W'"),
    ("cron(0 2 L-31 * ? *)", "schedule: day-of-month: 'L-31'"),
    ("cron(0 2 1 13 ? *)", "schedule: month: '13' is not valid, expected 1-12 or JAN-DEC"),
    ("cron(0 2 ? * 0 *)", "schedule: day-of-week: '0' is not valid, expected 1-7 or SUN-SAT"),
    ("cron(0 2 ? * TUE#6 *)", "schedule: day-of-week: 'TUE#6'"),
    ("cron(0 2 ? * TUE#1,TUE#3 *)", "schedule: day-of-week: 'TUE#1,TUE#3'"),
    ("cron(0 2 ? * TUES *)", "schedule: day-of-week: 'TUES'"),
    ("cron(0 2 1 1 ? 1969)", "schedule: year: '1969' is not valid, expected 1970-2199"),
    ("cron(0 2 20-10 * ? *)", "schedule: day-of-month: '20-10'"),
    ("cron(0/0 2 ? * TUE *)", "schedule: minutes: '0/0'"),
    ("cron(0/4 2 ? * TUE *)", "schedule: minutes: '0/4' is not valid, expected starts at least 5 minutes apart"),
    ("cron(0,58 * * * ? *)", "schedule: minutes: '0,58' is not valid, expected starts at least 5 minutes apart"),
    ("cron(0,30 0 2 ? * TUE *)", "schedule: seconds: '0,30' is not valid, expected one second"),
    ("rate(1 hours)", "schedule: 'rate(1 hours)' is not valid, expected rate(1 hour)"),
    ("rate(5 hour)", "schedule: 'rate(5 hour)' is not valid, expected rate(5 hours)"),
    ("rate(4 minutes)", "schedule: 'rate(4 minutes)' is not valid, expected at least 5 minutes"),
    ("rate(0 days)", "schedule: 'rate(0 days)'"),
    ("rate(2 weeks)", "schedule: 'rate(2 weeks)'"),
    ("at(2026-11-01)", "schedule: 'at(2026-11-01)' is not valid, expected at(yyyy-mm-ddThh:mm:ss)"),
    ("at(2026-02-30T00:00:00)", "schedule: 'at(2026-02-30T00:00:00)'"),
]


@pytest.mark.parametrize(("expression", "message"), BAD)
def test_bad_expression_names_field_value_and_what_is_right(expression: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(expression)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timezone": "Mars/Base"}, "windows[2].timezone: 'Mars/Base' is not valid, expected an IANA time zone"),
        ({"timezone": "../etc"}, "windows[2].timezone: '../etc'"),
        ({"timezone": "Europe"}, "windows[2].timezone: 'Europe'"),
        ({"offset_days": 7}, "windows[2].offset_days: 7 is not valid, expected 1 to 6 days"),
        ({"start": "soon"}, "windows[2].start: 'soon' is not valid, expected an ISO 8601 time"),
        ({"start": "2026-11-02", "end": "2026-11-01"}, "windows[2].end: '2026-11-01T00:00:00+00:00'"),
    ],
)
def test_bad_option_names_its_path(options: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse("cron(0 2 ? * TUE *)", prefix="windows[2].", **options)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("expression", ["rate(1 day)", "at(2026-11-01T02:00:00)"])
def test_offset_goes_with_cron_only(expression: str) -> None:
    with pytest.raises(BadInput, match=r"^offset_days: 2 is not valid, expected no offset with (rate|at)"):
        parse(expression, offset_days=2)


def test_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        parse("cron(0 2 ? * TUE *)").next_after(datetime(2026, 1, 1))


# Expressions by construction, so that the oracles and we see everything the grammar combines.
def _items(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    spans = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    return st.one_of(number.map(str), spans, st.lists(number, min_size=2, max_size=3, unique=True).map(_listed))


def _listed(values: list[int]) -> str:
    return ",".join(str(value) for value in sorted(values))


DAY_NAMES = st.sampled_from(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])
MONTH_FIELD = st.one_of(st.just("*"), _items(1, 12), st.sampled_from(["JAN", "FEB,AUG", "OCT-DEC", "1/3"]))
MONTH_DAYS = st.one_of(_items(1, 31), st.sampled_from(["*", "L", "1/7"]), st.integers(1, 28).map("{}W".format))
WEEK_DAYS = st.one_of(
    _items(1, 7),
    DAY_NAMES,
    st.sampled_from(["*", "MON-FRI"]),
    st.tuples(st.integers(1, 7), st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}"),
    st.integers(1, 7).map("{}L".format),
)
DAY_FIELDS = st.one_of(
    st.tuples(MONTH_DAYS, MONTH_FIELD).map(lambda pair: f"{pair[0]} {pair[1]} ?"),
    st.tuples(MONTH_FIELD, WEEK_DAYS).map(lambda pair: f"? {pair[0]} {pair[1]}"),
)
MINUTE_FIELD = st.one_of(st.integers(0, 59).map(str), st.sampled_from(["0/5", "*/15", "0,30", "5-50/15"]))
FIELDS = st.tuples(MINUTE_FIELD, st.one_of(st.just("*"), _items(0, 23)), DAY_FIELDS, st.sampled_from(["*", "2027"]))
EXPRESSIONS = FIELDS.map(" ".join)
TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1))


@given(EXPRESSIONS, TIMES)
def test_agrees_with_pyawscron(fields: str, after: datetime) -> None:
    after = after.replace(second=0, microsecond=0, tzinfo=UTC)
    found = parse(f"cron({fields})").next_after(after)
    try:
        expected = AWSCron(fields).occurrence(after).next()
    except Exception as error:  # it builds 29 February of any year, and gives up on days as rare as FEB SUN#5
        if not isinstance(error, ValueError) and "iter" not in str(error):
            raise
        reject()  # cronsim, below, knows such days
    assert found == expected


@given(EXPRESSIONS)
def test_accepts_what_the_validator_accepts(fields: str) -> None:
    try:
        AWSCronExpressionValidator.validate(fields)
    except AWSCronExpressionError:
        return
    parse(f"cron({fields})")


def _to_cronsim(fields: str) -> str | None:
    """Translate to the dialect of cronsim: Sunday is 0, no years, no ``W``, no ``nth`` besides ``#`` and ``L``."""
    minute, hour, day, month, weekday, year = fields.split()
    if "W" in day or year != "*" or "," in weekday or "-" in weekday or "/" in day + month:
        return None
    if weekday[0].isdigit():
        weekday = f"{int(weekday[0]) - 1}{weekday[1:]}"
    return f"{minute} {hour} {day} {month} {weekday}".replace("?", "*")


@given(EXPRESSIONS, TIMES)
def test_agrees_with_cronsim(fields: str, after: datetime) -> None:
    translated = _to_cronsim(fields)
    if translated is None:
        return
    try:
        expected = next(CronSim(translated, after.replace(second=0, microsecond=0)))
    except StopIteration:
        expected = None
    found = parse(f"cron({fields})").next_after(after.replace(second=0, microsecond=0, tzinfo=UTC))
    assert (found.replace(tzinfo=None) if found else None) == expected


ZONES = st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "UTC"])


@given(EXPRESSIONS, TIMES, ZONES, st.integers(0, 6))
def test_openings_rise_and_none_is_left_out(fields: str, after: datetime, zone: str, offset: int) -> None:
    schedule = parse(f"cron({fields})", zone, offset)
    after = after.replace(tzinfo=UTC)
    found = schedule.occurrences(after, 5)
    assert all(item > after for item in found)
    assert found == sorted(set(found))
    for earlier, later in itertools.pairwise(found):
        assert schedule.next_after(earlier) == later
        assert schedule.next_after(later - timedelta(seconds=1)) == later


@given(TIMES, ZONES)
def test_localised_time_exists_and_is_the_first_of_its_kind(wall: datetime, zone: str) -> None:
    wall = wall.replace(microsecond=0)
    place = ZoneInfo(zone)
    found = localise(wall, place)
    back = found.astimezone(place).replace(tzinfo=None)
    assert back >= wall
    if back > wall:
        assert (found - timedelta(seconds=1)).astimezone(place).replace(tzinfo=None) < wall


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for expression in (text, f"cron({text})", f"rate({text})", f"at({text})"):
        with contextlib.suppress(BadInput):
            parse(expression)
