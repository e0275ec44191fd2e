# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_gate of child plans: one decision for all of them, and none while the outcome of a node is not known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import rollout_gate
from ansible_collections.patchtide.hybrid.plugins.action.rollout_gate import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Decision
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.controller_lock import controller_name

from tests.fakes.split import CANARY, Split, end


@pytest.fixture
def split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Split:
    return begin(tmp_path, monkeypatch)


def begin(folder: Path, monkeypatch: pytest.MonkeyPatch, soak: int = 0, **gate: Any) -> Split:
    found = Split(folder, gate=gate, soak=soak).share(monkeypatch)
    monkeypatch.setattr(rollout_gate, "find_clock", lambda: found.clock)
    return found


def worked(split: Split, name: str, **statuses: str) -> None:
    """Let the controller of a child, which is this process, work on its first wave."""
    end(split.run(name, controller_name())[0], **statuses)


def judge(split: Split, name: str, **options: Any) -> dict[str, Any]:
    args = {"dir": str(split.folders[name]), "wave": CANARY, **options}
    task = Mock(args=args, check_mode=False, diff=False, async_val=0, environment=[])
    found: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    assert not found.get("failed"), found
    return found


def verdicts(split: Split, name: str) -> list[str]:
    rows = map(json.loads, (split.folders[name] / "journal.jsonl").read_text("utf-8").splitlines())
    return [row["data"]["verdict"] for row in rows if row["kind"] == "gate"]


GOOD_A, GOOD_B = {"a1": "succeeded", "a2": "succeeded"}, {"b1": "succeeded"}


def test_a_wave_is_promoted_for_all_when_the_last_child_has_reported(split: Split) -> None:
    worked(split, "a", **GOOD_A)
    worked(split, "b")
    assert judge(split, "a", soak_wait_minutes=0)["verdict"] == "wait"
    end(split.run("b", controller_name())[0], **GOOD_B)
    found = judge(split, "b")
    assert (found["verdict"], found["numbers"]["total"], found["numbers"]["good"]) == ("promote", 3, 3)
    assert judge(split, "a")["numbers"] == found["numbers"]
    assert verdicts(split, "a") == verdicts(split, "b") == ["promote"]
    assert split.open("a").state.waves[CANARY].status == "finished"


def test_a_child_that_died_never_passes_and_its_next_run_decides(split: Split) -> None:
    worked(split, "a", **GOOD_A)
    worked(split, "b")  # and its controller is killed
    before = split.clock.now()
    found = judge(split, "a")
    assert found["verdict"] == "wait" and (split.clock.now() - before).total_seconds() >= 30 * 60
    assert verdicts(split, "a") == [] and split.open("a").state.waves[CANARY].status == "running"
    end(split.run("b", controller_name())[0], b1="failed")
    assert judge(split, "b")["verdict"] == "pause"
    split.run("a", controller_name())
    found = judge(split, "a")
    assert (found["verdict"], found["numbers"]["failed"]) == ("pause", 1)


def test_the_failure_budget_is_that_of_all_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = begin(tmp_path, monkeypatch, budget=1, max_failure_rate=1.0)
    worked(split, "a", a1="failed")
    assert judge(split, "a", partial=True)["verdict"] == "promote"
    worked(split, "b", b1="failed")
    found = judge(split, "b", partial=True)
    assert found["verdict"] == "abort" and "2 nodes of the rollout failed, the budget is 1." in found["reasons"]
    assert verdicts(split, "b") == ["abort"]
    assert judge(split, "a", partial=True)["verdict"] == "abort"
    assert split.open("a").state.status == "aborted"


def test_the_soak_time_begins_with_the_last_outcome_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = begin(tmp_path, monkeypatch, soak=60)
    worked(split, "a", **GOOD_A)
    assert judge(split, "a", soak_wait_minutes=0)["verdict"] == "wait"
    split.clock.sleep(45 * 60)
    worked(split, "b", **GOOD_B)
    assert judge(split, "b", soak_wait_minutes=0)["verdict"] == "wait"
    split.clock.sleep(45 * 60)
    assert judge(split, "a", soak_wait_minutes=0)["verdict"] == "wait", "b soaks for another quarter of an hour"
    before = split.clock.now()
    assert judge(split, "a")["verdict"] == "promote" and split.clock.now() > before
    assert judge(split, "b", soak_wait_minutes=0)["verdict"] == "promote"


def test_a_decision_to_abort_one_child_ends_the_others(split: Split) -> None:
    worked(split, "a", **GOOD_A)
    one, sharing = split.run("b", controller_name())
    one.record(Decision(by="ana", action="abort", reason="wrong kernel"))
    sharing.follow()
    found = judge(split, "a")
    assert found["verdict"] == "abort" and "child plan 02-b was aborted" in found["reasons"][0]
    assert split.open("a").state.status == "aborted" and verdicts(split, "a") == []


def test_a_paused_wave_is_evaluated_again_by_the_next_run_of_any_child(split: Split) -> None:
    worked(split, "a", a1="failed", a2="succeeded")
    worked(split, "b", **GOOD_B)
    judge(split, "b", soak_wait_minutes=0)
    assert judge(split, "a")["verdict"] == "pause"
    split.run("a", controller_name())
    assert judge(split, "a")["verdict"] == "pause", "nothing changed"
    rollout, sharing = split.run("a", controller_name())
    sharing.reopen(CANARY)
    rollout.record(Decision(by="ana", action="retry", wave=CANARY, nodes=("a1",), reason="fixed"))
    end(rollout, a1="succeeded")
    assert judge(split, "a")["verdict"] == "promote"
    split.run("b", controller_name())
    assert judge(split, "b")["verdict"] == "promote"
