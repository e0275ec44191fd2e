# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout that the production driver drives through a fake executor, in virtual time."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Claimed, Event, WaveStarted
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import Preparations
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.courses import Courses
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.driver import Driver
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.notes import Notes
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.opening import Opening
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.permits import Permits
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.progress_line import WaveProgress
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.service_clock import ServiceClock
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.tempo import Tempo
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.prepare.preparation import Details, Preparer, Reasons
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.events import started
from tests.fakes.executor import FakeExecutor
from tests.fakes.fleet_port import START, FakeClock
from tests.fakes.plans import completed

WAVE = "w"


@dataclass
class FakeWatch:
    """Guards that object to what a test says; ``asked`` has the stage-wise questions in order."""

    no: dict[str, tuple[str, str]] = field(default_factory=dict)
    no_quorum: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    freezes_at: datetime | None = None

    def refuse_start(self, wave: str, begin: datetime) -> None:
        self.asked.append(("start",))

    def objections(self, nodes: Sequence[str], now: datetime) -> dict[str, tuple[str, str]]:
        self.asked.append(tuple(nodes))
        if self.freezes_at and now >= self.freezes_at:
            return dict.fromkeys(nodes, ("freeze", "frozen"))
        return {node: self.no[node] for node in nodes if node in self.no}

    def without_quorum(self, nodes: Sequence[str]) -> dict[str, tuple[str, str]]:
        return {node: self.no_quorum[node] for node in nodes if node in self.no_quorum}


@dataclass
class FakePins:
    """Lists that are as the plan has them, unless ``trouble`` says otherwise."""

    trouble: PatchtideError | None = None
    checked: list[tuple[str, ...]] = field(default_factory=list)

    def check(self, nodes: Sequence[str]) -> None:
        self.checked.append(tuple(nodes))
        if self.trouble:
            raise self.trouble


class FakePreparer(Preparer):
    """Drains nodes whose id begins with ``web``; keeps (what, nodes) of every call in ``options["calls"]``."""

    what = "drained"
    missed = "not_drained"

    def wanted(self) -> list[str]:
        return [node for node in self.rollout.nodes if node.startswith("web")]

    def prepare(self, nodes: Mapping[str, Details]) -> Reasons:
        self.options["calls"].append(("drain", "", tuple(nodes)))
        if slow := self.options["slow"].intersection(nodes):
            self.ready(set(nodes) - slow)
            for _number in range(100):
                time.sleep(0.03)
                self.rollout.clock.sleep(30)
        return {node: "it keeps its requests" for node in nodes if node in self.options["stuck"]}

    def restore(self, nodes: Mapping[str, Details]) -> tuple[Reasons, Reasons]:
        self.options["calls"].append(("restore", "", tuple(nodes)))
        return {}, {node: "denied" for node in nodes if node in self.options["stuck"]}


class NothingToStart(FakePreparer):
    what = "started"

    def wanted(self) -> list[str]:
        return []


@dataclass
class Driving:
    """One wave of nodes of the fake executor.

    :param turns: node ids to their turn. :param script: see ``FakeExecutor``.
    :param nights: node ids to their night in ``occurrences``, see ``night``.
    """

    folder: Path
    turns: dict[str, int]
    script: dict[Any, list[str]] = field(default_factory=dict)
    window: dict[str, str] | None = None
    rules: dict[str, Any] = field(default_factory=dict)
    executor_options: dict[str, Any] = field(default_factory=dict)
    is_begun: bool = True
    drain: bool = False
    lines: list[str] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    nights: dict[str, int] = field(default_factory=dict)
    occurrences: list[dict[str, Any]] = field(default_factory=list)
    #: Nodes that take 50 minutes to drain.
    slow: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.clock, self.watch, self.pins = FakeClock(), FakeWatch(), FakePins()
        self.executor = FakeExecutor(self.clock, self.script, **self.executor_options)
        wave = {
            "name": WAVE,
            "turns": max(self.turns.values()),
            "window": self.window,
            "nights": self.occurrences,
            "nodes": [{**planned(node, turn), "night": self.nights.get(node, 1)} for node, turn in self.turns.items()],
        }
        named: dict[str, list[dict[str, Any]]] = {}
        for row in self.occurrences:
            named.setdefault(row["window"], []).append(row)
        windows = [{"name": name, "occurrences": rows} for name, rows in named.items()]
        plan = completed([wave], windows=windows, rules=self.rules)
        (self.folder / "plan.json").write_text(json.dumps(plan), "utf-8")
        self.rollout = RolloutDir(self.folder, self.clock)
        self.rollout.record(started(self.rollout.plan["digest"]))
        if self.is_begun:
            self.rollout.record(WaveStarted(wave=WAVE))
            self.rollout.record(Claimed(wave=WAVE, nodes=tuple(self.turns)))

    def driver(self, turn: int = 1) -> Driver:
        """Return the driver of a controller that starts now: it knows the journal alone."""
        self.rollout = rollout = RolloutDir(self.folder, self.clock)
        rollout.act_as(rollout.state.controller)
        tempo, notes = Tempo(self.clock, rehearsal=True), Notes(rollout, self.lines.append)
        kinds: dict[str, type[Preparer]] = {"drained": FakePreparer, "started": NothingToStart}
        options = {"calls": self.executor.calls, "stuck": self.stuck, "slow": self.slow}
        check_clock = ServiceClock(self.clock, [self.executor]).check
        permits = Permits(rollout, WAVE, self.watch, self.pins, tempo, notes, check_clock)  # type: ignore[arg-type] # a fake watch and pins
        return Driver(
            rollout=rollout,
            wave=WAVE,
            courses=Courses(rollout, WAVE, {"fake": self.executor}, permits, tempo, notes),
            permits=permits,
            preparer=lambda what: kinds[what](rollout, WAVE, options, self.lines.append),
            opening=Opening(rollout, self.lines.append, check_clock),
            tempo=tempo,
            notes=notes,
            preparations=Preparations(["drained"] if self.drain else []),
            progress=WaveProgress(WAVE, lambda line: None),
            turn=turn,
        )

    def run(self, until: str = "worked", turn: int = 1) -> None:
        self.driver(turn).run(until)

    def fresh(self) -> RolloutDir:
        """Return what a controller sees that starts now."""
        return RolloutDir(self.folder, self.clock)

    def record(self, event: Event) -> None:
        """What another controller or a person writes."""
        RolloutDir(self.folder, self.clock).record(event)

    def journal(self, kind: str = "") -> list[dict[str, Any]]:
        rows = [json.loads(line) for line in (self.folder / "journal.jsonl").read_text("utf-8").splitlines()]
        return [row for row in rows if kind in ("", row["kind"])]

    def statuses(self) -> dict[str, str]:
        """Return the final statuses."""
        return {
            node: str(state.final["status"]) if state.final else state.stage
            for node, state in self.rollout.state.nodes.items()
        }

    def error(self, node: str) -> dict[str, str]:
        """Return why a node failed."""
        final = self.rollout.state.nodes[node].final
        assert final is not None
        return dict(final["error"])

    def minute(self, node: str, stage: str) -> float:
        """Return how many minutes after the start a stage's outcome was known."""
        for row in self.journal("outcome"):
            if row["data"]["stage"] == stage and any(item["node_id"] == node for item in row["data"]["results"]):
                return (datetime.fromisoformat(row["at"].replace("Z", "+00:00")) - START).total_seconds() / 60
        raise AssertionError(f"{node} has no outcome of {stage}")

    def begun(self, stage: str) -> int:
        """Return how often a stage really began."""
        return sum(f"/{stage}/" in token for token in self.executor.begun)

    def begun_at(self, stage: str) -> list[tuple[str, ...]]:
        return [nodes for what, name, nodes in self.executor.calls if (what, name) == ("begin", stage)]


def night(number: int, opens: float, minutes: float, hours: int = 4, window: str = "w") -> dict[str, Any]:
    """Return a night of a plan: it opens some minutes after the start, its work takes so many minutes."""
    start = START + timedelta(minutes=opens)
    times = {"start": 0, "cutoff_at": (hours - 1) * 60, "end": hours * 60, "begin": 0, "ends": minutes}
    shown = {name: to_time(start + timedelta(minutes=after)) for name, after in times.items()}
    return {"number": number, "window": window, "timezone": "Europe/Berlin", "local": "", **shown}


def planned(node: str, turn: int) -> dict[str, Any]:
    return {
        "node_id": node,
        "name": node,
        "host": node,
        "executor": "fake",
        "account": "1" * 12,
        "region": "eu-central-1",
        "platform": "linux",
        "turn": turn,
        "patch_count": 1,
        "patches": [],
        "expected_minutes": 10,
    }
