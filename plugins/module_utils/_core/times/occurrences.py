# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The openings of a maintenance window between two times, one after the other. Pure; frozen time is closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from ..stamp import from_time, to_time
from .calendars import Calendar, open_part
from .schedule import Occurrence, Schedule, to_occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
    """When work is allowed: a schedule and the hours for which it stays open. ``timezone`` is the IANA name."""

    name: str
    schedule: Schedule
    duration: int
    cutoff: int
    timezone: str

    def occurrences(self, now: datetime, until: datetime, calendars: Sequence[Calendar] = ()) -> list[Occurrence]:
        """Return the occurrence that is open at ``now`` and those that follow and end by ``until``, ascending.

        An opening inside an open window is skipped, as the service does. Frozen occurrences are left out, and of those
        that are frozen in part the first open part is returned.
        """
        parts = (open_part(calendars, whole) for whole in self.whole(now, until))
        return [part for part in parts if part and part.cutoff_at > now]

    def whole(self, now: datetime, until: datetime) -> Iterator[Occurrence]:
        """Yield the occurrences, regardless of freezes."""
        after = now - timedelta(hours=self.duration)
        while opening := self.schedule.next_after(after):
            found = to_occurrence(opening, self.duration, self.cutoff)
            if found.end > until:
                return
            if found.cutoff_at > now:
                yield found
            after = found.end - timedelta(microseconds=1)


def occurrence_data(found: Occurrence) -> dict[str, str]:
    """Return an occurrence as plain data: ``start``, ``cutoff_at`` and ``end``."""
    return {"start": to_time(found.start), "cutoff_at": to_time(found.cutoff_at), "end": to_time(found.end)}


def read_occurrence(row: Any) -> Occurrence:
    """The reverse of ``occurrence_data``."""
    return Occurrence(**{name: from_time(row[name]) for name in ("start", "cutoff_at", "end")})


def local_span(start: datetime, end: datetime, zone: tzinfo) -> str:
    """Return ``Tue 2026-07-07 22:00 CEST to Wed 2026-07-08 02:00 CEST``, in the owners' local time."""
    return f"{local_time(start, zone)} to {local_time(end, zone)}"


def local_time(moment: datetime, zone: tzinfo) -> str:
    """Return ``Tue 2026-07-07 22:00 CEST``."""
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"
