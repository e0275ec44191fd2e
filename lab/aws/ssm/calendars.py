# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change calendars: GetCalendarState over ChangeCalendar documents. Events are single ones in UTC."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .operations import Answer, Request, SsmError, operation
from .own_documents import own

if TYPE_CHECKING:
    from .backend import Place

_EVENT = re.compile(r"BEGIN:VEVENT.*?DTSTART[^:\n]*:(\S+).*?DTEND[^:\n]*:(\S+).*?END:VEVENT", re.DOTALL)


@operation("GetCalendarState")
def get_calendar_state(place: Place, request: Request) -> Answer:
    if not request["CalendarNames"]:
        raise SsmError("ValidationException", "CalendarNames is empty.")
    at = _at(request.get("AtTime"), place.sim.now)
    calendars = [_calendar(place, name) for name in request["CalendarNames"]]
    changes = sorted(moment for _, events in calendars for event in events for moment in event if moment > at)
    # "Several calendars: OPEN only if all of them are" (GetCalendarState)
    state = "OPEN" if all(_is_open(opens, events, at) for opens, events in calendars) else "CLOSED"
    answer = {"State": state, "AtTime": _text(at)}
    for moment in changes:
        then = "OPEN" if all(_is_open(opens, events, moment) for opens, events in calendars) else "CLOSED"
        if then != state:
            return {**answer, "NextTransitionTime": _text(moment)}
    return answer


def _calendar(place: Place, name: str) -> tuple[bool, list[tuple[datetime, datetime]]]:
    """Return (whether events open it, its events)."""
    document = own(place, name)
    if document["type"] != "ChangeCalendar":
        raise SsmError("InvalidDocumentType", f"{name} is no ChangeCalendar.")
    text = document["versions"][document["default"]]["content"]
    if "RRULE" in text:
        raise SsmError("UnsupportedCalendarException", "The lab reads no recurring events.")
    return "DEFAULT_CLOSED" in text, [(_utc(start), _utc(end)) for start, end in _EVENT.findall(text)]


def _utc(text: str) -> datetime:
    return datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=timezone.utc)


def _is_open(opens: bool, events: list[tuple[datetime, datetime]], at: datetime) -> bool:
    return any(start <= at < end for start, end in events) == opens


def _at(text: str | None, now: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00")) if text else now
    except ValueError:
        raise SsmError("ValidationException", f"AtTime {text!r} is no ISO 8601 time.") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
