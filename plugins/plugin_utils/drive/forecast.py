# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a wave would do, for check mode: read from the plan and the journal, regardless of the time."""

from __future__ import annotations

from collections.abc import Sequence

from ...module_utils._core.executors import is_direct
from ...module_utils._core.rollout.state import DONE
from ..rollout.folder import RolloutDir

_BEFORE_WORK = ("precheck", "patch")


def wave_forecast(rollout: RolloutDir, wave: str, turn: int, *, drain: bool) -> tuple[str, list[str]]:
    """Return a line about what a turn of a wave would do, and the nodes it would work on."""
    states = rollout.state.nodes
    nodes = [
        node for node in rollout.state.waves[wave].nodes if states[node].turn == turn and states[node].stage != DONE
    ]
    turns = rollout.state.waves[wave].turns
    title = f"{wave}, turn {turn} of {turns}" if turns > 1 else wave
    if rollout.state.status == "aborted" or not nodes:
        return f"{title}: would do nothing, " + ("no node is left" if not nodes else "the rollout was aborted"), []
    return f"{title}: {_window(rollout, wave, turn)}would {', '.join(_steps(rollout, nodes, drain))}", nodes


def _steps(rollout: RolloutDir, nodes: Sequence[str], drain: bool) -> list[str]:
    planned, states = rollout.nodes, rollout.state.nodes
    fresh = [node for node in nodes if states[node].stage in _BEFORE_WORK]
    if not fresh:
        return [f"finish {len(nodes)} nodes that were begun"]
    direct = sum(is_direct(str(planned[node]["executor"])) for node in fresh)
    starts = sum(bool(planned[node].get("start")) for node in fresh)
    patches = sum(int(planned[node]["patch_count"]) for node in fresh)
    begun = len(nodes) - len(fresh)
    return [
        *([f"finish {begun} nodes that were begun"] if begun else []),
        *([f"start {starts} stopped nodes"] if starts else []),
        f"check {len(fresh)} nodes" + (f" ({direct} of them reached directly)" if direct else ""),
        *(["drain them"] if drain else []),
        f"install up to {patches} patches",
        "reboot where the policy's rule asks for it",
        "scan and verify",
    ]


def _window(rollout: RolloutDir, wave: str, turn: int) -> str:
    night = rollout.next_night(wave, turn)
    if night is None:
        return ""
    if night.is_over:
        return "no night is left before the plan ends; with one it "
    return f"{night.local} ({night.at_hand.start:%Y-%m-%d %H:%M} to {night.at_hand.end:%Y-%m-%d %H:%M} UTC) "


def gate_forecast(rollout: RolloutDir, wave: str) -> str:
    """Return what the gate after a wave would do."""
    plan = rollout.wave(wave)
    asked = len((plan["gate"] or {}).get("health_checks") or ())
    soak = f" after {plan['soak_minutes']:g} minutes" if plan["soak_minutes"] else ""
    return f"{wave} gate: nothing is judged in check mode; it would judge the wave{soak}, with {asked} health checks"
