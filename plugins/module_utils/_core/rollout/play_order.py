# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a rollout in the form that playbooks need: its hosts, in batches, and what is due in each wave."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .state import DONE, STAGES, Rollout, WaveState, current_turn, due_nodes


def overview(state: Rollout) -> dict[str, Any]:
    """Return the rollout's state as plain values for playbooks."""

    def due(wave: WaveState) -> dict[str, Any]:
        found = {stage: len(nodes) for stage in STAGES if (nodes := due_nodes(state, wave.name, stage))}
        return {"due": found}

    return {**standing(state, due), **play_order(state)}


def standing(state: Rollout, about: Callable[[WaveState], Mapping[str, Any]]) -> dict[str, Any]:
    """Return the state of a rollout and its waves.

    :param about: returns further members of a wave.
    """
    waves = [
        {"name": wave.name, "status": wave.status, "nodes": len(wave.nodes), **about(wave)}
        for wave in state.waves.values()
    ]
    return {
        "rollout": state.plan["rollout"],
        "digest": state.plan["digest"],
        "status": state.status,
        "finished": state.finished,
        "waves": waves,
    }


def play_order(state: Rollout) -> dict[str, Any]:
    """Return the hosts of the rollout's play, a coordinator for each turn, and the batch size: one after the other."""
    hosts: list[dict[str, Any]] = []
    for order, wave in enumerate(state.plan["waves"], 1):
        found = state.waves[wave["name"]]
        if found.status == "finished" or state.finished:
            continue
        if state.status == "aborted" and not any(item.wave == wave["name"] for item in state.intents.values()):
            continue
        slug = re.sub(r"[^A-Za-z0-9]+", "_", wave["name"])
        first = True
        for turn in range(current_turn(state, wave["name"]), found.turns + 1):
            members = [node for node in wave["nodes"] if _is_left(state, node, turn)]
            if not members and turn != found.turns:
                continue
            name = f"wave_{order}_{slug}" + (f"_turn_{turn}" if found.turns > 1 else "")
            last = turn == found.turns
            hosts.append({"wave": wave["name"], "turn": turn, "first_turn": first, "last_turn": last, "host": name})
            first = False
    return {"play_hosts": hosts, "serial": [1]}


def _is_left(state: Rollout, node: Mapping[str, Any], turn: int) -> bool:
    found = state.nodes[node["node_id"]]
    return found.turn == turn and found.stage != DONE
