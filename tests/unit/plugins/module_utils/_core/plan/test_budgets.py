# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disruption budgets; the lists of mistakes of Google VM Manager's and kured's users are the test list (F35, F57)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.counts import to_count
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.budgets import (
    Disruption,
    Member,
    allow,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.run_rules import BudgetRules
from hypothesis import given
from hypothesis import strategies as st

WAITING, DOWN, FAILED, BACK = Disruption.WAITING, Disruption.DOWN, Disruption.FAILED, Disruption.BACK


def members(*states: Disruption, **where: str) -> list[Member]:
    return [Member(node_id=f"n{number}", state=state, **where) for number, state in enumerate(states)]


@pytest.mark.parametrize(
    ("value", "total", "count"),
    [(5, 100, 5), ("5", 100, 5), ("10%", 101, 11), ("1%", 3, 1), ("25%", 4, 1), ("100%", 7, 7), ("29%", 100, 29)],
)
def test_share_is_rounded_up(value: int | str, total: int, count: int) -> None:
    # Source: Google VM Manager, patch rollouts: the disruption budget is rounded up to the nearest integer.
    assert to_count(value, total) == count


@pytest.mark.parametrize("value", [0, -1, True, "0%", "0", "101%", "5 %", "many", 1.5, None])
def test_budget_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(
        BadInput, match=r"^budgets.zone: .* expected a number of nodes such as 5, or a share such as 10%"
    ):
        to_count(value, 10, "budgets.zone")


def test_nodes_in_work_use_the_budget_and_give_it_back() -> None:
    rules = BudgetRules(wave=2)
    assert allow(members(WAITING, WAITING, WAITING, wave="w"), rules).now == ("n0", "n1")
    assert allow(members(DOWN, WAITING, WAITING, wave="w"), rules).now == ("n1",)
    assert allow(members(BACK, BACK, WAITING, WAITING, wave="w"), rules).now == ("n2", "n3")


def test_failed_nodes_go_on_using_the_budget() -> None:
    # Source: Google VM Manager: a machine that fails counts against the budget until the rollout ends.
    found = allow(members(FAILED, FAILED, BACK, WAITING, wave="w"), BudgetRules(wave=2))
    assert found.now == ()
    assert found.blocked == {"n3": "wave w: 2 of 4 nodes are out of service, the limit is 2"}


def test_cluster_gives_up_at_most_one_member_at_a_time() -> None:
    rules = BudgetRules(cluster=1)
    nodes = [
        Member(node_id="a1", cluster="a", state=BACK),
        Member(node_id="a2", cluster="a"),
        Member(node_id="a3", cluster="a"),
        Member(node_id="b1", cluster="b", state=DOWN),
        Member(node_id="b2", cluster="b"),
        Member(node_id="single"),
    ]
    found = allow(nodes, rules)
    assert found.now == ("a2", "single")
    assert found.blocked["b2"] == "cluster b: 1 of 2 nodes are out of service, the limit is 1"


def test_every_budget_of_a_node_must_hold_and_a_zone_is_counted_over_all_waves() -> None:
    nodes = [
        Member(node_id="x", zone="1a", wave="canary", state=FAILED),
        Member(node_id="y", zone="1a", wave="prod"),
        Member(node_id="z", zone="1b", wave="prod"),
    ]
    found = allow(nodes, BudgetRules(zone="50%", wave=5))
    assert found.now == ("z",)
    assert found.blocked == {"y": "zone 1a: 1 of 2 nodes are out of service, the limit is 1"}
    assert allow(nodes, BudgetRules(rollout=1)).now == ()


def test_vanished_node_does_not_block_the_others_for_ever() -> None:
    # kured #137: the lock held by a node that no longer exists.
    nodes = members(Disruption.VANISHED, WAITING, WAITING, cluster="c")
    assert allow(nodes, BudgetRules(cluster=1)).now == ("n1",)
    assert allow(nodes, BudgetRules(cluster="50%")).now == ("n1",)


def test_held_node_does_not_keep_the_place_it_never_used() -> None:
    # kured #792: the lock kept while the node is blocked.
    assert allow(members(Disruption.HELD, WAITING, cluster="c"), BudgetRules(cluster=1)).now == ("n1",)


def test_node_is_down_until_its_closing_half_is_done() -> None:
    # kured #1129: uncordon before releasing. The state is DOWN until then, so the next member has to wait.
    assert allow(members(DOWN, WAITING, cluster="c"), BudgetRules(cluster=1)).now == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"zone": "half"}, "policy.budgets.zone: 'half' is not valid"),
        ({"rack": 1}, "policy.budgets.rack: 1 is not valid, expected one of rollout, wave, zone, cluster"),
    ],
)
def test_bad_rule_names_its_path(data: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        BudgetRules.from_dict(data, "policy.budgets.")
    assert str(caught.value).startswith(message)
    assert BudgetRules.from_dict({"zone": "5%", "wave": None}) == BudgetRules(zone="5%")


LIMIT = st.none() | st.integers(1, 4) | st.sampled_from(["10%", "50%", "100%"])
NODES = st.lists(
    st.tuples(st.sampled_from(Disruption), st.sampled_from("ab"), st.sampled_from(["", "x", "y"])), max_size=12
).map(
    lambda rows: [
        Member(node_id=f"n{number}", state=state, wave="w", zone=zone, cluster=cluster)
        for number, (state, zone, cluster) in enumerate(rows)
    ]
)


@given(NODES, st.builds(BudgetRules, rollout=LIMIT, wave=LIMIT, zone=LIMIT, cluster=LIMIT))
def test_no_budget_is_ever_exceeded_and_none_is_wasted(nodes: list[Member], rules: BudgetRules) -> None:
    found = allow(nodes, rules)
    waiting = {node.node_id for node in nodes if node.state is WAITING}
    assert set(found.now) | set(found.blocked) == waiting
    down = {node.node_id for node in nodes if node.state.uses_budget} | set(found.now)
    exist = [node for node in nodes if node.state is not Disruption.VANISHED]
    for kind in ("rollout", "wave", "zone", "cluster"):
        limit = getattr(rules, kind)
        for name in {getattr(node, kind, "") for node in exist}:
            scope = [node for node in exist if getattr(node, kind, "") == name]
            taken = [node for node in scope if node.node_id in found.now]
            if limit is not None and (name or kind == "rollout") and taken:
                assert sum(node.node_id in down for node in scope) <= to_count(limit, len(scope))
    if not any(node.state.uses_budget for node in nodes) and waiting:
        assert found.now
