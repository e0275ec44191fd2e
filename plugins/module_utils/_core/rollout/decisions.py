# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a person's decision is about."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import BadInput
from ..model import Status
from .catch_up import is_missed
from .state import DONE, Rollout


def nodes_to_retry(state: Rollout, wave: str, named: Sequence[str]) -> list[str]:
    """Return the named nodes that ended badly; without names all of the wave that failed or were missed."""
    members = _checked(state, wave, named)
    found = []
    for node in named or members:
        final = state.nodes[node].final
        if final is not None and (
            Status(final["status"]).is_failure or is_missed(final) or (named and not Status(final["status"]).is_good)
        ):
            found.append(node)
    return found


def nodes_to_skip(state: Rollout, wave: str, named: Sequence[str]) -> list[str]:
    """Return the named nodes, or all of the wave, that have no final record and are not being worked on."""
    members = _checked(state, wave, named)
    states = state.nodes
    return [node for node in named or members if states[node].stage != DONE and (named or not states[node].token)]


def _checked(state: Rollout, wave: str, named: Sequence[str]) -> Sequence[str]:
    """Return the wave's nodes. :raises BadInput: the plan has no such wave, or a named node is not in it."""
    if wave not in state.waves:
        raise BadInput("wave", wave, f"a wave of the plan: {', '.join(state.waves)}")
    members = state.waves[wave].nodes
    for node in named:
        if node not in members:
            raise BadInput("nodes", node, f"ids of nodes of wave {wave}")
    return members
