# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What run_due finds in a directory, and which rollout it takes: the most urgent one that nobody works on (TM-1)."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Claimed, Decision, Prepared, Resumed
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout import due_plans
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.controller_lock import (
    NAME,
    _began,
    taking_over,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.due_plans import Found, Search, take_one
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.driving import night, planned
from tests.fakes.events import started
from tests.fakes.fleet_port import START, FakeClock
from tests.fakes.plans import completed

POLICY = {"version": 1, "name": "contoso", "waves": [{"name": "dev"}]}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(due_plans, "find_clock", FakeClock)
    (tmp_path / "policy.yml").write_text(yaml.safe_dump(POLICY), "utf-8")
    return tmp_path


def plan(root: Path, name: str, opens: float = 0, hours: int = 4) -> Path:
    """Write a plan whose only night opens so many minutes after now."""
    folder = root / name
    folder.mkdir(parents=True)
    nights = [night(1, opens, 30, hours)]
    wave = {"name": "dev", "nodes": [{**planned("a", 1), "night": 1}], "nights": nights, "turns": 1}
    windows = [{"name": "w", "occurrences": nights}]
    sealed = completed([wave], rollout=name.encode().hex().ljust(32, "0")[:32], windows=windows)
    (folder / "plan.json").write_text(json.dumps(sealed), "utf-8")
    return folder


def look(root: Path, **options: int) -> dict[str, Found]:
    search = Search(root=root, **{name: timedelta(minutes=value) for name, value in options.items()})
    return {str(item.folder.relative_to(root)): item for item in search.all(START)}


def needs(root: Path, **options: int) -> dict[str, str]:
    return {name: item.to_data()["need"] for name, item in look(root, **options).items()}


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another process that lives."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_plans_are_found_three_levels_below_and_no_deeper(root: Path) -> None:
    for name in ("a", "contoso/2026-06", "x/y/z", "x/y/z/deep"):
        plan(root, name)
    assert list(look(root)) == ["a", "contoso/2026-06", "x/y/z"]
    with pytest.raises(BadInput, match="a directory with the directories of rollouts"):
        look(root / "nowhere")


def test_a_rollout_is_due_some_minutes_before_its_night(root: Path) -> None:
    plan(root, "soon", opens=30)
    plan(root, "later", opens=31)
    assert needs(root, ahead=30) == {"soon": "due", "later": "waiting"}
    assert needs(root, ahead=29)["soon"] == "waiting"
    later = look(root, ahead=30)["later"].to_data()
    assert later["at"] == to_time(START + timedelta(minutes=1)) and later["local"].startswith("Mon 2026-06-01 22:31")


def test_what_can_not_be_read_hides_nothing_else(root: Path) -> None:
    (plan(root, "torn") / "plan.json").write_text("{", "utf-8")
    plan(root, "good")
    found = look(root)
    assert found["torn"].broken and found["torn"].to_data()["need"] == "broken"
    chosen = take_one(list(found.values()), write=False)
    assert chosen is not None and chosen.folder.name == "good"


def test_the_policy_is_the_nearest_one_and_must_exist(root: Path) -> None:
    folder = plan(root, "contoso/2026-06")
    assert look(root)["contoso/2026-06"].policy_file == str(root / "policy.yml")
    (root / "contoso" / "policy.yml").write_text(yaml.safe_dump(POLICY), "utf-8")
    assert look(root)["contoso/2026-06"].policy_file == str(root / "contoso" / "policy.yml")
    assert look(root / "contoso")["2026-06"].policy_file == str(root / "contoso" / "policy.yml")
    (root / "contoso" / "policy.yml").unlink()
    assert look(root / "contoso")["2026-06"].broken, "a policy above the directory is somebody else's"
    (root / "policy.yml").rename(root / "other.yml")
    assert f"the policy of {folder}" in look(root)["contoso/2026-06"].broken
    (found,) = Search(root=root, policy_file=str(root / "other.yml")).all(START)
    assert found.is_due and found.policy_file == str(root / "other.yml")


def test_a_rollout_that_waits_needs_no_policy_yet(root: Path) -> None:
    plan(root, "a", opens=600)
    (root / "policy.yml").unlink()
    assert needs(root) == {"a": "waiting"}


def test_a_new_rollout_waits_for_its_approval_where_the_policy_demands_one(root: Path) -> None:
    folder = plan(root, "a")
    (root / "policy.yml").write_text(yaml.safe_dump({**POLICY, "approval": {"required": True}}), "utf-8")
    held = look(root)["a"]
    assert held.to_data()["need"] == "held" and "there is no" in held.to_data()["text"] and not held.is_due
    (folder / "approval.yml").write_text("digest: x\n", "utf-8")
    assert look(root)["a"].is_due and look(root)["a"].approval_file == str(folder / "approval.yml")
    (folder / "approval.yml").unlink()
    RolloutDir(folder, FakeClock()).record(started(RolloutDir(folder, FakeClock()).plan["digest"]))
    assert look(root, patience=0)["a"].is_due, "the journal has the approval of a rollout that has begun"


@pytest.mark.parametrize("required", [True, False])
def test_with_a_trust_bundle_people_decide_and_an_unapproved_rollout_keeps_nobody_waiting(
    root: Path, required: bool
) -> None:
    """It is the more urgent one, and would be refused in each run. No file approves it, and none is missed."""
    for name in ("a", "b"):
        plan(root, name)
    (root / "policy.yml").write_text(yaml.safe_dump({**POLICY, "approval": {"required": required}}), "utf-8")

    def objection(rollout: RolloutDir) -> str | None:
        return "Wave dev is not approved" if rollout.path.name == "a" else ""

    found = Search(root=root, objection=objection).all(START)
    assert [item.to_data()["need"] for item in found] == ["held", "due"]
    assert found[0].to_data()["text"] == "Wave dev is not approved" and found[0].agenda and found[0].agenda.night
    chosen = take_one(found, write=False)
    assert chosen and chosen.folder == root / "b"


def test_what_is_left_open_is_restored_whether_people_still_approve_or_not(root: Path) -> None:
    folder = plan(root, "a")
    rollout = RolloutDir(folder, FakeClock())
    rollout.record(started(rollout.plan["digest"]))
    rollout.record(Claimed(wave="dev", nodes=("a",)))
    rollout.record(Prepared(wave="dev", what="drained", nodes=("a",)))
    (found,) = Search(root=root, patience=timedelta(), objection=lambda _rollout: "it has expired").all(START)
    assert found.is_due


def test_an_emergency_plan_waits_for_its_approval_where_only_emergencies_need_one(root: Path) -> None:
    for name in ("a", "b"):
        plan(root, name)
    path = root / "b" / "plan.json"
    path.write_text(json.dumps(seal({**json.loads(path.read_text()), "emergency": {"findings": 1, "left_out": {}}})))
    rules = {**POLICY, "emergency": {"approval": {"required": True}}}
    (root / "policy.yml").write_text(yaml.safe_dump(rules), "utf-8")
    assert needs(root)["b"] == "held" and needs(root)["a"] != "held"


def test_nobody_disturbs_a_controller_of_this_machine(root: Path, other: subprocess.Popen[bytes]) -> None:
    folder = plan(root, "a")
    row = {"host": socket.gethostname(), "pid": other.pid, "began": _began(other.pid)}
    (folder / NAME).write_text(json.dumps(row), "utf-8")
    waiting = look(root)["a"].to_data()
    assert waiting["need"] == "waiting" and f"process {other.pid} on this machine works on it" in waiting["text"]
    other.kill()
    other.wait()
    assert needs(root) == {"a": "due"}


def test_what_a_dead_controller_of_this_machine_left_open_is_due_at_once(root: Path) -> None:
    rollout = RolloutDir(plan(root, "a"), FakeClock())
    rollout.record(started(rollout.plan["digest"]))
    rollout.record(Resumed(operator="dana", controller=f"{socket.gethostname()}/1/1"))
    assert needs(root) == {"a": "due"}


def test_a_controller_of_another_machine_is_taken_to_live_for_a_while(root: Path) -> None:
    folder, clock = plan(root, "a"), FakeClock()
    clock.moment = START - timedelta(minutes=30)
    rollout = RolloutDir(folder, clock)
    rollout.record(started(rollout.plan["digest"]))
    rollout.record(Resumed(operator="dana", controller="elsewhere/1/1"))
    assert needs(root, patience=30) == {"a": "due"}
    waiting = look(root, patience=31)["a"].to_data()
    assert waiting["need"] == "waiting" and "a controller on elsewhere worked on it 30 minutes ago" in waiting["text"]


def test_the_night_that_ends_first_comes_first_and_open_work_before_all(root: Path) -> None:
    plan(root, "a-long", hours=8)
    plan(root, "b-short", hours=4)
    found = look(root)
    chosen = take_one(list(found.values()), write=False)
    assert chosen is not None and chosen.folder.name == "b-short" and not (chosen.folder / NAME).exists()
    rollout = RolloutDir(plan(root, "c-open", opens=600), FakeClock())
    rollout.record(started(rollout.plan["digest"]))
    rollout.record(Decision(by="dana", action="abort", reason="no"))
    chosen = take_one(list(look(root, patience=0).values()), write=False)
    assert chosen is not None and chosen.folder.name == "c-open"


def test_two_at_once_take_different_rollouts_and_then_none(root: Path) -> None:
    first, second = plan(root, "a"), plan(root, "b")
    found = list(look(root).values())
    with taking_over(first):
        chosen = take_one(found, write=True)
        assert chosen is not None and chosen.folder == second and (second / NAME).exists()
        with taking_over(second):
            assert take_one(found, write=True) is None
