# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Freezes: times in which nothing is patched, from change calendars. Pure; iCalendar text is read elsewhere.

A calendar is open by default and closed during its events, or the other way round, as in SSM Change Calendar. Of
several calendars all must be open. Periods are half open: an event from 08:00 to 09:00 leaves 09:00 free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .schedule import Occurrence

_AND = "; "
#: Returns whether a calendar is open at a time, and when this changes next (``None`` if unknown).
Ask = Callable[[datetime], "tuple[bool, datetime | None]"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Interval:
    """An event: ``start`` included, ``end`` not. Times have a zone."""

    start: datetime
    end: datetime
    name: str = ""

    def overlaps(self, start: datetime, end: datetime) -> bool:
        return self.start < end and start < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A calendar's events, in any order.

    ``opens=False``: closed during its events (SSM ``DEFAULT_OPEN``); ``True``: open only during them
    (``DEFAULT_CLOSED``). Recurring events were expanded up to ``known_until``: later it counts as closed.
    """

    name: str
    events: tuple[Interval, ...] = ()
    opens: bool = False
    known_until: datetime | None = None

    def closed(self, start: datetime, end: datetime) -> list[Interval]:
        """Return the closed periods that overlap ``[start, end)``, ascending and cut to it."""
        if self.known_until and end > self.known_until:
            name = f"{self.name} is known only until {self.known_until.isoformat(timespec='minutes')}"
            unknown = [Interval(start=max(start, self.known_until), end=end, name=name)]
            end = min(end, self.known_until)
        else:
            unknown = []
        events = sorted(event for event in self.events if event.overlaps(start, end))
        if self.opens:
            found = _gaps(events, start, end, f"{self.name} is closed")
        else:
            found = [
                Interval(start=max(event.start, start), end=min(event.end, end), name=event.name or self.name)
                for event in events
            ]
        return [*found, *unknown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Whether a time is frozen, by what, and when this changes (``None``: not within the given period)."""

    frozen: bool
    reasons: tuple[str, ...] = ()
    next_transition: datetime | None = None


def _gaps(events: Sequence[Interval], start: datetime, end: datetime, name: str) -> list[Interval]:
    found, free_from = [], start
    for event in events:
        if event.start > free_from:
            found.append(Interval(start=free_from, end=event.start, name=name))
        free_from = max(free_from, event.end)
    if free_from < end:
        found.append(Interval(start=free_from, end=end, name=name))
    return found


def closed_periods(calendars: Iterable[Calendar], start: datetime, end: datetime) -> list[Interval]:
    """Return the periods of ``[start, end)`` in which any calendar is closed, joined, ascending; names joined too."""
    parts = sorted(part for calendar in calendars for part in calendar.closed(start, end) if part.start < part.end)
    found: list[Interval] = []
    for part in parts:
        if found and part.start <= found[-1].end:
            last = found.pop()
            names = list(dict.fromkeys([*last.name.split(_AND), part.name]))
            part = Interval(start=last.start, end=max(last.end, part.end), name=_AND.join(names))
        found.append(part)
    return found


def freeze_at(calendars: Sequence[Calendar], now: datetime, horizon: timedelta = timedelta(days=366)) -> Freeze:
    """Return whether ``now`` is frozen and when this changes next, up to ``horizon``."""
    end = now + horizon
    periods = closed_periods(calendars, now, end)
    current = periods[0] if periods and periods[0].start <= now else None
    if current:
        change = current.end if current.end < end else None
        return Freeze(frozen=True, reasons=tuple(current.name.split(_AND)), next_transition=change)
    return Freeze(frozen=False, next_transition=periods[0].start if periods else None)


def freeze_during(calendars: Sequence[Calendar], start: datetime, end: datetime) -> Freeze:
    """Return whether a step or window ``[start, end)`` touches a freeze, and when the last freeze in it ends."""
    periods = closed_periods(calendars, start, end)
    if not periods:
        return Freeze(frozen=False)
    reasons = tuple(f"{item.name} ({_clock(item.start)} to {_clock(item.end)})" for item in periods)
    later = freeze_at(calendars, periods[-1].start)
    return Freeze(frozen=True, reasons=reasons, next_transition=later.next_transition)


def ask_calendar(ask: Ask, name: str, start: datetime, end: datetime) -> list[Interval]:
    """Return the closed periods of a calendar that returns only its state at a time, such as SSM's.

    A calendar that does not return its next change is queried for every hour.
    """
    found: list[Interval] = []
    moment = start
    while moment <= end:
        is_open, change = ask(moment)
        until = change if change and change > moment else moment + timedelta(hours=1)
        if not is_open:
            found.append(Interval(start=moment, end=until, name=f"{name} is closed"))
        moment = until
    return found


def open_part(calendars: Sequence[Calendar], window: Occurrence) -> Occurrence | None:
    """Return the part of a window outside freezes: from its first open moment to the next freeze; ``None`` if none.

    The cutoff does not change, or moves to the beginning of the freeze if that is earlier.
    """
    start = window.start
    for period in closed_periods(calendars, window.start, window.end):
        if start < min(period.start, window.cutoff_at):
            return Occurrence(start=start, end=period.start, cutoff_at=min(window.cutoff_at, period.start))
        start = period.end
    return Occurrence(start=start, end=window.end, cutoff_at=window.cutoff_at) if start < window.cutoff_at else None


def _clock(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M %Z")
