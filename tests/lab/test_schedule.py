# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own reading of window schedules, against dates worked out by hand and against another library."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import islice

import pytest

from lab.aws.ssm.schedule import occurrences, parse, to_text

START = datetime(2026, 6, 1, 6, tzinfo=timezone.utc)


def first(schedule: str, zone: str = "", offset: int = 0, count: int = 1) -> list[str]:
    return [to_text(moment, zone) for moment in islice(occurrences(schedule, zone, offset, START, START), count)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("cron(30 23 ? * TUE#1 *)", "2026-06-02T23:30Z"),
        ("cron(30 23 ? * TUE#3 *)", "2026-06-16T23:30Z"),
        ("cron(0 0 2 ? * SUN *)", None),
        ("cron(0 2 ? * 1 *)", "2026-06-07T02:00Z"),
        ("cron(0 22 ? * SATL *)", "2026-06-27T22:00Z"),
        ("cron(0 1 L * ? *)", "2026-06-30T01:00Z"),
        ("cron(15 10 15W 8 ? *)", "2026-08-14T10:15Z"),
        ("cron(0 */6 ? * MON-FRI *)", "2026-06-01T12:00Z"),
        ("rate(7 days)", "2026-06-08T06:00Z"),
        ("at(2026-07-04T03:00:00)", "2026-07-04T03:00Z"),
    ],
)
def test_first_occurrence(schedule: str, expected: str | None) -> None:
    if expected is None:  # seven fields: the first is seconds
        assert first(schedule) == ["2026-06-07T02:00Z"]
    else:
        assert first(schedule) == [expected]


def test_offset_days_come_after_the_named_day() -> None:
    assert first("cron(0 2 ? * TUE#2 *)", offset=4) == ["2026-06-13T02:00Z"]


def test_zone_keeps_local_time_over_daylight_saving() -> None:
    shown = first("cron(0 2 1 * ? *)", "Europe/Berlin", count=6)
    assert shown[0] == "2026-07-01T02:00+02:00"
    assert shown[5] == "2026-12-01T02:00+01:00"


@pytest.mark.parametrize(
    "schedule",
    ["cron(0 2 * * *)", "cron(0 2 1 * MON *)", "cron(* * ? * * *)", "rate(1 days)", "rate(4 minutes)", "soon"],
)
def test_what_aws_refuses(schedule: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        parse(schedule)


@pytest.mark.parametrize("expression", ["30 23 ? * TUE#1 *", "0 22 ? * SAT#3 *", "15 4 L * ? *", "0 1 1,15 * ? *"])
def test_agrees_with_pyawscron(expression: str) -> None:
    from pyawscron import AWSCron

    other = [to_text(moment) for moment in AWSCron.get_next_n_schedule(6, START, expression)]
    assert first(f"cron({expression})", count=6) == other
