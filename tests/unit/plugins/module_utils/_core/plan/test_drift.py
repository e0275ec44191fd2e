# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift: what differs is found and named, and the tolerance has exact bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.drift import (
    Drift,
    PlanDrifted,
    check_drift,
    check_policy_digest,
    find_drift,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.run_rules import DriftTolerance
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy

POLICY = to_policy({"exclude": [], "stopped_nodes": {"start": True, "select": {}}})


def now(number: int, **more: Any) -> Candidate:
    known = {"executor": "ssm", "platform": "linux", "account": "1", "region": "r", "patch_group": "WEB"}
    return Candidate(**{"node_id": f"i-{number}", "host": f"h{number}", "name": f"web-{number}", **known, **more})


def planned(number: int, **more: Any) -> dict[str, Any]:
    members = ("node_id", "host", "name", "executor", "platform", "account", "region", "patch_group")
    node = {name: getattr(now(number), name) for name in members}
    return {**node, "patches": [{"id": "curl"}, {"id": "bash"}], "patch_count": 2, **more}


def plan(*nodes: Mapping[str, Any], excluded: tuple[str, ...] = ()) -> dict[str, Any]:
    left_out = [{"node_id": node_id} for node_id in excluded]
    return {"waves": [{"name": "all", "nodes": list(nodes)}], "excluded": left_out, "policy": {"digest": "d" * 64}}


def scan(**missing: list[str]) -> dict[str, Any]:
    nodes = {
        f"i-{key[1:]}": {"status": "succeeded", "missing": [{"id": patch} for patch in patches]}
        for key, patches in missing.items()
    }
    return {"nodes": nodes}


def test_nothing_differs() -> None:
    drift = find_drift(
        plan(planned(1)), [now(1, state="running", ping_status="Online")], POLICY, scan(n1=["bash", "curl"])
    )
    assert not drift.any and (drift.planned_nodes, drift.planned_patches, drift.new) == (1, 2, 0)
    check_drift(drift, DriftTolerance(nodes=0, patches="0%"))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([], "no longer in the inventory"),
        ([now(1, executor="linux")], "executor ssm → linux"),
        ([now(1, platform="windows", patch_group="")], "platform linux → windows, patch group WEB → none"),
        ([now(1, account="2")], "account 1 → 2"),
        ([now(1, region="s")], "region r → s"),
        ([now(1, state="terminated")], "the instance is terminated"),
        ([now(1, state="stopped")], "the instance is stopped and the plan does not start it"),
        ([now(1, ping_status="ConnectionLost")], "the agent is not online (ConnectionLost)"),
        ([now(1, managed=False)], "not managed by Systems Manager"),
    ],
)
def test_how_a_node_differs(found: list[Candidate], told: str) -> None:
    drift = find_drift(plan(planned(1)), found, POLICY, None)
    assert [dict(item) for item in drift.nodes] == [{"node_id": "i-1", "name": "web-1", "text": told}]


def test_a_node_that_the_policy_now_excludes_differs() -> None:
    policy = to_policy({"exclude": [{"select": {"nodes": ["h1"]}, "reason": "sold"}]})
    assert find_drift(plan(planned(1)), [now(1)], policy, None).nodes[0]["text"] == "sold"


def test_a_stopped_node_that_the_plan_starts_is_as_planned() -> None:
    one = plan(planned(1, state="stopped", start=True))
    assert not find_drift(one, [now(1, state="stopped")], POLICY, None).any
    assert not find_drift(one, [now(1, state="running", ping_status="Online")], POLICY, None).any


def test_nodes_newer_than_the_plan_are_counted_and_do_not_count_against_it() -> None:
    drift = find_drift(plan(planned(1), excluded=("i-2",)), [now(1), now(2), now(3)], POLICY, None)
    assert drift.new == 1 and not drift.any


def test_the_nodes_of_other_child_plans_are_not_new() -> None:
    child = {**plan(planned(1)), "part": {"name": "01-a"}}
    assert find_drift(child, [now(1), now(2)], POLICY, None).new == 0


def test_what_an_emergency_leaves_for_later_is_not_new() -> None:
    drift = find_drift(plan(planned(1, deferred=["git"])), None, POLICY, scan(n1=["bash", "curl", "git", "vim"]))
    assert drift.patches == 1 and drift.patched[0]["text"] == "1 new patches"


def test_without_the_inventory_only_patches_are_compared() -> None:
    drift = find_drift(plan(planned(1)), None, POLICY, scan(n1=["curl"]))
    assert (drift.nodes, drift.new, drift.patches, drift.planned_nodes) == ((), 0, 1, 1)


def test_patches_that_are_new_or_gone() -> None:
    drift = find_drift(plan(planned(1), planned(2)), [now(1), now(2)], POLICY, scan(n1=["curl", "vim", "ssl"], n2=[]))
    assert (drift.patches, drift.planned_patches) == (5, 4)
    assert [item["text"] for item in drift.patched] == [
        "2 new, 1 no longer missing patches",
        "2 no longer missing patches",
    ]


@pytest.mark.parametrize(
    "record", [None, {"status": "failed", "missing": []}, {"status": "unreachable", "missing": [{"id": "x"}]}]
)
def test_what_the_scan_does_not_know_is_not_compared(record: dict[str, Any] | None) -> None:
    found = {"nodes": {"i-1": record} if record else {}}
    assert find_drift(plan(planned(1)), [now(1)], POLICY, found).patches == 0


def test_patches_of_a_node_of_which_only_their_number_is_planned_are_not_compared() -> None:
    assert find_drift(plan(planned(1, patches=[])), [now(1)], POLICY, scan(n1=["x"])).patches == 0


@pytest.mark.parametrize(
    ("tolerance", "total", "allowed"),
    [("10%", 20, 2), ("10%", 21, 3), ("10%", 1, 1), ("0%", 50, 0), (0, 50, 0), (3, 50, 3), ("100%", 5, 5)],
)
@pytest.mark.parametrize("what", ["nodes", "patches"])
def test_the_tolerance_has_exact_bounds(what: str, tolerance: int | str, total: int, allowed: int) -> None:
    def of(count: int) -> Drift:
        notes = tuple({"node_id": f"i-{index}", "name": f"web-{index}", "text": "is gone"} for index in range(count))
        sizes: dict[str, Any] = {f"planned_{what}": total}
        return Drift(nodes=notes, **sizes) if what == "nodes" else Drift(patched=notes, patches=count, **sizes)

    other = {"nodes": None, "patches": None}
    check_drift(of(allowed), DriftTolerance(**{**other, what: tolerance}))
    with pytest.raises(
        PlanDrifted, match=rf"{allowed + 1} of {total} planned {what} differ.*web-0: is gone.*Create a new plan"
    ):
        check_drift(of(allowed + 1), DriftTolerance(**{**other, what: tolerance}))
    check_drift(of(total), DriftTolerance(**{**other, what: None}))


def test_the_first_few_nodes_are_named() -> None:
    drift = find_drift(plan(*(planned(number) for number in range(9))), [now(0)], POLICY, None)
    with pytest.raises(
        PlanDrifted, match=r"web-1: no longer.*web-2: no longer.*web-3: no longer.*and 5 more nodes"
    ) as caught:
        check_drift(drift, DriftTolerance(nodes="10%"))
    assert "web-4" not in str(caught.value)


def test_a_plan_of_another_policy_is_refused() -> None:
    check_policy_digest(plan(), "d" * 64)
    with pytest.raises(
        PlanDrifted, match=r"changed after the plan.*Create a new plan. To run this one, set allow_changed_policy"
    ):
        check_policy_digest(plan(), "e" * 64)
