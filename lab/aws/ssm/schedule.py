# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules of maintenance windows: cron, rate and at. The lab's own reading, independent of the collection's.

"Reference: Cron and rate expressions for Systems Manager" of the user guide.
"""

from __future__ import annotations

import calendar
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ..clock import UTC

_MONTHS = {calendar.month_abbr[number].upper(): number for number in range(1, 13)}
_DAYS = {calendar.day_abbr[(number - 2) % 7].upper(): number for number in range(1, 8)}  # 1 is Sunday
_HORIZON = timedelta(days=366 * 3)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a cron expression: the values it lists, or None for all."""

    values: frozenset[int] | None

    def __contains__(self, value: int) -> bool:
        return self.values is None or value in self.values


def _field(text: str, low: int, high: int, names: dict[str, int]) -> Field:
    if text in ("*", "?"):
        return Field(None)
    values: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        start = low if first == "*" else _number(first, names)
        end = _number(last, names) if dash else high if step or first == "*" else start
        if not low <= start <= end <= high:
            raise ValueError(f"{part!r} is outside {low} to {high}")
        values |= set(range(start, end + 1, int(step or 1)))
    return Field(frozenset(values))


def _number(text: str, names: dict[str, int]) -> int:
    return names[text.upper()] if text.upper() in names else int(text)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression with five or six time fields and a year: [seconds] minutes hours day month weekday year."""

    second: Field
    minute: Field
    hour: Field
    day: str
    month: Field
    weekday: str
    year: Field

    def days(self, first: date, last: date) -> Iterator[date]:
        current = first
        while current <= last:
            if current.month in self.month and current.year in self.year and self._on(current):
                yield current
            current += timedelta(days=1)

    def _on(self, current: date) -> bool:
        return self._on_weekday(current) if self.day == "?" else self._on_day(current)

    def _on_day(self, current: date) -> bool:
        if self.day == "L":
            return current.day == calendar.monthrange(current.year, current.month)[1]
        if self.day.endswith("W"):
            return current == _nearest_weekday(current, int(self.day[:-1]))
        return current.day in _field(self.day, 1, 31, {})

    def _on_weekday(self, current: date) -> bool:
        number = current.isoweekday() % 7 + 1  # 1 is Sunday
        if "#" in self.weekday:
            wanted, _, nth = self.weekday.partition("#")
            return number == _number(wanted, _DAYS) and (current.day - 1) // 7 + 1 == int(nth)
        if self.weekday.endswith("L") and self.weekday != "L":
            left = calendar.monthrange(current.year, current.month)[1] - current.day
            return number == _number(self.weekday[:-1], _DAYS) and left < 7
        return number == 7 if self.weekday == "L" else number in _field(self.weekday, 1, 7, _DAYS)

    def times(self) -> list[time]:
        seconds = [s for s in range(60) if s in self.second]
        minutes = [m for m in range(60) if m in self.minute]
        hours = [h for h in range(24) if h in self.hour]
        return [time(h, m, s) for h in hours for m in minutes for s in seconds]


def _nearest_weekday(current: date, wanted: int) -> date:
    last = calendar.monthrange(current.year, current.month)[1]
    day = date(current.year, current.month, min(wanted, last))
    shift = {5: -1, 6: 1}.get(day.weekday(), 0)
    moved = day + timedelta(days=shift)
    return moved if moved.month == day.month else day - timedelta(days=shift * 2)


def parse(schedule: str) -> Cron | timedelta | datetime:
    """Read a schedule: cron, the period of a rate, or the moment of an at (naive, in the window's time zone)."""
    found = re.fullmatch(r"(cron|rate|at)\((.*)\)", schedule.strip())
    if found is None:
        raise ValueError("a schedule is cron(…), rate(…) or at(…)")
    kind, body = found.groups()
    if kind == "cron":
        return _cron(body.split())
    return _rate(body) if kind == "rate" else datetime.fromisoformat(body).replace(tzinfo=None)


def _cron(fields: list[str]) -> Cron:
    if len(fields) == 6:
        fields = ["0", *fields]
    if len(fields) != 7:
        raise ValueError("a cron expression has six fields, or seven with seconds")
    second, minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise ValueError("exactly one of day of month and day of week must be ?")
    cron = Cron(
        _field(second, 0, 59, {}),
        _field(minute, 0, 59, {}),
        _field(hour, 0, 23, {}),
        day,
        _field(month, 1, 12, _MONTHS),
        weekday,
        _field(year, 1970, 2199, {}),
    )
    cron._on(date(2026, 1, 31))  # reads day and weekday, so that mistakes in them show
    moments = [t.hour * 3600 + t.minute * 60 + t.second for t in cron.times()]
    if any(later - sooner < 300 for sooner, later in itertools.pairwise(moments)):
        raise ValueError("a window can't run more often than every five minutes")
    return cron


def _rate(body: str) -> timedelta:
    found = re.fullmatch(r"(\d+) (minute|hour|day)(s?)", body.strip())
    if found is None:
        raise ValueError("a rate is rate(value unit), the unit minute, hour or day, singular for 1 only")
    value, unit, plural = int(found[1]), found[2], bool(found[3])
    if value < 1 or (value == 1) == plural:
        raise ValueError("the unit of a rate is singular for 1 and plural otherwise")
    period = timedelta(**{f"{unit}s": value})
    if period < timedelta(minutes=5):
        raise ValueError("a window can't run more often than every five minutes")
    return period


def occurrences(
    schedule: str, zone: str, offset: int, anchor: datetime, after: datetime, until: datetime | None = None
) -> Iterator[datetime]:
    """Yield the moments (UTC) after ``after`` at which a window opens, for at most three years.

    :param offset: days added to each occurrence of a cron expression.
    :param anchor: where a rate counts from.
    """
    what = parse(schedule)
    end = min(until, after + _HORIZON) if until else after + _HORIZON
    zone_info = ZoneInfo(zone or "UTC")
    for moment in _moments(what, zone_info, offset, anchor, after, end):
        if after < moment <= end:
            yield moment


def _moments(
    what: Cron | timedelta | datetime, zone: ZoneInfo, offset: int, anchor: datetime, after: datetime, end: datetime
) -> Iterator[datetime]:
    if isinstance(what, datetime):
        yield what.replace(tzinfo=zone).astimezone(UTC)
    elif isinstance(what, timedelta):
        current = anchor + max(0, (after - anchor) // what) * what
        while current <= end:
            yield current
            current += what
    else:
        first, last = after.astimezone(zone).date(), end.astimezone(zone).date()
        for day in what.days(first - timedelta(days=offset + 1), last):
            for moment in what.times():
                local = datetime.combine(day + timedelta(days=offset), moment, zone)
                yield local.astimezone(UTC)


def to_text(moment: datetime, zone: str = "") -> str:
    """The form of NextExecutionTime and ExecutionTime: in the window's zone, no seconds where they are zero.

    Seen as 2020-05-10T15:00Z and 2019-02-03T02:00-08:00 (user guide, "Creating a maintenance window").
    """
    local = moment.astimezone(ZoneInfo(zone) if zone else UTC)
    text = local.isoformat(timespec="minutes" if not (local.second or local.microsecond) else "milliseconds")
    return text.replace("+00:00", "Z")
