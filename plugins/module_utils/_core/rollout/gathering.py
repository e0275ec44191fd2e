# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When nodes that are due get their command or are restored: together with the nodes that become due next. Pure.

Nodes of one command end one by one. If each continued immediately, the next stage would take a command for each node,
and every poll of it a call. So nodes that can share a call wait for each other, but never for long, and not if no
other node can follow. Hosts that are reached directly do not wait.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..executors import find
from .state import DONE, STAGES, NodeState, Rollout

#: Maximum time, in seconds, that a node waits for others with which it can share a command.
WAIT_SECONDS = 20.0
#: So many nodes to restore wait for no others.
FULL = 50
#: Nodes that can share one command: of one executor, account, Region and platform.
Lot = tuple[str, str, str, str]


@dataclass(slots=True)
class Gathering:
    """Remembers how long nodes have been due; one for each run of the driver."""

    _since: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def choose(
        self, state: Rollout, wave: str, stage: str, due: Sequence[str], now: datetime, held: Container[str] = ()
    ) -> tuple[list[str], float]:
        """Return which of the nodes due for a stage begin now, and after how many seconds to ask again.

        :param held: nodes that do not begin before one of these nodes has ended, so nobody waits for them.
        :returns: 0 seconds if no node is left waiting.
        """
        chosen: list[str] = []
        waiting: dict[Lot, list[str]] = {}
        for node_id in due:
            planned = state.planned[node_id]
            if _chunk(planned) == 1:
                chosen.append(node_id)
            else:
                self._since.setdefault((stage, node_id), now)
                waiting.setdefault(_lot(planned), []).append(node_id)
        again = [now]
        coming = _coming(state, wave, stage, frozenset(due), held) if waiting else frozenset()
        for lot, nodes in waiting.items():
            nodes.sort(key=lambda node_id: self._since[stage, node_id])
            chunk = _chunk(state.planned[nodes[0]])
            full = len(nodes) - len(nodes) % chunk
            until = self._since[stage, nodes[-1 if full == len(nodes) else full]] + timedelta(seconds=WAIT_SECONDS)
            if lot in coming and now < until:
                again += [until] if full < len(nodes) else []
                nodes = nodes[:full]
            chosen += nodes
        for node_id in chosen:
            self._since.pop((stage, node_id), None)
        return chosen, (min(again[1:], default=now) - now).total_seconds()

    def choose_restores(
        self, state: Rollout, wave: str, what: str, due: Sequence[str], now: datetime
    ) -> tuple[list[str], float]:
        """Return which nodes to restore now, and after how many seconds to ask again: one call restores many nodes."""
        ready = frozenset(due)
        nodes = (node for node in state.prepared.get((wave, what), ()) if node not in ready and node in state.nodes)
        more = state.status == "running" and any(state.nodes[node].stage != DONE for node in nodes)
        until = min((self._since.setdefault((what, node), now) for node in due), default=now)
        left = (until + timedelta(seconds=WAIT_SECONDS) - now).total_seconds()
        if more and left > 0 and len(due) < FULL:
            return [], left
        for node in due:
            del self._since[what, node]
        return list(due), 0.0


def _coming(state: Rollout, wave: str, stage: str, due: frozenset[str], held: Container[str] = ()) -> frozenset[Lot]:
    """Return the lots that may get further nodes due for the stage."""
    before = frozenset(STAGES[: STAGES.index(stage)])

    def comes(node_id: str, node: NodeState) -> bool:
        if node.stage == DONE or (node.stage == stage and node_id in held):
            return False
        return node.stage in before or (node.stage == stage and node.token is None and node_id not in due)

    members = state.waves[wave].nodes
    turn = {state.nodes[node_id].turn for node_id in due}
    found = (node_id for node_id in members if (node := state.nodes[node_id]).turn in turn and comes(node_id, node))
    return frozenset(_lot(state.planned[node_id]) for node_id in found)


def _lot(planned: Mapping[str, Any]) -> Lot:
    return planned["executor"], planned["account"], planned["region"], planned["platform"]


def _chunk(planned: Mapping[str, Any]) -> int:
    row = find(str(planned["executor"]))
    return row.chunk if row else 1
