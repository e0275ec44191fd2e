# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a rollout needs its controller next, and for what: used to run rollouts by a schedule. Pure.

Nothing is planned here: nights come from the plan, and decisions are left to people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from ..stamp import from_time
from .due import due_restores
from .nights import BEFORE_WORK, NightTime, next_night
from .state import DONE, Rollout, WaveState, current_turn


class Need(str, Enum):
    """``due``: run it now. ``settle``: it is paused; only restore what an earlier run left prepared.

    ``waiting``: for a time. ``held``: for a person. ``over``: no night is left, plan again. ``finished``: nothing left.
    """

    DUE = "due"
    SETTLE = "settle"
    WAITING = "waiting"
    HELD = "held"
    OVER = "over"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """``at``: when it becomes due. ``night``: the one it waits for or uses. ``text``: why, without a final period."""

    need: Need
    text: str
    at: datetime | None = None
    night: NightTime | None = None

    @property
    def is_due(self) -> bool:
        return self.need in (Need.DUE, Need.SETTLE)


def agenda(state: Rollout, now: datetime, ahead: timedelta = timedelta()) -> Agenda:
    """Return what a rollout needs next.

    :param ahead: how long before a night the controller begins, so that it is ready when the window opens.
    """
    if state.finished:
        return Agenda(need=Need.FINISHED, text=f"the rollout is {state.status}")
    left = _left_open(state)
    if state.status == "aborted":
        return Agenda(need=Need.DUE, text=left or "the rollout was aborted and is not closed yet", at=now)
    if state.status == "paused":
        if left:
            return Agenda(need=Need.SETTLE, text=left, at=now)
        wave = next(item for item in state.waves.values() if item.status == "paused")
        if any(state.nodes[node].stage != DONE for node in wave.nodes):  # somebody has decided to retry them
            return _of_wave(state, wave, now, ahead)
        why = f"the gate of wave {wave.name} paused the rollout"
        return Agenda(need=Need.HELD, text=f"{why}; decide with steer_rollout, or run rollout_patches again")
    if left:
        return Agenda(need=Need.DUE, text=left, at=now)
    wave_left = next((item for item in state.waves.values() if item.status != "finished"), None)
    if wave_left is None or wave_left.status == "promoted":
        return Agenda(need=Need.DUE, text="every node is done; the rollout goes on", at=now)
    return _of_wave(state, wave_left, now, ahead)


def _left_open(state: Rollout) -> str:
    """Return what an earlier run left unfinished; empty if nothing."""
    if state.intents:
        return f"the outcome of {len(state.intents)} pieces of work is not known yet"
    if found := due_restores(state):
        return f"{sum(len(item.nodes) for item in found)} nodes are still prepared and must be restored"
    begun = [node for node in state.nodes.values() if node.stage not in (*BEFORE_WORK, DONE)]
    return f"{len(begun)} nodes were begun and are not done" if begun else ""


def _of_wave(state: Rollout, wave: WaveState, now: datetime, ahead: timedelta) -> Agenda:
    if all(state.nodes[node].stage == DONE for node in wave.nodes):
        return _of_gate(state, wave, now)
    turn = current_turn(state, wave.name) if wave.status == "running" else None
    night = next_night(state, wave.name, now, turn)
    if night is None:
        return Agenda(need=Need.DUE, text=f"wave {wave.name} may run at any time", at=now)
    if night.is_over:
        if wave.status == "running":
            return Agenda(need=Need.DUE, text=f"no night is left for the last nodes of wave {wave.name}", at=now)
        text = f"no night is left for wave {wave.name}; scan, plan and approve again"
        return Agenda(need=Need.OVER, text=text, night=night)
    at = night.at_hand.start - ahead
    if at > now:
        text = f"wave {wave.name} waits for window {night.window}, which opens {night.local}"
        return Agenda(need=Need.WAITING, text=text, at=at, night=night)
    return Agenda(need=Need.DUE, text=f"window {night.window} of wave {wave.name}: {night.local}", at=now, night=night)


def _of_gate(state: Rollout, wave: WaveState, now: datetime) -> Agenda:
    plan = next(item for item in state.plan["waves"] if item["name"] == wave.name)
    worked = from_time(wave.worked_at) if wave.worked_at else now
    at = worked + timedelta(minutes=float(plan.get("soak_minutes") or 0)) if wave.nodes else now
    if at > now:
        text = f"wave {wave.name} soaks until {at:%Y-%m-%d %H:%M} UTC"
        return Agenda(need=Need.WAITING, text=text, at=at)
    return Agenda(need=Need.DUE, text=f"the gate of wave {wave.name} is due", at=now)
