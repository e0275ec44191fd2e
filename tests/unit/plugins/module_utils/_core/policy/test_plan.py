# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan takes from the policy: who is left out, who is rebooted by which rule."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy

IDENTITY = {"rollout": "5eed" * 8, "created_at": "2026-06-01T00:00:00Z"}
NODES = [
    Candidate(node_id="i-1", host="one", executor="ssm", platform="linux", application="ledger"),
    Candidate(node_id="i-2", host="two", executor="ssm", platform="linux"),
    Candidate(node_id="three", host="three", executor="linux", platform="linux", managed=False),
    Candidate(node_id="i-4", host="four", executor="ssm", platform="linux", managed=False),
]
SCAN = {
    "nodes": {node.node_id: {"status": "succeeded", "missing": [{"id": "x", "title": "x"}]} for node in NODES},
    "failed_places": [],
}


def plan(**policy: Any) -> dict[str, Any]:
    data = {"version": 1, "name": "x", "waves": [{"name": "all", "reboot": "always"}], **policy}
    return build_plan(NODES, to_policy(data), SCAN, policy_digest="0", **IDENTITY)


def test_a_node_has_a_reboot_rule_of_its_own() -> None:
    wave = plan(reboot={"overrides": [{"select": {"nodes": ["i-2"]}, "rule": "never"}]})["waves"][0]
    assert {node["node_id"]: (node.get("reboot_rule"), node["reboot"]) for node in wave["nodes"]} == {
        "i-1": (None, "yes"),
        "i-2": ("never", "no"),
        "three": (None, "yes"),
    }


def test_only_nodes_of_systems_manager_must_be_managed_by_it() -> None:
    assert [(item["node_id"], item["code"]) for item in plan()["excluded"]] == [("i-4", "unmanaged")]


def test_excluded_with_the_reason_of_the_policy() -> None:
    excluded = plan(exclude=[{"select": {"nodes": ["one"]}, "reason": "replaced soon"}])["excluded"]
    assert ("i-1", "replaced soon") in {(item["node_id"], item["reason"]) for item in excluded}
