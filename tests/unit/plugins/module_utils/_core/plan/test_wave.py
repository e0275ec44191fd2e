# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan says of its waves besides who is in them: turns, capacity, quotas, nodes that will be started."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.wave import is_stopped
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy

ALL = {"name": "all", "select": {"platforms": ["linux"]}}
POLICY: dict[str, Any] = {
    "name": "p",
    "baselines": [{"name": "b", "operating_system": "DEBIAN", "default": True}],
    "tags": {"cluster": "Cluster"},
    "windows": [{"name": "night", "schedule": "cron(0 20 * * ? *)", "duration_hours": 2, "cutoff_hours": 1}],
    "waves": [{**ALL, "window": "night"}],
    "gates": {},
    "reboot": {"rule": "if_required"},
    "patching": {"pin": "baseline", "expected_minutes": {"linux": 15}, "retries": {"delivery": 1, "execution": 0}},
    "stopped_nodes": {"start": True, "select": {"tags": {"Environment": "dev"}}},
}


def candidate(number: int, **more: Any) -> Candidate:
    place = {"account": "1" * 12, "region": "eu-central-1", "executor": "ssm", "platform": "linux"}
    given = {"node_id": f"i-{number}", "host": f"h{number}", "state": "running", "ping_status": "Online", **place}
    return Candidate(**{**given, **more})


def plan_of(*nodes: Candidate, **changes: Any) -> dict[str, Any]:
    scan = {
        "nodes": {node.node_id: {"status": "succeeded", "missing": [{"id": "a"}]} for node in nodes},
        "failed_places": [],
    }
    for node in nodes:
        if node.state != "running":
            del scan["nodes"][node.node_id]
    policy = {**deepcopy(POLICY), **changes}
    return build_plan(
        nodes,
        to_policy(policy),
        scan,
        policy_digest="d",
        created_at="2026-06-01T12:00:00Z",
        rollout="5eed" * 8,
    )


def test_a_stopped_instance_is_planned_though_nobody_knows_what_it_lacks() -> None:
    stopped = {"state": "stopped", "ping_status": "ConnectionLost"}
    plan = plan_of(candidate(1, **stopped, tags={"Environment": "dev"}), candidate(2, **stopped))
    (node,) = plan["waves"][0]["nodes"]
    assert (node["node_id"], node["start"], node["patch_count"], node["reboot"]) == ("i-1", True, 0, "unknown")
    assert [(row["node_id"], row["code"]) for row in plan["excluded"]] == [("i-2", "stopped")]


@pytest.mark.parametrize(
    "change", [{"node_id": "mi-1"}, {"state": "stopping"}, {"executor": "linux"}, {"tags": {"Environment": "prod"}}]
)
def test_only_what_can_and_shall_be_started_is_planned(change: dict[str, Any]) -> None:
    given = {"state": "stopped", "ping_status": "ConnectionLost", "tags": {"Environment": "dev"}, **change}
    assert plan_of(candidate(1, **given))["totals"]["nodes"] == 0


def test_turns_clusters_and_rules_are_frozen() -> None:
    budgets = {"cluster": 1, "rollout": None, "wave": None, "zone": None, "quorum": []}
    nodes = [candidate(n, tags={"Cluster": "db"}, zone="eu-central-1a") for n in range(2)]
    plan = plan_of(*nodes, budgets=budgets)
    wave = plan["waves"][0]
    assert (wave["turns"], sorted(node["turn"] for node in wave["nodes"])) == (2, [1, 2])
    assert {(node["cluster"], node["zone"]) for node in wave["nodes"]} == {("db", "eu-central-1a")}
    assert plan["rules"]["retries"] == {"delivery": 1, "execution": 0}
    assert plan["rules"]["budgets"] == {"cluster": 1, "rollout": None, "wave": None, "zone": None}


def test_turns_follow_each_other_and_what_does_not_fit_goes_on_the_next_night() -> None:
    """Fifteen minutes each, one after the other, in the 60 minutes before the cutoff: the fifth would end too late."""
    plan = plan_of(*(candidate(n) for n in range(5)), budgets={"rollout": 1})
    wave, capacity = plan["waves"][0], plan["waves"][0]["capacity"]
    assert [(night["start"][:13], night["turns"], night["nodes"]) for night in wave["nights"]] == [
        ("2026-06-01T20", [1, 2, 3, 4], 4),
        ("2026-06-02T20", [5], 1),
    ]
    assert (capacity["needed_minutes"], capacity["usable_minutes"], capacity["fits"]) == (75, 120, True)
    text = "5 nodes, 1 at a time, need 75 minutes; 2 nights, with 4 and 1 nodes, have 120 before their cutoffs"
    assert (capacity["text"], plan["warnings"]) == (text, [])


def test_a_node_that_fits_into_no_night_is_left_out_by_name_and_warned_of() -> None:
    patching = {"pin": "baseline", "expected_minutes": {"linux": 15, "windows": 61}}
    waves = [{"name": "all", "window": "night"}]
    plan = plan_of(candidate(1), candidate(2, platform="windows"), patching=patching, waves=waves)
    (row,) = plan["excluded"]
    text = "it needs 61 minutes, and window night has 60 before its cutoff"
    assert (row["node_id"], row["code"], row["reason"]) == ("i-2", "no_night", text)
    assert plan["warnings"][0].startswith("Wave all does not fit its windows: 1 node, ")


def test_a_count_of_concurrency_is_meant_for_each_command() -> None:
    patching = {**POLICY["patching"], "max_concurrency": 10}
    windows = [{**POLICY["windows"][0], "duration_hours": 4}]
    found = plan_of(*(candidate(n) for n in range(100)), patching=patching, windows=windows)["waves"][0]["capacity"]
    assert (found["concurrency"], found["needed_minutes"]) == (20, 75)


def test_a_wave_without_a_window_always_fits() -> None:
    capacity = plan_of(candidate(1), waves=[ALL])["waves"][0]["capacity"]
    assert capacity["fits"] and capacity["usable_minutes"] is None


@pytest.mark.parametrize(
    ("count", "change", "words"),
    [
        (2401, {}, "the default quota is 2,400 managed nodes"),
        (1001, {"prefix": "mi-"}, "more than 1,000 require the advanced tier"),
        (1001, {}, "Wave all works on 1,001 nodes at once"),
    ],
)
def test_quotas_are_named_before_the_night(count: int, change: dict[str, str], words: str) -> None:
    prefix = change.get("prefix", "i-")
    plan = plan_of(*(candidate(n, node_id=f"{prefix}{n}") for n in range(count)), waves=[ALL])
    assert any(words in text for text in plan["warnings"]), plan["warnings"]
    fewer = plan_of(*(candidate(n, node_id=f"{prefix}{n}") for n in range(1000)), waves=[ALL])
    assert fewer["warnings"] == []


def test_a_wave_may_take_only_what_was_missed() -> None:
    waves = [{"name": "missed", "select": {"missed": True}}, {"name": "rest"}]
    plan = plan_of(candidate(1), candidate(2, missed=True), waves=waves)
    assert [[node["node_id"] for node in wave["nodes"]] for wave in plan["waves"]] == [["i-2"], ["i-1"]]


VM = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/web"


@pytest.mark.parametrize(
    ("node_id", "state", "executor", "starts"),
    [
        (VM, "deallocated", "azure", True),
        (VM, "stopped", "azure", False),
        (VM.replace("compute/virtualmachines", "hybridcompute/machines"), "deallocated", "azure", False),
        (VM, "deallocated", "", False),
        ("i-1", "stopped", "ssm", True),
        ("i-1", "deallocated", "ssm", False),
        ("mi-1", "stopped", "ssm", False),
    ],
)
def test_what_can_be_started(node_id: str, state: str, executor: str, starts: bool) -> None:
    assert is_stopped(Candidate(node_id=node_id, host="h", executor=executor, state=state)) is starts
