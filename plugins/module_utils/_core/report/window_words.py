# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of windows as people read them: in the window's own zone, with the same in UTC beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone, tzinfo
from typing import Any

from ..errors import BadInput
from ..text import plain
from ..times.schedule import to_zone
from .rows import moment

UTC = "UTC"


def zone_of(window: Mapping[str, Any]) -> tuple[tzinfo, str]:
    """Return the window's zone and its name; UTC where the plan names none that is known here."""
    name = str(window.get("timezone") or UTC)
    try:
        return to_zone(name), name
    except BadInput:
        return timezone.utc, UTC


def window_text(window: Mapping[str, Any] | None, short: bool = False) -> str:
    """Return ``Tue 17 Nov 23:00-01:00 Europe/Berlin``, ``short`` ending ``CET``; "any time" without a window."""
    if not window:
        return "any time"
    zone, name = zone_of(window)
    start, text = moment(str(window.get("start") or "")), _span(window, zone)
    if start is None:
        return plain(window.get("name") or "")
    return f"{text} {start.astimezone(zone):%Z}" if short else f"{text} {name}"


def window_in_utc(window: Mapping[str, Any] | None) -> str:
    """Return ``Tue 17 Nov 22:00-00:00 UTC`` where the window's own zone is another one, else ""."""
    if not window or zone_of(window)[1] == UTC:
        return ""
    text = _span(window, timezone.utc)
    return f"{text} {UTC}" if text else ""


def cutoff_text(window: Mapping[str, Any]) -> str:
    """Return ``00:30``, the time in the window's zone after which no work starts; "" if that is its end."""
    cutoff, end = moment(str(window.get("cutoff_at") or "")), moment(str(window.get("end") or ""))
    return "" if cutoff is None or cutoff == end else f"{cutoff.astimezone(zone_of(window)[0]):%H:%M}"


def _span(window: Mapping[str, Any], zone: tzinfo) -> str:
    start, end = (moment(str(window.get(name) or "")) for name in ("start", "end"))
    if start is None:
        return ""
    text = f"{start.astimezone(zone):%a %d %b %H:%M}"
    return text + (_until(start.astimezone(zone), end.astimezone(zone)) if end else "")


def _until(start: datetime, end: datetime) -> str:
    """Return ``-06:00``; with its day if it is not the night that begins on the first one."""
    days = (end.date() - start.date()).days
    return f"-{end:%H:%M}" if days < 1 or (days == 1 and end.hour < 12) else f" - {end:%a %d %b %H:%M}"
