# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nights of a running rollout: which of the plan's occurrences are used from now on. Pure.

Nothing is planned here: the plan has every occurrence of its windows until it ends. Work may happen later than
planned, but never earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..plan.nights import RESERVE
from ..stamp import from_time, to_time
from ..times.occurrences import local_span, read_occurrence
from ..times.schedule import Occurrence, to_zone
from .state import DONE, Rollout

#: Delay up to which a night still counts as on time: its nodes begin one by one as long as each fits.
GRACE = timedelta(minutes=15)
#: Stages of a node before anything is changed on it.
BEFORE_WORK = ("precheck", "patch")


@dataclass(frozen=True, slots=True, kw_only=True)
class NightTime:
    """A night as of now. ``at_hand``: its occurrence; the last one of its window if none is left (``is_over``)."""

    wave: str
    number: int
    window: str
    timezone: str
    at_hand: Occurrence
    is_over: bool = False

    @property
    def local(self) -> str:
        """The occurrence in the window's own time zone."""
        return local_span(self.at_hand.start, self.at_hand.end, to_zone(self.timezone))


def night_time(state: Rollout, wave: str, number: int, now: datetime) -> NightTime | None:
    """Return the occurrence in which a night's nodes are worked on, as of ``now``; ``None`` for a wave without windows.

    It is the planned one, or the window's next one if that is past. An occurrence that has already begun is used only
    if all the night's work and a reboot fit before its cutoff, or if work on the night has begun.
    """
    plan = next(item for item in state.plan["waves"] if item["name"] == wave)
    nights = plan.get("nights") or ()
    if not nights:
        return _only(plan, now)
    night = nights[number - 1]
    named = {"wave": wave, "number": number, "window": night["window"], "timezone": night["timezone"]}
    if (special := state.waves[wave].run_now) and now < from_time(special[1]):
        start, end = (from_time(item) for item in special)
        return NightTime(**named, at_hand=Occurrence(start=start, end=end, cutoff_at=end - RESERVE))
    occurrences = _occurrences(state.plan, night)
    needed = from_time(night["ends"]) - from_time(night["begin"])
    begun = any(_is_begun(state, node) for node in _nodes(plan, number))
    for item in occurrences:
        due = max(item.start, from_time(night["begin"]))  # later occurrences start after it
        on_time = now <= due + GRACE
        if item.cutoff_at > now and (begun or on_time or now + needed + RESERVE <= item.cutoff_at):
            return NightTime(**named, at_hand=item)
    return NightTime(**named, at_hand=occurrences[-1], is_over=True)


def _only(plan: Mapping[str, Any], now: datetime) -> NightTime | None:
    if not plan.get("window"):
        return None
    found = read_occurrence(plan["window"])
    name = str(plan["window"].get("name", ""))
    over = now >= found.cutoff_at
    return NightTime(wave=plan["name"], number=1, window=name, timezone="UTC", at_hand=found, is_over=over)


def _occurrences(plan: Mapping[str, Any], night: Mapping[str, Any]) -> list[Occurrence]:
    """Return the night's occurrence and its window's later ones."""
    planned = read_occurrence(night)
    rows = next((item["occurrences"] for item in plan.get("windows", ()) if item["name"] == night["window"]), ())
    return [planned, *(item for item in map(read_occurrence, rows) if item.start > planned.start)]


def _nodes(plan: Mapping[str, Any], number: int) -> list[str]:
    return [node["node_id"] for node in plan["nodes"] if node.get("night", 1) == number]


def _is_begun(state: Rollout, node_id: str) -> bool:
    node = state.nodes[node_id]
    return node.stage not in BEFORE_WORK or (node.stage == BEFORE_WORK[-1] and node.token is not None)


def has_windows(state: Rollout, wave: str) -> bool:
    """Return whether a wave has nights in windows."""
    plan = next(item for item in state.plan["waves"] if item["name"] == wave)
    return bool(plan.get("nights") or plan.get("window"))


def time_to_run_now(state: Rollout, wave: str, at: datetime) -> tuple[str, str] | None:
    """Return the period in which a wave may run outside its windows: as long as its longest night, while the plan is
    valid; ``None`` if the plan has expired."""
    plan = next(item for item in state.plan["waves"] if item["name"] == wave)
    nights = plan.get("nights") or [plan["window"]]
    longest = max(from_time(night["end"]) - from_time(night["start"]) for night in nights)
    until = state.plan.get("valid_until")
    end = min(at + longest, from_time(until)) if until else at + longest
    return (to_time(at), to_time(end)) if at < end else None


def number_of(state: Rollout, node_id: str) -> int:
    """Return the number of a node's night in its wave."""
    return int(state.planned[node_id].get("night", 1))


def open_nights(state: Rollout, wave: str, turn: int | None = None) -> list[int]:
    """Return the nights of a wave that have nodes without a final record, of one turn or of all."""
    nodes = (node_id for node_id in state.waves[wave].nodes if state.nodes[node_id].stage != DONE)
    return sorted({number_of(state, node) for node in nodes if turn is None or state.nodes[node].turn == turn})


def next_night(state: Rollout, wave: str, now: datetime, turn: int | None = None) -> NightTime | None:
    """Return a wave's earliest night that has nodes without a final record.

    ``None``: its nodes may be patched at any time, or none are left.
    """
    numbers = open_nights(state, wave, turn) or [1]
    found = [time for number in numbers if (time := night_time(state, wave, number, now))]
    return min(found, key=lambda time: (time.is_over, time.at_hand.start, time.number), default=None)
