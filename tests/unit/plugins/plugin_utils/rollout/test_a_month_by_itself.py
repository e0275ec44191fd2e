# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A month of three tenants, carried through by what is due alone, in virtual time; controllers die at random.

The rules of ``run_due`` are the product's (``Search``, ``take_one``, ``agenda``, ``play_order`` and the driver); the
services are a fake executor whose list of beginnings is the ledger. ``PATCHTIDE_MONTHS`` is how many months to try.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Event,
    GateJudged,
    Resumed,
    RolloutFinished,
    RolloutStarted,
    WaveFinished,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.agenda import Need, agenda
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import Preparations
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.play_order import play_order
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import DONE
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time, to_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.courses import Courses
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.driver import Driver
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.notes import Notes
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.opening import Opening, OutsideWindow
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.permits import Permits
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.progress_line import WaveProgress
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.tempo import Tempo
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout import controller_lock, due_plans
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.due_plans import Search, take_one
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.driving import FakePins, FakeWatch, NothingToStart
from tests.fakes.executor import FakeExecutor
from tests.fakes.fleet_port import FakeClock

NOW = datetime.fromisoformat("2026-10-01T12:00:00+00:00")
TICK = timedelta(minutes=5)
AHEAD = timedelta(minutes=30)


class Died(BaseException):
    """The controller's end."""


def policy(name: str, zone: str, dev: str, prod: str, **more: Any) -> dict[str, Any]:
    """The clocks of Berlin and New York change in this month and the next."""
    windows = [
        {"name": what, "schedule": f"cron({fields})", "duration_hours": 4, "cutoff_hours": 1, "timezone": zone}
        for what, fields in (("dev", dev), ("prod", prod))
    ]
    waves = [
        {"name": "dev", "window": "dev", "select": {"tags": {"Environment": "dev"}}, "soak_minutes": 1440},
        {"name": "prod", "window": "tag"},
    ]
    return {"version": 1, "name": name, "windows": windows, "waves": waves, "patching": {"pin": "baseline"}, **more}


#: The second one does not fit into one night; the third one's windows come in the wrong order.
TENANTS = {
    "contoso": policy("contoso", "Europe/Berlin", "0 22 ? * TUE#1 *", "0 22 ? * SAT#4 *"),
    "fabrikam": policy(
        "fabrikam",
        "America/New_York",
        "30 23 ? * SUN *",
        "0 1 ? * * *",
        budgets={"rollout": 2},
        reboot={"rule": "never"},
    ),
    "litware": policy("litware", "Asia/Kolkata", "0 3 ? * TUE#2 *", "0 3 ? * MON#1 *"),
}


def write_plan(root: Path, name: str, document: dict[str, Any]) -> dict[str, Any]:
    tag = {"MaintenanceWindow": "prod"}
    nodes = [
        Candidate(
            node_id=f"{name}-{number}",
            host=f"{name}-{number}",
            executor="linux",
            platform="linux",
            tags={**tag, "Environment": "dev" if number < 2 else "prod"},
        )
        for number in range(28 if name == "fabrikam" else 6)
    ]
    missing = {"status": "succeeded", "missing": [{"id": "curl"}]}
    scan = {"nodes": {node.node_id: missing for node in nodes}, "failed_places": []}
    found = to_policy(document)
    identity = {"created_at": to_time(NOW), "rollout": name.encode().hex().ljust(32, "0")}
    plan = build_plan(nodes, found, scan, policy_digest=found.digest, **identity)
    folder = root / name / "2026-10"
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
    (root / name / "policy.yml").write_text(yaml.safe_dump(document), "utf-8")
    return plan


@dataclass
class Month:
    """``deaths``: after how many records each life of a controller ends."""

    root: Path
    clock: FakeClock
    deaths: Iterator[int]
    ledger: FakeExecutor = field(init=False)
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: int = 0
    lost: int = 0
    others: int = 0

    def __post_init__(self) -> None:
        self.ledger = FakeExecutor(self.clock, size=4)
        self.plans = {name: write_plan(self.root, name, document) for name, document in TENANTS.items()}

    def tick(self) -> None:
        """One run of run_due: the most urgent rollout, or nothing."""
        chosen = take_one(Search(root=self.root, ahead=AHEAD).all(self.clock.now()), write=True)
        if chosen is None or chosen.agenda is None or chosen.agenda.need is not Need.DUE:
            return
        self.runs += 1
        try:
            Life(self, RolloutDir(chosen.folder, self.clock), next(self.deaths)).run()
        except Died:
            self.lost += 1

    def run_another(self, busy: Path) -> None:
        """Another run_due while a controller works on this rollout: it takes a different one, or none."""
        self.others += 1
        with patch.object(controller_lock, "_controller", os.getpid):
            other = take_one(Search(root=self.root, ahead=AHEAD).all(self.clock.now()), write=True)
        assert other is None or other.folder != busy, "two controllers work on one rollout"
        if other is not None:
            (other.folder / controller_lock.NAME).unlink()  # it dies before its first record

    def states(self) -> list[RolloutDir]:
        return [RolloutDir(self.root / name / "2026-10", self.clock) for name in self.plans]

    def go(self, until: datetime) -> None:
        """Pass the time. Where nothing is due, the next run that has something to do is the next one that counts."""
        while self.clock.now() < until:
            self.tick()
            now = self.clock.now()
            found = [agenda(item.state, now, AHEAD) for item in self.states()]
            if all(item.need is Need.FINISHED for item in found):
                return
            due = min([item.at for item in found if item.at and not item.is_due], default=until)
            steps = 1 if any(item.is_due for item in found) else max(1, -(-(due - now) // TICK))
            self.clock.moment = now + steps * TICK


@dataclass
class Life:
    """One controller, from its start to its end or its death."""

    month: Month
    rollout: RolloutDir
    left: int

    def record(self, event: Event) -> None:
        self.rollout.record(event)

    def run(self) -> None:
        rollout, kept = self.rollout, self.rollout.record

        def mortal(event: Event) -> Any:
            if self.left <= 0:
                raise Died
            self.left -= 1
            if self.left % 7 == 0:
                self.month.run_another(rollout.path)
            return kept(event)

        rollout.record = mortal
        self.open()
        for item in play_order(rollout.state)["play_hosts"]:
            try:
                self.drive(item["wave"], item["turn"])
            except OutsideWindow:
                return
            if item["last_turn"] and not self.judge(item["wave"]):
                return
        if all(wave.status == "finished" for wave in rollout.state.waves.values()):
            rollout.record(RolloutFinished(status="completed", reason="every wave was promoted"))

    def open(self) -> None:
        who: dict[str, Any] = {"operator": "schedule", "controller": ""}
        plan = self.rollout.plan
        if self.rollout.state.status == "new":
            self.rollout.record(
                RolloutStarted(
                    rollout=plan["rollout"],
                    plan_digest=plan["digest"],
                    policy_digest="",
                    waves=tuple(self.rollout.state.waves),
                    node_count=len(self.rollout.nodes),
                    **who,
                )
            )
        else:
            self.rollout.record(Resumed(**who))

    def drive(self, wave: str, turn: int) -> None:
        rollout, month = self.rollout, self.month
        tempo, notes = Tempo(month.clock, rehearsal=True), Notes(rollout, lambda line: None)
        watch: Any = FakeWatch()
        pins: Any = FakePins()
        permits = Permits(rollout, wave, watch, pins, tempo, notes)
        Driver(
            rollout=rollout,
            wave=wave,
            courses=Courses(rollout, wave, {"linux": month.ledger}, permits, tempo, notes),
            permits=permits,
            preparer=lambda what: NothingToStart(rollout, wave, {"calls": [], "stuck": set()}, lambda line: None),
            opening=Opening(rollout, lambda line: None, wait_minutes=30),
            tempo=tempo,
            notes=notes,
            preparations=Preparations([]),
            progress=WaveProgress(wave, lambda line: None),
            turn=turn,
        ).run("worked")

    def judge(self, name: str) -> bool:
        """The gate: promote what is good after the soak time."""
        state, plan = self.rollout.state.waves[name], self.rollout.wave(name)
        if any(self.rollout.state.nodes[node].stage != DONE for node in state.nodes):
            return False
        if state.status == "running":
            soaked = from_time(state.worked_at) + timedelta(minutes=plan["soak_minutes"])
            if self.month.clock.now() < soaked:
                return False
            self.rollout.record(GateJudged(wave=name, verdict="promote"))
        if self.rollout.state.waves[name].status == "promoted":
            self.rollout.record(WaveFinished(wave=name))
        return True


def planned_timeline(plan: dict[str, Any]) -> dict[str, str]:
    """Return each node's night by the plan."""
    return {
        node["node_id"]: wave["nights"][node["night"] - 1]["start"] for wave in plan["waves"] for node in wave["nodes"]
    }


def begins(month: Month, plan: dict[str, Any]) -> dict[str, str]:
    """Return when the ledger saw each node's install begin; more than one begin is an error."""
    found: dict[str, str] = {}
    for folder in month.states():
        for record in folder.stores.open_journal(folder.plan["rollout"]).stream():
            data = record.data
            if record.kind != "intent" or data["stage"] != "patch" or data["token"] not in month.ledger.begun:
                continue
            at = to_time(month.ledger.begun[data["token"]])
            for node in data["nodes"]:
                if node in planned_timeline(plan):
                    assert node not in found, f"{node} was patched twice"
                    found[node] = at
    return found


def ledger_timeline(month: Month, plan: dict[str, Any]) -> dict[str, str]:
    """Return the planned night in which each node's install began."""
    nights = [night for wave in plan["waves"] for night in wave["nights"]]
    return {
        node: next(night["start"] for night in nights if night["start"] <= at < night["cutoff_at"])
        for node, at in begins(month, plan).items()
    }


def carry_through(folder: Path, monkeypatch: pytest.MonkeyPatch, deaths: Iterator[int]) -> Month:
    """Let the months pass, and check that each rollout is done."""
    clock = FakeClock(NOW)
    monkeypatch.setattr(due_plans, "find_clock", lambda: clock)
    month = Month(folder, clock, deaths)
    month.go(NOW + timedelta(days=45))
    for rollout, plan in zip(month.states(), month.plans.values(), strict=True):
        statuses = {node: state.final and state.final["status"] for node, state in rollout.state.nodes.items()}
        assert set(statuses.values()) == {"succeeded"}, (plan["policy"]["name"], statuses)
        assert rollout.state.finished and rollout.state.status == "completed"
    return month


def test_what_is_planned_is_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    month = carry_through(tmp_path, monkeypatch, repeat(10**6))
    for plan in month.plans.values():
        assert ledger_timeline(month, plan) == planned_timeline(plan)
    assert max(len(wave["nights"]) for wave in month.plans["fabrikam"]["waves"]) > 1, "one of them needs more nights"
    moved = month.plans["litware"]["waves"][1]["moved"]
    assert moved and "wave dev ends" in moved[0]["why"]


@pytest.mark.parametrize("seed", range(int(os.environ.get("PATCHTIDE_MONTHS", "4"))))
def test_controllers_that_die_cost_a_night_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Nodes for which a night of many deaths had no time left are patched in the next one, none before its own."""
    chance = random.Random(seed)
    month = carry_through(tmp_path, monkeypatch, iter(lambda: chance.choice([0, 3, 9, 20, 45, 10**6]), None))
    for plan in month.plans.values():
        began = begins(month, plan)
        late = {node: from_time(began[node]) - from_time(night) for node, night in planned_timeline(plan).items()}
        assert {span.days for span in late.values()} <= {0, 1}, late
    assert month.runs > month.lost > 0 and month.others > 3
