# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a freeze calendar from iCalendar text. Requires the optional libraries icalendar and recurring-ical-events.

The libraries forgive much: a time zone that nobody knows becomes none, a damaged event loses its date. A freeze would
move or vanish. So whatever cannot be read for certain is an error here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Any, cast

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

#: Properties of an event that hold times (RFC 5545, 3.8.2 and 3.8.5).
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
#: A freeze that recurs more often than hourly is a mistake, and expanding it would take forever.
_TOO_OFTEN = ("SECONDLY", "MINUTELY")
#: Of two readings of an event's end.
Choose = Callable[[datetime, datetime], datetime]
#: icalendar keeps the time zones of files in one place for the whole process.
_ZONES = threading.Lock()


class MissingLibrary(PatchtideError):
    """A required optional Python library is not installed."""

    code = "MissingLibrary"


def read_calendar(text: str, name: str, start: datetime, end: datetime, zone: str | None = None) -> Calendar:
    """Return the events between ``start`` and ``end`` (with time zone), with recurrences and exceptions expanded.

    With SSM's ``X-CALENDAR-TYPE:DEFAULT_CLOSED``, it is open only during its events. Cancelled events are ignored.
    Whole days, and times without a time zone, are in the calendar's zone: its ``X-WR-TIMEZONE``, else its only
    ``VTIMEZONE``, else ``zone``.

    :param name: name of the calendar in messages, such as a file name or ARN.
    :param zone: IANA name, from the policy.
    :raises MissingLibrary: a library is not installed.
    :raises BadInput: the text is not an iCalendar document, or an event of it cannot be read for certain.
    """
    if MISSING is not None:
        wanted = "pip install icalendar recurring-ical-events"
        raise MissingLibrary(f"Reading the calendar {name} requires Python libraries: {wanted} ({MISSING})")
    try:
        with _ZONES:
            # Forgets the time zones of the last file: two exports of Exchange may both define "Customized Time Zone".
            icalendar.timezone.tzp.use_zoneinfo()
            parsed = _parse(text)
            own = _check(parsed, name, zone)
            # One day more on either side, because whole days and time zones shift events past the ends.
            margin = timedelta(days=1)
            found = recurring_ical_events.of(parsed, components=["VEVENT"]).between(start - margin, end + margin)
            opens, moving = _opens(parsed, name), _moving(parsed)
            events = [
                _interval(event, own, min if opens else max, str(event.get("UID")) in moving)
                for event in found
                if not _is_cancelled(event)
            ]
    except BadInput:
        raise
    except Exception as error:  # the libraries raise various errors for damaged text
        raise BadInput(name, f"{text[:40]}…", f"an iCalendar document ({error})") from error
    within = tuple(sorted(event for event in events if event.overlaps(start, end)))
    return Calendar(name=name, events=within, opens=opens, known_until=end)


def _parse(text: str) -> Any:
    text = text.removeprefix("\ufeff")
    if not text.rstrip().upper().endswith("END:VCALENDAR"):
        raise ValueError("its last line is not END:VCALENDAR")
    parsed = icalendar.Calendar.from_ical(text)
    if parsed.name != "VCALENDAR":
        raise ValueError(f"it begins with {parsed.name}")
    return parsed


def _check(parsed: Any, name: str, zone: str | None) -> tzinfo | None:
    """Refuse events that cannot be read for certain, and return the calendar's own zone."""
    own = _zone_of(parsed, name, zone)
    for component in parsed.walk():
        if component.errors and component.name in ("VCALENDAR", "VTIMEZONE", "STANDARD", "DAYLIGHT", "VEVENT"):
            where, problem = component.errors[0]
            raise BadInput(_named(component, name), where, f"a property that can be read ({problem})")
    for event in parsed.walk("VEVENT"):
        _check_event(event, _named(event, name), own)
    return own


def _named(component: Any, name: str) -> str:
    label = str(component.get("SUMMARY") or component.get("UID") or "")
    return f"{name}: {' '.join(label.split())[:60] or component.name}"


def _zone_of(parsed: Any, name: str, zone: str | None) -> tzinfo | None:
    if wanted := str(parsed.get("X-WR-TIMEZONE") or ""):
        if found := icalendar.timezone.tzp.timezone(wanted):  # knows the names of Windows as well
            parsed["X-WR-TIMEZONE"] = str(found)  # recurring-ical-events does not
            return cast("tzinfo", found)
        raise BadInput(f"{name}: X-WR-TIMEZONE", wanted, "a time zone such as Europe/Berlin")
    defined = [component.to_tz() for component in parsed.walk("VTIMEZONE")]
    if len(defined) == 1:
        return cast("tzinfo", defined[0])
    return to_zone(zone, "freeze.timezone") if zone else None


def _check_event(event: Any, name: str, zone: tzinfo | None) -> None:
    if "DTSTART" not in event:
        raise BadInput(name, "no DTSTART", "an event with a beginning")
    if "EXRULE" in event:  # RFC 5545 removed it, and nothing here expands it
        raise BadInput(f"{name}: EXRULE", "…", "EXDATE instead")
    for key, value, moment in _moments(event):
        if isinstance(moment, datetime) and moment.tzinfo is None and "TZID" in value.params:
            expected = "a time zone that the file defines in a VTIMEZONE, or of the IANA or Windows database"
            raise BadInput(f"{name}: {key}", value.params["TZID"], expected)
        floats = not isinstance(moment, datetime) or moment.tzinfo is None
        if floats and zone is None:
            expected = "a calendar with X-WR-TIMEZONE, or freeze.timezone in the policy: whose day or time is this?"
            raise BadInput(f"{name}: {key}", str(moment), expected)
    for rule in _listed(event, "RRULE"):
        _check_until(rule, event["DTSTART"].dt, name)
        if {str(item).upper() for item in rule.get("FREQ", [])} & set(_TOO_OFTEN):
            raise BadInput(f"{name}: RRULE", rule.to_ical().decode(), "an event that recurs hourly at most")
    _check_end(event, name)


def _check_until(rule: Any, first: date, name: str) -> None:
    """A rule until a day does not say whether an event with a time still takes place on that day."""
    for until in rule.get("UNTIL", []):
        if isinstance(first, datetime) and not isinstance(until, datetime):
            raise BadInput(f"{name}: UNTIL", str(until), "a time in UTC, because DTSTART has a time")


def _check_end(event: Any, name: str) -> None:
    first = event["DTSTART"].dt
    if "DTEND" in event:
        last = event["DTEND"].dt
        if isinstance(first, datetime) != isinstance(last, datetime):
            raise BadInput(f"{name}: DTEND", str(last), "a day with a day, or a time with a time, as in DTSTART")
        if (isinstance(first, datetime) and (first.tzinfo is None) != (last.tzinfo is None)) or last < first:
            raise BadInput(f"{name}: DTEND", str(last), f"an end after DTSTART, {first}")
    if "DURATION" in event and event["DURATION"].dt < timedelta(0):
        raise BadInput(f"{name}: DURATION", str(event["DURATION"].dt), "no negative duration")


def _listed(event: Any, key: str) -> list[Any]:
    """Return the values of a property that may occur several times."""
    found = event.get(key, [])
    return found if isinstance(found, list) else [found]


def _moments(event: Any) -> Iterator[tuple[str, Any, date]]:
    """Yield each day or time of an event with its property."""
    for key in _TIMES:
        for value in _listed(event, key):
            for item in getattr(value, "dts", [value]):
                for moment in item.dt if isinstance(item.dt, tuple) else (item.dt,):
                    if isinstance(moment, date):  # the second part of a period may be a duration
                        yield key, value, moment


def _opens(parsed: Any, name: str) -> bool:
    """Return whether the calendar is open only during its events."""
    kind = str(parsed.get("X-CALENDAR-TYPE") or "DEFAULT_OPEN").strip().upper()
    if kind not in ("DEFAULT_OPEN", "DEFAULT_CLOSED"):
        raise BadInput(f"{name}: X-CALENDAR-TYPE", kind, "DEFAULT_OPEN or DEFAULT_CLOSED")
    return kind == "DEFAULT_CLOSED"


def _moving(parsed: Any) -> set[str]:
    """Return the UIDs of events whose end follows from a duration: those that recur or have a DURATION."""
    keys = ("RRULE", "RDATE", "DURATION")
    return {str(event.get("UID")) for event in parsed.walk("VEVENT") if any(key in event for key in keys)}


def _is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _interval(
    event: Any, zone: tzinfo | None, choose: Callable[[datetime, datetime], datetime], moves: bool
) -> Interval:
    """Turn an occurrence into a period in UTC; a whole day lasts to the next midnight if no end is given.

    Over a change of the clocks, RFC 5545 keeps the exact duration, and most programs keep the end on the clock.

    :param choose: picks the end of the two, so that a freeze is never shorter than either.
    :param moves: whether the end follows from a duration.
    """
    first = event["DTSTART"].dt
    last = (
        event["DTEND"].dt
        if "DTEND" in event
        else first + (event["DURATION"].dt if "DURATION" in event else _least(first))
    )
    name = " ".join(str(event.get("SUMMARY") or "").split())[:200]
    start, end = _to_utc(first, zone), _to_utc(last, zone)
    if moves and isinstance(first, datetime) and first.tzinfo == last.tzinfo:
        length = last - first  # on the clock, because both have the same zone
        days = timedelta(days=length.days)
        end = choose(end, _to_utc(first + days, zone) + (length - days))
    return Interval(start=start, end=end, name=name)


def _least(first: date) -> timedelta:
    return timedelta(0) if isinstance(first, datetime) else timedelta(days=1)


def _to_utc(value: date, zone: tzinfo | None) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(timezone.utc)
