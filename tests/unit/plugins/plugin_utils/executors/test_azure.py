# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab cannot bring about of the executor ``azure``: what is sent once, for how long, what is proved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.errors import Lost, Throttled
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import AZURE
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import PrecheckRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.azure import AzureExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Unknown, Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.rules import WaveRules

from tests.contract.executor_worlds import begun_rollout
from tests.fakes.fleet_port import FakeClock

VM = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/web"
ARC = "/subscriptions/s/resourcegroups/rg/providers/microsoft.hybridcompute/machines/db"
RULES = WaveRules(thresholds=PrecheckRules(), install_seconds=7200, reboot_seconds=3600)
BOOTED = {"precheck": {"outcome": "pass", "facts": {"boot_id": "b1"}}}


class FakeMachines:
    """A machine that runs, is connected, and answers scripts with ``answer``; without one it is silent."""

    def __init__(self) -> None:
        self.answer: Mapping[str, Any] | None = {"probe": 1, "boot_id": "b1"}
        self.refusals: list[PatchtideError] = []
        self.bodies: list[Mapping[str, Any]] = []
        self.scripts: dict[str, bool] = {}

    def view(self, node_id: str) -> Mapping[str, Any]:
        return {"statuses": [{"code": "PowerState/running"}], "properties": {"status": "Connected"}}

    def install(self, node_id: str, body: Mapping[str, Any]) -> str:
        self.bodies.append(body)
        if self.refusals:
            raise self.refusals.pop(0)
        return ""

    def restart(self, node_id: str) -> None:
        if self.refusals:
            raise self.refusals.pop(0)

    def run_script(
        self, node_id: str, location: str, name: str, script: str, seconds: int, *, once: bool = False
    ) -> None:
        self.scripts[name] = once
        if self.refusals:
            raise self.refusals.pop(0)

    def script(self, node_id: str, name: str) -> Mapping[str, Any] | None:
        if name not in self.scripts:
            return None
        if self.answer is None:
            return {"executionState": "Running"}
        return {"executionState": "Succeeded", "output": json.dumps(self.answer)}

    def forget_script(self, node_id: str, name: str) -> None:
        del self.scripts[name]

    def service_time(self) -> None:
        return None


class Bench:
    def __init__(self, folder: Path, node: str) -> None:
        self.clock, self.machines, self.node = FakeClock(), FakeMachines(), node
        patches = [{"id": "bash", "title": "bash:5.2"}]
        self.rollout = begun_rollout(folder, self.clock, node, AZURE.name, account="s", region="r", patches=patches)
        self.rollout.state.nodes[node].results = BOOTED
        self.port: Any = AzureExecutor(
            rollout=self.rollout,
            wave="w",
            rules=RULES,
            clock=self.clock,
            ports=lambda _id: self.machines,  # type: ignore[arg-type,return-value] # the calls that are made
        )

    def work(self, stage: str) -> Work:
        now = self.clock.now()
        deadline = self.port.deadline(stage, now)
        return Work(stage=stage, attempt=1, token="t", place="s/r", nodes=(self.node,), at=now, deadline=deadline)


def test_an_installation_gets_the_time_that_is_left_after_waiting(tmp_path: Path) -> None:
    """Otherwise it would run on after the window: nothing but its duration ends it."""
    bench = Bench(tmp_path, VM)
    busy = Throttled("install", "TooManyRequests", "wait")
    busy.seconds = 3600
    bench.machines.refusals = [busy]
    assert bench.port.begin(bench.work("patch")) == "installation"
    assert [body["maximumDuration"] for body in bench.machines.bodies] == ["PT120M", "PT70M"]


def test_no_installation_begins_that_could_not_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path, VM)
    work = bench.work("patch")
    bench.clock.sleep((work.deadline - timedelta(minutes=35) - bench.clock.now()).total_seconds())
    with pytest.raises(PatchtideError, match="less than 30 minutes are left"):
        bench.port.begin(work)
    assert bench.machines.bodies == []


@pytest.mark.parametrize("stage", ["patch", "reboot"])
def test_a_lost_answer_is_unknown_and_nothing_is_sent_again(tmp_path: Path, stage: str) -> None:
    bench = Bench(tmp_path, VM)
    bench.machines.refusals = [Lost("x", "HTTP503", "no answer")]
    with pytest.raises(Unknown):
        bench.port.begin(bench.work(stage))
    assert len(bench.machines.bodies) == (stage == "patch")


def test_the_script_that_restarts_a_server_is_sent_once_and_deleted(tmp_path: Path) -> None:
    """A machine has 25 run commands at most; azure-core repeats a PUT."""
    bench = Bench(tmp_path, ARC)
    work = bench.work("reboot")
    work.handle = bench.port.begin(work)
    assert list(bench.machines.scripts.values()) == [True]
    bench.machines.answer = {"probe": 1, "boot_id": "b2"}
    assert bench.port.poll(work) == []
    (result,) = bench.port.poll(work)
    assert result["status"] == "succeeded" and bench.machines.scripts == {}


def test_a_restart_script_whose_answer_was_lost_is_found_by_its_name(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ARC)
    bench.machines.refusals = [Lost("x", "HTTP503", "no answer")]
    work = bench.work("reboot")
    with pytest.raises(Unknown):
        bench.port.begin(work)
    assert bench.port.look_up(work, final=False) == "restart"


@pytest.mark.parametrize(("silent_minutes", "status"), [(0, "failed"), (30, "unknown")])
def test_a_machine_that_went_silent_has_proved_nothing(tmp_path: Path, silent_minutes: int, status: str) -> None:
    """It may be on its way down when it answers with its old boot ID for the last time."""
    bench = Bench(tmp_path, VM)
    work = bench.work("reboot")
    work.handle = bench.port.begin(work)
    assert bench.port.poll(work) == bench.port.poll(work) == []
    bench.machines.answer = None
    bench.port.poll(work)
    bench.clock.sleep(silent_minutes * 60)
    (result,) = bench.port.give_up(work, None)
    assert result["status"] == status and not result.get("rebooted")


def test_credentials_that_are_missing_cost_the_machine_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path, VM)

    def refuse(_subscription: str) -> Any:
        raise AccessDenied("log in to Azure", "NoCredentials", "not set: secret (AZURE_SECRET)")

    bench.port.ports = refuse
    assert bench.port.service_time() is None
    with pytest.raises(AccessDenied) as why:
        bench.port.begin(bench.work("patch"))
    (result,) = bench.port.give_up(bench.work("patch"), why.value)
    assert result["status"] == "failed" and "AZURE_SECRET" in result["error"]["text"]
