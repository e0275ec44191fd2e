# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With a trust bundle a rollout begins, goes on and takes decisions only as its people have signed."""

from __future__ import annotations

import json
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import (
    rollout_decision,
    rollout_journal,
    trust_check,
    trust_info,
    trust_statement,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    GateJudged,
    Outcome,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import build_report
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal_check import examine
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.wave_check import WaveCheck, objection_to_begin
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.operator import find_operator
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.report.html import render_plan_html, render_report_html
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.fleet_port import FakeClock
from tests.fakes.trusted import Trusted
from tests.report import samples

ANA, CLEO, DANA = "ana@example.com", "cleo@example.com", "dana@example.com"
MODULES = (rollout_journal, rollout_decision, trust_check, trust_info, trust_statement)
POLICY = "1" * 64


class World:
    """A rollout of two waves on a controller with a bundle; ``dana`` runs everything."""

    def __init__(self, folder: Path, trusted: Trusted, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.trusted = folder / "run", trusted
        self.clock = FakeClock(from_time("2026-12-01T22:00:00Z"))
        plan = deepcopy(samples.completed().plan)
        for wave in plan["waves"]:
            for node in wave["nodes"]:
                node["account"] = "1"
        planner = {"login": "dana", "awx_user": "", "awx_user_id": 0, "awx_job": 0}
        self.plan = seal({**plan, "planner": planner, "policy": {"name": "p", "digest": POLICY}})
        self.folder.mkdir()
        (self.folder / "plan.json").write_text(json.dumps(self.plan))
        self.pin(trusted.bundle())
        monkeypatch.setenv("PATCHTIDE_TRUST", str(trusted.folder / "trust.yml"))
        for module in MODULES:
            monkeypatch.setattr(module, "find_clock", lambda: self.clock)
        target = "ansible_collections.patchtide.hybrid.plugins.plugin_utils.operator._login"
        monkeypatch.setattr(target, lambda: "dana")

    def pin(self, bundle: dict[str, Any], **pins: Any) -> None:
        self.trusted.pin(bundle, **pins)

    def run(self, module: Any, *, check: bool = False, **options: Any) -> dict[str, Any]:
        task = Mock(args=options, check_mode=check, diff=False, async_val=0, environment=[])
        result: dict[str, Any] = module.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
        return result

    def sign(self, who: str, **options: Any) -> Path:
        """Write a statement and run the command that the module returns, with another key."""
        given = {"dir": str(self.folder), "principal": who, "reason": "CHG0040007", **options}
        written = self.run(trust_statement, **given)
        assert not written.get("failed"), written
        command = written["command"].replace("~/.ssh/id_ed25519", str(self.trusted.key(who)))
        subprocess.run(command, shell=True, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        return Path(written["path"])

    def open(self, **options: Any) -> dict[str, Any]:
        return self.run(rollout_journal, dir=str(self.folder), state="opened", **options)

    def rollout(self) -> RolloutDir:
        return RolloutDir(self.folder, self.clock)

    def pause(self) -> RolloutDir:
        """Bring the first wave to a pause."""
        rollout = self.rollout()
        first = self.plan["waves"][0]
        WaveCheck(rollout, find_operator({}), {})(first["name"])
        rollout.record(WaveStarted(wave=first["name"]))
        results = tuple({"node_id": node["node_id"], "status": "failed"} for node in first["nodes"])
        rollout.record(Outcome(wave=first["name"], stage="verify", results=results))
        rollout.record(GateJudged(wave=first["name"], verdict="pause"))
        return rollout


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, Trusted(tmp_path), monkeypatch)


def test_it_begins_once_two_people_have_signed_and_shows_who_on_its_page(world: World) -> None:
    refused = world.open(approved_digest=world.plan["digest"])
    assert refused["error"]["code"] == "NotApproved" and "change_manager, 1 missing" in refused["msg"]
    path = world.sign(ANA)
    assert "app_owner, 1 missing" in world.open()["msg"]
    assert "app_owner, 1 missing" in (objection_to_begin(world.rollout(), find_operator({}), {}) or "")
    shown = world.run(trust_check, dir=str(world.folder), strict=False)
    assert shown["changed"] and not shown["approved"] and [row["principal"] for row in shown["counted"]] == [ANA]
    page = (world.folder / "plan.html").read_text()
    assert "No approval is recorded" not in page and "Date and signature" not in page
    assert "app_owner, 1 missing" in page and f"{ANA}</bdi> approved" in page
    again = world.run(trust_statement, dir=str(world.folder), principal=ANA, reason="CHG0040007")
    assert not again["changed"] and again["signed"] and again["path"] == str(path)
    world.sign(CLEO)
    assert objection_to_begin(world.rollout(), find_operator({}), {}) == "", "run_due starts it"
    opened = world.open(policy_digest=POLICY)
    assert not opened.get("failed"), opened
    assert world.run(trust_check, dir=str(world.folder))["approved"] is True
    page = (world.folder / "plan.html").read_text()
    assert "Approved for all waves" in page and "Who runs the rollout is checked when it starts" in page


def test_its_report_and_its_page_name_who_signed(world: World) -> None:
    world.sign(ANA)
    world.sign(CLEO)
    world.open()
    world.pause()
    records = examine((world.folder / "journal.jsonl").read_bytes()).records
    report = build_report(world.plan, records)
    for page in (render_report_html(report), render_plan_html(world.plan, report.summary["approvals"])):
        assert f"{ANA}</bdi>" in page and f"{CLEO}</bdi>" in page and "as change_manager" in page
        assert "No approval is recorded" not in page


@pytest.mark.parametrize("check", [True, False])
def test_nothing_is_written_in_check_mode_or_when_refused(world: World, check: bool) -> None:
    world.open(check=check)
    world.run(trust_statement, check=True, dir=str(world.folder), principal=ANA, reason="x")
    assert sorted(path.name for path in world.folder.iterdir() if path.name != "stores.json") == ["plan.json"]


def test_each_wave_is_asked_for_again_right_before_it_begins(world: World) -> None:
    world.sign(ANA)
    world.sign(CLEO)
    world.open()
    rollout = world.rollout()
    name = world.plan["waves"][0]["name"]
    check = WaveCheck(rollout, find_operator({}), {})
    check(name)
    assert rollout.state.approved == {name} and rollout.state.bundle_version == 7
    archived = list((world.folder / "trust").glob("*/*"))
    assert {path.name for path in archived} == {"bundle.yml", "bundle.yml.root1.sig", "bundle.yml.root2.sig"}
    lost = {"key": world.trusted.fingerprint(ANA), "since": "2026-12-01T00:00:00Z", "reason": "lost"}
    world.pin(world.trusted.bundle(version=8, revocations=[lost]))
    with pytest.raises(PatchtideError, match=r"change_manager, 1 missing.*was revoked on 2026-12-01: lost"):
        check(world.plan["waves"][1]["name"])
    assert "was revoked" in (objection_to_begin(rollout, find_operator({}), {}) or ""), "a wave that has not begun"
    with pytest.raises(PatchtideError, match="is not approved by the people"):
        rollout.record(WaveStarted(wave=name)) and rollout.state.approved.clear()
        rollout.state.waves[name].status = "finished"
        rollout.record(WaveStarted(wave=world.plan["waves"][1]["name"]))


def test_a_controller_without_pins_does_not_take_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sign(ANA)
    world.sign(CLEO)
    world.open()
    world.pause()
    monkeypatch.delenv("PATCHTIDE_TRUST")
    assert "this controller pins none" in world.open()["msg"]


def test_a_decision_is_signed_by_its_role_on_the_journal_as_it_is(world: World) -> None:
    world.sign(ANA)
    world.sign(CLEO)
    world.open()
    wave = world.pause().plan["waves"][0]["name"]
    asked = {"dir": str(world.folder), "decision": "promote", "wave": wave, "reason": "CHG0040007"}
    assert "needs a statement" in world.run(rollout_decision, **asked)["msg"]
    path = world.sign(DANA, act="decision", decision="promote", wave=wave)
    other = {**asked, "decision": "retry"}
    assert "its action is 'promote', not 'retry'" in world.run(rollout_decision, **other, statement=str(path))["msg"]
    world.open()  # the journal grows
    stale = world.run(rollout_decision, **{**asked, "decision": "retry"}, statement=str(path))
    assert stale["failed"]
    rollout = world.rollout()
    rollout.record(GateJudged(wave=wave, verdict="pause"))
    assert "sign the decision again" in world.run(rollout_decision, **asked, statement=str(path))["msg"]
    path = world.sign(DANA, act="decision", decision="promote", wave=wave)
    assert world.run(rollout_decision, check=True, **asked, statement=str(path))["changed"]
    done = world.run(rollout_decision, **asked, statement=str(path))
    assert done["changed"], done
    last = json.loads((world.folder / "journal.jsonl").read_text().splitlines()[-1])["data"]
    assert last["by"] == DANA and json.loads(last["statement"])["subject"]["wave"] == wave and last["signature"]


def test_nobody_signs_a_decision_that_was_made_before(world: World) -> None:
    world.sign(ANA)
    world.sign(CLEO)
    world.open()
    wave = world.pause().plan["waves"][0]["name"]
    asked = {"dir": str(world.folder), "decision": "promote", "wave": wave, "reason": "CHG0040007"}
    path = world.sign(DANA, act="decision", decision="promote", wave=wave)
    assert world.run(rollout_decision, **asked, statement=str(path))["changed"]
    written = sorted(path.parent.iterdir())
    again = world.run(trust_statement, **asked, act="decision", principal=DANA)
    assert f"promote has no effect: {DANA} has promoted it already" in again["msg"]
    assert sorted(path.parent.iterdir()) == written


def test_a_decision_of_another_role_or_of_nobody_is_refused_and_abort_is_free(world: World) -> None:
    world.sign(ANA)
    world.sign(CLEO)
    world.open()
    wave = world.pause().plan["waves"][0]["name"]
    options = {"dir": str(world.folder), "act": "decision", "decision": "promote", "wave": wave, "reason": "x"}
    assert "there is none" in world.run(trust_statement, **options, principal=ANA)["msg"]
    asked = {"dir": str(world.folder), "reason": "x"}
    accept = {**asked, "decision": "accept_policy", "policy_digest": "2" * 64}
    assert "gives the decision accept_policy to no role" in world.run(rollout_decision, **accept)["msg"]
    assert world.run(rollout_decision, **asked, decision="abort")["changed"]


def test_a_changed_policy_needs_a_decision(world: World) -> None:
    world.sign(ANA)
    world.sign(CLEO)
    assert "Create a new plan, and have it approved" in world.open(policy_digest="2" * 64)["msg"]
    world.open(policy_digest=POLICY)
    refused = world.open(policy_digest="2" * 64)
    assert refused["error"]["code"] == "PlanDrifted" and "accept_policy" in refused["msg"]
    bundle = world.trusted.bundle()
    bundle["requirements"]["decisions"]["accept_policy"] = {"roles": ["change_manager"]}
    world.pin(bundle)
    path = world.sign(ANA, act="decision", decision="accept_policy", policy_digest="2" * 64)
    accept = {"decision": "accept_policy", "policy_digest": "2" * 64, "reason": "CHG0040007", "statement": str(path)}
    assert world.run(rollout_decision, dir=str(world.folder), **accept)["changed"]
    assert world.open(policy_digest="2" * 64)["changed"]
    assert world.open(policy_digest=POLICY)["error"]["code"] == "PlanDrifted"


def test_without_a_bundle_it_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATCHTIDE_TRUST")
    assert world.run(trust_info)["text"] == "Approvals are not verified: this controller pins no trust bundle."
    assert world.run(trust_check, dir=str(world.folder))["verified"] is False
    assert "pins no trust bundle" in (world.folder / "plan.html").read_text()
    opened = world.open(approved_digest=world.plan["digest"])
    assert opened.get("changed"), opened
    assert "pins a trust bundle" in world.run(trust_statement, dir=str(world.folder), reason="x")["msg"]


def test_the_bundle_is_shown_with_the_keys_that_do_not_count(world: World) -> None:
    shown = world.run(trust_info)
    assert (shown["configured"], shown["version"], shown["environments"]) == (True, 7, ["production", "test"])
    assert {key["problem"] for person in shown["people"] for key in person["keys"]} == {""}
    world.clock.sleep(400 * 86400)
    assert "expired on" in world.run(trust_info)["people"][0]["keys"][0]["problem"]


def test_who_is_not_responsible_does_not_run_it(world: World) -> None:
    rows = [
        {"activity": "run_rollout", "responsible": ["auditor"]},
        {"activity": "approve_plan", "responsible": ["change_manager", "app_owner"]},
    ]
    world.pin(world.trusted.bundle(responsibilities=rows))
    world.sign(ANA)
    world.sign(CLEO)
    refused = world.open()
    assert refused["error"]["code"] == "NotResponsible" and "run a rollout: auditor" in refused["msg"]
    assert world.run(trust_check, activity="run_rollout")["error"]["code"] == "NotResponsible"
    assert "names no responsibility" in world.run(trust_check, activity="apply_policy")["text"]
