# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wave of Windows: hosts over PSRP, nodes of Systems Manager, machines of Azure and Azure Arc, in one model."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from lab.aws.clock import VirtualClock, from_iso
from lab.aws.launch import Lab, lab
from lab.windows.server import WindowsLab, windows_lab
from lab.windows.world import NET, new_world
from tests.playbooks.test_rollout import policy
from tests.playbooks.test_rollout_azure import Mixed

PSRP, SSM, AZURE = ("psrp-win-01", "psrp-win-02"), ("ssm-win-01", "ssm-win-02"), ("az-win-01", "arc-win-01")


class ClockOf(VirtualClock):
    """The clock of another lab, so that its nodes and the Windows hosts have the same time."""

    def __init__(self, other: Lab) -> None:
        self._other = other
        super().__init__()

    def now(self) -> datetime:
        return from_iso(self._other.get("clock")["now"])

    def advance(self, seconds: float) -> datetime:
        return from_iso(self._other.advance(seconds))


class AllWindows(Mixed):
    """A cycle whose inventory also has hosts over PSRP."""

    windows: WindowsLab

    def options(self) -> list[str]:
        hosts = {name: {**self.windows.variables(name), "patchtide_executor": "windows"} for name in PSRP}
        path = self.folder / "hosts.yml"
        path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        return [*super().options(), "-i", str(path)]


@pytest.fixture
def cycle(tmp_path: Path) -> Iterator[AllWindows]:
    with lab(Path(__file__).with_name("windows_estate.yml")) as aws:
        clock = ClockOf(aws)
        world = new_world(PSRP, hurries=True)
        world.clock = clock
        for machine in world.machines.values():
            machine.boot = clock.now().replace(day=1, month=5, microsecond=0)
        found = policy()
        found["estate"] = {"regions": ["eu-central-1"], "accounts": found["estate"]["accounts"][:2]}
        found["waves"] = [{"name": "windows", "window": "rehearsal-night"}]
        with windows_lab(world) as windows:
            cycle = AllWindows(aws, tmp_path, found)
            cycle.windows = windows
            yield cycle


@pytest.mark.slow
def test_a_wave_of_all_windows_is_planned_patched_rebooted_and_reported(cycle: AllWindows) -> None:
    """One host over PSRP takes two rounds: an update can be installed only after the reboot of the first."""
    machine = cycle.windows.world.machines[PSRP[1]]
    machine.faults.after_reboot = {NET.kb}
    cycle.prepare()
    plan = cycle.file("plan.json")
    planned = {node["name"] or node["host"]: node for wave in plan["waves"] for node in wave["nodes"]}
    executors = {**dict.fromkeys(PSRP, "windows"), **dict.fromkeys(SSM, "ssm"), **dict.fromkeys(AZURE, "azure")}
    assert {name: node["executor"] for name, node in planned.items()} == executors and len(plan["waves"]) == 1

    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    assert not cycle.windows.world.trouble
    assert (machine.counts["installs"], machine.counts["reboots"]) == (2, 1)  # the second one asks for no reboot
    patched = [row["data"] for row in cycle.journal() if row["kind"] == "intent" and row["data"]["stage"] == "patch"]
    assert [item["attempt"] for item in patched if PSRP[1] in item["nodes"]] == [1, 2]

    report = cycle.play("report_compliance")
    assert report.status == 0, report.output
    found = csv.DictReader((cycle.folder / "run/report/nodes.csv").open(encoding="utf-8-sig"))
    rows = {row["name"] or row["host"]: row for row in found}
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(planned, "succeeded")
    assert all(row["rebooted"] == row["boot_id_changed"] == "yes" for row in rows.values())
    assert all(row["installed_count"] == row["planned_count"] != "0" for row in rows.values())
