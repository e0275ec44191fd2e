# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events in virtual time, carried out lazily: nothing runs between two requests, there are no threads."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any


class Event:
    """One thing that will happen; ``cancel`` makes it not happen."""

    __slots__ = ("act", "args", "cancelled")

    def __init__(self, act: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.act, self.args, self.cancelled = act, args, False

    def cancel(self) -> None:
        self.cancelled = True


class Simulation:
    """The future of one account-Region. While an event runs, ``now`` is the moment the event was due."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._queue: list[tuple[datetime, int, Event]] = []
        self._order = itertools.count()

    def after(self, seconds: float, act: Callable[..., None], *args: Any) -> Event:
        """Carry out ``act(*args)`` in so many seconds of virtual time."""
        event = Event(act, args)
        heapq.heappush(self._queue, (self.now + timedelta(seconds=seconds), next(self._order), event))
        return event

    def run_until(self, moment: datetime) -> None:
        """Carry out, in order, all that was due up to ``moment``."""
        while self._queue and self._queue[0][0] <= moment:
            due, _, event = heapq.heappop(self._queue)
            self.now = max(self.now, due)
            if not event.cancelled:
                event.act(*event.args)
        self.now = max(self.now, moment)
