# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns keep order and budgets, whatever the nodes and the limits."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.counts import to_count
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate, Select
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.budgets import (
    Disruption,
    Member,
    allow,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.turns import Turns
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.run_rules import BudgetRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.read import read
from hypothesis import given
from hypothesis import strategies as st


def node(number: int, zone: str = "", cluster: str = "", role: str = "") -> Candidate:
    tags = {key: value for key, value in (("Cluster", cluster), ("Role", role)) if value}
    return Candidate(node_id=f"i-{number:03}", host=f"h{number}", zone=zone, tags=tags)


def assign(nodes: list[Candidate], order: Any = (), **rules: Any) -> dict[str, int]:
    return Turns(nodes, BudgetRules(**rules), "Cluster").assign(nodes, [read(Select, select) for select in order])


def test_without_budgets_and_order_there_is_one_turn() -> None:
    assert set(assign([node(n) for n in range(9)]).values()) == {1}


def test_a_cluster_gives_up_one_member_at_a_time() -> None:
    turns = assign([node(n, cluster="db") for n in range(3)] + [node(9)], cluster=1)
    assert turns == {"i-000": 1, "i-001": 2, "i-002": 3, "i-009": 1}


def test_the_standby_comes_before_the_primary_and_the_rest_last() -> None:
    nodes = [node(0, role="primary"), node(1, role="standby"), node(2), node(3, role="standby")]
    order = [{"tags": {"Role": "standby"}}, {"tags": {"Role": ["primary"]}}]
    assert assign(nodes, order) == {"i-001": 1, "i-003": 1, "i-000": 2, "i-002": 3}


@pytest.mark.parametrize(("limit", "turns"), [(2, 5), ("20%", 5), ("1%", 10), ("100%", 1)])
def test_a_share_is_rounded_up(limit: Any, turns: int) -> None:
    assert max(assign([node(n) for n in range(10)], rollout=limit).values()) == turns


LIMIT = st.none() | st.integers(1, 4) | st.sampled_from(["10%", "34%", "100%"])
NODES = st.lists(
    st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(["", "x", "y"]), st.sampled_from(["", "s", "p"])),
    max_size=25,
).map(lambda rows: [node(number, *row) for number, row in enumerate(rows)])
ORDER = st.lists(st.sampled_from(["s", "p"]), max_size=2, unique=True).map(
    lambda roles: [{"tags": {"Role": role}} for role in roles]
)


@given(nodes=NODES, order=ORDER, rollout=LIMIT, wave=LIMIT, zone=LIMIT, cluster=LIMIT)
def test_every_node_has_one_turn_in_order_and_within_all_budgets(
    nodes: list[Candidate], order: Any, rollout: Any, wave: Any, zone: Any, cluster: Any
) -> None:
    limits = {"rollout": rollout, "wave": wave, "zone": zone, "cluster": cluster}
    turns = assign(nodes, order, **limits)
    assert set(turns) == {item.node_id for item in nodes}
    assert set(turns.values()) == set(range(1, max(turns.values(), default=0) + 1)), "a gap"
    scopes = {
        "rollout": lambda item: "all",
        "wave": lambda item: "all",
        "zone": lambda item: item.zone,
        "cluster": lambda item: item.tags.get("Cluster", ""),
    }
    for name, scope in scopes.items():
        total = Counter(scope(item) for item in nodes)
        used = Counter((scope(item), turns[item.node_id]) for item in nodes)
        for (where, _turn), count in used.items():
            assert limits[name] is None or not where or count <= to_count(limits[name], total[where]), name
    ranks = [entry["tags"]["Role"] for entry in order]
    roles = {item.node_id: item.tags.get("Role") for item in nodes}
    rank = {key: ranks.index(role) if role in ranks else len(ranks) for key, role in roles.items()}
    for first in nodes:
        for then in nodes:
            if rank[first.node_id] < rank[then.node_id]:
                assert turns[first.node_id] < turns[then.node_id]


@given(nodes=NODES, zone=LIMIT, cluster=LIMIT)
def test_the_run_lets_every_turn_go_as_long_as_nobody_fails(nodes: list[Candidate], zone: Any, cluster: Any) -> None:
    """What the plan puts into a turn is what the budgets of the running rollout allow."""
    turns = assign(nodes, zone=zone, cluster=cluster)
    rules = BudgetRules(zone=zone, cluster=cluster)
    for turn in range(1, max(turns.values(), default=0) + 1):
        members = [
            Member(
                node_id=item.node_id,
                state=Disruption.WAITING if turns[item.node_id] == turn else Disruption.HELD,
                zone=item.zone,
                cluster=item.tags.get("Cluster", ""),
            )
            for item in nodes
        ]
        assert allow(members, rules).blocked == {}
