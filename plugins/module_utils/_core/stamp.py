# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments as text: ISO 8601 in UTC, as all our files have them."""

from __future__ import annotations

from datetime import datetime, timezone


def to_time(moment: datetime) -> str:
    """Return an aware time as ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_time(text: str) -> datetime:
    """The reverse of ``to_time``."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
