# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock that every part that asks for the time is given."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time. A rehearsal clock may be far from the wall's."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
