# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a maintenance configuration of Azure recurs: ``recurEvery``, and cron expressions. Pure.

``Day``, ``3Days``, ``Week Saturday,Sunday``, ``2Weeks Monday``, ``Month day23,day24``, ``2Months``,
``Month Last Sunday Offset-3``, ``6Hours``; nothing runs once (Microsoft.Maintenance 2023-04-01, MaintenanceWindow). All
count from the start of the configuration, a wall-clock time of its zone.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from ..errors import BadInput
from .schedule import localise

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NTH = ("First", "Second", "Third", "Fourth", "Last")
_FORM = re.compile(r"(\d{1,3})?(Hour|Day|Week|Month)s?(?:\s+(.+))?", re.IGNORECASE)
_NTH_FORM = re.compile(rf"({'|'.join(_NTH)})\s+({'|'.join(WEEKDAYS)})(?:\s+Offset\s*(-?\d))?", re.IGNORECASE)
_EXPECTED = "Day, 3Days, Week Saturday,Sunday, Month day1,day15 or Month Second Tuesday Offset2"
_CRON = re.compile(r"cron\((\d{1,2}) (\d{1,2}) (\S+) (\S+) (\S+) \*\)")
_SHORT = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MOST_OFFSET = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A parsed recurrence. :param weekdays: 0 is Monday. :param nth: 1 to 4, 5 for the last, 0 for none."""

    unit: str
    every: int = 1
    weekdays: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    nth: int = 0
    offset: int = 0

    def __str__(self) -> str:
        """Return ``recurEvery`` in its canonical spelling."""
        head = self.unit if self.every == 1 else f"{self.every}{self.unit}s"
        if self.nth:
            offset = f" Offset{self.offset}" if self.offset else ""
            return f"{head} {_NTH[self.nth - 1]} {WEEKDAYS[self.weekdays[0]]}{offset}"
        tail = [*(WEEKDAYS[day] for day in self.weekdays), *(f"day{day}" for day in self.days)]
        return f"{head} {','.join(tail)}" if tail else head

    def openings(self, first: datetime, zone: tzinfo, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the openings in ``begin <= opening < end``, in UTC.

        :param first: the configuration's start, a wall-clock time without a zone.
        """
        if self.unit == "Hour":
            step, opening = timedelta(hours=self.every), localise(first, zone)
            opening += max(0, -((opening - begin) // step)) * step
            while opening < end:
                yield opening
                opening += step
            return
        for day in self._dates(first.date(), (begin - timedelta(days=1)).date(), (end + timedelta(days=1)).date()):
            wall = datetime.combine(day, first.time())
            if wall >= first and begin <= (opening := localise(wall, zone)) < end:
                yield opening

    def _dates(self, first: date, low: date, high: date) -> Iterator[date]:
        day = max(first, low)
        while day <= high:
            if self._fits(first, day):
                yield day
            day += timedelta(days=1)

    def _fits(self, first: date, day: date) -> bool:
        if self.unit == "Day":
            return (day - first).days % self.every == 0
        if self.unit == "Week":
            weeks = (_monday(day) - _monday(first)).days // 7
            return weeks % self.every == 0 and day.weekday() in (self.weekdays or (first.weekday(),))
        base = day - timedelta(days=self.offset)
        months = (base.year - first.year) * 12 + base.month - first.month
        if months % self.every:
            return False
        return (
            base == _nth_day(base, self.weekdays[0], self.nth) if self.nth else day.day in (self.days or (first.day,))
        )


def parse_recurrence(text: str, option: str = "recur_every") -> Recurrence:
    """Read ``recurEvery``; upper and lower case do not matter. :raises BadInput: it has another form."""
    found = _FORM.fullmatch(str(text).strip())
    if not found:
        raise BadInput(option, text, _EXPECTED)
    unit, every, rest = found[2].capitalize(), int(found[1] or 1), (found[3] or "").strip()
    if not every:
        raise BadInput(option, text, "a frequency of at least 1")
    if not rest:
        return Recurrence(unit=unit, every=every)
    names = {name.lower(): number for number, name in enumerate(WEEKDAYS)}
    items = [item.strip().lower() for item in rest.split(",")]
    if unit == "Week" and all(item in names for item in items):
        return Recurrence(unit=unit, every=every, weekdays=tuple(sorted({names[item] for item in items})))
    if unit == "Month" and (nth := _NTH_FORM.fullmatch(rest)):
        offset = int(nth[3] or 0)
        if abs(offset) > MOST_OFFSET:
            raise BadInput(option, text, f"an offset of -{MOST_OFFSET} to {MOST_OFFSET} days")
        order = [name.lower() for name in _NTH].index(nth[1].lower()) + 1
        return Recurrence(unit=unit, every=every, weekdays=(names[nth[2].lower()],), nth=order, offset=offset)
    days = [int(item[3:]) for item in items if re.fullmatch(r"day\d{1,2}", item)]
    if unit == "Month" and len(days) == len(items) and all(1 <= day <= 31 for day in days):
        return Recurrence(unit=unit, every=every, days=tuple(sorted(set(days))))
    raise BadInput(option, text, _EXPECTED)


def from_cron(expression: str, offset_days: int = 0, option: str = "schedule") -> tuple[Recurrence, int, int]:
    """Return recurrence, hour and minute of a cron expression of AWS with one time a day, as windows of policies have.

    :raises BadInput: a maintenance configuration can't recur like that.
    """
    found = _CRON.fullmatch(" ".join(expression.upper().replace("CRON(", "cron(", 1).split()))
    wanted = "a cron expression with one time a day, every day, on days of the week or the month, or on TUE#2 or 3L"
    if not found or found[4] != "*":
        raise BadInput(option, expression, wanted)
    minute, hour, day, _month, weekday = int(found[1]), int(found[2]), found[3], found[4], found[5]
    if hour > 23 or minute > 59:
        raise BadInput(option, expression, wanted)
    if weekday in ("?", "*") and day in ("?", "*"):
        recurrence = Recurrence(unit="Day")
    elif weekday == "?" and all(item.isdigit() and 1 <= int(item) <= 31 for item in day.split(",")):
        recurrence = Recurrence(unit="Month", days=tuple(sorted({int(item) for item in day.split(",")})))
    elif day == "?" and (nth := re.fullmatch(r"(\w+)(?:#([1-4])|L)", weekday)) and weekday != "L":
        number = _weekday(nth[1], option, expression, wanted)
        order = int(nth[2]) if nth[2] else 5
        return Recurrence(unit="Month", weekdays=(number,), nth=order, offset=offset_days), hour, minute
    elif day == "?":
        days = sorted({_weekday(item, option, expression, wanted) for item in weekday.split(",")})
        recurrence = Recurrence(unit="Week", weekdays=tuple(days))
    else:
        raise BadInput(option, expression, wanted)
    if offset_days:
        raise BadInput(option, expression, "no offset, or a day such as TUE#2, from which Azure can count days")
    return recurrence, hour, minute


def to_cron(recurrence: Recurrence, first: datetime) -> tuple[str, int] | None:
    """Return cron expression and offset in days of a recurrence; ``None`` where cron can't express it."""
    if recurrence.every != 1 or recurrence.unit == "Hour" or recurrence.offset < 0:
        return None
    time = f"{first.minute} {first.hour}"
    if recurrence.unit == "Day":
        return f"cron({time} * * ? *)", 0
    if recurrence.unit == "Week":
        days = ",".join(_SHORT[day] for day in recurrence.weekdays or (first.weekday(),))
        return f"cron({time} ? * {days} *)", 0
    if recurrence.nth:
        name = _SHORT[recurrence.weekdays[0]]
        rule = f"{name}L" if recurrence.nth == 5 else f"{name}#{recurrence.nth}"
        return f"cron({time} ? * {rule} *)", recurrence.offset
    days = ",".join(str(day) for day in recurrence.days or (first.day,))
    return f"cron({time} {days} * ? *)", 0


def _weekday(text: str, option: str, expression: str, wanted: str) -> int:
    """Return 0 for MON or 2: AWS counts days from 1 = SUN."""
    if text in _SHORT:
        return _SHORT.index(text)
    if text in ("1", "2", "3", "4", "5", "6", "7"):
        return (int(text) + 5) % 7
    raise BadInput(option, expression, wanted)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _nth_day(day: date, weekday: int, nth: int) -> date:
    """Return the nth weekday of a day's month."""
    first = day.replace(day=1)
    found = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (min(nth, 4) - 1))
    if nth == 5 and found.day + 7 <= monthrange(day.year, day.month)[1]:
        found += timedelta(days=7)
    return found
