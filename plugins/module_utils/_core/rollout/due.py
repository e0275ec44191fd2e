# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is due in a rollout: the one place that decides what comes next. Pure.

The driver asks after every change and carries out the effects, node by node and without barriers: a node is due for
its next stage as soon as it has finished the previous one, whatever the others do.

=============  ====================================================================================================
effect         means
=============  ====================================================================================================
reconcile      an intent without an outcome: find out how it ended, or wait for it
start_wave     wait for the window, claim, start stopped nodes, begin
claim          claim the nodes of a running wave that are not claimed yet
prepare        prepare nodes that are due for their install (``stage`` names the preparation)
run            carry out a stage on nodes
restore        undo a preparation (``stage`` names it)
=============  ====================================================================================================

The rest is not the driver's: when nothing is due any more, the gate evaluates the wave and the last play closes the
rollout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .state import DONE, PREPARATIONS, STAGES, WHOLE_WAVE, NodeState, Rollout, WaveState, current_turn

#: The stage before which nodes are prepared.
PREPARED_FOR = "patch"
#: What has to be restored before: a load balancer takes no target that is not running (RegisterTargets, InvalidTarget).
_FIRST = {"started": "drained"}


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that is due. ``stage`` is a stage or a preparation; ``token`` names an intent."""

    kind: str
    wave: str = ""
    stage: str = ""
    nodes: tuple[str, ...] = ()
    token: str = ""


@dataclass(slots=True)
class Preparations:
    """The preparations that nodes need before their install, and the nodes for which this run has done them.

    :param wanted: such as ``drained``, in order.
    :param settled: for each preparation, the nodes that have it or do not need it. A new run checks again, because an
        announced preparation may not have been done.
    """

    wanted: Sequence[str] = ()
    settled: dict[str, set[str]] = field(default_factory=lambda: {what: set() for what in PREPARATIONS})

    def next_for(self, node_id: str) -> str:
        """Return the preparation that the node needs next, ``""`` if it is ready."""
        return next((what for what in self.wanted if node_id not in self.settled[what]), "")


def due(state: Rollout, preparations: Preparations | None = None) -> list[Effect]:
    """Return what is due; nothing when the rollout is finished or was never started, or waits for a gate."""
    if state.finished or state.status == "new":
        return []
    intents = [Effect("reconcile", item.wave, item.stage, item.nodes, item.token) for item in state.intents.values()]
    if state.status in ("aborted", "paused"):
        return [*intents, *due_restores(state)]
    for wave in state.waves.values():
        if wave.status == "waiting":
            return [*due_restores(state), Effect("start_wave", wave.name)]
        if wave.status == "running":
            return _due_in_wave(state, wave, intents, preparations or Preparations())
        if wave.status == "promoted":
            return []
    return due_restores(state)


def _due_in_wave(state: Rollout, wave: WaveState, intents: list[Effect], preparations: Preparations) -> list[Effect]:
    unclaimed = tuple(node for node in wave.nodes if node not in wave.claimed and state.nodes[node].stage != DONE)
    if unclaimed:
        return [Effect("claim", wave.name, nodes=unclaimed)]
    restores = [item for item in due_restores(state) if item.wave == wave.name]
    return [*intents, *restores, *_due_stages(state, wave, preparations)]


def _due_stages(state: Rollout, wave: WaveState, preparations: Preparations) -> list[Effect]:
    turn = current_turn(state, wave.name)
    groups: dict[tuple[str, str], list[str]] = {}
    for node_id in wave.nodes:
        node = state.nodes[node_id]
        if node.token is not None or node.turn != turn or node.stage == DONE:
            continue
        what = preparations.next_for(node_id) if _is_prepared_now(node) else ""
        groups.setdefault(("prepare", what) if what else ("run", node.stage), []).append(node_id)
    stages = ("reboot", *(stage for stage in STAGES if stage != "reboot"))  # a postponed reboot comes first
    order = [("prepare", what) for what in preparations.wanted] + [("run", stage) for stage in stages]
    return [
        Effect(kind, wave.name, stage, tuple(groups[kind, stage])) for kind, stage in order if (kind, stage) in groups
    ]


def _is_prepared_now(node: NodeState) -> bool:
    """Return whether a node is prepared before its next stage: an install or a postponed reboot."""
    return node.stage == PREPARED_FOR or (node.stage == "reboot" and bool(node.earlier))


def due_restores(state: Rollout) -> list[Effect]:
    """Return what can be restored: for nodes without further stages, and for waves whose nodes are all done."""
    found = []
    for what in PREPARATIONS:
        for (wave, kind), nodes in state.prepared.items():
            if kind != what:
                continue
            first = state.prepared.get((wave, _FIRST.get(what, "")), ())
            if idle := tuple(node for node in nodes if node not in first and _is_idle(state, wave, node)):
                found.append(Effect("restore", wave, what, idle))
    return found


def _is_idle(state: Rollout, wave: str, node_id: str) -> bool:
    if node_id == WHOLE_WAVE:
        return state.status != "running" or all(state.nodes[item].stage == DONE for item in state.waves[wave].nodes)
    node = state.nodes[node_id]
    return node.stage == DONE or (state.status != "running" and node.token is None)
