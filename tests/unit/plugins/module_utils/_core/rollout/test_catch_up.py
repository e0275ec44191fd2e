# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Missed nodes: only what was never touched is skipped; all of them, and pending reboots, are caught up on."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Outcome,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Status
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.catch_up import (
    catch_up,
    final_without_look,
    is_missed,
    refused_places,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import apply
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import Rollout, initial
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.statuses import ENDED
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.driving import planned
from tests.fakes.events import started


def lost(code: str, status: str = "unreachable", **more: Any) -> dict[str, Any]:
    return {"status": status, "error": {"code": code, "text": "why"}, **more}


@pytest.mark.parametrize(
    ("stage", "result", "status", "code"),
    [
        ("precheck", lost("Undeliverable"), "skipped", "missed_offline"),
        ("patch", lost("Undeliverable"), "skipped", "missed_undeliverable"),
        ("patch", lost("NeverBegan"), "skipped", "missed_undeliverable"),  # seen waiting until it expired (E3)
        ("patch", lost("Refused"), "skipped", "missed_refused"),
        ("patch", lost("NotValid"), "skipped", "missed_gone"),  # terminated after planning (E6)
        ("reboot", lost("NotValid"), "unreachable", "NotValid"),  # it was patched before
        ("scan", lost("Undeliverable"), "unreachable", "Undeliverable"),
        ("scan", lost("NeverBegan"), "unreachable", "NeverBegan"),
        ("patch", lost("Undeliverable", ran_before=True), "unreachable", "Undeliverable"),
        ("patch", lost("NotValid", ran_before=True), "unreachable", "NotValid"),
        ("patch", lost("Refused", ran_before=True), "unreachable", "Refused"),
    ],
)
def test_what_a_lost_node_ends_as(stage: str, result: dict[str, Any], status: str, code: str) -> None:
    record = final_without_look(planned("a", 1), {stage: result}, "now")
    assert record is not None and record.error
    assert (record.status.value, record.error["code"]) == (status, code)
    assert is_missed(record.to_dict()) is (status == "skipped")


@pytest.mark.parametrize("status", ["unreachable", "cancelled", "skipped"])
def test_an_install_of_unknown_end_stays_unknown_if_the_node_is_lost_before_its_scan(status: str) -> None:
    """A host that loses power in mid-install and stays away: "unreachable" would say that nothing was installed."""
    results = {"precheck": {"outcome": "pass"}, "patch": lost("cut_off", "unknown"), "scan": lost("gone", status)}
    record = final_without_look(planned("a", 1), results, "now")
    assert record is not None and record.error
    assert (record.status, record.error["code"]) == (Status.UNKNOWN, "cut_off")
    assert record.error["text"] == "how its install ended is unknown: why; the scan after it: why"


@pytest.mark.parametrize("status", sorted(code for code, how in ENDED.items() if how is Status.UNKNOWN))
def test_an_unknown_install_is_looked_at_never_skipped(status: str) -> None:
    assert final_without_look(planned("a", 1), {"patch": lost(status, "unknown")}, "now") is None


def rollout_of(*nodes: str, retries: dict[str, int] | None = None) -> Rollout:
    wave = {"name": "w", "nodes": [planned(node, 1) for node in nodes]}
    plan = {"digest": "d", "rollout": "r", "waves": [wave], "rules": {"retries": retries or {}}}
    state = initial(plan)
    for event in (started("d"), WaveStarted(wave="w"), Claimed(wave="w", nodes=nodes)):
        apply(state, event, "now")
    return state


def outcome(state: Rollout, stage: str, node: str, result: dict[str, Any]) -> None:
    apply(state, Outcome(wave="w", stage=stage, results=({**result, "node_id": node},)), "now")


def test_the_list_has_what_was_missed_and_what_waits_for_its_reboot() -> None:
    state = rollout_of("a", "b", "c", "d", "e")
    for node, result in {
        "a": lost("missed_refused", "skipped"),
        "b": lost("missed_gone", "skipped"),
        "c": lost("out_of_time", "reboot_pending"),
        "d": lost("NoEnd", "unknown"),
        "e": lost("patch_failed", "failed"),
    }.items():
        outcome(state, "verify", node, result)
    listed = {row["node_id"]: row["code"] for row in catch_up(state, "now")["nodes"]}
    assert listed == {"a": "missed_refused", "b": "missed_gone", "c": "out_of_time"}
    assert refused_places(state) == [f"{'1' * 12}/eu-central-1"]


def test_nobody_refused_where_nodes_were_missed_for_another_reason() -> None:
    state = rollout_of("a")
    outcome(state, "verify", "a", lost("missed_gone", "skipped"))
    assert refused_places(state) == []


@pytest.mark.parametrize(("status", "missed"), [("skipped", True), ("unknown", False), ("failed", False)])
def test_a_fault_of_the_executor_is_caught_up_on_only_where_nothing_was_done(status: str, missed: bool) -> None:
    assert is_missed({"status": status, "error": {"code": "executor_fault", "text": "why"}}) is missed


def test_a_node_whose_first_attempt_ran_is_not_skipped_because_the_second_did_not() -> None:
    """Patches may be in already: its second attempt was Undeliverable, and it ended "skipped, never touched"."""
    state = rollout_of("a", retries={"execution": 1})
    outcome(state, "precheck", "a", {"outcome": "pass"})
    outcome(state, "patch", "a", lost("Failed", "failed"))
    assert state.nodes["a"].stage == "patch"
    outcome(state, "patch", "a", lost("Undeliverable"))
    record = final_without_look(planned("a", 1), state.nodes["a"].results, "now")
    assert record is not None and record.status is Status.UNREACHABLE


ATTEMPTS = st.lists(
    st.sampled_from(
        [
            lost("Undeliverable"),
            lost("NeverBegan"),
            lost("Refused"),
            lost("NotValid"),
            lost("Failed", "failed"),
            lost("NoEnd", "unknown"),
            lost("DeliveryTimedOut", "unknown"),
            lost("no_state", "unknown"),
            lost("ExecutionTimedOut", "timed_out"),
            lost("Cancelled", "cancelled"),
        ]
    ),
    min_size=1,
    max_size=8,
)


@given(attempts=ATTEMPTS, execution=st.integers(0, 2), delivery=st.integers(0, 2))
def test_no_sequence_of_attempts_makes_a_touched_node_skipped(
    attempts: list[dict[str, Any]], execution: int, delivery: int
) -> None:
    state = rollout_of("a", retries={"execution": execution, "delivery": delivery})
    outcome(state, "precheck", "a", {"outcome": "pass"})
    touched, unknown = False, False
    for attempt in attempts:
        if state.nodes["a"].stage != "patch":
            break
        assert not unknown, "tried again although nobody knows what the last attempt did"
        touched = touched or attempt["status"] != "unreachable"
        unknown = attempt["status"] in ("unknown", "timed_out", "cancelled")
        outcome(state, "patch", "a", attempt)
    record = final_without_look(planned("a", 1), state.nodes["a"].results, "now")
    if record is not None and touched:
        assert record.status is not Status.SKIPPED and not is_missed(record.to_dict())
