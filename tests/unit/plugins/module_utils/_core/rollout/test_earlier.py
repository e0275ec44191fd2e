# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that a person has retried: what was known of it before is not forgotten unless somebody looked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Decision,
    GateJudged,
    Outcome,
    Resumed,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.budgets_left import _disruption
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.catch_up import (
    final_without_look,
    is_missed,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.earlier import with_earlier
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import apply
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import Rollout, initial

from tests.fakes.events import started

NODE = {"node_id": "i-1", "name": "i-1", "executor": "ssm", "account": "1" * 12, "region": "r", "platform": "linux"}


def retried(status: str) -> Rollout:
    """A wave of one node that ended so, was paused for it, and is retried."""
    state = initial({"digest": "d", "waves": [{"name": "w", "nodes": [NODE]}]})
    final = {"node_id": "i-1", "status": status, "error": {"code": "NoEnd", "text": "nobody knows"}}
    events = (
        started("d"),
        WaveStarted(wave="w"),
        Claimed(wave="w", nodes=("i-1",)),
        Outcome(wave="w", stage="verify", results=(final,)),
        GateJudged(wave="w", verdict="pause"),
        Resumed(operator="dana", controller="c"),
        Decision(by="dana", action="retry", wave="w", nodes=("i-1",), reason="look again"),
    )
    for event in events:
        apply(state, event, "2026-06-01T20:00:00.000Z")
    return state


def outcome(state: Rollout, stage: str, **result: Any) -> None:
    apply(state, Outcome(wave="w", stage=stage, results=({"node_id": "i-1", **result},)), "2026-06-01T21:00:00.000Z")


def without_look(state: Rollout) -> dict[str, Any]:
    """Return the final record that it gets now without a look at it."""
    node = state.nodes["i-1"]
    record = final_without_look(NODE, node.results, "2026-06-01T21:00:00.000Z")
    assert record is not None
    return dict(with_earlier(node, record.to_dict()))


HELD: dict[str, Any] = {"outcome": "skip", "findings": [{"check": "disk", "ok": False, "text": "full"}], "facts": {}}
PASS: dict[str, Any] = {"outcome": "pass", "findings": [], "facts": {}}


@pytest.mark.parametrize("status", ["unknown", "failed", "reboot_pending"])
def test_skipped_by_the_pre_check_it_stays_what_it_was(status: str) -> None:
    state = retried(status)
    outcome(state, "precheck", **HELD)
    record = without_look(state)
    assert record["status"] == status and not (status == "unknown" and is_missed(record))
    assert record["error"] == {"code": "precheck_disk", "text": f"full; before that {status}: nobody knows"}
    assert record["evidence"]["earlier"] == {"status": status, "code": "NoEnd", "text": "nobody knows"}


@pytest.mark.parametrize("stage", ["precheck", "patch"])
def test_a_command_that_never_arrived_does_not_make_it_one_that_was_never_touched(stage: str) -> None:
    state = retried("unknown")
    lost = {"status": "unreachable", "error": {"code": "Undeliverable", "text": "offline"}}
    if stage == "patch":
        outcome(state, "precheck", **PASS)
        outcome(state, "patch", **lost)
    else:
        outcome(state, "precheck", **HELD, **lost)
    record = without_look(state)
    assert record["status"] == "unknown" and not is_missed(record)


def test_what_a_look_says_counts_and_the_history_is_kept() -> None:
    state = retried("unknown")
    record = with_earlier(state.nodes["i-1"], {"node_id": "i-1", "status": "succeeded", "evidence": {"scan": {}}})
    assert record["status"] == "succeeded"
    assert set(record["evidence"]) == {"scan", "earlier"}


def test_one_that_was_never_touched_has_no_history() -> None:
    state = retried("skipped")
    outcome(state, "precheck", **HELD)
    assert without_look(state)["status"] == "skipped" and not state.nodes["i-1"].earlier


def test_a_second_retry_remembers_the_first() -> None:
    state = retried("unknown")
    outcome(state, "verify", status="skipped", error={"code": "x", "text": "y"})
    apply(state, Decision(by="d", action="retry", wave="w", nodes=("i-1",), reason="again"), "")
    assert state.nodes["i-1"].earlier["status"] == "unknown"


def test_it_goes_on_counting_in_the_budgets() -> None:
    assert _disruption(retried("unknown"), "i-1").name == "DOWN"
    assert _disruption(retried("skipped"), "i-1").name == "HELD"
