# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a maintenance window opens: AWS ``cron(…)``, ``rate(…)`` and ``at(…)`` with time zone, offset and bounds. Pure.

``cron`` and ``at`` are wall-clock times of the schedule's zone. Where daylight saving skips that time, the window opens
at the next instant that exists (02:30 becomes 03:00); where a time comes twice, it opens at the first. ``rate`` counts
exact hours from the start date or from the window's creation, so a clock change shifts it on the wall.

The valid period is ``start <= opening < end`` and has nothing to do with the time zone
(SSM user guide, "Maintenance window scheduling and active period options").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import islice
from zoneinfo import ZoneInfo

from ..errors import BadInput
from .cron import MIN_GAP_MINUTES, Cron, parse_cron

UTC = timezone.utc
_FORMS = "cron(minutes hours day-of-month month day-of-week year), rate(7 days) or at(2026-11-01T02:00:00)"
_UNITS = {"minute": 1, "hour": 60, "day": 24 * 60}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_OFFSET_DAYS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One opening of a window. All times are UTC; no new task starts from ``cutoff_at`` on; ``end`` is exclusive."""

    start: datetime
    end: datetime
    cutoff_at: datetime

    def is_open(self, now: datetime) -> bool:
        return self.start <= now < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A parsed schedule. Made by ``parse``; exactly one of ``cron``, ``every`` and ``once`` is set."""

    expression: str
    zone: tzinfo
    offset_days: int = 0
    start: datetime | None = None
    end: datetime | None = None
    created: datetime | None = None
    cron: Cron | None = None
    every: timedelta | None = None
    once: datetime | None = None

    def next_after(self, after: datetime) -> datetime | None:
        """Return the first opening strictly after ``after`` (any zone), in UTC; ``None`` if there is none.

        :raises BadInput: a rate whose start is unknown (neither start date nor creation time).
        """
        return next(self._openings(after), None)

    def occurrences(self, after: datetime, limit: int) -> list[datetime]:
        """Return up to ``limit`` openings strictly after ``after``, ascending, in UTC."""
        return list(islice(self._openings(after), limit))

    def occurrence_at(self, now: datetime, duration_hours: int, cutoff_hours: int = 0) -> Occurrence | None:
        """Return the occurrence that is open at ``now``, else the next one, else ``None``.

        Where occurrences overlap, the earliest open one: the service skips a window that would open inside itself.
        """
        opening = self.next_after(now - timedelta(hours=duration_hours))
        return to_occurrence(opening, duration_hours, cutoff_hours) if opening else None

    def _openings(self, after: datetime) -> Iterator[datetime]:
        if after.tzinfo is None:
            raise ValueError("a schedule needs a time with a time zone")
        after = max(after.astimezone(UTC), _EPOCH - timedelta(seconds=1))
        for opening in self._candidates(after):
            if self.end and opening >= self.end:
                return
            if opening <= after or (self.start and opening < self.start):
                continue
            after = opening  # two wall-clock times in a skipped hour are one instant
            yield opening

    def _candidates(self, after: datetime) -> Iterator[datetime]:
        """Yield openings from about ``after`` or the start date on, never descending."""
        if self.start and self.start > after:
            after = self.start - timedelta(seconds=1)
        if self.every:
            yield from self._by_rate(self.every, after)
        elif self.once:
            yield localise(self.once, self.zone)
        elif self.cron:
            days = timedelta(days=self.offset_days)
            for wall in self.cron.wall_times(after.astimezone(self.zone).replace(tzinfo=None) - days):
                # A base day that had passed when the window was created runs in the next period (SSM user guide).
                if not (self.offset_days and self.created and localise(wall, self.zone) < self.created):
                    yield localise(wall + days, self.zone)

    def _by_rate(self, every: timedelta, after: datetime) -> Iterator[datetime]:
        anchor = self.start or (self.created + every if self.created else None)
        if anchor is None:
            raise BadInput("start", None, f"a start date, from which {self.expression} counts")
        opening = anchor + max(0, (after - anchor) // every) * every
        while opening.year < 2200:
            yield opening
            opening += every


def parse(
    expression: str,
    timezone: str | None = None,
    offset_days: int | None = None,
    start: datetime | str | None = None,
    end: datetime | str | None = None,
    *,
    created: datetime | None = None,
    prefix: str = "",
) -> Schedule:
    """Parse and check a schedule.

    :param timezone: IANA name, UTC if not given.
    :param offset_days: days from the day of the cron expression to the opening, 1 to 6; 0 or ``None`` for none.
    :param start: beginning of the valid period, ISO 8601; without an offset it is UTC.
    :param end: end of the valid period, exclusive, in the same form.
    :param created: when the window was created, if known: a rate without a start date counts from it.
    :param prefix: put before the option names in errors, such as ``windows[2].``.
    :raises BadInput: names the option, the field of the expression, its value and what is expected.
    """
    option = f"{prefix}schedule"
    text = expression.strip() if isinstance(expression, str) else ""
    match = re.fullmatch(r"(cron|rate|at)\((.*)\)", text)
    if not match:
        raise BadInput(option, expression, _FORMS)
    kind, inner = match[1], match[2].strip()
    _check_offset(f"{prefix}offset_days", offset_days, kind)
    start, end = to_bound(f"{prefix}start", start), to_bound(f"{prefix}end", end)
    if start and end and start >= end:
        raise BadInput(f"{prefix}end", end.isoformat(), f"a time after the start, {start.isoformat()}")
    return Schedule(
        expression=text,
        zone=to_zone(timezone, f"{prefix}timezone"),
        offset_days=offset_days or 0,
        start=start,
        end=end,
        created=created,
        cron=parse_cron(inner, option) if kind == "cron" else None,
        every=_parse_rate(inner, option) if kind == "rate" else None,
        once=_parse_at(inner, option) if kind == "at" else None,
    )


def _check_offset(option: str, days: int | None, kind: str) -> None:
    if not days:
        return
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MAX_OFFSET_DAYS:
        raise BadInput(option, days, f"1 to {MAX_OFFSET_DAYS} days")
    if kind != "cron":
        raise BadInput(option, days, f"no offset with {kind}(…), only with cron(…)")


def _parse_rate(text: str, option: str) -> timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,5})\s+(minute|hour|day)(s?)", text)
    if not match:
        raise BadInput(option, f"rate({text})", "rate(<number> minutes|hours|days), such as rate(7 days)")
    count, unit, plural = int(match[1]), match[2], match[3]
    if (count == 1) == bool(plural):
        raise BadInput(option, f"rate({text})", f"rate({count} {unit}{'' if count == 1 else 's'})")
    minutes = count * _UNITS[unit]
    if minutes < MIN_GAP_MINUTES:
        raise BadInput(option, f"rate({text})", f"at least {MIN_GAP_MINUTES} minutes")
    return timedelta(minutes=minutes)


def _parse_at(text: str, option: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        raise BadInput(option, f"at({text})", "at(yyyy-mm-ddThh:mm:ss), such as at(2026-11-01T02:00:00)") from None


def to_zone(name: str | None, option: str = "timezone") -> tzinfo:
    """Return the zone of an IANA name; UTC for none. :raises BadInput: no such zone."""
    if not name or name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        raise BadInput(option, name, "an IANA time zone such as Europe/Berlin or UTC") from None


def to_bound(option: str, value: datetime | str | None) -> datetime | None:
    """Return a start or end date in UTC; one without an offset is taken as UTC."""
    if not value:
        return None
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise BadInput(option, value, "an ISO 8601 time such as 2026-11-01T00:00:00+01:00") from None


def to_occurrence(opening: datetime, duration_hours: int, cutoff_hours: int = 0) -> Occurrence:
    """Return the window that opens at ``opening``: whole hours of absolute time, regardless of clock changes."""
    end = opening + timedelta(hours=duration_hours)
    return Occurrence(start=opening, end=end, cutoff_at=end - timedelta(hours=cutoff_hours))


def localise(wall: datetime, zone: tzinfo) -> datetime:
    """Return the UTC instant of a wall-clock time: the first of two, or the next that exists where it is skipped."""
    early, late = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    if late.astimezone(zone).replace(tzinfo=None) == wall:
        return late
    # Skipped: the clocks jump somewhere in (early, late]; find the first second that has the later offset.
    wanted, low, high = late.astimezone(zone).utcoffset(), early, late
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == wanted:
            high = middle
        else:
            low = middle
    return high
