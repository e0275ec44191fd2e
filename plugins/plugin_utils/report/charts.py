# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry of the charts in HTML reports. Positions are percentages, so that a chart fits any width without scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

STATES: Sequence[tuple[str, str]] = (
    ("good", "patched"),
    ("bad", "failed"),
    ("unfinished", "unfinished"),
    ("held", "skipped"),
    ("not_started", "not started"),
)
"""Tones of nodes in the order in which charts draw them, and what legends call them."""
_SMALLEST = 0.6
_STRIP_GAP = 3.4


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: ``x`` and ``width`` in percent, ``name`` is its class, ``count`` what it stands for."""

    name: str
    label: str
    count: int
    x: str
    width: str


def divide(counts: Sequence[tuple[str, str, int]], start: float = 0.0, length: float = 100.0) -> list[Part]:
    """Divide a bar among (class, label, count); every count above 0 is visible."""
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
    """Return what ``divide`` takes for a wave's or group's nodes by tone."""
    return [(name, label, int(tones.get(name) or 0)) for name, label in STATES]


def strip(waves: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the waves side by side: their place, their parts, and the gate after each.

    Widths follow the square root of the node counts, so that a canary of five can be seen beside five thousand.
    """
    if not waves:
        return []
    roots = [sqrt(max(int(wave["nodes"]), 1)) for wave in waves]
    weights = [max(root, max(roots) * 0.3) for root in roots]
    gap = min(_STRIP_GAP, 40 / len(waves))
    room = 100 - gap * len(waves)
    pieces, x = [], 0.0
    for wave, weight in zip(waves, weights, strict=True):
        length = room * weight / sum(weights)
        counts = parts_of(wave["tones"])
        if not any(count for *_rest, count in counts):
            counts = [("planned", "planned", max(int(wave["nodes"]), 1))]
        gate = wave["gates"][-1]["verdict"] if wave["gates"] else ""
        pieces.append(
            {
                "name": str(wave["name"]),
                "nodes": int(wave["nodes"]),
                "x": f"{x:.3f}%",
                "width": f"{length:.3f}%",
                "parts": divide(counts, x, length),
                "gate": gate,
                "gate_x": f"{x + length + gap / 2:.3f}%",
            }
        )
        x += length + gap
    return pieces
