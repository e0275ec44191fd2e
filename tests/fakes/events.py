# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's events of which a test names only a part."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Event,
    GateJudged,
    Intent,
    Outcome,
    Resumed,
    RolloutFinished,
    RolloutStarted,
    WaveFinished,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import Rollout


def started(plan_digest: str = "d1", **more: Any) -> RolloutStarted:
    rest: dict[str, Any] = {
        "rollout": "r",
        "policy_digest": "p1",
        "operator": "dana",
        "controller": "c",
        "waves": (),
        "node_count": 0,
    }
    return RolloutStarted(**{**rest, "plan_digest": plan_digest, **more})


def resumed() -> Resumed:
    return Resumed(operator="dana", controller="c")


def intent(stage: str, *nodes: str, wave: str = "canary", token: str = "t", attempt: int = 1) -> Event:
    return Intent(wave=wave, stage=stage, attempt=attempt, nodes=nodes, token=token)


def outcome(stage: str, *nodes: str, wave: str = "canary", **result: Any) -> Event:
    rows = tuple({"status": "succeeded", **result, "node_id": node} for node in nodes)
    return Outcome(wave=wave, stage=stage, results=rows)


def gate(verdict: str, wave: str = "canary") -> Event:
    return GateJudged(wave=wave, verdict=verdict)


def closing(state: Rollout) -> list[Event]:
    """Return what gates that promote, and the last play, write while nothing is due; nothing if a person has to act."""
    if state.finished or state.status in ("new", "paused"):
        return []
    if state.status == "aborted":
        return [RolloutFinished(status="aborted", reason="")]
    for wave in state.waves.values():
        if wave.status == "running":
            return [gate("promote", wave.name)]
        if wave.status == "promoted":
            return [WaveFinished(wave=wave.name)]
    return [RolloutFinished(status="completed", reason="")]
