# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a window, at each stage that changes a node, for the executors as they are: by what ran on the node."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Claimed, WaveStarted
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import LINUX, SSM
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import Preparations
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work import detached
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.courses import Courses
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.driver import WORKED, Driver
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.notes import Notes
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.opening import Opening
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.permits import Permits
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.progress_line import WaveProgress
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.tempo import Tempo
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Result, Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.ssm import SsmExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.contract.executor_worlds import PLANNED, RULES
from tests.fakes.driving import FakePins, FakeWatch, NothingToStart
from tests.fakes.estate import Estate, EstateFleet, Life
from tests.fakes.events import started
from tests.fakes.fleet_port import START, FakeClock
from tests.fakes.plans import completed
from tests.fakes.stub_host import StubShell

#: Minutes after the start; an install is expected to take 20, and 10 are kept for a reboot.
CUTOFF, END = 100, 120
SLOW = replace(RULES, install_seconds=3600)
NODE = {"ssm": "i-0000000000000000a", "linux": "host-a"}


@dataclass
class Late:
    """An executor in front of which the clock jumps once, after a call for a stage.

    :param call: ``poll``, when it has a result, or ``begin``, after which it jumps to the work's deadline.
    """

    port: Any
    clock: FakeClock
    stage: str
    call: str
    minutes: float = 0
    jumped: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)

    def begin(self, work: Work) -> str:
        handle = str(self.port.begin(work))
        self._jump("begin", work, work.deadline)
        return handle

    def poll(self, work: Work) -> list[Result]:
        found: list[Result] = self.port.poll(work)
        if found:
            self._jump("poll", work, START + timedelta(minutes=self.minutes))
        return found

    def _jump(self, call: str, work: Work, to: datetime) -> None:
        if (call, work.stage) == (self.call, self.stage) and not self.jumped:
            self.jumped, self.clock.moment = True, to


@dataclass
class Wall:
    """A node in a window. ``ran``: what began on it; ``stops``: whether work on it was stopped."""

    rollout: RolloutDir
    clock: FakeClock
    name: str
    port: Any
    ran: Callable[[], list[str]]
    act: Callable[[str], object]
    stops: Callable[[], bool]

    def run(self, stage: str, call: str, minutes: float = 0) -> dict[str, Any]:
        """Work on the node, with a jump of the clock; return its final record."""
        late = Late(self.port, self.clock, stage, call, minutes)
        tempo, notes = Tempo(self.clock, rehearsal=True), Notes(self.rollout, lambda line: None)
        permits = Permits(self.rollout, "w", FakeWatch(), FakePins(), tempo, notes)  # type: ignore[arg-type] # fakes
        Driver(
            rollout=self.rollout,
            wave="w",
            courses=Courses(self.rollout, "w", {self.name: late}, permits, tempo, notes),  # type: ignore[dict-item] # a stand-in
            permits=permits,
            preparer=lambda what: NothingToStart(self.rollout, "w", {}, lambda line: None),
            opening=Opening(self.rollout, lambda line: None),
            tempo=tempo,
            notes=notes,
            preparations=Preparations([]),
            progress=WaveProgress("w", lambda line: None),
        ).run(WORKED)
        assert late.jumped
        final = self.rollout.state.nodes[NODE[self.name]].final
        assert final is not None
        return dict(final)


def in_a_window(folder: Path, clock: FakeClock, name: str) -> RolloutDir:
    times: dict[str, datetime] = {
        key: START + timedelta(minutes=at) for key, at in (("start", 0), ("cutoff_at", CUTOFF), ("end", END))
    }
    node = {
        "node_id": NODE[name], "executor": name, "account": "1" * 12 if name == "ssm" else "", "platform": "linux",
        "region": "eu-central-1" if name == "ssm" else "", "expected_minutes": 20, "reboot_rule": "always",
        "patches": [{"id": "p", "title": "p"} if name == "ssm" else {"id": PLANNED, "title": "openssl 3.0.17"}],
        "patch_count": 1,
    }  # fmt: skip
    window = {"name": "night", **{key: to_time(at) for key, at in times.items()}}
    wave = {"name": "w", "window": window, "nodes": [node]}
    (folder / "plan.json").write_text(json.dumps(completed([wave])), "utf-8")
    rollout = RolloutDir(folder, clock)
    for event in (
        started(rollout.plan["digest"]),
        WaveStarted(wave="w"),
        Claimed(wave="w", nodes=(NODE[name],)),
    ):
        rollout.record(event)
    return rollout


def ssm(folder: Path) -> Wall:
    clock, node = FakeClock(), NODE["ssm"]
    estate, cancelled = Estate(clock, {node: "ok"}, {node: "ok"}), list[str]()
    fleet = EstateFleet(clock, label=f"{'1' * 12}/eu-central-1", estate=estate, life=Life(random.Random(0)))
    fleet.cancel = cancelled.append
    rollout = in_a_window(folder, clock, "ssm")
    port = SsmExecutor(rollout=rollout, wave="w", rules=SLOW, clock=clock, ports=lambda place: fleet)
    return Wall(
        rollout=rollout,
        clock=clock,
        name=SSM.name,
        port=port,
        ran=lambda: [row.what for row in estate.ledger],
        act=lambda word: estate.installs.update({node: word}),
        stops=lambda: bool(cancelled),
    )


def linux(folder: Path) -> Wall:
    clock, shell, scripts = FakeClock(), StubShell(folder / "host", "apt"), list[str]()
    rollout, run = in_a_window(folder, clock, "linux"), shell.run

    def noted(host: str, script: str, *, timeout: float) -> Any:
        scripts.append(script)
        return run(host, script, timeout=timeout)

    shell.run = noted
    port = LinuxExecutor(rollout=rollout, wave="w", rules=SLOW, clock=clock, shell=shell, poll_seconds=0.2)
    return Wall(
        rollout=rollout,
        clock=clock,
        name=LINUX.name,
        port=port,
        ran=shell.began,
        act=shell.act,
        stops=lambda: any("patchtide:stop:1" in script for script in scripts),
    )


@pytest.fixture(params=[ssm, linux], ids=["ssm", "linux"])
def wall(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wall:
    monkeypatch.setattr(detached, "FOLDER", str(tmp_path / "work"))
    found: Wall = request.param(tmp_path)
    return found


@pytest.mark.parametrize("minutes", [CUTOFF, END - 19, END, 24 * 60])
def test_an_install_that_does_not_fit_does_not_begin(wall: Wall, minutes: float) -> None:
    final = wall.run("precheck", "poll", minutes)
    assert wall.ran() == []
    assert (final["status"], final["error"]["code"]) == ("skipped", "missed_out_of_time")


@pytest.mark.parametrize("minutes", [CUTOFF, END - 9, END, 24 * 60])
def test_a_reboot_that_does_not_fit_is_put_off(wall: Wall, minutes: float) -> None:
    final = wall.run("patch", "poll", minutes)
    assert wall.ran() == ["install"] and final["status"] == "reboot_pending"


def test_what_fits_is_done(wall: Wall) -> None:
    final = wall.run("patch", "poll", CUTOFF - 11)
    assert wall.ran() == ["install", "reboot"] and final["status"] == "succeeded"


def test_an_install_that_hangs_is_stopped_so_that_a_reboot_would_still_fit(wall: Wall) -> None:
    """Its own time limit is after the end of the window."""
    wall.act("hangs")
    wall.clock.moment = START + timedelta(minutes=CUTOFF - 5)
    final = wall.run("patch", "begin")
    assert wall.stops() and "reboot" not in wall.ran()
    assert final["status"] not in ("succeeded", "no_op", "skipped")
    assert wall.clock.now() < START + timedelta(minutes=END)
