# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets of a running rollout: who failed, or is not back in service, goes on using them. And the play's batches."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.counts import to_count
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Event,
    Intent,
    Outcome,
    Prepared,
    Restored,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.turns import Turns
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.run_rules import BudgetRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.budgets_left import over_budget
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import apply
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.play_order import overview, play_order
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import (
    DONE,
    Rollout,
    due_nodes,
    initial,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.events import started


def begun(turns: dict[str, int], **budgets: Any) -> Rollout:
    """A wave of a cluster; the nodes of its first turn passed their pre-checks. ``dc-1`` is a direct host."""
    nodes = [
        {
            "node_id": name,
            "host": name,
            "cluster": "db",
            "zone": "a",
            "turn": turn,
            "executor": "linux" if name.startswith("dc") else "ssm",
        }
        for name, turn in turns.items()
    ]
    wave = {"name": "w 1", "turns": max(turns.values()), "nodes": nodes}
    plan = {"digest": "d", "rollout": "d", "rules": {"budgets": budgets}, "waves": [wave]}
    state = initial(plan)
    apply(state, started("d"), "now")
    event(state, Claimed, nodes=tuple(turns))
    event(state, WaveStarted)
    checked(state, *(name for name, turn in turns.items() if turn == 1))
    return state


def event(state: Rollout, event_type: type[Event], **data: Any) -> None:
    apply(state, event_type(wave="w 1", **data), "now")


def checked(state: Rollout, *nodes: str) -> None:
    event(state, Outcome, stage="precheck", results=tuple({"node_id": node, "outcome": "pass"} for node in nodes))


def ended(state: Rollout, *nodes: str, status: str = "succeeded") -> None:
    event(state, Outcome, stage="verify", results=tuple({"node_id": node, "status": status} for node in nodes))


def test_without_budgets_nobody_is_held() -> None:
    assert over_budget(begun({"a": 1, "b": 1}), "w 1") == {}


def test_who_is_back_makes_room_and_who_failed_does_not() -> None:
    state = begun({"a": 1, "b": 2, "c": 3}, cluster=1)
    assert over_budget(state, "w 1") == {}
    ended(state, "a")
    checked(state, "b")
    assert over_budget(state, "w 1") == {}
    ended(state, "b", status="failed")
    checked(state, "c")
    assert over_budget(state, "w 1") == {"c": "cluster db: 1 of 3 nodes are out of service, the limit is 1"}


def test_who_is_drained_or_did_not_come_into_service_takes_room() -> None:
    state = begun({"a": 1, "b": 2}, zone=1)
    event(state, Prepared, what="drained", nodes=("a",))
    ended(state, "a")
    checked(state, "b")
    assert list(over_budget(state, "w 1")) == ["b"]
    event(state, Restored, what="drained", nodes=("a",), problems={"a": "unhealthy"})
    assert list(over_budget(state, "w 1")) == ["b"]


def test_who_was_never_touched_takes_none() -> None:
    state = begun({"a": 1, "b": 2}, rollout=1)
    ended(state, "a", status="skipped")
    checked(state, "b")
    assert over_budget(state, "w 1") == {}


def test_who_is_under_work_takes_room_and_who_was_refused_takes_none_before_its_final_record() -> None:
    state = begun({"a": 1, "b": 1, "c": 1}, rollout=1)
    event(state, Outcome, stage="patch", results=({"node_id": "a", "status": "skipped"},))
    assert list(over_budget(state, "w 1")) == ["c"]
    event(state, Outcome, stage="patch", results=({"node_id": "b", "status": "succeeded"},))
    assert list(over_budget(state, "w 1")) == ["c"]
    ended(state, "b")
    assert over_budget(state, "w 1") == {}


def test_who_may_be_taken_down_already_takes_room_and_who_is_refused_anyway_takes_none() -> None:
    state = begun({"a": 1, "b": 1, "c": 1}, rollout=1)
    assert set(over_budget(state, "w 1", taken={"c"})) == {"a", "b"}
    assert set(over_budget(state, "w 1", without={"a"})) == {"c"}


def test_each_turn_is_a_batch_of_one_host_whoever_patches_its_nodes() -> None:
    state = begun({"a": 1, "dc-1": 1, "b": 2})
    found = play_order(state)
    assert [row["host"] for row in found["play_hosts"]] == ["wave_1_w_1_turn_1", "wave_1_w_1_turn_2"]
    assert found["serial"] == [1]
    assert [(row["first_turn"], row["last_turn"]) for row in found["play_hosts"]] == [
        (True, False),
        (False, True),
    ]


def test_after_a_crash_only_what_is_left_has_batches_and_the_gate_always_has_one() -> None:
    state = begun({"a": 1, "dc-1": 1, "b": 2})
    ended(state, "a", "dc-1")
    found = play_order(state)["play_hosts"]
    assert [(row["host"], row["first_turn"], row["last_turn"]) for row in found] == [("wave_1_w_1_turn_2", True, True)]
    ended(state, "b")
    assert [row["host"] for row in play_order(state)["play_hosts"]] == ["wave_1_w_1_turn_2"]
    assert overview(state)["waves"] == [{"name": "w 1", "status": "running", "nodes": 3, "due": {}}]


LIMIT = st.none() | st.integers(1, 3) | st.sampled_from(["20%", "50%"])
PLACES = st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(["", "x", "y"])), min_size=1, max_size=14)


@given(places=PLACES, data=st.data(), rollout=LIMIT, zone=LIMIT, cluster=LIMIT)
def test_no_budget_is_ever_exceeded_whoever_fails(
    places: list[tuple[str, str]], data: st.DataObject, rollout: Any, zone: Any, cluster: Any
) -> None:
    """A whole wave by its turns with failures at random: what is down or failed stays within every budget."""
    limits = {"rollout": rollout, "zone": zone, "cluster": cluster}
    state = planned(places, limits)
    for turn in range(1, state.waves["w"].turns + 1):
        members = [node for node, found in state.nodes.items() if found.turn == turn]
        results = tuple({"node_id": node, "outcome": "pass"} for node in members)
        apply(state, Outcome(wave="w", stage="precheck", results=results), "now")
        held = over_budget(state, "w")
        skipped = tuple({"node_id": node, "status": "skipped"} for node in held)
        apply(state, Outcome(wave="w", stage="verify", results=skipped), "now")
        taken = due_nodes(state, "w", "patch")
        assert set(taken) == set(members) - set(held)
        if taken:
            intent = Intent(wave="w", stage="patch", attempt=1, nodes=tuple(taken), token=str(turn))
            apply(state, intent, "now")
        check_budgets(state, limits, down=set(taken))
        ends = [data.draw(st.sampled_from(["succeeded", "failed", "timed_out"])) for _node in taken]
        rows = tuple({"node_id": node, "status": status} for node, status in zip(taken, ends, strict=True))
        apply(state, Outcome(wave="w", stage="verify", results=rows), "now")
        check_budgets(state, limits, down=set())
    assert all(node.stage == DONE for node in state.nodes.values())


def planned(places: list[tuple[str, str]], limits: dict[str, Any]) -> Rollout:
    candidates = [
        Candidate(node_id=f"n{number}", host="", zone=zone, tags={"C": cluster} if cluster else {})
        for number, (zone, cluster) in enumerate(places)
    ]
    turns = Turns(candidates, BudgetRules(**limits), "C").assign(candidates)
    nodes = [
        {"node_id": item.node_id, "zone": item.zone, "cluster": item.tags.get("C", ""), "turn": turns[item.node_id]}
        for item in candidates
    ]
    wave = {"name": "w", "turns": max(turns.values()), "nodes": nodes}
    state = initial({"digest": "d", "rules": {"budgets": limits}, "waves": [wave]})
    for begun in (started("d"), Claimed(wave="w", nodes=tuple(turns)), WaveStarted(wave="w")):
        apply(state, begun, "now")
    return state


def check_budgets(state: Rollout, limits: dict[str, Any], *, down: set[str]) -> None:
    nodes = state.plan["waves"][0]["nodes"]
    failed = {key for key, item in state.nodes.items() if (item.final or {}).get("status") in ("failed", "timed_out")}
    for scope, limit in limits.items():
        for name in {node.get(scope, "") for node in nodes} - ({""} if scope != "rollout" else set()):
            members = {node["node_id"] for node in nodes if scope == "rollout" or node[scope] == name}
            used = members & (down | failed)
            assert limit is None or len(used) <= to_count(limit, len(members)), (scope, name)
