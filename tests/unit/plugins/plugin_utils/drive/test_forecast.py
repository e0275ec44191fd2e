# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode says of a wave: every turn has its line, work that was begun is told from work that is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.nights import NightTime
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import DONE, NodeState, WaveState
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.schedule import Occurrence
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.forecast import gate_forecast, wave_forecast

from tests.fakes.fleet_port import FakeClock

PLANNED = {
    "a": {"executor": "ssm", "patch_count": 3, "start": True},
    "b": {"executor": "linux", "patch_count": 4},
    "c": {"executor": "ssm", "patch_count": 5},
}


def rollout(status: str = "new", night: NightTime | None = None, **stages: str) -> Any:
    """Return as much of a rollout as a forecast reads; nodes a and b are in turn 1, c is in turn 2."""
    nodes = {name: NodeState("canary", turn=2 if name == "c" else 1) for name in PLANNED}
    nodes |= {name: replace(nodes[name], stage=stage) for name, stage in stages.items()}
    plan = {"gate": {"health_checks": [{"name": "shop"}]}, "soak_minutes": 30}
    return SimpleNamespace(
        state=SimpleNamespace(
            status=status, nodes=nodes, waves={"canary": WaveState("canary", tuple(PLANNED), turns=2)}
        ),
        nodes=PLANNED,
        next_night=lambda _name, _turn: night,
        wave=lambda _name: plan,
    )


def test_a_turn_says_what_it_would_do() -> None:
    line, nodes = wave_forecast(rollout(), "canary", 1, drain=True)
    assert nodes == ["a", "b"]
    assert line == (
        "canary, turn 1 of 2: would start 1 stopped nodes, check 2 nodes (1 of them reached directly), drain them, "
        "install up to 7 patches, reboot where the policy's rule asks for it, scan and verify"
    )


def test_a_later_turn_has_a_forecast_before_the_first_one_is_over() -> None:
    line, nodes = wave_forecast(rollout(), "canary", 2, drain=False)
    assert nodes == ["c"] and "check 1 nodes, install up to 5 patches" in line


def test_the_night_is_told_in_local_time_whether_it_is_open_or_not() -> None:
    start = FakeClock().now()
    opens = Occurrence(start=start, end=start + timedelta(hours=4), cutoff_at=start + timedelta(hours=3))
    night = NightTime(wave="canary", number=1, window="dev", timezone="Europe/Berlin", at_hand=opens)
    line, _nodes = wave_forecast(rollout(night=night), "canary", 1, drain=False)
    local = "Mon 2026-06-01 22:00 CEST to Tue 2026-06-02 02:00 CEST"
    assert f"turn 1 of 2: {local} (2026-06-01 20:00 to 2026-06-02 00:00 UTC) would " in line
    line, _nodes = wave_forecast(rollout(night=replace(night, is_over=True)), "canary", 1, drain=False)
    assert "no night is left before the plan ends" in line


def test_work_that_was_begun_is_finished_and_what_is_done_is_left_alone() -> None:
    assert wave_forecast(rollout(a="reboot", b=DONE), "canary", 1, drain=False) == (
        "canary, turn 1 of 2: would finish 1 nodes that were begun",
        ["a"],
    )
    nothing = ("canary, turn 1 of 2: would do nothing, no node is left", [])
    assert wave_forecast(rollout(a=DONE, b=DONE), "canary", 1, drain=False) == nothing


def test_an_aborted_rollout_does_nothing() -> None:
    line, nodes = wave_forecast(rollout(status="aborted"), "canary", 1, drain=False)
    assert line.endswith("would do nothing, the rollout was aborted") and nodes == []


def test_the_gate_judges_nothing() -> None:
    line = gate_forecast(rollout(), "canary")
    assert line == (
        "canary gate: nothing is judged in check mode; it would judge the wave after 30 minutes, with 1 health checks"
    )
