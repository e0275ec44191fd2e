# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first node of each account-Region and role installs alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.first_alone import first_alone
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import DONE, Rollout, initial

from tests.fakes.plans import completed

USED = {"status": "succeeded", "evidence": {"override_list": "s3://l/x"}}


def rollout(*nodes: str, **more: Any) -> Rollout:
    """Nodes by name; what is before a dash is their instance profile."""
    rows = [
        {
            "node_id": node,
            "account": "1",
            "region": "r",
            "instance_profile": node.partition("-")[0],
            "pin": "list",
            "patches": [{"id": "a"}],
            **more,
        }
        for node in nodes
    ]
    state = initial(completed([{"name": "w", "nodes": rows}]))
    for node in state.nodes.values():
        node.stage = "patch"
    return state


def test_one_node_of_each_kind_begins() -> None:
    assert first_alone(rollout("a-1", "a-2", "a-3", "b-1", "b-2"), "w").waiting == {"a-2", "a-3", "b-2"}


@pytest.mark.parametrize("more", [{"pin": "baseline"}, {"pin": "versions"}, {"patches": []}])
def test_nodes_without_a_list_wait_for_nobody(more: dict[str, Any]) -> None:
    assert first_alone(rollout("a-1", "a-2", **more), "w").waiting == set()


def test_while_the_first_one_installs_the_others_wait() -> None:
    state = rollout("a-1", "a-2", "a-3")
    state.nodes["a-1"].token = "t"
    found = first_alone(state, "w")
    assert (found.waiting, found.refused) == ({"a-2", "a-3"}, {})


@pytest.mark.parametrize("done", [False, True])
def test_when_its_state_names_the_list_the_others_begin(done: bool) -> None:
    state = rollout("a-1", "a-2", "a-3")
    node = state.nodes["a-1"]
    node.stage = DONE if done else "reboot"
    final = {"status": "succeeded", "evidence": {"patch": USED["evidence"]}}
    node.results = {"verify": final} if done else {"patch": USED}
    found = first_alone(state, "w")
    assert (found.waiting, found.refused) == (set(), {})


@pytest.mark.parametrize("status", ["failed", "unknown", "succeeded", "timed_out"])
@pytest.mark.parametrize("done", [False, True])
def test_when_it_ends_without_the_others_are_refused(status: str, done: bool) -> None:
    state = rollout("a-1", "a-2", "b-1")
    node = state.nodes["a-1"]
    node.stage = DONE if done else "scan"
    final = {"status": status, "evidence": {"patch": {"command_id": "c"}}}
    node.results = {"verify": final} if done else {"patch": {"status": status, "evidence": {"command_id": "c"}}}
    found = first_alone(state, "w")
    assert set(found.refused) == {"a-2"} and "a-1" in found.refused["a-2"] and found.waiting == set()


def test_the_list_of_one_kind_says_nothing_of_another() -> None:
    state = rollout("a-1", "a-2", "b-1", "b-2", "c-1", "c-2")
    for node, result in {"a-1": USED, "b-1": {"status": "failed", "evidence": {}}, "c-1": USED}.items():
        state.nodes[node].stage, state.nodes[node].results = "scan", {"patch": result}
    found = first_alone(state, "w")
    assert (found.waiting, set(found.refused)) == (set(), {"b-2"})


@pytest.mark.parametrize("status", ["unreachable", "skipped", "no_op", "cancelled"])
@pytest.mark.parametrize("done", [False, True])
def test_a_first_one_on_which_nothing_ran_says_nothing(status: str, done: bool) -> None:
    state = rollout("a-1", "a-2", "a-3")
    refused = {"status": status, "evidence": {"patch": {"place": "1/r"}}}
    state.nodes["a-1"].stage = DONE if done else "verify"
    state.nodes["a-1"].results = {"verify": refused} if done else {"patch": {"status": status}}
    found = first_alone(state, "w")
    assert (found.waiting, found.refused) == ({"a-3"}, {})


def test_a_retried_first_one_goes_alone_again() -> None:
    state = rollout("a-1", "a-2")
    state.nodes["a-1"].results = {"patch": {"status": "failed"}}  # due for another attempt
    assert first_alone(state, "w").waiting == {"a-2"}
