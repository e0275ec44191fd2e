# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_decision: what it journals, what it refuses, and that check mode predicts both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_decision import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Decision,
    GateJudged,
    Outcome,
    Prepared,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.operator import find_operator
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.events import started
from tests.fakes.fleet_port import FakeClock
from tests.fakes.plans import completed

WAVE = "canary"


@pytest.fixture
def rollout(tmp_path: Path) -> RolloutDir:
    """A rollout whose only wave has begun; of its nodes one has failed."""
    rows = [{"node_id": name} for name in "abc"]
    sealed = completed([{"name": WAVE, "nodes": rows}])
    (tmp_path / "plan.json").write_text(json.dumps(sealed))
    begun = RolloutDir(tmp_path, FakeClock())
    begun.record(started(sealed["digest"]))
    begun.record(WaveStarted(wave=WAVE))
    begun.record(Claimed(wave=WAVE, nodes=("a", "b", "c")))
    begun.record(Outcome(wave=WAVE, stage="verify", results=({"node_id": "a", "status": "failed"},)))
    return begun


def decide(rollout: RolloutDir, decision: str, check: bool = False, **options: Any) -> dict[str, Any]:
    arguments = {"dir": str(rollout.path), "decision": decision, "reason": "CHG0040007", **options}
    task = Mock(args=arguments, check_mode=check, diff=False, async_val=0, environment=[])
    variables = {"awx_user_name": "boss"}  # planted
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars=variables)
    return result


def journal(rollout: RolloutDir) -> list[dict[str, Any]]:
    lines = (rollout.path / "journal.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def end(rollout: RolloutDir, *nodes: str) -> None:
    results = tuple({"node_id": node, "status": "failed"} for node in nodes)
    rollout.record(Outcome(wave=WAVE, stage="verify", results=results))
    rollout.record(GateJudged(wave=WAVE, verdict="pause"))


def test_a_promotion_holds_who_and_why_and_is_made_once(rollout: RolloutDir) -> None:
    end(rollout, "b", "c")
    found = decide(rollout, "promote", wave=WAVE)
    assert found["changed"] and found["waves"][0]["status"] == "promoted"
    written = Decision.from_data(journal(rollout)[-1]["data"])
    assert written == Decision(by=find_operator({}).name, action="promote", wave=WAVE, reason="CHG0040007")
    again = decide(rollout, "promote", wave=WAVE, reason="another word for it")
    assert again["failed"] and "has promoted it already" in again["msg"]
    assert [row["kind"] for row in journal(rollout)].count("decision") == 1


def test_skipped_nodes_get_their_final_records(rollout: RolloutDir) -> None:
    assert decide(rollout, "skip", wave=WAVE, nodes=["c"])["nodes"] == ["c"]
    final = journal(rollout)[-1]["data"]["results"][0]
    assert (final["status"], final["error"]["code"]) == ("skipped", "skipped_by_decision")
    assert final["error"]["text"] == f"skipped by {find_operator({}).name}: CHG0040007"
    assert "already skipped: c" in decide(rollout, "skip", wave=WAVE, nodes=["c"])["msg"]
    assert decide(rollout, "skip", wave=WAVE)["nodes"] == ["b"]


def at_the_reboot(rollout: RolloutDir, patch: str) -> None:
    """Node b has passed its pre-check, and its install has ended."""
    for stage, result in (("precheck", {"outcome": "pass"}), ("patch", {"status": patch})):
        rollout.record(Outcome(wave=WAVE, stage=stage, results=({"node_id": "b", **result},)))


@pytest.mark.parametrize("patch", ["succeeded", "failed", "unknown", "timed_out", "cancelled"])
def test_a_node_that_was_worked_on_is_unknown_once_it_is_skipped(rollout: RolloutDir, patch: str) -> None:
    at_the_reboot(rollout, patch)
    assert decide(rollout, "skip", wave=WAVE, nodes=["b"])["changed"]
    final = journal(rollout)[-1]["data"]["results"][0]
    assert (final["status"], final["error"]["code"]) == ("unknown", "skipped_by_decision")
    assert final["error"]["text"].endswith(f"CHG0040007; its install was {patch} and was not checked")
    assert decide(rollout, "skip", wave=WAVE, nodes=["b"])["failed"]


@pytest.mark.parametrize("patch", ["no_op", "skipped", "unreachable"])
def test_a_node_on_which_nothing_ran_is_skipped(rollout: RolloutDir, patch: str) -> None:
    at_the_reboot(rollout, patch)
    decide(rollout, "skip", wave=WAVE, nodes=["b"])
    assert journal(rollout)[-1]["data"]["results"][0]["status"] == "skipped"


def test_a_retried_node_that_is_skipped_stays_what_it_was(rollout: RolloutDir) -> None:
    final = {"node_id": "b", "status": "unknown", "error": {"code": "no_end", "text": "no end"}}
    rollout.record(Outcome(wave=WAVE, stage="verify", results=(final,)))
    decide(rollout, "retry", wave=WAVE, nodes=["b"])
    assert decide(rollout, "skip", wave=WAVE, nodes=["b"])["changed"]
    record = journal(rollout)[-1]["data"]["results"][0]
    assert record["status"] == "unknown" and record["error"]["text"].endswith("before that unknown: no end")
    assert record["evidence"]["earlier"]["code"] == "no_end"


def test_a_crash_between_a_skip_and_its_final_records_is_made_good(rollout: RolloutDir) -> None:
    rollout.record(Decision(by="x", action="skip", wave=WAVE, reason="y", nodes=("b", "c")))
    assert decide(rollout, "skip", wave=WAVE)["nodes"] == ["b", "c"]
    assert journal(rollout)[-1]["kind"] == "outcome"


def test_what_was_written_off_is_named_in_the_journal(rollout: RolloutDir) -> None:
    rollout.record(Prepared(wave=WAVE, what="drained", nodes=("b",)))
    decide(rollout, "abort")
    assert decide(rollout, "write_off", wave=WAVE, what="drained")["changed"]
    data = journal(rollout)[-1]["data"]
    assert (data["action"], data["what"], data["nodes"]) == ("write_off", "drained", ["b"])
    again = decide(rollout, "write_off", wave=WAVE, what="drained")
    assert again["failed"] and again["error"]["code"] == "DecisionRefused"


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("promote", {"wave": WAVE}, "wave canary is running, not paused"),
    ("retry", {"wave": WAVE, "nodes": ["b"]}, "b has no final record"),
    ("skip", {"wave": WAVE, "nodes": ["a"]}, "a has its final record: failed"),
    ("write_off", {"wave": WAVE, "what": "started"}, "nothing started"),
    ("promote", {"wave": "x"}, "a wave of the plan: canary"),
    ("abort", {"reason": "  "}, "why this is decided"),
    ("abort", {"nodes": ["a"]}, "abort is about the whole wave or rollout"),
    ("retry", {"wave": WAVE, "what": "drained"}, "nothing unless the decision is write_off"),
]


@pytest.mark.parametrize("check", [False, True], ids=["", "check"])
@pytest.mark.parametrize(("decision", "options", "message"), REFUSED)
def test_refused_and_not_journalled(
    rollout: RolloutDir, decision: str, options: dict[str, Any], message: str, check: bool
) -> None:
    before = journal(rollout)
    found = decide(rollout, decision, check, **options)
    assert found["failed"] and message in found["msg"] and not found.get("changed")
    assert journal(rollout) == before


@pytest.mark.parametrize(
    ("decision", "options", "status"),
    [("retry", {"wave": WAVE}, "running"), ("skip", {"wave": WAVE}, "running"), ("abort", {}, "aborted")],
)
def test_check_mode_predicts_and_writes_nothing(
    rollout: RolloutDir, decision: str, options: dict[str, Any], status: str
) -> None:
    before = {path.name: path.read_bytes() for path in rollout.path.iterdir()}
    predicted = decide(rollout, decision, True, **options)
    assert {path.name: path.read_bytes() for path in rollout.path.iterdir()} == before
    assert predicted["changed"] and predicted["status"] == status
    assert decide(rollout, decision, **options) == predicted


def test_missing_options_are_named(rollout: RolloutDir) -> None:
    with pytest.raises(Exception, match="decision is write_off but all of the following are missing: what"):
        decide(rollout, "write_off", wave=WAVE)
