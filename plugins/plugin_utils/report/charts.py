# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry of the charts in HTML reports. Positions are percentages, so that a chart fits any width without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

STATES: Sequence[tuple[str, str]] = (
    ("good", "patched"),
    ("bad", "failed"),
    ("unknown", "unknown"),
    ("pending", "reboot pending"),
    ("held", "skipped"),
    ("not_started", "not started"),
    ("outside", "not in the rollout"),
)
"""Tones of nodes in the order in which charts draw them, with their names in legends."""
_SMALLEST = 0.6


@dataclass(frozen=True, slots=True)
class Part:
    """A segment of a bar: ``x`` and ``width`` in percent, ``name`` is its class, ``count`` its value."""

    name: str
    label: str
    count: int
    x: str
    width: str


def divide(counts: Sequence[tuple[str, str, int]], start: float = 0.0, length: float = 100.0) -> list[Part]:
    """Divide a bar into segments for (class, label, count); every count above 0 is visible."""
    given = [(name, label, count) for name, label, count in counts if count > 0]
    total = sum(count for _name, _label, count in given)
    if not total:
        return []
    shares = [max(length * count / total, min(_SMALLEST, length / len(given))) for *_rest, count in given]
    scale = length / sum(shares)
    parts, x = [], start
    for (name, label, count), share in zip(given, shares, strict=True):
        width = share * scale
        parts.append(Part(name, label, count, f"{x:.3f}%", f"{width:.3f}%"))
        x += width
    return parts


def parts_of(tones: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """Return the arguments of ``divide`` for a wave's or group's nodes by tone."""
    return [(name, label, int(tones.get(name) or 0)) for name, label in STATES]


def to_scale(numbers: Iterable[int]) -> list[float]:
    """Return the length of a bar for each number, in percent of the longest one: twice the nodes, twice the bar.

    Only a bar that would be too short to see is longer than its scale.
    """
    found = list(numbers)
    largest = max(found, default=0) or 1
    return [max(100 * number / largest, _SMALLEST if number else 0) for number in found]
