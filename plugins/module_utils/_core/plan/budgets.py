# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be out of service at once: budgets for a rollout, a wave, a zone and a cluster. Pure.

A node uses a budget from the moment it is taken down until it is back in service. A failed node never came back, so it
still uses the budget: a rollout that breaks machines slows down by itself and then stops (as in Google VM Manager's
patch rollouts). Percentages are rounded up, so that a budget always lets at least one node through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from ..counts import to_count
from ..policy.run_rules import BudgetRules


class Disruption(str, Enum):
    """The state of a node with regard to budgets.

    ``DOWN`` lasts until the node is restored (undrained, uncordoned), not only until its work is done. ``HELD`` was
    never changed. ``VANISHED`` no longer exists: it can't come back, so it must not block the others for ever.
    """

    WAITING = "waiting"
    DOWN = "down"
    FAILED = "failed"
    BACK = "back"
    HELD = "held"
    VANISHED = "vanished"

    @property
    def uses_budget(self) -> bool:
        return self in (Disruption.DOWN, Disruption.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A node, in the order in which nodes are taken down. A zone or cluster of ``""`` has no budget."""

    node_id: str
    state: Disruption = Disruption.WAITING
    wave: str = ""
    zone: str = ""
    cluster: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The nodes that may be taken down now, in order, and why the other waiting nodes may not."""

    now: tuple[str, ...]
    blocked: Mapping[str, str] = field(default_factory=dict)


def allow(members: Sequence[Member], rules: BudgetRules) -> Allowance:
    """Choose the waiting nodes that may be taken down now, in the given order, without exceeding any budget.

    ``members`` are all nodes of the rollout, including those of other waves and those that are done.
    """
    budgets = _Budgets(members, rules)
    now, blocked = [], {}
    for item in members:
        if item.state is Disruption.WAITING:
            if reason := budgets.refusal(item):
                blocked[item.node_id] = reason
            else:
                budgets.take(item)
                now.append(item.node_id)
    return Allowance(now=tuple(now), blocked=blocked)


class _Budgets:
    """Counts of the nodes that exist and that use a budget, by scope: ``(kind, name)``."""

    def __init__(self, members: Iterable[Member], rules: BudgetRules) -> None:
        self._rules = rules
        self._total: Counter[tuple[str, str]] = Counter()
        self._used: Counter[tuple[str, str]] = Counter()
        for item in members:
            if item.state is not Disruption.VANISHED:
                self._total.update(_scopes(item))
            if item.state.uses_budget:
                self.take(item)

    def take(self, item: Member) -> None:
        self._used.update(_scopes(item))

    def refusal(self, item: Member) -> str:
        """Return why the node may not be taken down now; empty if it may."""
        for scope in _scopes(item):
            rule = getattr(self._rules, scope[0])
            if rule is None:
                continue
            limit, used = to_count(rule, self._total[scope]), self._used[scope]
            if used >= limit:
                where = " ".join(word for word in scope if word)
                return f"{where}: {used} of {self._total[scope]} nodes are out of service, the limit is {limit}"
        return ""


def scope_names(item: Member) -> list[str]:
    """Return the budgets that a node uses: ``rollout``, ``wave <name>``, ``zone <name>``, ``cluster <name>``."""
    return [" ".join(word for word in scope if word) for scope in _scopes(item)]


def _scopes(item: Member) -> list[tuple[str, str]]:
    named = [("wave", item.wave), ("zone", item.zone), ("cluster", item.cluster)]
    return [("rollout", ""), *(scope for scope in named if scope[1])]
