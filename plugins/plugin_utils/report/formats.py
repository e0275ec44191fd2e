# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How pages format values: numbers, times, durations, and texts without deceptive characters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timezone
from typing import Any

from markupsafe import Markup

from ...module_utils._core.report.host_words import TOLD
from ...module_utils._core.report.rows import Row, minutes_between, moment
from ...module_utils._core.report.text import share_text

_HIDDEN = {
    **{code: "\ufffd" for code in range(32) if chr(code) not in "\n\t"},
    **dict.fromkeys((*range(127, 160), 1564, 8206, 8207, *range(8234, 8239)), "�"),
    **dict.fromkeys((*range(8294, 8298), *range(55296, 57344), 65534, 65535), "�"),
}
"""Characters that HTML forbids or that could disguise a name, replaced by a visible mark."""


def clean(value: Any) -> Any:
    """Replace characters that HTML forbids or that change the reading direction; our own markup is kept."""
    return value.translate(_HIDDEN) if isinstance(value, str) and not isinstance(value, Markup) else value


def number(value: object) -> str:
    """Return ``12,345``, or a dash if the number is unknown."""
    if value is None or value == "":
        return "\u2013"
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def percentage(value: object) -> str:
    """Return ``93.3 %`` for a percentage, or a dash if it is unknown."""
    return "\u2013" if value is None else f"{value:g}\u2009%"


def when(text: str, form: str = "%a %d %b %Y, %H:%M") -> str:
    """Return a readable time in UTC; a text that is not a time is returned unchanged."""
    time = moment(text)
    return time.astimezone(timezone.utc).strftime(form) if time else str(text or "")


def span(start: str, end: str) -> str:
    """Return ``Tue 17 Nov 2026, 22:00 - 23:10 UTC``; the day is repeated if it changes."""
    first, last = moment(start), moment(end)
    if not first:
        return ""
    text = when(start)
    if last:
        same_day = first.astimezone(timezone.utc).date() == last.astimezone(timezone.utc).date()
        text += " \u2013 " + when(end, "%H:%M" if same_day else "%a %d %b, %H:%M")
    return f"{text} UTC"


def age(start: str, end: str) -> str:
    """Return ``1 h 05 min`` or ``3 days`` between two times; "" if one is unknown or they are in the wrong order."""
    minutes = minutes_between(start, end)
    if minutes is None or minutes < 0:
        return ""
    return f"{minutes / 1440:.0f} days" if minutes >= 2880 else duration(minutes)


def duration(minutes: float | None) -> str:
    """Return ``2 h 05 min`` or ``14 min``."""
    if minutes is None:
        return ""
    whole = round(minutes)
    if whole < 1:
        return "under a minute"
    return f"{whole // 60} h {whole % 60:02d} min" if whole >= 60 else f"{whole} min"


def words(name: object) -> str:
    """Return ``failure rate`` for ``failure_rate``."""
    return str(name).replace("_", " ")


_GATE_NUMBERS: Mapping[str, str] = {
    "worked": "worked on",
    "good": "good",
    "failed": "failed",
    "skipped": "skipped",
    "unknown": "unknown",
    "reboot_pending": "reboot pending",
    "missing": "without an outcome",
    "failure_rate": "failure rate",
    "failure_rate_low": "true rate at least",
    "failure_rate_high": "true rate at most",
    "confidence": "with confidence",
    "max_failure_rate": "limit",
    "max_failures": "failures allowed in the wave",
    "budget": "budget of the rollout",
    "budget_spent": "spent",
    "budget_left": "left",
}
_UNSAID = ("total", "min_sample", "skipped_rate", "max_skipped_rate", "max_unknown")
_BOUNDS = ("failure_rate_low", "failure_rate_high", "confidence")
_SHARES = ("rate", "share", "confidence")


def gate_numbers(numbers: Mapping[str, Any], verdict: str = "") -> list[tuple[str, str]]:
    """Return the numbers behind a verdict, in the order in which people read them: counts, rate and bounds, budget.

    The bounds of the true rate do not matter if a wave is promoted, so they are omitted then: "at most 32 %" beside
    "limit 10 %" would read like a failed test. Unknown values, and a budget that does not exist, are omitted; numbers
    without a known name come last.
    """
    unsaid = (*_UNSAID, *_BOUNDS) if verdict == "promote" else _UNSAID
    names = [name for name in _GATE_NUMBERS if name in numbers and name not in unsaid]
    names += [name for name in numbers if name not in names and name not in unsaid]
    if numbers.get("budget") is None:
        names = [name for name in names if not name.startswith("budget")]
    lines = []
    for name in names:
        value = numbers[name]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            is_share = isinstance(value, float) and any(word in name for word in _SHARES)
            lines.append((_GATE_NUMBERS.get(name, words(name)), share_text(value) if is_share else number(value)))
    return lines


def evidence_lines(row: Row) -> list[tuple[str, str]]:
    """Return (name, IDs) of a node's API IDs, stage by stage."""
    lines = []
    for stage, names in row.evidence.items():
        for name, value in names.items():
            if name in TOLD:
                continue
            values = value if isinstance(value, list) else [value]
            lines.append((f"{stage} {words(name)}".strip(), ", ".join(str(item) for item in values)))
    return lines
