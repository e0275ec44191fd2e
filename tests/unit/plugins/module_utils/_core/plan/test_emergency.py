# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emergency plan: findings whose limit passes before the next window of their node, their patches, and no more."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.emergency import Urgent, choose, narrow
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan, check_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.emergency import in_emergency, policy_of
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import Emergency, Policy, to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.read import read
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.text import plan_to_text

#: Monday noon. The window is on Saturday, 5 December, from 22:00 to 02:00 on the 6th.
NOW = "2026-11-30T12:00:00.000Z"
END = datetime(2027, 1, 14, tzinfo=timezone.utc)
WINDOW = {"name": "sat", "schedule": "cron(0 22 ? * SAT *)", "duration_hours": 4, "cutoff_hours": 1}
RULES: dict[str, Any] = {"severity_sla": {"critical": 7}, "kev": True, "cves": ["CVE-2026-9999"]}


def policy(**more: Any) -> Policy:
    waves = [{"name": "canary", "select": {"nodes": ["h-0"]}, "window": "sat", "soak_minutes": 30}]
    waves += [{"name": "rest", "select": {"platforms": ["linux"]}, "window": "sat", "promote_from": "canary"}]
    lists = {"list_url": "https://lists.example/"}
    return to_policy({"name": "p", "waves": waves, "windows": [WINDOW], "patching": lists, "emergency": RULES, **more})


def node(number: int, **more: Any) -> Candidate:
    known = {"executor": "linux", "platform": "linux", "state": "running", **more}
    return Candidate(node_id=f"n-{number}", host=f"h-{number}", name=f"web-{number}", **known)


def finding(number: int, **more: Any) -> dict[str, Any]:
    row = {"node_id": f"n-{number}", "finding_id": "Q1", "status": "open", "remediation": "patch", "kev": None}
    row |= {"patches": ["openssl"], "cves": ["CVE-2026-1000"], "severity": "critical", "first_seen": "2026-11-28"}
    return {**row, **more}


def scan(*numbers: int, **more: Any) -> dict[str, Any]:
    missing = [{"id": "curl", "title": "curl"}, {"id": "openssl", "title": "openssl"}]
    record = {"status": "succeeded", "missing": missing, "counts": {"missing_count": 2, "failed_count": 1}, **more}
    return {"at": NOW, "digest": "d", "nodes": {f"n-{item}": record for item in numbers}, "failed_places": []}


def plans(
    nodes: list[Candidate], rows: list[dict[str, Any]], found: Policy | None = None, **record: Any
) -> tuple[dict[str, Any], Urgent]:
    """Return the emergency plan of some nodes, and what was chosen."""
    rules, seen = found or policy(), scan(*range(len(nodes)), **record)
    given: dict[str, Any] = {"policy_digest": "d", "created_at": NOW, "rollout": "5eed" * 8}
    ordinary = build_plan(nodes, rules, seen, **given)
    urgent = choose(rows, rules.emergency, ordinary, END)
    plan = build_plan(nodes, in_emergency(rules), seen, urgent=urgent, **given)
    check_plan(plan)
    return plan, urgent


def left_out(plan: dict[str, Any]) -> dict[str, str]:
    return {item["node_id"]: item["code"] for item in plan["excluded"]}


def test_it_has_only_the_urgent_patches_of_the_nodes_that_cannot_wait() -> None:
    """Seven days from 28 November end on 5 December, before the window does; of 30 November, after it."""
    rows = [finding(1), finding(1, finding_id="Q2", patches=[]), finding(2, first_seen="2026-11-30")]
    plan, _urgent = plans([node(0), node(1), node(2)], rows)
    canary, rest = plan["waves"]
    assert canary["nodes"] == [] and [item["node_id"] for item in rest["nodes"]] == ["n-1"]
    (found,) = rest["nodes"]
    assert [patch["id"] for patch in found["patches"]] == ["openssl"] and found["patch_count"] == 1
    assert found["deferred"] == ["curl"]
    due = {"due": "2026-12-06T00:00:00.000Z", "why": "CVE-2026-1000 (critical, limit 2026-12-05)", "findings": 2}
    assert found["urgent"] == due
    assert left_out(plan) == {"n-0": "not_urgent", "n-2": "can_wait"}
    assert "ends at 2026-12-06 02:00 UTC, and the first limit of its findings is 2026-12-07" in str(plan["excluded"])
    assert plan["emergency"] == {"findings": 2, "left_out": {"can_wait": 1}}


def test_it_begins_at_once_needs_no_canary_and_has_its_own_type_of_change() -> None:
    plan, _urgent = plans([node(0), node(1)], [finding(1)])
    assert plan["approval"]["change_type"] == "emergency"
    assert [wave["window"] for wave in plan["waves"]] == [None, None]
    assert not any("emptied" in wave or "promote_from" in wave for wave in plan["waves"])
    text = " ".join(plan_to_text(plan).split())
    assert "1 finding cannot wait for the next window of their nodes; the most urgent is CVE-2026-1000" in text


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, ""),
        ({"first_seen": "2026-11-29"}, "can_wait"),
        ({"first_seen": ""}, ""),
        ({"status": "unknown"}, ""),
        ({"severity": "high"}, "not_urgent"),
        ({"severity": "high", "kev": "2026-12-05"}, ""),
        ({"severity": "high", "kev": "2026-12-06"}, "can_wait"),
        ({"severity": "high", "kev": ""}, ""),
        ({"severity": "low", "cves": ["CVE-2026-1", "CVE-2026-9999"]}, ""),
        ({"status": "fixed"}, "not_urgent"),
        ({"status": "suppressed"}, "not_urgent"),
        ({"remediation": "other"}, "not_urgent"),
        ({"remediation": "unknown"}, "not_urgent"),
        ({"node_id": "n-0"}, "not_urgent"),
    ],
)
def test_which_findings_cannot_wait(more: dict[str, Any], code: str) -> None:
    plan, _urgent = plans([node(0), node(1)], [finding(1, **more)])
    assert left_out(plan).get("n-1", "") == code


def test_the_first_limit_of_a_finding_and_of_a_node_counts() -> None:
    rows = [finding(1, kev="2026-12-01"), finding(1, cves=["CVE-2026-2"], first_seen="2026-11-20")]
    _plan, urgent = plans([node(0), node(1)], rows)
    assert urgent.why["n-1"] == "CVE-2026-2 (critical, limit 2026-11-27)" and urgent.findings["n-1"] == 2
    assert plans([node(0), node(1)], rows[:1])[1].why["n-1"].endswith("limit 2026-12-01)")


def test_findings_that_are_not_in_the_plan_are_counted_by_reason() -> None:
    other = [{"remediation": "other"}, {"remediation": "unknown", "node_id": ""}, {"severity": "low"}]
    rows = [finding(1), *(finding(1, **more) for more in other), finding(1, status="fixed")]
    plan, _urgent = plans([node(0), node(1)], rows)
    assert plan["emergency"] == {"findings": 1, "left_out": {"no_limit": 1, "other": 1, "unknown": 1}}
    assert "1 that no missing patch closes" in " ".join(plan_to_text(plan).split())


def test_a_node_without_a_window_can_be_patched_now_and_waits_for_nothing_unless_its_limit_has_passed() -> None:
    free = policy(waves=[{"name": "any", "select": {"groups": ["all"]}}])
    nodes = [node(0, groups=frozenset({"all"})), node(1, groups=frozenset({"all"}))]
    plan, _urgent = plans(nodes, [finding(0), finding(1, first_seen="2026-11-22")], free)
    assert left_out(plan) == {"n-0": "can_wait"} and "it can be patched at any time" in str(plan["excluded"])


def test_a_node_without_a_night_waits_until_the_ordinary_plan_ends() -> None:
    named = policy(waves=[{"name": "x", "select": {"groups": ["all"]}, "window": "tag"}])
    nodes = [node(0, groups=frozenset({"all"})), node(1, groups=frozenset({"all"}))]
    rows = [finding(0, first_seen="2027-01-05"), finding(1, first_seen="2027-01-06")]
    plan, _urgent = plans(nodes, rows, named)
    assert left_out(plan) == {"n-1": "can_wait"}


def test_an_installed_patch_that_waits_for_a_reboot_is_urgent_too() -> None:
    rows = [finding(1, remediation="reboot", patches=["kernel"])]
    plan, _urgent = plans([node(0), node(1)], rows, pending_reboot=True, pending=["kernel"])
    (found,) = plan["waves"][1]["nodes"]
    assert found["patches"] == [] and found["patch_count"] == 0 and found["deferred"] == ["curl", "openssl"]


def test_a_node_that_installs_by_its_baseline_is_left_out_by_name() -> None:
    loose = policy(patching={"pin": "baseline"}, waves=[{"name": "rest", "window": "sat"}])
    plan, _urgent = plans([node(0, executor="ssm")], [finding(0)], loose)
    assert left_out(plan) == {"n-0": "not_pinned"} and "cannot be limited to the urgent patches" in str(plan)


def test_a_node_in_trouble_with_an_urgent_finding_is_a_warning_and_one_without_is_none() -> None:
    away = {"executor": "ssm", "ping_status": "ConnectionLost"}
    plan, _urgent = plans([node(0, **away), node(1, **away)], [finding(1)])
    assert left_out(plan) == {"n-0": "not_urgent", "n-1": "offline"}
    assert "web-1" in " ".join(plan["warnings"]) and "web-0" not in " ".join(plan["warnings"])


def test_a_window_that_ends_after_the_limit_is_a_warning() -> None:
    slow = policy(emergency={**RULES, "window": "sat"})
    plan, _urgent = plans([node(0), node(1)], [finding(1), finding(0, cves=["CVE-2026-9999"])], slow)
    assert "The window of 1 node ends after the first limit of their findings: web-1." in plan["warnings"]


def test_the_scan_itself_stays_as_it_is() -> None:
    seen = scan(0, 1)
    urgent = Urgent(patches={"n-1": {"openssl"}})
    narrowed = narrow(seen, urgent)["nodes"]
    assert len(seen["nodes"]["n-1"]["missing"]) == 2 and narrowed["n-0"] is seen["nodes"]["n-0"]
    assert narrowed["n-1"]["counts"] == {"missing_count": 1, "failed_count": 0}


def test_the_rules_of_an_emergency() -> None:
    own = {"soak_minutes": 10, "approval": {"required": True, "people": 1}, "freeze": {"ics": ["war.ics"]}}
    rules = policy(emergency=own, approval={"people": 3}, freeze={"ics": ["xmas.ics"]})
    hurried = in_emergency(rules)
    assert hurried.approval.required and hurried.approval.people == 1 and hurried.freeze.ics == ("war.ics",)
    assert [wave.soak_minutes for wave in hurried.waves] == [10, 0]
    assert policy_of({}, rules) is rules and policy_of({"emergency": {}}, rules) == hurried


def test_without_rules_of_its_own_an_emergency_has_those_of_every_plan() -> None:
    rules = policy(approval={"required": True, "people": 3}, freeze={"ics": ["xmas.ics"]})
    hurried = in_emergency(rules)
    assert hurried.approval.required and hurried.approval.people == 3 and hurried.freeze == rules.freeze
    assert hurried.waves[0].soak_minutes == 30 and rules.emergency == read(Emergency, RULES)
