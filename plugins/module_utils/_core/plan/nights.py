# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nights: in which occurrences of its windows a wave's nodes are patched, and in which turn. Pure.

A wave has one sub-wave for each window of its nodes. A sub-wave takes its first occurrence whose cutoff is after
``ready``, moves what does not fit to the following ones, and uses an occurrence that has already begun only if all the
remaining work fits. Sub-waves whose occurrences overlap share their turns, because they share budgets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..times.schedule import Occurrence
from .capacity import REBOOT_MINUTES, plan_capacity

RESERVE = timedelta(minutes=REBOOT_MINUTES)
#: Expected minutes of nodes, by ID.
Minutes = Mapping[str, int]
#: Assigns a turn to each of the given nodes, counted from 1 without gaps.
Assign = Callable[[Sequence[str]], Mapping[str, int]]
#: Number of the given nodes to patch at a time.
Lanes = Callable[[Sequence[str]], "int | str | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubWave:
    """Nodes of a wave that share a window. ``occurrences`` ascend, do not overlap, and their cutoffs are in the future.

    ``natural`` is the occurrence that it would take without other waves and freezes.
    """

    window: str
    nodes: tuple[str, ...]
    occurrences: Sequence[Occurrence]
    natural: Occurrence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """The work of a sub-wave in one occurrence. ``begin`` and ``ends`` bound the expected work within it."""

    window: str
    occurrence: Occurrence
    begin: datetime
    ends: datetime
    turns: Mapping[str, int]

    @property
    def minutes(self) -> int:
        """Minutes from the beginning to the end of the expected work, rounded up."""
        return -(-int((self.ends - self.begin).total_seconds()) // 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A sub-wave that can't use its window's first occurrence. Without ``to``, no occurrence is left for it."""

    window: str
    was: Occurrence
    to: Occurrence | None
    why: str


@dataclass(slots=True, kw_only=True)
class Placement:
    """Nights ascending by turn. ``left_out``: nodes without one, with the reason. ``ends``: when all work is done."""

    ends: datetime
    nights: list[Night] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    moved: list[Moved] = field(default_factory=list)
    lanes: int = 0


def place(
    parts: Sequence[SubWave],
    ready: datetime,
    minutes: Minutes,
    assign: Assign,
    lanes: Lanes,
    *,
    ranks: Mapping[str, int] | None = None,
    waits_for: str = "",
) -> Placement:
    """Assign a night and a turn to every node of a wave.

    :param ready: when the wave may begin: its predecessor has ended and soaked.
    :param ranks: the wave's order: nodes of a lower rank end before those of a higher rank begin.
    :param waits_for: what the wave waits for until then, for the reason of a move.
    """
    work = _Work(
        ready=ready, minutes=minutes, assign=assign, lanes=lanes, ranks=ranks or {}, found=Placement(ends=ready)
    )
    work.left = {part.window: _short_enough(part, work) for part in parts}
    work.places = {part.window: [item for item in part.occurrences if item.cutoff_at > ready] for part in parts}
    while group := work.next_group():
        work.take(group)
    for part in parts:
        for node in work.left[part.window]:
            work.found.left_out[node] = f"window {part.window} has no room for it before the plan's end"
        if moved := _move(part, work.found, ready, waits_for):
            work.found.moved.append(moved)
    return work.found


@dataclass(slots=True, kw_only=True)
class _Work:
    """A wave while its nights are assigned. ``left`` and ``places``: unused nodes and occurrences by window."""

    ready: datetime
    minutes: Minutes
    assign: Assign
    lanes: Lanes
    ranks: Mapping[str, int]
    found: Placement
    left: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, list[Occurrence]] = field(default_factory=dict)
    turns: int = 0

    def next_group(self) -> dict[str, Occurrence]:
        """Return the earliest occurrence that has nodes left, and those of other windows that overlap it.

        Turns run one after the other, so an occurrence whose cutoff is before the end of earlier work is not used.
        """
        for window, places in self.places.items():
            self.places[window] = [item for item in places if item.cutoff_at > self.found.ends]
        open_ones = {window: places[0] for window, places in self.places.items() if places and self.left[window]}
        group: dict[str, Occurrence] = {}
        last: datetime | None = None
        for window, item in sorted(open_ones.items(), key=lambda entry: (entry[1].start, entry[0])):
            if last is None or item.start < last:
                group[window] = item
                last = item.end if last is None else max(last, item.end)
        return group

    def take(self, group: Mapping[str, Occurrence]) -> None:
        """Fill the occurrences of a group. Skip one that has already begun if it can't hold all remaining nodes."""
        home = {node: window for window in group for node in self._due(window, group)}
        turns = dict(self.assign(list(home))) if home else {}
        while True:
            late, spans = self._simulate(group, turns, home)
            over = {window for window, span in spans.items() if span[1] + RESERVE > group[window].cutoff_at}
            if passed := {window for window in over | {home[node] for node in late} if self._is_past(group[window])}:
                for window in passed:
                    self.places[window].pop(0)
                return
            if not late:
                break
            rank = min(self.ranks.get(node, 0) for node in late)
            turns = _renumbered(
                {node: turn for node, turn in turns.items() if node not in late and self.ranks.get(node, 0) <= rank}
            )
        for window, item in group.items():
            mine = {node: turn + self.turns for node, turn in turns.items() if home[node] == window}
            if mine:
                begin, ends = spans[window]
                night = Night(window=window, occurrence=item, begin=begin, ends=ends, turns=mine)
                self.found.nights.append(night)
                self.left[window] = [node for node in self.left[window] if node not in mine]
            self.places[window].pop(0)
        self.turns += len(set(turns.values()))
        self.found.ends = max([self.found.ends, *(ends for _begin, ends in spans.values())])

    def _due(self, window: str, group: Mapping[str, Occurrence]) -> list[str]:
        """Return the nodes of a window that need not wait for nodes of a lower rank in another, later night."""
        others = [
            self.ranks.get(node, 0)
            for other, nodes in self.left.items()
            if other not in group and self.places[other]
            for node in nodes
        ]
        first = min(others, default=None)
        return [node for node in self.left[window] if first is None or self.ranks.get(node, 0) <= first]

    def _is_past(self, item: Occurrence) -> bool:
        return self.found.ends > item.start

    def _simulate(
        self, group: Mapping[str, Occurrence], turns: Mapping[str, int], home: Mapping[str, str]
    ) -> tuple[set[str], dict[str, tuple[datetime, datetime]]]:
        """Return the nodes that would end after their cutoff, and the period of the other work by window."""
        late: set[str] = set()
        spans: dict[str, tuple[datetime, datetime]] = {}
        free = self.found.ends
        members: dict[tuple[int, str], list[str]] = {}
        for node, turn in turns.items():
            members.setdefault((turn, home[node]), []).append(node)
        for turn in sorted({turn for turn, _window in members}):
            after = free
            for window, item in group.items():
                if nodes := members.get((turn, window)):
                    begin = max(item.start, free)
                    late_here, end = self._fill(nodes, item, begin)
                    late |= late_here
                    if len(late_here) < len(nodes):
                        first, last = spans.get(window, (begin, end))
                        after, spans[window] = max(after, end), (first, max(last, end))
            free = after
        return late, spans

    def _fill(self, nodes: Sequence[str], item: Occurrence, begin: datetime) -> tuple[set[str], datetime]:
        if begin >= item.cutoff_at:
            return set(nodes), begin
        work, room = [(node, self.minutes[node]) for node in nodes], replace(item, start=begin)
        found = plan_capacity(work, room, self.lanes(nodes))
        self.found.lanes = max(self.found.lanes, found.concurrency)
        return set(found.too_late), begin + timedelta(minutes=found.needed_minutes)


def _renumbered(turns: Mapping[str, int]) -> dict[str, int]:
    """Return the turns without gaps."""
    number = {turn: index for index, turn in enumerate(sorted(set(turns.values())), 1)}
    return {node: number[turn] for node, turn in turns.items()}


def _short_enough(part: SubWave, work: _Work) -> list[str]:
    """Return the nodes that fit into an occurrence of their window; leave out the others by name."""
    longest = max((_length(item) for item in part.occurrences), default=None)
    kept = []
    for node in part.nodes:
        if longest is None or work.minutes[node] <= longest:
            kept.append(node)
        else:
            text = f"it needs {work.minutes[node]} minutes, and window {part.window} has {longest} before its cutoff"
            work.found.left_out[node] = text
    return kept


def _length(item: Occurrence) -> int:
    return int((item.cutoff_at - item.start) / timedelta(minutes=1))


def _move(part: SubWave, found: Placement, ready: datetime, waits_for: str) -> Moved | None:
    """Return why the window's first occurrence is not used; ``None`` if it is used."""
    first = next((night.occurrence for night in found.nights if night.window == part.window), None)
    if part.natural is None or not part.nodes or (first and first.start < part.natural.end):
        return None
    if part.natural.cutoff_at <= ready:
        why = waits_for or "it is over"
    elif not any(item.start < part.natural.end for item in part.occurrences):
        why = "it is frozen"
    else:
        why = "what is left of it does not hold all turns and the reserve for reboots"
    return Moved(window=part.window, was=part.natural, to=first, why=why)
