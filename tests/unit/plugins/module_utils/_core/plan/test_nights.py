# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nights of a wave: every rule of the timeline, over random windows, sizes, budgets and minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.nights import (
    RESERVE,
    Placement,
    SubWave,
    place,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.schedule import Occurrence
from hypothesis import given
from hypothesis import strategies as st

READY = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def night(start: datetime, hours: int = 4, cutoff: int = 1) -> Occurrence:
    end = start + hours * HOUR
    return Occurrence(start=start, end=end, cutoff_at=end - cutoff * HOUR)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A wave to place: nodes by window with their minutes, and how many may be out of service at once."""

    parts: tuple[SubWave, ...]
    minutes: dict[str, int]
    budget: int
    lanes: int | None
    ready: datetime = READY
    ranks: dict[str, int] | None = None

    def place(self) -> Placement:
        ranks = self.ranks or {}

        def assign(nodes: Sequence[str]) -> dict[str, int]:
            turns, turn, used, rank = {}, 1, 0, None
            for node in sorted(nodes, key=lambda item: (ranks.get(item, 0), item)):
                if used == self.budget or (rank is not None and ranks.get(node, 0) != rank):
                    turn, used = turn + 1, 0
                turns[node], used, rank = turn, used + 1, ranks.get(node, 0)
            return turns

        return place(self.parts, self.ready, self.minutes, assign, lambda nodes: self.lanes, ranks=self.ranks)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    parts, minutes = [], {}
    for number in range(draw(st.integers(1, 3))):
        hours = draw(st.integers(1, 6))
        cutoff = draw(st.integers(0, hours - 1))
        first = READY + draw(st.integers(-7, 72)) * HOUR
        every = draw(st.integers(hours, 60))
        occurrences = [night(first + index * every * HOUR, hours, cutoff) for index in range(draw(st.integers(0, 9)))]
        nodes = tuple(f"{number}-{index}" for index in range(draw(st.integers(0, 12))))
        minutes.update({node: draw(st.integers(1, 90)) for node in nodes})
        open_ones = [item for item in occurrences if item.cutoff_at > READY]
        parts.append(SubWave(window=f"w{number}", nodes=nodes, occurrences=open_ones))
    ranks = draw(st.none() | st.fixed_dictionaries({node: st.integers(0, 2) for node in minutes}))
    budget, lanes = draw(st.integers(1, 12)), draw(st.none() | st.integers(1, 4))
    return Case(parts=tuple(parts), minutes=minutes, budget=budget, lanes=lanes, ranks=ranks)


@given(cases())
def test_every_node_has_one_night_or_a_reason(case: Case) -> None:
    found = case.place()
    placed = [node for item in found.nights for node in item.turns]
    assert sorted([*placed, *found.left_out]) == sorted(case.minutes) and len(set(placed)) == len(placed)
    assert all(found.left_out.values())
    home = {node: part for part in case.parts for node in part.nodes}
    for item in found.nights:
        assert {home[node].window for node in item.turns} == {item.window}
        assert all(item.occurrence in home[node].occurrences for node in item.turns)


@given(cases())
def test_work_stays_between_its_beginning_and_the_cutoff(case: Case) -> None:
    for item in case.place().nights:
        assert max(item.occurrence.start, case.ready) <= item.begin < item.ends <= item.occurrence.cutoff_at
        assert item.begin + timedelta(minutes=max(case.minutes[node] for node in item.turns)) <= item.ends


@given(cases())
def test_an_occurrence_that_is_partly_past_holds_all_that_is_left_and_the_reserve(case: Case) -> None:
    """Of one window alone: work in others may hold a turn up although the occurrence was not partly past."""
    for part in case.parts:
        nights = replace(case, parts=(part,), minutes={node: case.minutes[node] for node in part.nodes}).place().nights
        for item in nights:
            if item.begin > item.occurrence.start:
                assert item.ends + RESERVE <= item.occurrence.cutoff_at and item is nights[-1]


@given(cases())
def test_turns_follow_each_other_without_gaps_and_share_the_budget(case: Case) -> None:
    found = case.place()
    members: dict[int, list[str]] = {}
    for item in found.nights:
        for node, turn in item.turns.items():
            members.setdefault(turn, []).append(node)
    assert sorted(members) == list(range(1, len(members) + 1))
    assert all(len(nodes) <= case.budget for nodes in members.values())
    assert found.ends == max([READY, *(item.ends for item in found.nights)])


@given(cases())
def test_a_lower_rank_is_through_before_a_higher_one_begins(case: Case) -> None:
    ranks = case.ranks or {}
    turns = {node: turn for item in case.place().nights for node, turn in item.turns.items()}
    for node, turn in turns.items():
        assert all(turn < turns[other] for other in turns if ranks.get(node, 0) < ranks.get(other, 0))


@given(cases())
def test_without_budgets_a_window_of_its_own_takes_its_first_occurrence_that_is_still_open(case: Case) -> None:
    """The oracle: one window, one turn, all nodes at once. Then the rules are simple enough to be said again."""
    for part in case.parts:
        alone = Case(parts=(part,), minutes={node: case.minutes[node] for node in part.nodes}, budget=99, lanes=None)
        longest = max(alone.minutes.values(), default=0)
        usable = [item for item in part.occurrences if item.cutoff_at - item.start >= timedelta(minutes=longest)]
        if not usable or not part.nodes or len(usable) != len(part.occurrences):
            continue
        late = usable[0].start < READY and READY + timedelta(minutes=longest) + RESERVE > usable[0].cutoff_at
        expected = usable[1:2] if late else usable[:1]
        assert [item.occurrence for item in alone.place().nights] == expected


def test_sub_waves_in_overlapping_windows_share_turns_and_others_do_not() -> None:
    first = SubWave(window="berlin", nodes=("b1", "b2"), occurrences=[night(READY)])
    other = SubWave(window="london", nodes=("l1", "l2"), occurrences=[night(READY + HOUR)])
    later = SubWave(window="tokyo", nodes=("t1", "t2"), occurrences=[night(READY + 9 * HOUR)])
    minutes = dict.fromkeys(("b1", "b2", "l1", "l2", "t1", "t2"), 30)
    found = Case(parts=(first, other, later), minutes=minutes, budget=4, lanes=None).place()
    assert [(item.window, set(item.turns.values())) for item in found.nights] == [
        ("berlin", {1}),
        ("london", {1}),
        ("tokyo", {2}),
    ]


def test_the_first_occurrence_that_comes_too_early_is_named_with_the_one_that_is_taken() -> None:
    early, taken = night(READY - 6 * HOUR), night(READY + 18 * HOUR)
    part = SubWave(window="w", nodes=("n",), occurrences=[early, taken], natural=early)
    found = place([part], READY, {"n": 15}, lambda nodes: {"n": 1}, lambda nodes: None, waits_for="dev ends")
    (moved,) = found.moved
    assert (moved.was, moved.to, moved.why) == (early, taken, "dev ends")
