# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns: the parts of a wave that run one after the other, so that order and budgets are kept. Pure.

Each node is in the first turn that its place in the order allows and in which every budget has room. This holds only
while no node fails; at run time, failed nodes still use their budgets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..counts import to_count
from ..nodes import Candidate, Select, matches
from ..policy.run_rules import BudgetRules

Scope = tuple[str, str]


class Turns:
    """Assigns turns, wave by wave. ``nodes`` are all nodes of the rollout, to which budgets in percent refer."""

    def __init__(self, nodes: Sequence[Candidate], rules: BudgetRules, cluster_key: str = "") -> None:
        self._rules = rules
        self._key = cluster_key
        self._total: Counter[Scope] = Counter()
        for node in nodes:
            self._total.update(self._scopes(node))

    def cluster(self, node: Candidate) -> str:
        """Return the name of the node's cluster; empty if it is in none."""
        return node.tags.get(self._key, "") if self._key else ""

    def assign(self, members: Sequence[Candidate], order: Sequence[Select] = ()) -> dict[str, int]:
        """Return each member's turn, counted from 1 without gaps.

        :param order: selectors; members of an earlier one end before those of a later one begin.
        """
        limits: dict[Scope, int] = {}
        turns: dict[str, int] = {}
        start = 0
        for group in _groups(members, order):
            room: dict[Scope, _Room] = {}
            last = start
            for node in group:
                scopes = self._limited(node, len(members), limits)
                rooms = [(room.setdefault(scope, _Room(start)), limits[scope]) for scope in scopes]
                turn = max((place.first for place, _limit in rooms), default=start)
                while not all(place.has(turn, limit) for place, limit in rooms):
                    turn += 1
                for place, limit in rooms:
                    place.take(turn, limit)
                turns[node.node_id] = turn + 1
                last = max(last, turn + 1)
            start = last
        return turns

    def _limited(self, node: Candidate, wave_size: int, limits: dict[Scope, int]) -> list[Scope]:
        """Return the scopes of a node that have a budget; store its count in ``limits``."""
        found = []
        for scope in [*self._scopes(node), ("wave", "")]:
            rule = getattr(self._rules, scope[0])
            if rule is not None:
                found.append(scope)
                if scope not in limits:
                    limits[scope] = to_count(rule, wave_size if scope[0] == "wave" else self._total[scope])
        return found

    def _scopes(self, node: Candidate) -> list[Scope]:
        named = [("zone", node.zone), ("cluster", self.cluster(node))]
        return [("rollout", ""), *(scope for scope in named if scope[1])]


class _Room:
    """The number of nodes of one scope in each turn. ``first`` is the first turn with room."""

    def __init__(self, start: int) -> None:
        self.first = start
        self._used: Counter[int] = Counter()

    def has(self, turn: int, limit: int) -> bool:
        return turn >= self.first and self._used[turn] < limit

    def take(self, turn: int, limit: int) -> None:
        self._used[turn] += 1
        while self._used[self.first] >= limit:
            self.first += 1


def _groups(members: Sequence[Candidate], order: Sequence[Select]) -> list[list[Candidate]]:
    """Return the members by the first selector that they match; those that match none come last."""
    found: list[list[Candidate]] = [[] for _number in range(len(order) + 1)]
    for node in members:
        index = next((number for number, select in enumerate(order) if matches(node, select)), len(order))
        found[index].append(node)
    return [group for group in found if group]
