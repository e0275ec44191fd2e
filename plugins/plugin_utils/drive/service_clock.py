# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the controller's clock is right, by the services' time: windows and deadlines depend on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import ClockSkew, ServiceError
from ..executors.base import ExecutorPort

#: Maximum difference between the controller's clock and the service's.
MAX_SKEW = timedelta(minutes=2)
#: A clock that was right at most this long ago, by itself, still is: it was not stepped since.
FRESH = timedelta(minutes=1)


@dataclass(slots=True)
class ServiceClock:
    """Compares the controller's clock with the services' time, at most once a minute."""

    clock: Clock
    executors: Sequence[ExecutorPort]
    _right_at: datetime | None = None

    def check(self) -> None:
        """Blocks. :raises ClockSkew: the controller's clock is too wrong for windows and deadlines."""
        if self._right_at is not None and timedelta() <= self.clock.now() - self._right_at < FRESH:
            return
        for port in self.executors:
            before = self.clock.now()
            try:
                there = port.service_time()
            except ServiceError:  # the first call that matters reports the problem
                continue
            if there is None:
                continue
            after = self.clock.now()
            if before - there > MAX_SKEW:
                raise _skewed(before - there, "ahead of", port)
            if there - after > MAX_SKEW:
                raise _skewed(there - after, "behind", port)
        self._right_at = self.clock.now()


def _skewed(skew: timedelta, word: str, port: ExecutorPort) -> ClockSkew:
    return ClockSkew(
        f"The controller's clock is {skew.total_seconds() / 60:.0f} minutes {word} the service's ({port.row.title}). "
        "Nothing begins or is stopped, since windows and deadlines could not be kept. Set the controller's clock and "
        "run it again."
    )
