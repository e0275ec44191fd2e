# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS cron expressions, as wall-clock times without a zone. Pure; the time zone is added by ``schedule``.

Six fields, with an optional leading field for the second:
``[seconds] minutes hours day-of-month month day-of-week year``. Days of the week count from 1 = SUN to 7 = SAT.
Source: AWS Systems Manager user guide, "Reference: Cron and rate expressions for Systems Manager"; where the guide is
silent (lists with ``L``, ``W`` or ``#``, ranges such as ``FRI-MON`` that wrap around), Quartz, whose grammar this is.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

from ..errors import BadInput

#: Day numbers of a month, ascending, for (year, month).
DayRule = Callable[[int, int], list[int]]

_MONTHS = {
    name: number
    for number, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1
    )
}
_DAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
MIN_GAP_MINUTES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CronField:
    """The valid content of one field of the expression."""

    name: str
    low: int
    high: int
    hint: str
    names: Mapping[str, int] = field(default_factory=dict)
    wraps: bool = True


SECONDS = CronField(name="seconds", low=0, high=59, hint="one second, 0-59")
MINUTES = CronField(name="minutes", low=0, high=59, hint="0-59, with , - * /")
HOURS = CronField(name="hours", low=0, high=23, hint="0-23, with , - * /")
DAY_OF_MONTH = CronField(
    name="day-of-month", low=1, high=31, wraps=False, hint="1-31 with , - * /, or one of ? L L-3 LW 15W"
)
MONTH = CronField(name="month", low=1, high=12, names=_MONTHS, hint="1-12 or JAN-DEC, with , - * /")
DAY_OF_WEEK = CronField(
    name="day-of-week", low=1, high=7, names=_DAYS, hint="1-7 or SUN-SAT with , - * /, or one of ? L 6L FRIL TUE#3"
)
YEAR = CronField(name="year", low=1970, high=2199, wraps=False, hint="1970-2199, with , - * /")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A parsed expression. ``times`` are (hour, minute) of a matching day, ascending."""

    second: int
    times: tuple[tuple[int, int], ...]
    days: DayRule
    months: tuple[int, ...]
    years: tuple[int, ...]

    def wall_times(self, start: datetime) -> Iterator[datetime]:
        """Yield the naive wall-clock times from ``start`` on, ascending; lazily, up to the year 2199."""
        first = start.date()
        for day in self._dates(first):
            for hour, minute in self.times:
                wall = datetime(day.year, day.month, day.day, hour, minute, self.second)
                if wall >= start:
                    yield wall

    def _dates(self, first: date) -> Iterator[date]:
        for year in self.years:
            if year < first.year:
                continue
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for day in self.days(year, month):
                    if (found := date(year, month, day)) >= first:
                        yield found


def parse_cron(text: str, option: str) -> Cron:
    """Parse the text between the parentheses of ``cron(…)``.

    :param option: the option that has it, for the error.
    :raises BadInput: names the field, its value and what is expected.
    """
    parts = text.upper().split()
    if len(parts) not in (6, 7):
        raise BadInput(option, f"cron({text})", "six fields: minutes hours day-of-month month day-of-week year")
    second = _second(option, parts.pop(0)) if len(parts) == 7 else 0
    minutes, hours, day_of_month, month, day_of_week, year = parts
    if (day_of_month == "?") == (day_of_week == "?"):
        both = f"{day_of_month} {day_of_week}"
        raise BadInput(f"{option}: day-of-month and day-of-week", both, "? in exactly one of the two fields")
    by_month = day_of_week == "?"
    cron = Cron(
        second=second,
        times=tuple((h, m) for h in _numbers(option, HOURS, hours) for m in _numbers(option, MINUTES, minutes)),
        days=_month_days(option, day_of_month) if by_month else _week_days(option, day_of_week),
        months=_numbers(option, MONTH, month),
        years=_numbers(option, YEAR, year),
    )
    _check_gap(option, minutes, cron.times, every_day="*" in (day_of_month, day_of_week))
    return cron


def _second(option: str, text: str) -> int:
    found = _numbers(option, SECONDS, text)
    if len(found) != 1:
        raise _bad(option, SECONDS, text)
    return found[0]


def _bad(option: str, what: CronField, text: str) -> BadInput:
    return BadInput(f"{option}: {what.name}", text, what.hint)


def _numbers(option: str, what: CronField, text: str) -> tuple[int, ...]:
    """Return the values of a field made of ``*``, numbers, names, ranges, steps and lists, ascending."""
    found: set[int] = set()
    for part in text.split(","):
        found.update(_part(option, what, part, text))
    return tuple(sorted(found))


def _part(option: str, what: CronField, part: str, text: str) -> Iterator[int]:
    base, slash, step_text = part.partition("/")
    step = _to_int(step_text) if slash else 1
    span = what.high - what.low + 1
    if step is None or not 1 <= step <= span:
        raise _bad(option, what, text)
    if base == "*":
        low, high = what.low, what.high
    else:
        first, dash, last = base.partition("-")
        low = _value(option, what, first, text)
        high = _value(option, what, last, text) if dash else what.high if slash else low
    if high < low:
        if not what.wraps:
            raise _bad(option, what, text)
        high += span
    return ((value - what.low) % span + what.low for value in range(low, high + 1, step))


def _value(option: str, what: CronField, word: str, text: str) -> int:
    value = what.names.get(word, _to_int(word))
    if value is None or not what.low <= value <= what.high:
        raise _bad(option, what, text)
    return value


def _to_int(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def _month_days(option: str, text: str) -> DayRule:
    """Return the rule of a day-of-month field."""
    if text == "L":
        return lambda year, month: [monthrange(year, month)[1]]
    if text == "LW":
        return lambda year, month: [_nearest_weekday(year, month, monthrange(year, month)[1])]
    if text.startswith("L-"):
        back = _to_int(text[2:])
        if back is None or not 1 <= back <= 30:
            raise _bad(option, DAY_OF_MONTH, text)
        return lambda year, month: [day] if (day := monthrange(year, month)[1] - back) >= 1 else []
    if text.endswith("W"):
        wanted = _value(option, DAY_OF_MONTH, text[:-1], text)
        return lambda year, month: (
            [_nearest_weekday(year, month, wanted)] if wanted <= monthrange(year, month)[1] else []
        )
    days = _numbers(option, DAY_OF_MONTH, text)
    return lambda year, month: [day for day in days if day <= monthrange(year, month)[1]]


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Return the Monday to Friday nearest to the day, never leaving the month."""
    weekday = date(year, month, day).weekday()
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < monthrange(year, month)[1] else day - 2
    return day


def _week_days(option: str, text: str) -> DayRule:
    """Return the rule of a day-of-week field."""
    if text == "L":
        text = "SAT"
    if "#" in text:
        name, _separator, nth_text = text.partition("#")
        weekday, nth = _value(option, DAY_OF_WEEK, name, text), _to_int(nth_text)
        if nth is None or not 1 <= nth <= 5:
            raise _bad(option, DAY_OF_WEEK, text)
        return lambda year, month: _on_weekdays(year, month, (weekday,))[nth - 1 : nth]
    if text.endswith("L"):
        weekday = _value(option, DAY_OF_WEEK, text[:-1], text)
        return lambda year, month: _on_weekdays(year, month, (weekday,))[-1:]
    weekdays = _numbers(option, DAY_OF_WEEK, text)
    return lambda year, month: _on_weekdays(year, month, weekdays)


def _on_weekdays(year: int, month: int, weekdays: tuple[int, ...]) -> list[int]:
    first, length = monthrange(year, month)
    # Python's Monday is 0, AWS's Sunday is 1: AWS number of day d is (first + d) % 7 + 1.
    return [day for day in range(1, length + 1) if (first + day) % 7 + 1 in weekdays]


def _check_gap(option: str, minutes: str, times: tuple[tuple[int, int], ...], *, every_day: bool) -> None:
    """Refuse schedules that the service does not allow ("rates faster than five minutes are not supported")."""
    marks = [timedelta(hours=hour, minutes=minute) for hour, minute in times]
    if every_day and len(marks) > 1:
        marks.append(marks[0] + timedelta(days=1))
    if any(later - earlier < timedelta(minutes=MIN_GAP_MINUTES) for earlier, later in pairwise(marks)):
        raise BadInput(f"{option}: {MINUTES.name}", minutes, f"starts at least {MIN_GAP_MINUTES} minutes apart")
