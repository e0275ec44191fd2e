# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_gate: whole waves and parts of them, with nodes that are not back in service and nodes without a record."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import rollout_gate
from ansible_collections.patchtide.hybrid.plugins.action.rollout_gate import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    GateJudged,
    Outcome,
    Prepared,
    Restored,
    Resumed,
    WaveFinished,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.controller_lock import controller_name
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.driving import night, planned
from tests.fakes.events import started
from tests.fakes.fleet_port import FakeClock
from tests.fakes.plans import completed

#: (name, executor, turn)
NODES = (("a", "ssm", 1), ("b", "linux", 1), ("c", "linux", 2), ("d", "ssm", 2))


def begin(
    folder: Path, nodes: Any = NODES, gate: Any = None, then: Sequence[Any] = (), windows: Any = (), **wave: Any
) -> RolloutDir:
    """Return a rollout whose first wave has begun."""
    rows = [
        {"node_id": name, "host": f"host-{name}", "name": name, "executor": kind, "turn": turn, "account": "1"}
        for name, kind, turn in nodes
    ]
    sealed = completed(
        [{"name": "canary", "nodes": rows, "gate": gate or {}, "turns": 2, **wave}, *then], windows=list(windows)
    )
    (folder / "plan.json").write_text(json.dumps(sealed))
    rollout = RolloutDir(folder, FakeClock())
    rollout.record(started(sealed["digest"], controller=controller_name()))
    rollout.record(WaveStarted(wave="canary"))
    if rows:
        rollout.record(Claimed(wave="canary", nodes=tuple(row["node_id"] for row in rows)))
    return rollout


def end(rollout: RolloutDir, **statuses: str) -> None:
    """Give nodes their final records."""
    results = tuple(
        {"node_id": name, "status": status, "executor": rollout.nodes[name]["executor"]}
        for name, status in statuses.items()
    )
    rollout.record(Outcome(wave="canary", stage="verify", results=results))


def judge(folder: Path, check: bool = False, **options: Any) -> dict[str, Any]:
    task = Mock(
        args={"dir": str(folder), "wave": "canary", **options},
        check_mode=check,
        diff=False,
        async_val=0,
        environment=[],
    )
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    assert not result.get("failed"), result
    return result


def kinds(folder: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in (folder / "journal.jsonl").read_text().splitlines()]


def health_check(code: str) -> dict[str, Any]:
    return {"name": "smoke", "command": {"argv": [sys.executable, "-c", code]}}


ALL_GOOD = {"a": "succeeded", "b": "succeeded", "c": "no_op", "d": "succeeded"}


def test_a_wave_that_is_well_is_promoted_and_finished_once(tmp_path: Path) -> None:
    end(begin(tmp_path), **ALL_GOOD)
    found = judge(tmp_path)
    assert (found["verdict"], found["changed"], found["health_checks"]) == ("promote", True, [])
    assert kinds(tmp_path)[-2:] == [GateJudged.kind, WaveFinished.kind]
    again = judge(tmp_path)
    assert (again["verdict"], again["changed"], again["numbers"]) == ("promote", False, found["numbers"])


@pytest.mark.parametrize(("patience", "waits"), [(None, False), (59, True), (60, False)])
def test_a_next_wave_may_open_later_than_a_run_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: int | None, waits: bool
) -> None:
    """A run by schedule then ends; it must not begin the wave, and fail, only because it is early."""
    monkeypatch.setattr(rollout_gate, "find_clock", FakeClock)
    nights = [night(1, 60, 30)]
    prod = {"name": "prod", "nodes": [{**planned("p", 1), "night": 1}], "nights": nights, "turns": 1}
    windows = [{"name": "w", "occurrences": nights}]
    end(begin(tmp_path, then=[prod], windows=windows), **ALL_GOOD)
    options = {} if patience is None else {"window_wait_minutes": patience}
    found = judge(tmp_path, **options)
    assert (found["verdict"], found["next_waits"]) == ("promote", waits)


def test_nobody_is_told_of_a_next_wave_that_the_gate_has_not_let_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rollout_gate, "find_clock", FakeClock)
    nights = [night(1, 60, 30)]
    prod = {"name": "prod", "nodes": [{**planned("p", 1), "night": 1}], "nights": nights, "turns": 1}
    end(begin(tmp_path, then=[prod], windows=[{"name": "w", "occurrences": nights}]), **dict.fromkeys("abcd", "failed"))
    found = judge(tmp_path, window_wait_minutes=5)
    assert (found["verdict"], found["next_waits"]) == ("abort", False)
    assert "waits for its window" not in capsys.readouterr().out


def test_a_last_wave_or_one_without_a_window_waits_for_nothing(tmp_path: Path) -> None:
    prod = {"name": "prod", "nodes": [planned("p", 1)], "turns": 1}
    end(begin(tmp_path, then=[prod]), **ALL_GOOD)
    assert not judge(tmp_path, window_wait_minutes=5)["next_waits"]
    last = tmp_path / "last"
    last.mkdir()
    end(begin(last), **ALL_GOOD)
    assert not judge(last, window_wait_minutes=5)["next_waits"]


@pytest.mark.parametrize(("code", "verdict"), [("", "promote"), ("raise SystemExit(1)", "abort")])
def test_probes_decide_over_good_numbers(tmp_path: Path, code: str, verdict: str) -> None:
    end(begin(tmp_path, gate={"health_checks": [health_check(code)]}), **ALL_GOOD)
    found = judge(tmp_path)
    assert found["verdict"] == verdict and len(found["health_checks"]) == 1
    rows = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    (gate,) = [GateJudged.from_data(row["data"]) for row in rows if row["kind"] == GateJudged.kind]
    assert list(gate.health_checks) == found["health_checks"] and gate.health_checks[0]["text"]


@pytest.mark.parametrize("check", [True, False])
def test_no_probe_is_asked_in_check_mode_or_when_the_numbers_abort(tmp_path: Path, check: bool) -> None:
    asked = tmp_path / "asked"
    rollout = begin(tmp_path, gate={"health_checks": [health_check(f"open({str(asked)!r}, 'w')")], "max_failures": 0})
    end(rollout, **(ALL_GOOD if check else {**ALL_GOOD, "a": "failed"}))
    before = kinds(tmp_path)
    found = judge(tmp_path, check=check)
    assert not asked.exists() and found["verdict"] == ("wait" if check else "abort")
    assert (kinds(tmp_path) == before) is check


def test_nodes_that_are_not_back_in_service_make_a_person_look(tmp_path: Path) -> None:
    rollout = begin(tmp_path)
    rollout.record(Prepared(wave="canary", what="drained", nodes=("a",), details={"a": {}}))
    end(rollout, **ALL_GOOD)
    problems = {"a": "tg-1: unhealthy\x1b[2J"}
    rollout.record(Restored(wave="canary", what="drained", nodes=("a",), problems=problems))
    found = judge(tmp_path)
    assert found["verdict"] == "pause"
    assert "Health check back in service is inconclusive: a: tg-1: unhealthy [2J." in found["reasons"]


def test_a_wave_without_nodes_is_promoted_unless_the_plan_emptied_it(tmp_path: Path) -> None:
    (tmp_path / "meant").mkdir()
    begin(tmp_path, nodes=())
    assert judge(tmp_path)["verdict"] == "promote"
    begin(tmp_path / "meant", nodes=(), emptied="all 3 nodes have an exception")
    found = judge(tmp_path / "meant")
    assert found["verdict"] == "pause"
    assert found["reasons"][0] == "The wave has no nodes left: all 3 nodes have an exception."


def test_after_a_turn_only_an_abort_is_a_decision(tmp_path: Path) -> None:
    rollout = begin(tmp_path, gate={"max_failure_rate": 0.9, "health_checks": [health_check("raise SystemExit(1)")]})
    end(rollout, a="succeeded", b="failed")
    before = kinds(tmp_path)
    found = judge(tmp_path, partial=True)
    assert (found["verdict"], found["changed"]) == ("promote", False)
    assert found["numbers"]["total"] == 2 and found["reasons"]
    assert kinds(tmp_path) == before


def test_what_can_not_get_better_aborts_before_the_next_turn(tmp_path: Path) -> None:
    end(begin(tmp_path, gate={"max_failures": 0}), a="failed", b="succeeded")
    found = judge(tmp_path, partial=True)
    assert found["verdict"] == "abort" and kinds(tmp_path)[-1] == GateJudged.kind
    assert judge(tmp_path)["verdict"] == "abort"


def test_a_node_without_a_final_record_makes_a_person_look(tmp_path: Path) -> None:
    end(begin(tmp_path), a="succeeded", c="succeeded", d="succeeded")
    found = judge(tmp_path)
    assert (found["verdict"], found["numbers"]["missing"]) == ("pause", 1)
    assert "1 node of 4 has no outcome." in found["reasons"]


def test_a_controller_that_was_succeeded_judges_nothing(tmp_path: Path) -> None:
    rollout = begin(tmp_path)
    end(rollout, a="succeeded", b="succeeded", c="succeeded", d="succeeded")
    rollout.record(Resumed(operator="dana", controller="elsewhere/1/2"))
    before = (tmp_path / "journal.jsonl").read_bytes()
    task = Mock(
        args={"dir": str(tmp_path), "wave": "canary"}, check_mode=False, diff=False, async_val=0, environment=[]
    )
    result = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    assert result["failed"] and "elsewhere/1/2" in result["msg"]
    assert (tmp_path / "journal.jsonl").read_bytes() == before
