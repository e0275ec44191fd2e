# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a host's repositories had to be corrected, and what kind of repair that calls for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...stamp import from_time
from .drift import Drift

ONCE, PERMANENT = "once", "permanent"
#: What a record of the history says: differences were found, they were corrected, there are none.
FOUND, CORRECTED, FINE = "found", "corrected", "fine"


def incidents(records: Iterable[Mapping[str, Any]], node: str, now: datetime, days: int) -> int:
    """Return how often differences appeared on a node in the last so many days.

    Differences that stay until the next look are one incident; those that come back after a correction are another.
    """
    count, is_open = 0, False
    for record in records:
        if record.get("node_id") != node:
            continue
        if record.get("state") == FOUND:
            recent = from_time(str(record.get("at"))) > now - timedelta(days=days)
            count += recent and not is_open
        is_open = record.get("state") == FOUND
    return count


def proposal(count: int, permanent_after: int) -> str:
    """Return ``once`` or ``permanent``; the present incident counts."""
    return PERMANENT if count >= permanent_after else ONCE


def to_record(node: str, state: str, at: str, found: Iterable[Drift], repair: str = "") -> dict[str, Any]:
    """Return a line of the history."""
    return {
        "at": at,
        "node_id": node,
        "state": state,
        "repair": repair,
        "differences": [item.to_dict() for item in found],
    }
