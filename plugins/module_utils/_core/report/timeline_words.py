# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan's timeline in words: who is worked on when, in the time of the windows' owners. Not made safe here. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

HEAD = ("WAVE", "NIGHT", "OPENS, IN LOCAL TIME", "WINDOW", "TURNS", "NODES")


def timeline_rows(waves: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return a row for each night of each wave: ``HEAD`` names its cells."""
    return [
        (
            str(wave["name"]),
            str(night["number"]),
            str(night["local"]),
            f"{night['window']} ({night['timezone']})",
            _turns(night["turns"]),
            f"{night['nodes']:,}",
        )
        for wave in waves
        for night in wave.get("nights", ())
    ]


def _turns(turns: Sequence[int]) -> str:
    return str(turns[0]) if len(turns) == 1 else f"{turns[0]} to {turns[-1]}" if turns else ""


def move_notes(wave: Mapping[str, Any]) -> Iterator[str]:
    """Yield which windows' first occurrence a wave does not use."""
    for item in wave.get("moved", ()):
        first = _day(item["from"])
        what = f"moves from {first} to {_day(item['to'])}" if item["to"] else f"has no night after {first}"
        yield f"window {item['window']} {what}: {item['why']}"


def end_note(plan: Mapping[str, Any]) -> str:
    """Return until when the plan may be carried out; empty if it has no windows."""
    until = plan.get("valid_until")
    return f"Valid until {_day(until)}; after that, plan and approve again" if until else ""


def _day(time: str) -> str:
    return f"{time[:10]} {time[11:16]} UTC"
