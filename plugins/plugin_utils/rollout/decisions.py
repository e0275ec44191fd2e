# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a person's decision is about."""

from __future__ import annotations

from collections.abc import Sequence

from ...module_utils._core.errors import BadInput
from ...module_utils._core.model import Status
from ...module_utils._core.rollout.catch_up import is_missed
from ...module_utils._core.rollout.state import DONE
from .folder import RolloutDir


def nodes_to_retry(rollout: RolloutDir, wave: str, named: Sequence[str]) -> list[str]:
    """Return the named nodes that ended badly; without names all of the wave that failed or were missed."""
    members = rollout.state_of_wave(wave).nodes
    _check(rollout, wave, named)
    found = []
    for node in named or members:
        final = rollout.state.nodes[node].final
        if final is not None and (
            Status(final["status"]).is_failure or is_missed(final) or (named and not Status(final["status"]).is_good)
        ):
            found.append(node)
    return found


def nodes_to_skip(rollout: RolloutDir, wave: str, named: Sequence[str]) -> list[str]:
    """Return the named nodes, or all of the wave, that have no final record and are not being worked on."""
    members = rollout.state_of_wave(wave).nodes
    _check(rollout, wave, named)
    states = rollout.state.nodes
    return [node for node in named or members if states[node].stage != DONE and (named or not states[node].token)]


def _check(rollout: RolloutDir, wave: str, named: Sequence[str]) -> None:
    members = rollout.state_of_wave(wave).nodes
    for node in named:
        if node not in members:
            raise BadInput("nodes", node, f"ids of nodes of wave {wave}")
