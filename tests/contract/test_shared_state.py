# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared state of a split plan is the same in memory and in DynamoDB, and holds for three controllers at once: one
is killed, and one is stopped, taken over and woken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.stores import DynamoShared
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.split import split_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.shared import (
    Request,
    Shared,
    SharedStore,
    Writer,
    entered,
    reserved,
    update,
)

from lab.aws.launch import Lab
from tests.contract.test_stores import table_of
from tests.fakes.dynamo import FakeDynamo
from tests.fakes.plans import completed
from tests.fakes.shared import SharedInMemory

NOW = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)
UNTIL = NOW + timedelta(minutes=15)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["memory", "fake", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Callable[[], SharedStore]:
    """Open the same state once more, as another controller does."""
    if request.param == "memory":
        once = SharedInMemory()
        return lambda: once
    client: Any = FakeDynamo()
    table = "claims"
    if request.param == "dynamodb":
        client, table = table_of(request.getfixturevalue("aws"), "claims", node_id="S")
    return lambda: DynamoShared(client, table, "5eed" * 8)


def test_an_empty_state_has_no_version_and_the_first_of_two_writers_wins(store: Callable[[], SharedStore]) -> None:
    one, two = store(), store()
    assert one.read() == (0, Shared())
    mine, theirs = (entered(Shared(), Writer(name, 1, name), UNTIL) for name in "ab")
    assert one.write(mine, 0) and not two.write(theirs, 0)
    assert two.read() == (1, mine)
    assert two.write(theirs, 1) and not one.write(mine, 1)
    assert one.read() == (2, theirs)


def test_three_controllers_at_once_never_exceed_a_budget(store: Callable[[], SharedStore]) -> None:
    def controller(name: str) -> int:
        mine, me, granted = store(), Writer(name, 1, name), 0
        for _number in range(5):
            granted += one_more(mine, me, granted)
        return granted

    with ThreadPoolExecutor(3) as pool:
        granted = list(pool.map(controller, "abc"))
    assert sum(granted) == 4
    assert {name: part.used.get("rollout", [0, 0])[0] for name, part in store().read()[1].parts.items()} == dict(
        zip("abc", granted, strict=True)
    )


def one_more(store: SharedStore, me: Writer, granted: int) -> int:
    """Ask for one node more; return how many of it are granted."""
    got: list[str] = []
    wanted = Request(wanted={"n": ["rollout"]}, used={"rollout": [granted, 0]}, limits={"rollout": 4})

    def ask(shared: Shared) -> Shared:
        after, answer = reserved(entered(shared, me, UNTIL), me, wanted, NOW)
        got[:] = answer.granted
        return after

    update(store, ask)
    return len(got)


class Controllers:
    """Processes of ``child_controller``, which go on one step at a time."""

    def __init__(self, folder: Path, aws: Lab) -> None:
        self.ledger = folder / "ledger"
        self.ledger.write_text("", "utf-8")
        nodes = [
            {"node_id": f"i-{account}{number}", "account": account, "region": "r"}
            for account in "abc"
            for number in "12"
        ]
        parent = completed([{"name": "w", "nodes": nodes}], rules={"budgets": {"rollout": 2}})
        _client, claims = table_of(aws, "claims", node_id="S")
        _client, journal = table_of(aws, "journal", rollout="S", seq="N")
        self._environment = {**os.environ, **aws.environment(), "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{ROOT}"}
        self.folders: dict[str, Path] = {}
        stores = {"schema": "patchtide/stores/1", "claims": f"dynamodb:eu-central-1/{claims}"}
        for child, name in zip(split_plan(parent, "account"), "abc", strict=True):
            self.folders[name] = folder / name
            self.folders[name].mkdir()
            (self.folders[name] / "plan.json").write_text(json.dumps(child), "utf-8")
            (self.folders[name] / "stores.json").write_text(
                json.dumps({**stores, "journal": f"dynamodb:eu-central-1/{journal}"}), "utf-8"
            )
        self.running: list[subprocess.Popen[str]] = []

    def start(self, name: str, minutes: int = 0) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.contract.child_controller", str(self.folders[name]), str(self.ledger)]
        process = subprocess.Popen(
            [*command, str(minutes)],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def installed(self) -> list[str]:
        return sorted(self.ledger.read_text("utf-8").split())

    def end(self) -> None:
        for process in self.running:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


def line(process: subprocess.Popen[str]) -> str:
    """Return the next step that a controller has done."""
    assert process.stdout
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> str:
    """Let a controller go on, and return the step after that."""
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()
    return line(process)


@pytest.fixture
def controllers(tmp_path: Path, aws: Lab) -> Iterator[Controllers]:
    aws.reset()
    found = Controllers(tmp_path, aws)
    yield found
    found.end()


@pytest.mark.slow  # starts seven processes
def test_one_is_killed_one_is_stopped_and_woken_and_nothing_is_done_twice(controllers: Controllers) -> None:
    """The claim of a controller that died expires by time, and the one that was stopped wakes as a stranger."""
    one, two, three = (controllers.start(name) for name in "abc")
    assert [line(process) for process in (one, two, three)] == ["began"] * 3
    assert go_on(one) == "announced i-a1"
    assert go_on(two) == "announced i-b1"
    assert go_on(three) == "waits with i-c1", "the budget of two nodes is that of all children"
    one.kill()
    one.wait()
    two.send_signal(signal.SIGSTOP)
    assert go_on(three) == "waits with i-c1", "what a dead or sleeping controller did is not known"

    early = controllers.start("a")
    assert line(early).startswith("refused ChildIsRun: Child plan 01-a is run by ")
    again, other = controllers.start("a", 21), controllers.start("b", 21)
    assert line(again) == line(other) == "began"
    assert go_on(again) == "waits with i-a2", "nobody knows whether the first node was installed: it uses the budget"
    assert controllers.installed() == []

    two.send_signal(signal.SIGCONT)
    assert go_on(two).startswith("refused TakenOver: ")
    assert two.wait(30) == 3
    assert controllers.installed() == [], "the controller that woke up installed nothing"


def ended(processes: Mapping[str, subprocess.Popen[str]]) -> dict[str, str]:
    """Let controllers go on, in turns, until each has reported; return what each said last."""
    last: dict[str, str] = {}
    while len(last) < len(processes):
        for name, process in processes.items():
            if name not in last and (found := go_on(process)).startswith(("reported", "refused")):
                last[name] = found
    return last


@pytest.mark.slow  # six seconds of starting processes; the rule itself is tested in one process
def test_three_at_once_install_each_node_once_and_the_last_one_lacks_no_report(controllers: Controllers) -> None:
    processes = {name: controllers.start(name) for name in "abc"}
    assert [line(process) for process in processes.values()] == ["began"] * 3
    last = ended(processes)
    assert controllers.installed() == sorted(f"i-{name}{number}" for name in "abc" for number in "12")
    assert "reported; missing 0, without a controller 0" in last.values()
