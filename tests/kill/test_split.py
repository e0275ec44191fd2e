# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three controllers carry out the child plans of one plan at the same time: one is killed, one is stopped and woken."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.stores import DynamoJournal, DynamoShared
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.split import split_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal_check import replay

from tests.kill.conftest import HELD, WAVES, Night, is_install
from tests.kill.controller import STOPPED, Death, begin, ended
from tests.kill.test_stores import table

#: Wave canary has nodes of the second child only, early of the second and the third, late of the first and the second.
PLANT, WEB, SHOP = ("01-111111111111-eu-central-1", "02-222222222222-eu-central-1", "03-222222222222-us-east-1")


class Children:
    """The child plans of the night's plan, each with a controller of a machine of its own."""

    def __init__(self, night: Night) -> None:
        self.night = night
        self.processes: list[int] = []
        budgets = {**night.plan["rules"]["budgets"], "rollout": 3}
        self.parent = seal({**night.plan, "rules": {**night.plan["rules"], "budgets": budgets}})
        (night.folder / "plan.json").write_text(json.dumps(self.parent), "utf-8")
        self.plans = {child["part"]["name"]: child for child in split_plan(self.parent, "account_region")}
        assert tuple(self.plans) == (PLANT, WEB, SHOP)
        self.stores = {
            "claims": table(night.aws, "claims", node_id="S"),
            "journal": table(night.aws, "journal", rollout="S", seq="N"),
        }
        for name, child in self.plans.items():
            self.folder(name).mkdir(parents=True)
            (self.folder(name) / "plan.json").write_text(json.dumps(child), "utf-8")

    def folder(self, name: str) -> Path:
        return self.night.folder / "parts" / name

    def begin(self, name: str, death: Death | None = None) -> int:
        return self._begin(self.folder(name), death, f"machine-{name}")

    def begin_elsewhere(self, name: str) -> int:
        """Begin a child plan on a machine that has copies of its plan and of its parent's, and nothing else."""
        folder = self.night.folder / "another" / name
        folder.mkdir(parents=True)
        shutil.copy(self.folder(name) / "plan.json", folder)
        shutil.copy(self.night.folder / "plan.json", folder / "parent.json")
        return self._begin(folder, None, "another")

    def _begin(self, folder: Path, death: Death | None, machine: str) -> int:
        process = begin(folder, self.night.environment, death, machine, **self.stores)
        self.processes.append(process)
        return process

    def run(self, **deaths: Death) -> list[int]:
        """Run all three at the same time; return how they ended."""
        deaths = {{"plant": PLANT, "web": WEB, "shop": SHOP}[name]: death for name, death in deaths.items()}
        running = [self.begin(name, deaths.get(name)) for name in self.plans]
        return [ended(process) for process in running]

    def status(self, name: str) -> str:
        plan = self.plans[name]
        journal = DynamoJournal(self.night.aws.client("dynamodb"), "journal", plan["rollout"])
        state, damage = replay(plan, journal.read())
        assert damage is None, damage
        return state.status

    def shared(self) -> Any:
        client = self.night.aws.client("dynamodb")
        return DynamoShared(client, "claims", self.parent["rollout"]).read()[1]

    def installs(self) -> Counter[str]:
        names = {node["node_id"]: node["name"] for wave in self.parent["waves"] for node in wave["nodes"]}
        commands = [row for row in self.night.aws.get("ledger")["commands"] if is_install(row)]
        return Counter(names[node] for row in commands for node in row["nodes"])


@pytest.fixture
def children(night: Night) -> Iterator[Children]:
    found = Children(night)
    yield found
    for process in found.processes:  # what a failed test has left asleep
        with suppress(ChildProcessError):  # it has ended
            if os.waitpid(process, os.WNOHANG) == (0, 0):
                os.kill(process, signal.SIGKILL)


@pytest.mark.slow
def test_one_is_killed_one_is_stopped_and_woken_and_each_node_is_installed_once(children: Children) -> None:
    killed = children.run(web=Death(1, "after", "intent patch"))
    assert killed == [0, -signal.SIGKILL, 0]
    assert children.shared().gates == {}, "the gate of canary did not pass without the child that died"
    assert [children.status(name) for name in children.plans] == ["running"] * 3

    processes = [children.begin(PLANT), children.begin(WEB), children.begin(SHOP, Death(1, "asleep", "intent patch"))]
    sleeper = processes[2]
    assert ended(sleeper) == STOPPED
    assert [ended(process) for process in processes[:2]] == [0, 0]
    assert set(children.shared().gates) == {"canary"}, "the gate of early waits for the child that sleeps"

    others = [children.begin(PLANT), children.begin(WEB), children.begin_elsewhere(SHOP)]
    assert [ended(process) for process in others] == [0, 0, 0]
    assert [children.status(name) for name in children.plans] == ["completed"] * 3
    assert {wave: found.verdict for wave, found in children.shared().gates.items()} == dict.fromkeys(WAVES, "promote")
    before = children.installs()
    planned = {node["name"] for wave in children.parent["waves"] for node in wave["nodes"]}
    assert before == dict.fromkeys(planned - {HELD}, 1)

    os.kill(sleeper, signal.SIGCONT)
    assert ended(sleeper) == 1, "it woke as a stranger"
    assert children.installs() == before
    assert children.night.findings() == []
