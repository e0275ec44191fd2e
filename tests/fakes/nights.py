# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random rollouts in memory: the production driver on an estate that fails, by controllers that die and sleep.

A seed is a whole night: nodes, window, stores, what goes wrong with nodes, answers and controllers.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.action.rollout_restore import _idle
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.stores import (
    DynamoClaims,
    DynamoHead,
    DynamoJournal,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError, TakenOver
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Decision,
    GateJudged,
    Resumed,
    RolloutFinished,
    RolloutStarted,
    TakenUp,
    WaveFinished,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import GateRules, WaveTally, decide
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import Preparations
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import final_results
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.stores import (
    ClaimStore,
    HeadStore,
    JournalStore,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import PrecheckRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.courses import Courses
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.driver import WORKED, Driver
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.notes import Notes
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.opening import Opening, OutsideWindow
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.permits import Permits
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.progress_line import WaveProgress
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.service_clock import ServiceClock
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.tempo import Tempo
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.rules import WaveRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.ssm import SsmExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.prepare.preparation import (
    Details,
    Preparer,
    Reasons,
    at_once,
    restoring,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.claim_file import ClaimFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.head_file import HeadFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.journal_file import JournalFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.left_over import has_time_now
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import Stores

from tests.fakes.driving import FakePins, FakeWatch, NothingToStart
from tests.fakes.dynamo import FakeDynamo
from tests.fakes.estate import INSTALLS, REBOOTS, Died, Estate, EstateFleet, EstateHosts, Life, planned_node
from tests.fakes.fleet_port import START, FakeClock
from tests.fakes.plans import completed

RULES = WaveRules(thresholds=PrecheckRules(), install_seconds=1800, reboot_seconds=1800)
REGIONS = ("eu-central-1", "us-east-1")
#: After so many controllers nothing goes wrong any more; so many may follow.
TROUBLED, PATIENT = 5, 12


@dataclass(frozen=True)
class NightStores(Stores):
    """The stores as one controller opens them: its journal tells ``life`` of every record."""

    life: Life | None = None
    dynamo: FakeDynamo | None = None

    def open_journal(self, rollout: str) -> JournalStore:
        store: Any = (
            DynamoJournal(self.dynamo, "j", rollout) if self.dynamo else JournalFile(self.folder / "journal.jsonl")
        )
        append, life = store.append, self.life

        def deadly(*args: Any, **more: Any) -> Any:
            if life:
                life.at("before record")
            record = append(*args, **more)
            if life:
                life.at("after record")
            return record

        store.append = deadly
        return store  # type: ignore[no-any-return] # made by an untyped base

    def open_head(self, rollout: str) -> HeadStore | None:
        return DynamoHead(self.dynamo, "c", rollout) if self.dynamo else HeadFile(self.folder / "heads" / rollout)

    def open_claims(self) -> ClaimStore | None:
        return DynamoClaims(self.dynamo, "c") if self.dynamo else ClaimFile(self.folder / "claims.json")


class Drainer(Preparer):
    """Takes nodes out of service."""

    what = "drained"

    def wanted(self) -> list[str]:
        return [node for node in self.rollout.nodes if self.rollout.state.nodes[node].wave == self.wave]

    def prepare(self, nodes: Mapping[str, Details]) -> Reasons:
        self.options["life"].at("drain")
        self.options["estate"].drained.update(nodes)
        return {}

    def restore(self, nodes: Mapping[str, Details]) -> tuple[Reasons, Reasons]:
        self.options["life"].at("restore")
        self.options["estate"].drained.difference_update(nodes)
        return {}, {}


@dataclass
class Night:
    folder: Path
    seed: int
    controllers: int = 0
    trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.clock = FakeClock()
        nodes = [f"i-{number:017x}" for number in range(self.chance.randint(1, 5))]
        nodes += [f"host-{number}" for number in range(self.chance.randint(0, 3))]
        word = self.chance.choice
        calm = self.chance.random() < 0.4  # nodes that are well, so that all trouble is the controllers'
        self.estate = Estate(
            self.clock,
            {node: "ok" if calm else word(INSTALLS) for node in nodes},
            {node: "ok" if calm else word(REBOOTS) for node in nodes},
        )
        self.dynamo = FakeDynamo(lambda: self.chance.random() < 0.03) if self.chance.random() < 0.5 else None
        self.window = self._window()
        self.drains = self.chance.random() < 0.5
        self.plan = self._plan(nodes)
        (self.folder / "plan.json").write_text(json.dumps(self.plan), "utf-8")

    def _window(self) -> dict[str, str] | None:
        if self.chance.random() < 0.4:
            return None
        hours = self.chance.choice([2, 4, 24])
        ends = {"start": 0, "cutoff_at": hours - 1, "end": hours}
        return {"name": "night", **{name: to_time(START + timedelta(hours=at)) for name, at in ends.items()}}

    def _plan(self, nodes: list[str]) -> dict[str, Any]:
        rows = [
            planned_node(node, "direct" if "host" in node else "ssm", self.chance.choice(REGIONS)) for node in nodes
        ]
        half = self.chance.randint(1, len(rows))
        waves = [
            {"name": name, "window": self.window, "nodes": members}
            for name, members in (("first", rows[:half]), ("second", rows[half:]))
            if members
        ]
        rules = {"retries": {"delivery": self.chance.randint(0, 2)}}
        return completed(waves, rollout=f"{self.seed:032x}", rules=rules)

    def carry_out(self) -> None:
        """Let controllers work, one after the other, until the rollout is finished."""
        while not self.is_over():
            if self.controllers > TROUBLED + PATIENT:
                raise AssertionError(f"seed {self.seed}: no end after {self.controllers} controllers: {self.trouble}")
            self.controller(calm=self.controllers >= TROUBLED)
            if self.chance.random() < 0.2:
                self.clock.sleep(self.chance.choice([60, 3600, 30 * 3600]))

    def is_over(self) -> bool:
        return self.rollout().state.finished or bool(self.trouble and self.trouble[-1] == "OutsideWindow")

    def rollout(self, life: Life | None = None) -> RolloutDir:
        return RolloutDir(self.folder, self.clock, NightStores(self.folder, life=life, dynamo=self.dynamo))

    def controller(self, *, calm: bool) -> None:
        """Run one controller to its end or to its death."""
        self.controllers += 1
        life = Life(random.Random(self.chance.random()))
        if not calm:
            life.lossy, life.blind, life.throttled = (self.chance.choice([0, 0, 0.3]) for _what in range(3))
            life.event = self._fate(life)
        try:
            self._play(life, f"controller-{self.controllers}/1/1")
        except Died:
            self.trouble.append("died")
        except TakenOver:
            self.trouble.append("succeeded")
        except OutsideWindow:
            self.trouble.append("OutsideWindow")
        except PatchtideError as why:
            self.trouble.append(str(why))
        finally:
            life.alive = False

    def _fate(self, life: Life) -> Callable[[str], None]:
        """Return what happens to a controller at its calls and records: it dies at one, or sleeps through another."""
        dies = self.chance.random() < 0.5
        where = self.chance.choice(DEATHS if dies else SLEEPS)
        number = self.chance.randint(1, 40 if "record" in where else 8)
        minutes = self.chance.choice([0, 1, 30, 300, 30 * 60])
        seen, lock = Counter[str](), threading.Lock()

        def event(what: str) -> None:
            with lock:
                seen[what] += 1
                if what != where or seen[what] != number:
                    return
            if dies:
                life.die()
            self.clock.sleep(minutes * 60)
            other = threading.Thread(target=lambda: self.controller(calm=self.chance.random() < 0.5))
            other.start()
            other.join()

        return event

    def _play(self, life: Life, name: str) -> None:
        """Do what the playbook does: its closing play restores, whatever became of the waves."""
        try:
            self._waves(life, name)
        except TakenOver:
            raise
        except PatchtideError:
            self._close(life, name)
            raise
        self._close(life, name)

    def _close(self, life: Life, name: str) -> None:
        rollout = self.rollout(life)
        if rollout.state.finished or rollout.state.controller != name:
            return
        rollout.act_as(name)
        options = {"estate": self.estate, "life": life}
        for item in _idle(rollout, None):
            at_once(restoring(Drainer(rollout, item.wave, options, lambda line: None), item.nodes))
        if not rollout.state.prepared and all(wave.status == "finished" for wave in rollout.state.waves.values()):
            rollout.record(RolloutFinished(status="completed", reason="done"))

    def _waves(self, life: Life, name: str) -> None:
        rollout = self.rollout(life)
        if rollout.state.finished:
            return
        if rollout.state.status == "paused":  # a person looks at it and goes on
            paused = next(wave.name for wave in rollout.state.waves.values() if wave.status == "paused")
            rollout.record(Decision(by="dana", action="promote", wave=paused, reason="seen"))
        if rollout.state.status == "new":
            rollout.record(
                RolloutStarted(
                    rollout=rollout.plan["rollout"], plan_digest=rollout.plan["digest"], policy_digest="",
                    operator="dana", controller=name, waves=(), node_count=len(rollout.nodes),
                )
            )  # fmt: skip
        else:
            rollout.record(Resumed(operator="dana", controller=name))
            for wave in [wave for wave in rollout.state.waves.values() if wave.status == "running"]:
                if nodes := tuple(node for node in wave.nodes if has_time_now(rollout, node)):
                    rollout.record(TakenUp(wave=wave.name, nodes=nodes))
        rollout.act_as(name)
        for wave in list(rollout.state.waves):
            rollout = self.rollout(life)
            rollout.act_as(name)
            if rollout.state.waves[wave].status == "finished":
                continue
            if rollout.state.waves[wave].status != "promoted":
                self._driver(rollout, wave, life).run(WORKED)
                self._judge(rollout, wave)
            if rollout.state.waves[wave].status != "promoted":
                return
            rollout.record(WaveFinished(wave=wave))

    def _judge(self, rollout: RolloutDir, wave: str) -> None:
        ended = final_results(rollout.state, [wave])
        tally = WaveTally.from_statuses(len(rollout.wave(wave)["nodes"]), [str(item["status"]) for item in ended])
        decision = decide(GateRules(max_failure_rate=1.0), tally)
        event = decision.to_event(wave)
        if event.verdict == "abort":
            event = GateJudged(wave=wave, verdict="pause", numbers=event.numbers, reasons=event.reasons)
        rollout.record(event)

    def _driver(self, rollout: RolloutDir, wave: str, life: Life) -> Driver:
        tempo, notes = Tempo(self.clock, rehearsal=True), Notes(rollout, lambda line: None)
        fleets = {
            f"{'1' * 12}/{region}": EstateFleet(self.clock, label=f"{'1' * 12}/{region}", estate=self.estate, life=life)
            for region in REGIONS
        }
        ssm = SsmExecutor(rollout=rollout, wave=wave, rules=RULES, clock=self.clock, ports=fleets.__getitem__)
        check_clock = ServiceClock(self.clock, [ssm]).check
        permits = Permits(rollout, wave, FakeWatch(), FakePins(), tempo, notes, check_clock)  # type: ignore[arg-type] # fakes
        executors = {"ssm": ssm, "direct": EstateHosts(self.estate, life)}
        options = {"estate": self.estate, "life": life}
        kinds: dict[str, type[Preparer]] = {"drained": Drainer, "started": NothingToStart}
        return Driver(
            rollout=rollout,
            wave=wave,
            courses=Courses(rollout, wave, executors, permits, tempo, notes),
            permits=permits,
            preparer=lambda what: kinds[what](rollout, wave, options, lambda line: None),
            opening=Opening(rollout, lambda line: None, check_clock),
            tempo=tempo,
            notes=notes,
            preparations=Preparations(["drained"] if self.drains else []),
            progress=WaveProgress(wave, lambda line: None),
        )

    def check(self) -> None:
        """What must hold after any night, by what the nodes did and not by what was recorded of them."""
        state, told = self.rollout().state, f"seed {self.seed}, {self.controllers} controllers, {self.trouble}"
        installs = Counter(row.node for row in self.estate.ledger if row.what == "install")
        reboots = Counter(row.node for row in self.estate.ledger if row.what == "reboot")
        assert all(number == 1 for number in installs.values()), f"two Installs on one node: {installs}, {told}"
        assert all(number == 1 for number in reboots.values()), f"two reboots of one node: {reboots}, {told}"
        tokens = Counter((row.node, row.what, row.token) for row in self.estate.ledger)
        assert not [row for row, number in tokens.items() if number > 1], f"one token twice, {told}"
        self._check_window(told)
        assert state.intents == {}, f"work is left open: {state.intents}, {told}"
        assert state.prepared == {} and not self.estate.drained, f"something is left prepared, {told}"
        for node, found in state.nodes.items():
            if found.final is None:
                assert not installs[node] and not state.finished, f"{node} is forgotten, {told}"
                continue
            status = found.final["status"]
            assert status != "skipped" or not installs[node], f"{node} was touched and called skipped, {told}"
            good = self.estate.is_installed(node) and not self.estate.is_pending(node)
            assert status not in ("succeeded", "no_op") or good, f"{node} is called {status} and is not, {told}"

    def _check_window(self, told: str) -> None:
        if self.window:
            span = self.window["start"], self.window["end"]
            outside = [row for row in self.estate.ledger if not span[0] <= to_time(row.at) < span[1]]
            late = [
                row
                for row in self.estate.ledger
                if row.what == "install" and to_time(row.at) >= self.window["cutoff_at"]
            ]
            assert not outside and not late, f"outside of the window: {outside or late}, {told}"


#: Where a controller may be stopped. Between the confirmation and the call itself there is nothing to be done about it.
SLEEPS = ("send", "confirm", "sent", "find", "look", "states", "before record", "after record")
DEATHS = (*SLEEPS, "drain", "restore", "cancel", "give up")
