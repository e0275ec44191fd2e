# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan and waves: the same world gives the same plan, and an edited plan is not run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate, Select, matches
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import (
    build_plan,
    check_plan,
    seal,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.wave import reboot_forecast
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.waves import assign, spread, to_size
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import Wave, to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.read import read
from hypothesis import given
from hypothesis import strategies as st

POLICY: dict[str, Any] = {
    "name": "p",
    "waves": [{"name": "canary", "size": "10%"}, {"name": "rest"}],
    "gates": {"max_failure_rate": "10%"},
    "reboot": {"rule": "if_required"},
    "patching": {"expected_minutes": {"linux": 15, "windows": 40}},
}


def node(number: int | str, **more: Any) -> Candidate:
    given = {"executor": "ssm", "platform": "linux", "account": "1", "region": "r", "state": "running", **more}
    return Candidate(
        node_id=f"i-{number}", host=f"host-{number}", ping_status=given.pop("ping_status", "Online"), **given
    )


def scanned(*patches: str, **more: Any) -> dict[str, Any]:
    return {"status": "succeeded", "missing": [{"id": patch, "title": patch} for patch in patches], **more}


def plan_of(nodes: list[Candidate], scans: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    policy = {**POLICY, **more.pop("policy", {})}
    found = {item.node_id: scanned("curl.x86_64:1") for item in nodes} if scans is None else scans
    scan = {"nodes": found, "failed_places": more.pop("failed_places", [])}
    return build_plan(
        nodes,
        to_policy(policy),
        scan,
        **{"policy_digest": "d", "created_at": "2026-06-01T12:00:00Z", "rollout": "5eed" * 8, **more},
    )


@given(order=st.permutations(range(25)), created=st.sampled_from(["2026-07-01T12:00:00Z", "2027-01-01T00:00:00Z"]))
def test_the_content_digest_depends_on_neither_order_nor_time(order: list[int], created: str) -> None:
    nodes = [node(number) for number in range(25)]
    again = plan_of([nodes[number] for number in order], created_at=created)
    first = plan_of(nodes)
    assert again["content_digest"] == first["content_digest"] and again["digest"] != first["digest"]
    assert again["waves"] == first["waves"]


@pytest.mark.parametrize(
    "change",
    [
        {"scans": {"i-1": scanned("curl.x86_64:2")}},
        {"scans": {"i-1": scanned()}},
        {"policy_digest": "other"},
        {"rehearsal": True},
        {"policy": {"reboot": {"rule": "never"}}},
        {"policy": {"gates": {"max_failure_rate": "11%"}}},
    ],
)
def test_both_digests_change_with_what_will_happen(change: dict[str, Any]) -> None:
    changed, before = plan_of([node(1)], **change), plan_of([node(1)])
    assert changed["digest"] != before["digest"] and changed["content_digest"] != before["content_digest"]


def test_each_plan_of_an_unchanged_world_needs_an_approval_of_its_own() -> None:
    one, other = plan_of([node(1)]), plan_of([node(1)], rollout="beef" * 8)
    assert one["content_digest"] == other["content_digest"] and one["digest"] != other["digest"]


def edits(plan: dict[str, Any]) -> list[dict[str, Any]]:
    moved = json.loads(json.dumps(plan))
    moved["waves"][1]["nodes"].append(moved["waves"][0]["nodes"].pop())
    looser = json.loads(json.dumps(plan))
    looser["waves"][0]["gate"]["max_failure_rate"] = 1.0
    left_out = {"node_id": "x", "host": "x", "name": "x", "code": "policy", "reason": ""}
    renewed = [{**plan, "rollout": "beef" * 8}, {**plan, "created_at": "2026-06-01T12:00:01Z"}]
    digests = [{**plan, name: "0" * 64} for name in ("digest", "content_digest")]
    return [moved, looser, {**plan, "excluded": [left_out]}, *digests, *renewed]


def test_an_edited_plan_is_refused() -> None:
    plan = plan_of([node(number) for number in range(4)])
    check_plan(plan)
    for edited in edits(plan):
        with pytest.raises(BadInput, match="changed after"):
            check_plan(edited)
    with pytest.raises(BadInput, match="a plan of the schema"):
        check_plan(seal({**plan, "schema": "patchtide/scan/1"}))
    for name in ("/../../../x", "0" * 12, "5EED" * 8, "5eed" * 8 + "\n", "", None):
        with pytest.raises(BadInput, match=r"plan\.rollout: .* expected 32 hexadecimal digits"):
            check_plan(seal({**plan, "rollout": name}))


@pytest.mark.parametrize(
    ("member", "value", "where"),
    [
        ("name", "canary\n", "name"),
        ("name", "", "name"),
        ("nodes", {}, "nodes"),
        ("window", {"start": "soon", "end": "x", "cutoff_at": "x"}, "window.start"),
        ("turns", 10**400, "turns"),
        ("soak_minutes", float("inf"), "soak_minutes"),
    ],
)
def test_a_resealed_plan_of_another_shape_is_refused_with_the_place(member: str, value: object, where: str) -> None:
    plan = plan_of([node(1)])
    broken = [{**plan["waves"][0], member: value}, *plan["waves"][1:]]
    with pytest.raises(BadInput) as caught:
        check_plan({**plan, "waves": broken}, "plan.json")
    assert caught.value.option == f"plan.json.waves[0].{where}"


def test_a_node_or_a_wave_that_is_there_twice_is_refused() -> None:
    plan = plan_of([node(number) for number in range(4)])
    with pytest.raises(BadInput, match="each wave once"):
        check_plan(seal({**plan, "waves": [*plan["waves"], plan["waves"][0]]}))
    nodes = [item for wave in plan["waves"] for item in wave["nodes"]]
    with pytest.raises(BadInput, match="each node once"):
        check_plan(seal({**plan, "waves": [{**plan["waves"][0], "nodes": [*nodes, nodes[0]]}]}))


@pytest.mark.parametrize(
    ("candidate", "scan", "code", "reason"),
    [
        (node(1, managed=False), scanned("x"), "unmanaged", "not managed by Systems Manager"),
        (node(1, executor="sms"), scanned("x"), "not_served", "(did you mean 'ssm'?)"),
        (node(1, executor="satellite", state="VM running"), None, "not_served", "which serves azure, linux, ssm"),
        (node(1), {"status": "failed", "error": {"code": "not_served", "text": "pip"}}, "not_served", "pip"),
        (
            node(1, executor="sms", application="sap", tags={"Application": "sap"}),
            None,
            "policy",
            "the SAP team patches",
        ),
        (node(1, state="stopped"), scanned("x"), "stopped", "the instance is stopped"),
        (node(1, ping_status="ConnectionLost"), scanned("x"), "offline", "ConnectionLost"),
        (node(1), None, "not_scanned", "not in the scan"),
        (node(1), {"status": "failed", "error": {"text": "no repo"}}, "scan_failed", "no repo"),
        (node(1), {"status": "timed_out"}, "scan_failed", "timed_out"),
        (node(1), scanned(), "nothing_to_install", "no approved patch is missing"),
        (node(1, application="sap", tags={"Application": "sap"}), scanned("x"), "policy", "the SAP team patches"),
        (node(1, platform="windows"), scanned("x"), "no_wave", "no wave selects"),
    ],
)
def test_who_is_left_out_and_why(candidate: Candidate, scan: Any, code: str, reason: str) -> None:
    exclude = [{"select": {"applications": ["sap"]}, "reason": "the SAP team patches"}]
    policy = {"exclude": exclude, "waves": [{"name": "w", "select": {"platforms": ["linux"]}}]}
    plan = plan_of([candidate], {"i-1": scan} if scan else {}, policy=policy)
    assert [row["code"] for row in plan["excluded"]] == [code]
    assert reason in plan["excluded"][0]["reason"]
    assert plan["totals"] == {"nodes": 0, "patches": 0, "reboots": 0, "excluded": 1}


def test_a_place_that_could_not_be_scanned_is_the_reason() -> None:
    lost = [{"place": "1/r", "error": {"message": "AccessDenied: no"}}]
    plan = plan_of([node(1)], {}, failed_places=lost)
    assert plan["excluded"][0]["reason"] == "AccessDenied: no"


def test_a_node_that_only_waits_for_its_reboot_is_planned() -> None:
    plan = plan_of([node(1)], {"i-1": scanned(pending_reboot=True)})
    assert plan["totals"]["nodes"] == 1


@pytest.mark.parametrize(
    ("platform", "patches", "rule", "forecast"),
    [
        ("linux", ["kernel-6.1"], "if_required", "yes"),
        ("linux", ["linux-image-6.1.0-56-amd64"], "if_required", "yes"),
        ("linux", ["curl"], "if_required", "unknown"),
        ("linux", [], "if_required", "unknown"),
        ("linux", ["curl"], "if_patched", "yes"),
        ("linux", [], "always", "yes"),
        ("windows", ["KB5044281"], "if_required", "yes"),
        ("windows", ["KB5044281"], "never", "no"),
    ],
)
def test_reboot_forecast(platform: str, patches: list[str], rule: str, forecast: str) -> None:
    assert reboot_forecast(platform, patches, rule) == forecast


def test_a_nodes_own_reboot_rule_comes_before_the_waves() -> None:
    reboot = {"rule": "if_required", "overrides": [{"select": {"nodes": ["i-1"]}, "rule": "never"}]}
    plan = plan_of([node(1), node(2)], policy={"reboot": reboot, "waves": [{"name": "w", "reboot": "always"}]})
    forecast = {row["node_id"]: (row.get("reboot_rule"), row["reboot"]) for row in plan["waves"][0]["nodes"]}
    assert forecast == {"i-1": ("never", "no"), "i-2": (None, "yes")}


@pytest.mark.parametrize(
    ("select", "fits"),
    [
        ({}, True),
        ({"accounts": ["1", "2"]}, True),
        ({"accounts": ["2"]}, False),
        ({"accounts": ["1"], "platforms": ["windows"]}, False),
        ({"nodes": ["host-1"]}, True),
        ({"nodes": ["i-1"]}, True),
        ({"groups": ["web"]}, True),
        ({"tags": {"Environment": "dev"}}, True),
        ({"tags": {"Environment": ["prod", "dev"]}}, True),
        ({"tags": {"Environment": "d"}}, False),
        ({"tags": {"environment": "dev"}}, False),
        ({"tags": {"Environment": "dev", "Owner": "x"}}, False),
    ],
)
def test_selection(select: dict[str, Any], fits: bool) -> None:
    candidate = node(1, tags={"Environment": "dev"}, groups=frozenset({"web"}))
    assert matches(candidate, read(Select, select)) is fits


@pytest.mark.parametrize(
    ("size", "available", "takes"),
    [(None, 7, 7), (5, 7, 5), (9, 7, 7), ("5", 7, 5), ("10%", 7, 1), ("50%", 7, 4), ("100%", 7, 7), ("1%", 0, 0)],
)
def test_sizes_are_counts_or_percentages_rounded_up(size: Any, available: int, takes: int) -> None:
    assert to_size(size, available) == takes


@pytest.mark.parametrize("size", [0, -1, "0%", "101%", "ten", "5.5", "", "%", True, "²"])
def test_other_sizes_are_refused(size: Any) -> None:
    with pytest.raises(BadInput, match="a percentage such as 10%"):
        to_size(size, 10)


@given(count=st.integers(0, 60), percent=st.integers(1, 100))
def test_every_node_is_in_exactly_one_wave_or_left(count: int, percent: int) -> None:
    nodes = [node(number) for number in range(count)]
    waves = [
        {"name": "a", "size": f"{percent}%"},
        {"name": "b", "size": 5},
        {"name": "c", "select": {"accounts": ["2"]}},
    ]
    taken, left = assign(nodes, [read(Wave, wave) for wave in waves], "seed")
    everybody = [item.node_id for part in (*taken, left) for item in part]
    assert sorted(everybody) == sorted(item.node_id for item in nodes)
    assert len(taken[0]) == -(-count * percent // 100) and taken[2] == []


def test_a_first_part_is_drawn_from_everywhere() -> None:
    nodes = [node(f"{account}-{number}", account=account) for account in "abcd" for number in range(100)]
    first = spread(nodes, "seed")[:80]
    assert all(10 <= sum(item.account == account for item in first) <= 30 for account in "abcd")
    assert spread(reversed(nodes), "seed") == spread(nodes, "seed") != spread(nodes, "other")


def test_a_new_node_does_not_reshuffle_the_others() -> None:
    nodes = [node(number) for number in range(30)]
    before = [item.node_id for item in spread(nodes, "seed")]
    after = [item.node_id for item in spread([*nodes, node("new")], "seed") if item.node_id != "i-new"]
    assert before == after
