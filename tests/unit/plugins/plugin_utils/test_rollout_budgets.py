# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets of a running rollout: who failed, or is not back in service, goes on using them. And the play's batches."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout import apply
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout_state import Rollout, initial
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.play_order import overview, play_order
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout_budgets import over_budget


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
    event(state, "rollout_started", plan_digest="d")
    event(state, "claimed", nodes=list(turns))
    event(state, "wave_started")
    checked(state, *(name for name, turn in turns.items() if turn == 1))
    return state


def event(state: Rollout, kind: str, **data: Any) -> None:
    apply(state, kind, {"wave": "w 1", **data}, "now")


def checked(state: Rollout, *nodes: str) -> None:
    event(state, "outcome", stage="precheck", results=[{"node_id": node, "verdict": "pass"} for node in nodes])


def ended(state: Rollout, *nodes: str, status: str = "succeeded") -> None:
    event(state, "outcome", stage="verify", results=[{"node_id": node, "status": status} for node in nodes])


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
    assert over_budget(state, "w 1") == {"c": "cluster db: 1 of 3 nodes are down or failed, 1 may be at once"}


def test_who_is_drained_or_did_not_come_into_service_takes_room() -> None:
    state = begun({"a": 1, "b": 2}, zone=1)
    event(state, "borrowed", what="drained", nodes=["a"])
    ended(state, "a")
    checked(state, "b")
    assert list(over_budget(state, "w 1")) == ["b"]
    event(state, "returned", what="drained", nodes=["a"], problems={"a": "unhealthy"})
    assert list(over_budget(state, "w 1")) == ["b"]


def test_who_was_never_touched_takes_none() -> None:
    state = begun({"a": 1, "b": 2}, rollout=1)
    ended(state, "a", status="skipped")
    checked(state, "b")
    assert over_budget(state, "w 1") == {}


def test_each_turn_is_a_batch_with_a_coordinator_before_its_direct_hosts() -> None:
    state = begun({"a": 1, "dc-1": 1, "b": 2})
    found = play_order(state)
    assert [row["host"] for row in found["play_hosts"]] == ["wave_1_w_1_turn_1", "dc-1", "wave_1_w_1_turn_2"]
    assert found["serial"] == [2, 1]
    assert [(row["first_turn"], row["last_turn"]) for row in found["play_hosts"]] == [(True, False)] * 2 + [
        (False, True)
    ]


def test_after_a_crash_only_what_is_left_has_batches_and_the_gate_always_has_one() -> None:
    state = begun({"a": 1, "dc-1": 1, "b": 2})
    ended(state, "a", "dc-1")
    found = play_order(state)["play_hosts"]
    assert [(row["host"], row["first_turn"], row["last_turn"]) for row in found] == [("wave_1_w_1_turn_2", True, True)]
    ended(state, "b")
    assert [row["host"] for row in play_order(state)["play_hosts"]] == ["wave_1_w_1_turn_2"]
    assert overview(state)["waves"] == [{"name": "w 1", "status": "running", "nodes": 3, "due": {}}]
