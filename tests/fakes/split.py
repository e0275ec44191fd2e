# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A split plan: two child plans in directories of their own, which share a state in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Outcome,
    Resumed,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.split import split_plan
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.sharing import Sharing
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import Stores

from tests.fakes.events import started
from tests.fakes.fleet_port import FakeClock
from tests.fakes.plans import completed
from tests.fakes.shared import SharedInMemory

CANARY, REST = "canary", "rest"


@dataclass
class Split:
    """Child plan ``a`` has the nodes a1, a2 and a3, ``b`` has b1 and b2; a1, a2 and b1 are in the first wave."""

    folder: Path
    rules: dict[str, Any] = field(default_factory=dict)
    gate: dict[str, Any] = field(default_factory=dict)
    soak: int = 0
    clock: FakeClock = field(default_factory=FakeClock)
    store: SharedInMemory = field(default_factory=SharedInMemory)

    def __post_init__(self) -> None:
        waves = {CANARY: ("a1", "a2", "b1"), REST: ("a3", "b2")}
        rows = {wave: [row(name) for name in names] for wave, names in waves.items()}
        plan = [
            {"name": wave, "nodes": nodes, "gate": self.gate, "soak_minutes": self.soak} for wave, nodes in rows.items()
        ]
        self.parent = completed(plan, rules=self.rules)
        (self.folder / "plan.json").write_text(json.dumps(self.parent), "utf-8")
        self.folders: dict[str, Path] = {}
        for child in split_plan(self.parent, "account"):
            name = child["part"]["name"]
            self.folders[name[-1]] = path = self.folder / "parts" / name
            path.mkdir(parents=True)
            (path / "plan.json").write_text(json.dumps(child), "utf-8")

    def share(self, monkeypatch: pytest.MonkeyPatch) -> Split:
        """Let what the production code opens be the state in memory."""
        monkeypatch.setattr(Stores, "open_shared", lambda _self, _rollout: self.store)
        return self

    def open(self, name: str) -> RolloutDir:
        """Return the rollout of a child plan as a task reads it."""
        return RolloutDir(self.folders[name], self.clock)

    def run(self, name: str, controller: str = "") -> tuple[RolloutDir, Sharing]:
        """Begin or continue a child plan as a controller, which holds its claim then."""
        rollout = self.open(name)
        sharing, controller = Sharing(rollout, self.store), controller or f"host-{name}/1/1"
        if rollout.state.status == "new":
            rollout.record(started(rollout.plan["digest"], controller=controller))
        else:
            rollout.record(Resumed(operator="dana", controller=controller))
        rollout.act_as(controller)
        sharing.claim()
        return rollout, sharing


def row(name: str) -> dict[str, Any]:
    return {"node_id": name, "account": name[0], "region": "r", "executor": "ssm"}


def end(rollout: RolloutDir, wave: str = CANARY, **statuses: str) -> None:
    """Give nodes of a wave their final records."""
    state = rollout.state.waves[wave]
    if state.status == "waiting":
        rollout.record(Claimed(wave=wave, nodes=state.nodes))
        rollout.record(WaveStarted(wave=wave))
    rows = tuple({"node_id": name, "status": status} for name, status in statuses.items())
    if rows:
        rollout.record(Outcome(wave=wave, stage="verify", results=rows))
