# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is due in a rollout: the one place that decides what comes next. Pure.

The driver asks after every change and carries out what it is told, node by node and without barriers: a node is due for
its next stage as soon as it is through with the last one, whatever the others do.

=============  ====================================================================================================
effect         means
=============  ====================================================================================================
reconcile      an intent without an outcome: find out what became of it, or await it
start_wave     await the window, claim, start stopped nodes, begin
claim          nodes of a running wave that nobody claimed yet
prepare        do to nodes that are due for their install what is undone after it (``stage`` says what)
run            carry a stage out on nodes
restore        undo what was prepared (``stage`` says what)
judge          every node of the wave has its final record: the gate decides
finish_wave    the gate promoted
finish         every wave is finished, or everything of an aborted rollout is settled
=============  ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .state import DONE, PREPARATIONS, STAGES, WHOLE_WAVE, NodeState, Rollout, WaveState, current_turn

#: The stage before which nodes are prepared, one by one.
PREPARED_FOR = "patch"


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that is due. ``stage`` is a stage, or what is prepared or restored; ``token`` names an intent."""

    kind: str
    wave: str = ""
    stage: str = ""
    nodes: tuple[str, ...] = ()
    token: str = ""


@dataclass(slots=True)
class Preparations:
    """What nodes need before their install, and for which of them this run has seen to it.

    :param wanted: such as ``drained``, in the order of doing.
    :param settled: by preparation the nodes that have it or need none of it. A new run looks again, because what the
        journal says was announced may not have been done.
    """

    wanted: Sequence[str] = ()
    settled: dict[str, set[str]] = field(default_factory=lambda: {what: set() for what in PREPARATIONS})

    def next_for(self, node_id: str) -> str:
        """Return the preparation that the node needs next, ``""`` if it is ready."""
        return next((what for what in self.wanted if node_id not in self.settled[what]), "")


def due(state: Rollout, preparations: Preparations | None = None) -> list[Effect]:
    """Return what is due; nothing when the rollout is finished or was never started."""
    if state.finished or state.status == "new":
        return []
    intents = [Effect("reconcile", item.wave, item.stage, item.nodes, item.token) for item in state.intents.values()]
    if state.status == "aborted":
        return [*intents, *due_restores(state)] or [Effect("finish")]
    if state.status == "paused":
        return [*intents, *due_restores(state)]
    for wave in state.waves.values():
        if wave.status == "waiting":
            return [*due_restores(state), Effect("start_wave", wave.name)]
        if wave.status == "running":
            return _due_in_wave(state, wave, intents, preparations or Preparations())
        if wave.status == "promoted":
            return [Effect("finish_wave", wave.name)]
    return due_restores(state) or [Effect("finish")]


def _due_in_wave(state: Rollout, wave: WaveState, intents: list[Effect], preparations: Preparations) -> list[Effect]:
    unclaimed = tuple(node for node in wave.nodes if node not in wave.claimed and state.nodes[node].stage != DONE)
    if unclaimed:
        return [Effect("claim", wave.name, nodes=unclaimed)]
    restores = [item for item in due_restores(state) if item.wave == wave.name]
    return [*intents, *restores, *_due_stages(state, wave, preparations)] or [Effect("judge", wave.name)]


def _due_stages(state: Rollout, wave: WaveState, preparations: Preparations) -> list[Effect]:
    turn = current_turn(state, wave.name)
    groups: dict[tuple[str, str], list[str]] = {}
    for node_id in wave.nodes:
        node = state.nodes[node_id]
        if node.token is not None or node.turn != turn or node.stage == DONE:
            continue
        what = preparations.next_for(node_id) if _is_prepared_now(node) else ""
        groups.setdefault(("prepare", what) if what else ("run", node.stage), []).append(node_id)
    stages = ("reboot", *(stage for stage in STAGES if stage != "reboot"))  # a reboot that was put off is first in line
    order = [("prepare", what) for what in preparations.wanted] + [("run", stage) for stage in stages]
    return [
        Effect(kind, wave.name, stage, tuple(groups[kind, stage])) for kind, stage in order if (kind, stage) in groups
    ]


def _is_prepared_now(node: NodeState) -> bool:
    """Tell whether a node is prepared before its next stage: an install, or a reboot that an earlier night put off."""
    return node.stage == PREPARED_FOR or (node.stage == "reboot" and bool(node.earlier))


def due_restores(state: Rollout) -> list[Effect]:
    """Return what can be restored: of nodes for which nothing more comes, and of waves that are worked through."""
    found = []
    for what in PREPARATIONS:
        for (wave, kind), nodes in state.prepared.items():
            idle = tuple(node for node in nodes if _is_idle(state, wave, node)) if kind == what else ()
            if idle:
                found.append(Effect("restore", wave, what, idle))
    return found


def _is_idle(state: Rollout, wave: str, node_id: str) -> bool:
    if node_id == WHOLE_WAVE:
        return state.status != "running" or all(state.nodes[item].stage == DONE for item in state.waves[wave].nodes)
    node = state.nodes[node_id]
    return node.stage == DONE or (state.status != "running" and node.token is None)
