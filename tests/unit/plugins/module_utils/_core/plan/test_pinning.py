# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pinned plan: its lists stand in it, and no node is patched unpinned because something is missing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.override_list import is_whole
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.pinning import check_lists
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan, check_plan, seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.checks import find_mistakes
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy

BUCKETS = {"r": {"name": "lists", "prefix": "pt"}}


IDENTITY = {"rollout": "5eed" * 8, "created_at": "2026-06-01T00:00:00Z"}


def node(number: int, **more: Any) -> Candidate:
    given = {
        "executor": "ssm",
        "platform": "linux",
        "os": "Ubuntu",
        "os_version": "22.04",
        "account": "1",
        "region": "r",
    }
    return Candidate(**{"node_id": f"i-{number}", "host": f"h{number}", "ping_status": "Online", **given, **more})


def scanned(*patches: str, baseline: str = "pb-1", **more: Any) -> dict[str, Any]:
    missing = [{"id": patch.partition(":")[0], "title": patch} for patch in patches]
    return {"status": "succeeded", "missing": missing, "evidence": {"baseline_id": baseline}, **more}


def plan_of(nodes: list[Candidate], scans: dict[str, Any], **policy: Any) -> dict[str, Any]:
    given = {"name": "p", "waves": [{"name": "all"}], **policy}
    given["patching"] = {"buckets": BUCKETS, **given.get("patching", {})}
    scan = {"nodes": scans, "failed_places": []}
    return build_plan(nodes, to_policy(given), scan, policy_digest="d", **IDENTITY)


def planned(plan: dict[str, Any]) -> dict[str, Any]:
    return {item["node_id"]: item for wave in plan["waves"] for item in wave["nodes"]}


def test_the_lists_stand_in_the_plan_and_under_its_digest() -> None:
    plan = plan_of([node(1), node(2)], {"i-1": scanned("curl.x:1"), "i-2": scanned("bash.x:2", baseline="pb-2")})
    assert plan["patching"] == {"pin": "list"}
    by_name = {item["name"]: item for item in plan["lists"]}
    assert len(by_name) == 2 and all(map(is_whole, plan["lists"]))
    mine = by_name[planned(plan)["i-1"]["list"]]
    assert mine["patches"] == [{"id": "curl.x", "title": "curl.x:1"}]
    assert mine["address"] == f"s3://lists/pt/{mine['name']}" and mine["label"] == "1/r Ubuntu 22.04 pb-1"
    check_plan(plan)
    mine["patches"].append({"id": "evil.x", "title": "evil.x:1"})
    assert seal(plan)["digest"] != plan["digest"]


@pytest.mark.parametrize(
    ("more", "pin"),
    [
        ({}, "list"),
        ({"platform": "windows"}, "kb"),
        ({"executor": "linux", "account": "", "region": ""}, "versions"),
    ],
)
def test_how_far_each_node_is_pinned_is_said(more: dict[str, str], pin: str) -> None:
    found = planned(plan_of([node(1, **more)], {"i-1": scanned("KB890830:1")}))["i-1"]
    assert found["pin"] == pin and found["content_open"] == ["KB890830"]
    assert ("list" in found) == (pin != "versions")


def test_by_the_baseline_there_are_no_lists() -> None:
    plan = plan_of([node(1)], {"i-1": scanned("curl.x:1")}, patching={"pin": "baseline"})
    assert plan["lists"] == [] and planned(plan)["i-1"]["pin"] == "baseline" and "list" not in planned(plan)["i-1"]


def test_a_region_without_a_bucket_is_an_error_and_no_downgrade() -> None:
    plan = plan_of([node(1, region="s"), node(2)], {"i-1": scanned("curl.x:1"), "i-2": scanned("curl.x:1")})
    with pytest.raises(BadInput, match="lists of s, or list_url, or pin: baseline"):
        check_lists(plan["lists"])
    check_lists(plan_of([node(2)], {"i-2": scanned("curl.x:1")})["lists"])


@pytest.mark.parametrize(
    ("scan", "why"),
    [
        (scanned(counts={"missing_count": 3}), "counted 3 missing patches and could not name them"),
        (scanned("lib*.x:1"), "would match other patches"),
        ({"status": "succeeded", "missing": [{"id": "curl.x", "title": ""}]}, "has no title"),
    ],
)
def test_a_node_that_no_list_can_describe_is_left_out_by_name(scan: dict[str, Any], why: str) -> None:
    (excluded,) = plan_of([node(1)], {"i-1": scan})["excluded"]
    assert excluded["code"] == "not_pinned" and why in excluded["reason"]
    assert not plan_of([node(1)], {"i-1": scan}, patching={"pin": "baseline"})["excluded"]


def test_a_stopped_node_was_not_scanned_so_it_can_not_be_pinned() -> None:
    stopped = {"stopped_nodes": {"start": True}}
    (excluded,) = plan_of([node(1, state="stopped")], {}, **stopped)["excluded"]
    assert excluded["code"] == "not_pinned" and "pin: baseline" in excluded["reason"]
    assert planned(plan_of([node(1, state="stopped")], {}, **stopped, patching={"pin": "baseline"}))["i-1"]["start"]


def test_what_weakens_a_pinned_plan_is_warned_of() -> None:
    window = {"name": "w", "schedule": "rate(1 day)", "duration": 2, "patch_groups": ["G"]}
    more = {"windows": [{**window, "tasks": [{"operation": "Install"}]}]}
    plan = plan_of(
        [node(1)], {"i-1": scanned("a.x:1")}, patching={"buckets": {}, "list_url": "https://l.example"}, **more
    )
    assert "whoever can write there" in plan["warnings"][0] and "w-install" in plan["warnings"][1]


@pytest.mark.parametrize(
    ("patching", "told"),
    [
        ({"buckets": {"r": {"name": "lists"}}}, "patching.buckets.s is missing"),
        ({"buckets": {"r": {"name": "lists"}, "t": {"name": "lists"}}}, "patching.buckets.t"),
        ({"buckets": {"r": {"name": "lists", "account": "nobody"}}}, "patching.buckets.r.account"),
        ({"buckets": {"r": {"name": "l" * 40}}}, "patching.buckets.r.name"),
        ({"buckets": {"r": {"name": "lists"}, "s": {"name": "lists"}}}, "a bucket in s, not the one of r"),
        ({"buckets": {"r": {"name": "lists", "kms_key": f"arn:aws:kms:s:{'1' * 12}:key/k"}}}, "a key in r, by its ARN"),
        ({"buckets": {"r": {"name": "lists", "kms_key": f"arn:aws:iam:r:{'1' * 12}:key/k"}}}, "a key in r, by its ARN"),
        ({"list_url": "http://a.example"}, "patching.list_url"),
        ({"buckets": {"r": {"name": "lists"}, "s": {"name": "li"}}, "list_url": "https://a.example"}, "either buckets"),
    ],
)
def test_mistakes_in_where_lists_are_kept(patching: dict[str, Any], told: str) -> None:
    estate = {"regions": ["r", "s"], "accounts": [{"name": "web", "id": "1" * 12}]}
    mistakes = find_mistakes(to_policy({"name": "p", "estate": estate, "patching": patching}))
    assert told in "; ".join(map(str, mistakes))


@pytest.mark.parametrize("key", ["", "alias/lists", "1234abcd", f"arn:aws:kms:r:{'1' * 12}:alias/lists"])
def test_keys_of_lists_are_named_as_s3_takes_them(key: str) -> None:
    buckets = {"r": {"name": "lists", "kms_key": key}, "s": {"name": "lists-s"}}
    policy = {"name": "p", "estate": {"regions": ["r", "s"]}, "patching": {"buckets": buckets}}
    assert not find_mistakes(to_policy(policy))


def test_a_bucket_in_one_region_is_enough_by_the_baseline() -> None:
    policy = {"name": "p", "estate": {"regions": ["r", "s"]}, "patching": {"pin": "baseline", "buckets": BUCKETS}}
    assert not find_mistakes(to_policy(policy))


def test_what_a_scan_forecasts_is_under_the_digest() -> None:
    """Removals, downgrades and new packages that the package manager simulated, and what it keeps back for them."""
    held = [{"id": "a.x:2", "why": "removes"}, {"id": "b.x:2", "why": "hold"}]
    forecast = {"removes": ["exim4"], "adds": ["libnew"], "download_bytes": 5}
    direct = node(1, executor="linux", account="", region="")
    with_it = plan_of([direct], {"i-1": scanned("curl.x:1", forecast=forecast, held=held)})
    without = plan_of([direct], {"i-1": scanned("curl.x:1")})
    assert planned(with_it)["i-1"]["forecast"] == {**forecast, "kept_back": ["a.x:2"]}
    assert "forecast" not in planned(without)["i-1"]
    assert with_it["content_digest"] != without["content_digest"]
    check_plan(with_it)


def test_an_empty_forecast_says_nothing() -> None:
    assert "forecast" not in planned(plan_of([node(1)], {"i-1": scanned("curl.x:1", forecast={})}))["i-1"]
