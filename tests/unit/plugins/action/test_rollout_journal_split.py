# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_journal of child plans: the approval is that of the parent, and one controller runs a child at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import rollout_decision, rollout_journal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import GateJudged
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.shared import LEASE
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.controller_action import ControllerAction

from tests.fakes.split import CANARY, Split, end


@pytest.fixture
def split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Split:
    found = Split(tmp_path).share(monkeypatch)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for module in (rollout_journal, rollout_decision):
        monkeypatch.setattr(module, "find_clock", lambda: found.clock)
    return found


@contextmanager
def another_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run as a controller of another name, which no lock of this machine stops."""
    with monkeypatch.context() as patch:
        patch.setattr(rollout_journal, "controller_name", lambda: "elsewhere/1/1")
        yield


def act(action: type[ControllerAction], folder: Path, check: bool = False, **options: Any) -> dict[str, Any]:
    task = Mock(args={"dir": str(folder), **options}, check_mode=check, diff=False, async_val=0, environment=[])
    found: dict[str, Any] = action(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return found


def opened(split: Split, name: str, check: bool = False, **options: Any) -> dict[str, Any]:
    given = {"state": "opened", "claims": f"file:{split.folder}/claims.json", **options}
    return act(rollout_journal.ActionModule, split.folders[name], check, **given)


def closed(split: Split, name: str) -> dict[str, Any]:
    return act(rollout_journal.ActionModule, split.folders[name], state="closed")


def events(split: Split, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (split.folders[name] / "journal.jsonl").read_text("utf-8").splitlines()]


def test_the_approval_of_the_parent_covers_its_children(split: Split) -> None:
    child = split.open("a").plan["digest"]
    assert child in opened(split, "a", approved_digest=child)["msg"], "nobody approves a child"
    assert "not approved" in opened(split, "a", approval_required=True)["msg"]
    found = opened(split, "a", approval_required=True, approved_digest=split.parent["digest"])
    assert not found.get("failed"), found
    data = events(split, "a")[0]["data"]
    assert (data["plan_digest"], data["approved_digest"]) == (child, split.parent["digest"])


def test_a_child_of_a_plan_that_was_changed_since_does_not_begin(split: Split) -> None:
    plan = json.loads((split.folder / "plan.json").read_text("utf-8"))
    (split.folder / "plan.json").write_text(json.dumps({**plan, "warnings": ["edited"]}), "utf-8")
    assert "changed after it was made" in opened(split, "a")["msg"]
    assert not (split.folders["a"] / "journal.jsonl").exists()


def test_a_plan_that_was_split_is_not_run_beside_its_children(split: Split) -> None:
    (split.folder / "split.json").write_text("{}", "utf-8")
    split.folders["parent"] = split.folder
    assert "it was split" in opened(split, "parent")["msg"]


def test_one_controller_runs_a_child_until_its_claim_ends(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not opened(split, "a").get("failed")
    with another_machine(monkeypatch):
        assert "whose claim lasts until" in opened(split, "a")["msg"]
    assert not opened(split, "a").get("failed"), "the same controller may continue"
    closed(split, "a")
    with another_machine(monkeypatch):
        assert not opened(split, "a").get("failed")
        split.clock.sleep(LEASE.total_seconds() + 300)
    assert [row["kind"] for row in events(split, "a")] == ["rollout_started", "resumed", "resumed"]


def test_check_mode_claims_nothing(split: Split) -> None:
    assert not opened(split, "a", check=True).get("failed")
    assert split.store.read()[0] == 0


def test_a_run_that_begins_after_the_abort_of_another_child_is_aborted(split: Split) -> None:
    opened(split, "a")
    opened(split, "b")
    decide(split, "b", "abort")
    found = opened(split, "a")
    assert found["status"] == "aborted" and "child plan 02-b was aborted" in events(split, "a")[-1]["data"]["reason"]


def decide(split: Split, name: str, decision: str, **options: Any) -> dict[str, Any]:
    given = {"decision": decision, "reason": "looked at it", **options}
    return act(rollout_decision.ActionModule, split.folders[name], **given)


def test_a_person_promotes_for_all_only_what_all_have_reported(split: Split) -> None:
    one, mine = split.run("a")
    end(one, a1="failed", a2="succeeded")
    mine.report(CANARY)
    one.record(GateJudged(wave=CANARY, verdict="pause"))
    assert "02-b did not report" in decide(split, "a", "promote", wave=CANARY)["msg"]
    two, other = split.run("b")
    end(two, b1="succeeded")
    other.report(CANARY)
    assert not decide(split, "a", "promote", wave=CANARY).get("failed")
    assert split.store.read()[1].is_promoted(CANARY)
    two.record(GateJudged(wave=CANARY, verdict="pause"))
    found = decide(split, "b", "retry", wave=CANARY, nodes=["b1"])
    assert found["failed"]


def test_a_retry_takes_back_the_report_before_it_is_recorded(split: Split) -> None:
    one, mine = split.run("a")
    end(one, a1="failed", a2="succeeded")
    mine.report(CANARY)
    one.record(GateJudged(wave=CANARY, verdict="pause"))
    assert not decide(split, "a", "retry", wave=CANARY).get("failed")
    assert not split.store.read()[1].parts["01-a"].waves[CANARY].complete
