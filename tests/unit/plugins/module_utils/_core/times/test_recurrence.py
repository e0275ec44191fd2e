# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When maintenance configurations of Azure recur. Examples are those of Microsoft.Maintenance 2023-04-01."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.recurrence import (
    from_cron,
    parse_recurrence,
    to_cron,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.schedule import UTC, parse

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = datetime(2026, 1, 6, 22, 30)  # a Tuesday


def days(text: str, first: datetime = FIRST, until: int = 60) -> list[str]:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    found = parse_recurrence(text).openings(first, UTC, begin, begin + timedelta(days=until))
    return [f"{item:%m-%d}" for item in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20Days", ["01-06", "01-26", "02-15"]),
        ("3Weeks", ["01-06", "01-27", "02-17"]),
        ("4Weeks Saturday,Sunday", ["01-10", "01-11", "02-07", "02-08"]),
        ("Month", ["01-06", "02-06"]),
        ("Month day23,day24", ["01-23", "01-24", "02-23", "02-24"]),
        ("Month day31", ["01-31"]),
        ("Month Last Sunday", ["01-25", "02-22"]),
        ("Month Fourth Monday", ["01-26", "02-23"]),
        ("Month Last Sunday Offset-3", ["01-22", "02-19"]),
        ("Month Third Sunday Offset6", ["01-24", "02-21"]),
        ("2Months Second Tuesday", ["01-13"]),
    ],
)
def test_days(text: str, expected: list[str]) -> None:
    assert days(text) == expected
    assert str(parse_recurrence(text.lower())) == text


def test_an_offset_into_the_next_month_counts_from_the_month_of_its_day() -> None:
    assert days("Month Last Saturday Offset2", until=45) == ["02-02"]
    assert days("2Months Last Saturday Offset2", until=90) == ["02-02", "03-30"]


def test_times_are_wall_clock_times_of_the_zone() -> None:
    begin = datetime(2026, 3, 28, tzinfo=UTC)
    found = list(parse_recurrence("Day").openings(FIRST, BERLIN, begin, begin + timedelta(days=2)))
    assert [f"{item:%d %H:%M}" for item in found] == ["28 21:30", "29 20:30"]
    hourly = list(parse_recurrence("6Hours").openings(FIRST, BERLIN, begin, begin + timedelta(hours=12)))
    assert [f"{item:%H:%M}" for item in hourly] == ["03:30", "09:30"]


def test_nothing_opens_before_the_start() -> None:
    assert days("Day", datetime(2026, 2, 27, 1)) == ["02-27", "02-28", "03-01"]


@pytest.mark.parametrize(
    "text", ["", "Year", "0Days", "Week Funday", "Week day1", "Month day32", "Month Fifth Sunday", "Day Monday",
             "Month Last Sunday Offset7", "Month Last Sunday Offset-7", "Month First Sunday,Monday"]
)  # fmt: skip
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="recur_every"):
        parse_recurrence(text)


@pytest.mark.parametrize(
    ("cron", "offset", "text"),
    [
        ("cron(30 22 * * ? *)", 0, "Day"),
        ("cron(30 22 ? * TUE *)", 0, "Week Tuesday"),
        ("cron(30 22 ? * SAT,SUN *)", 0, "Week Saturday,Sunday"),
        ("cron(30 22 1,15 * ? *)", 0, "Month day1,day15"),
        ("cron(30 22 ? * TUE#2 *)", 2, "Month Second Tuesday Offset2"),
        ("cron(30 22 ? * SUNL *)", 0, "Month Last Sunday"),
    ],
)
def test_cron_expressions_both_ways(cron: str, offset: int, text: str) -> None:
    found = from_cron(cron, offset)
    assert (str(found[0]), *found[1:]) == (text, 22, 30)
    assert to_cron(found[0], FIRST) == (cron, offset)
    begin, end = datetime(2026, 1, 7, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    ours = [at for at in parse(cron, "Europe/Berlin", offset).occurrences(begin, 400) if at < end]
    assert list(found[0].openings(FIRST, BERLIN, begin, end)) == ours


def test_the_days_of_the_week_of_aws_count_from_sunday() -> None:
    assert str(from_cron("cron(0 2 ? * 3L *)")[0]) == "Month Last Tuesday"
    assert str(from_cron("cron(0 2 ? * 1,7 *)")[0]) == "Week Saturday,Sunday"


@pytest.mark.parametrize(
    "cron",
    [
        "rate(7 days)", "cron(0 2,3 * * ? *)", "cron(0 2 ? JAN TUE *)", "cron(0 2 L * ? *)", "cron(0 2 ? * MON-FRI *)",
        "cron(0 24 * * ? *)", "cron(0 2 ? * TUE#5 *)", "cron(0 2 ? * L *)",
    ],
)  # fmt: skip
def test_cron_expressions_that_azure_can_not_have(cron: str) -> None:
    with pytest.raises(BadInput, match="schedule"):
        from_cron(cron)
    with pytest.raises(BadInput, match="offset"):
        from_cron("cron(0 2 ? * TUE *)", 1)


@pytest.mark.parametrize("text", ["2Weeks", "6Hours", "3Days", "Month Last Sunday Offset-3"])
def test_recurrences_that_cron_can_not_express(text: str) -> None:
    assert to_cron(parse_recurrence(text), FIRST) is None
