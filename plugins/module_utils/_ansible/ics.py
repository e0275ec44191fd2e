# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a freeze calendar from iCalendar text. Requires the optional libraries icalendar and recurring-ical-events."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Any

from .._core.errors import BadInput, PatchtideError
from .._core.times.calendars import Calendar, Interval
from .._core.times.schedule import to_zone

try:
    import icalendar
    import recurring_ical_events  # type: ignore[import-untyped]
except ImportError as error:  # optional, only for freeze calendars
    MISSING: ImportError | None = error
else:
    MISSING = None


class MissingLibrary(PatchtideError):
    """A required optional Python library is not installed."""

    code = "MissingLibrary"


def read_calendar(text: str, name: str, start: datetime, end: datetime) -> Calendar:
    """Return the events between ``start`` and ``end`` (with time zone), with recurrences and exceptions expanded.

    With SSM's ``X-CALENDAR-TYPE:DEFAULT_CLOSED``, it is open only during its events. Cancelled events are ignored.
    Times without a time zone, and whole days, are in ``X-WR-TIMEZONE`` or UTC.

    :param name: name of the calendar in messages, such as a file name or ARN.
    :raises MissingLibrary: a library is not installed.
    :raises BadInput: the text is not an iCalendar document.
    """
    if MISSING is not None:
        wanted = "pip install icalendar recurring-ical-events"
        raise MissingLibrary(f"Reading the calendar {name} requires Python libraries: {wanted} ({MISSING})")
    try:
        parsed = icalendar.Calendar.from_ical(text)
        if parsed.name != "VCALENDAR":
            raise ValueError(f"it begins with {parsed.name}")
        zone = to_zone(str(parsed.get("X-WR-TIMEZONE") or "UTC"), f"{name}: X-WR-TIMEZONE")
        # One day more on either side, because whole days and time zones shift events past the ends.
        margin = timedelta(days=1)
        found = recurring_ical_events.of(parsed, components=["VEVENT"]).between(start - margin, end + margin)
        events = [_interval(event, zone) for event in found if str(event.get("STATUS", "")).upper() != "CANCELLED"]
    except BadInput:
        raise
    except Exception as error:  # the libraries raise various errors for damaged text
        raise BadInput(name, f"{text[:40]}…", f"an iCalendar document ({error})") from error
    kind = str(parsed.get("X-CALENDAR-TYPE") or "DEFAULT_OPEN").strip().upper()
    if kind not in ("DEFAULT_OPEN", "DEFAULT_CLOSED"):
        raise BadInput(f"{name}: X-CALENDAR-TYPE", kind, "DEFAULT_OPEN or DEFAULT_CLOSED")
    within = tuple(sorted(event for event in events if event.overlaps(start, end)))
    return Calendar(name=name, events=within, opens=kind == "DEFAULT_CLOSED", known_until=end)


def _interval(event: Any, zone: tzinfo) -> Interval:
    """Turn an occurrence into a period in UTC; a whole day lasts to the next midnight if no end is given."""
    first = event["DTSTART"].dt
    last = (
        event["DTEND"].dt
        if "DTEND" in event
        else first + (event["DURATION"].dt if "DURATION" in event else _least(first))
    )
    name = " ".join(str(event.get("SUMMARY") or "").split())[:200]
    return Interval(start=_to_utc(first, zone), end=_to_utc(last, zone), name=name)


def _least(first: date) -> timedelta:
    return timedelta(0) if isinstance(first, datetime) else timedelta(days=1)


def _to_utc(value: date, zone: tzinfo) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(timezone.utc)
