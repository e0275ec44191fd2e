# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is approved is what is installed, on Azure: machines and Arc servers of the lab over a month of new versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.arm import Arm
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.credentials import AzureLogin, Credentials
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.patching import Machines
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import AZURE
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import (
    GateDecision,
    GateRules,
    Verdict,
    WaveTally,
    decide,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.differences import count_differences
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.pins import pin_of
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.azure.requests import install_body
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.azure import AzureExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Work

from lab.azure.launch import DEFAULT_ESTATE, AzureLab, azure_lab
from tests.contract.executor_worlds import AZURE_RULES, AzureClock, begun_rollout

DAY = 86_400
OPENSSL, CURL, BIND, COMMON = "openssl", "curl", "bind9-dnsutils", "libvirt-common.amd64"
KB, NEXT_KB, NET_KB = "KB5995101", "KB5995201", "KB5995102"


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureLab]:
    folder = tmp_path_factory.mktemp("azure")
    estate = yaml.safe_load(DEFAULT_ESTATE.read_text("utf-8"))
    place = {"subscription": "shop", "location": "westeurope", "resource_group": "rg", "count": 1, "pending": 1}
    debian, windows = "month/debian-12", "month/windows-server-2025"
    estate["groups"] = [
        {"name": "vm", "os": debian, **place},
        {"name": "arc", "os": debian, "kind": "arc", **place},
        {"name": "win", "os": windows, **place},
    ]
    (folder / "month.yml").write_text(yaml.safe_dump(estate), "utf-8")
    with azure_lab(folder, folder / "month.yml") as running:
        yield running


@dataclass
class Cycle:
    """Scan, plan and night of one machine, by the production code without Ansible."""

    lab: AzureLab
    folder: Path
    name: str

    def __post_init__(self) -> None:
        self.lab.post("reset")
        self.clock, self.machine = AzureClock(self.lab), self.lab.machine(f"{self.name}-01")
        self.platform = "windows" if self.name == "win" else "linux"
        login = AzureLogin(
            arm_endpoint=self.lab.url, authority=self.lab.url, ca_bundle=str(self.lab.ca), **self.lab.login
        )
        self.port = Machines(Arm(login, Credentials(login, {}).of(), pause=lambda seconds: None))

    def executor(self, patches: list[dict[str, Any]]) -> AzureExecutor:
        """Return the executor of a new rollout whose plan has these patches."""
        folder = self.folder / f"r{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        node = {"account": str(self.machine["id"]).split("/")[2], "region": self.machine["region"]}
        node |= {"platform": self.platform, "pin": pin_of(AZURE.pin, self.platform, "list")}
        rollout = begun_rollout(folder, self.clock, str(self.machine["id"]), AZURE.name, patches=patches, **node)
        return AzureExecutor(
            rollout=rollout, wave="w", rules=AZURE_RULES, clock=self.clock, ports=lambda _subscription: self.port
        )

    def stage(self, executor: AzureExecutor, stage: str) -> dict[str, Any]:
        now = self.clock.now()
        work = Work(
            stage=stage,
            attempt=1,
            token=f"{executor.rollout.path.name}/{stage}",
            place="",
            nodes=(str(self.machine["id"]),),
            at=now,
            deadline=executor.deadline(stage, now),
        )
        work.handle = executor.begin(work)
        for _number in range(1000):
            if found := executor.poll(work):
                return dict(found[0])
            self.clock.sleep(15)
        raise AssertionError("no result")

    def plan(self) -> list[dict[str, Any]]:
        """Return what a scan says is missing, which is what a plan installs."""
        return [dict(patch) for patch in self.stage(self.executor([]), "scan")["missing"]]

    def night(self, patches: list[dict[str, Any]]) -> dict[str, Any]:
        """Carry out all stages; returns the final record."""
        executor = self.executor(patches)
        results = executor.rollout.state.nodes[str(self.machine["id"])].results
        for stage in ("precheck", "patch", "reboot", "scan"):
            results[stage] = self.stage(executor, stage)
        return self.stage(executor, "verify")

    def installs(self) -> set[str]:
        """Return what the lab's machine really got."""
        return {row["patch"] for row in self.lab.get("ledger")["installs"]}


@pytest.fixture(params=["vm", "arc"])
def debian(request: pytest.FixtureRequest, month: AzureLab, tmp_path: Path) -> Cycle:
    return Cycle(month, tmp_path, request.param)


@pytest.fixture
def windows(month: AzureLab, tmp_path: Path) -> Cycle:
    return Cycle(month, tmp_path, "win")


def codes(record: dict[str, Any]) -> set[str]:
    return {f"{item['code']} {item['id']}" for item in record["differences"]}


def gate(record: dict[str, Any]) -> GateDecision:
    rules = GateRules(unplanned="allow")
    tally = WaveTally.from_statuses(1, [record["status"]])
    return decide(rules, tally, differences=count_differences([record]))


def test_what_appears_after_the_plan_is_not_installed_and_makes_nobody_fail(debian: Cycle) -> None:
    planned = debian.plan()
    names = {patch["id"] for patch in planned}
    assert {OPENSSL, BIND} <= names and CURL not in names
    debian.clock.sleep(4 * DAY)
    record = debian.night(planned)
    assert record["status"] == "succeeded", record["error"]
    assert debian.installs() == {*(f"{name}.amd64" for name in names), COMMON}
    assert set(record["installed"]) == {*names, COMMON} and record["proof"] == "node"
    assert codes(record) == {f"newly_approved {CURL}", f"unplanned {COMMON}"}
    assert gate(record).verdict is Verdict.PROMOTE


def test_a_version_that_archives_dropped_pauses_by_name(debian: Cycle) -> None:
    planned = debian.plan()
    debian.clock.sleep(6 * DAY)
    record = debian.night(planned)
    assert record["status"] == "succeeded" and f"{BIND}.amd64" not in debian.installs()
    assert {f"withdrawn {BIND}", f"newly_approved {BIND}"} <= codes(record)
    decision = gate(record)
    assert decision.verdict is Verdict.PAUSE and "1:9.18.41-1~deb12u1" in decision.reasons[0]


def test_a_kb_that_was_replaced_pauses_by_name(windows: Cycle) -> None:
    """Update Manager knows no approval: the next KB is missing at once, and still nothing asks for it."""
    planned = windows.plan()
    assert {patch["id"] for patch in planned} == {KB, NET_KB}
    windows.clock.sleep(6 * DAY)
    record = windows.night(planned)
    assert record["status"] == "succeeded", record["error"]
    assert windows.installs() == {NET_KB} == set(record["installed"])
    (found,) = (item for item in record["differences"] if item["code"] == "withdrawn")
    assert found["id"] == KB and found["text"] == f"replaced by {NEXT_KB}, which was approved after the plan"
    assert gate(record).verdict is Verdict.PAUSE and KB in gate(record).reasons[0]


def test_what_others_installed_before_the_night_is_unclear_and_pauses_nothing(debian: Cycle) -> None:
    """An assessment says no more than what is missing."""
    planned = debian.plan()
    theirs = install_body("linux", [patch for patch in planned if patch["id"] == OPENSSL], 7200)
    debian.port.install(str(debian.machine["id"]), theirs)
    debian.clock.sleep(7200)
    assert debian.installs() == {f"{OPENSSL}.amd64"}
    record = debian.night(planned)
    assert record["status"] == "succeeded" and f"unclear {OPENSSL}" in codes(record)
    assert OPENSSL not in record["installed"] and gate(record).verdict is Verdict.PROMOTE
