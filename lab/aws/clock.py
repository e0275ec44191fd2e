# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's clock: real time plus an offset that only ever grows."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

UTC = timezone.utc


def to_iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> datetime:
    """Read an ISO 8601 moment; one without a zone is UTC."""
    moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class VirtualClock:
    """Virtual now = real now + offset. It never goes back: a node can't be unpatched by turning the clock.

    ``skew`` is by how many seconds a controller's clock is ahead of it; that one may be stepped both ways.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._offset = timedelta(0)
        self.skew = timedelta(0)
        self.start = start or datetime.now(UTC)
        if start is not None:
            self._offset = start - datetime.now(UTC)

    def now(self) -> datetime:
        with self._lock:
            return datetime.now(UTC) + self._offset

    def controllers(self) -> datetime:
        """What a controller believes."""
        return self.now() + self.skew

    def advance(self, seconds: float) -> datetime:
        if seconds < 0:
            raise ValueError(f"advance: {seconds} seconds; the lab's clock only goes forward")
        with self._lock:
            self._offset += timedelta(seconds=seconds)
        return self.now()

    def set(self, moment: datetime) -> datetime:
        return self.advance((moment - self.now()).total_seconds())
