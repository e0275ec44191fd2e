# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The days that a report is about: the last 30 of them, or a month. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ..errors import BadInput

LAST_30_DAYS, LAST_MONTH = "last_30_days", "last_month"


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day, both included. ``name``: of the report's directory."""

    first: date
    last: date
    name: str

    def has(self, moment: Any) -> bool:
        """Return whether a day, a time or a month in ISO 8601 is in the period; ``None`` is not."""
        text = str(moment or "")
        return bool(text) and self.first.isoformat()[: len(text)] <= text[:10] <= self.last.isoformat()[: len(text)]

    def to_data(self) -> dict[str, str]:
        return {"name": self.name, "first": self.first.isoformat(), "last": self.last.isoformat()}


def to_period(text: str, today: date) -> Period:
    """Return a period.

    :param text: ``last_30_days`` up to today, ``last_month``, or a month such as ``2026-11``.
    :raises BadInput: it is none of them, or has not begun.
    """
    if text == LAST_30_DAYS:
        return Period(today - timedelta(days=29), today, f"{today}-30-days")
    if text == LAST_MONTH:
        return _month(today.replace(day=1) - timedelta(days=1))
    expected = f"{LAST_30_DAYS}, {LAST_MONTH} or a month such as 2026-11 that has begun"
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII) or text[:4] == "0000":
        raise BadInput("period", text, expected)
    found = _month(date(int(text[:4]), int(text[5:]), 1))
    if found.first > today:
        raise BadInput("period", text, expected)
    return found


def _month(day: date) -> Period:
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return Period(first, after - timedelta(days=1), f"{first:%Y-%m}")
