# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast to call a service whose limit nobody tells: a safe rate first, half of it after a refusal, then slowly up.

A refused call costs as much of the account's allowance as one that is answered, and others share it.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Calls a second: at first, at least and at most.
FIRST, LEAST, MOST = 4.0, 0.25, 20.0
#: An answer allows so many calls a second more.
_STEP = 0.05


@dataclass(slots=True)
class Pacer:
    """Spaces the calls of one operation. Times are seconds of any steady clock; not thread-safe."""

    rate: float = FIRST
    _next: float = float("-inf")
    _halved: float = float("-inf")

    def reserve(self, now: float) -> float:
        """Take the next place in the row; return in how many seconds the call may be made."""
        at = max(now, self._next)
        self._next = at + 1 / self.rate
        return at - now

    def answered(self) -> None:
        """Note that the service took a call."""
        self.rate = min(self.rate + _STEP, MOST)

    def refused(self, now: float) -> None:
        """Note that the service refused a call for too many of them. Calls refused together count once."""
        if now - self._halved < 1 / self.rate:
            return
        self.rate = max(self.rate / 2, LEAST)
        self._halved = now
        self._next = max(self._next, now + 1 / self.rate)
