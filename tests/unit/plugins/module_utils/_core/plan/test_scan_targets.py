# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a scan covers, and the one message about those that no executor works on."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan_targets import (
    not_served_message,
    scan_targets,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy


def node(host: str, executor: str, **more: Any) -> Candidate:
    return Candidate(node_id=host, host=host, executor=executor, ping_status="Online", **more)


NODES = [node("b", "ssm"), node("a", "linux"), node("w", "wsus"), node("s", "sms", state="stopped")]


def test_a_node_that_no_executor_serves_is_not_just_unscanned() -> None:
    found = scan_targets(NODES)
    assert [item.host for item in (*found.direct, *found.ssm)] == ["a", "b"]
    assert [item.host for item, _why in found.not_served] == ["s", "w"] and not found.unscanned


def test_windows_hosts_are_no_hosts_of_the_play_over_ssh() -> None:
    found = scan_targets([*NODES, node("x", "windows")])
    assert [item.host for item in found.windows] == ["x"] and "x" not in [item.host for item in found.direct]


def test_what_the_policy_excludes_needs_no_executor() -> None:
    policy = to_policy({"exclude": [{"select": {"executors": ["wsus"]}, "reason": "WSUS patches them"}]})
    found = scan_targets(NODES, policy)
    assert [(item.host, why) for item, why in found.unscanned] == [("w", "WSUS patches them")]
    assert [item.host for item, _why in found.not_served] == ["s"]


def test_an_executor_that_lacks_a_library_here_is_not_served_either() -> None:
    found = scan_targets(NODES[:2], None, lambda name: "needs more" if name == "linux" else "")
    assert [(item.host, why) for item, why in found.not_served] == [("a", "needs more")]
    assert [item.host for item in found.ssm] == ["b"] and not found.direct


def test_one_message_has_executors_counts_and_the_first_hosts() -> None:
    rows = scan_targets([*NODES, *(node(f"z{number}", "gcp") for number in range(5))]).not_served
    message = not_served_message(rows)
    assert message.startswith("7 hosts can be neither scanned nor patched. executor 'gcp' is not served")
    assert ": 5 hosts (z0, z1, z2 and 2 more); executor 'sms' is not served" in message
    assert "(did you mean 'ssm'?): 1 host (s); executor 'wsus'" in message
    assert not_served_message([]) == ""


def test_a_deallocated_machine_of_azure_that_the_policy_starts_has_its_last_assessment() -> None:
    vm = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/web"
    nodes = [
        Candidate(node_id=vm, host="off", executor="azure", state="deallocated"),
        Candidate(node_id=f"{vm}2", host="shut-down", executor="azure", state="stopped"),
    ]
    starts = scan_targets(nodes, to_policy({"stopped_nodes": {"start": True}}))
    assert [item.host for item in starts.azure] == ["off"]
    assert [(item.host, why) for item, why in starts.unscanned] == [("shut-down", "the machine is stopped")]
    assert not scan_targets(nodes, to_policy({})).azure
