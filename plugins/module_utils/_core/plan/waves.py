# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a policy's wave takes, and in which order. Pure and deterministic."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence

from ..errors import BadInput
from ..nodes import Candidate, matches
from ..policy.values import Wave


def to_size(size: int | str | None, available: int, where: str = "size") -> int:
    """Return how many of ``available`` nodes a wave takes: a count, a percentage (rounded up), or all.

    :raises BadInput: it is neither.
    """
    if size is None:
        return available
    text = str(size) if str(size).isascii() else ""
    if text.endswith("%") and text[:-1].isdigit() and 0 < int(text[:-1]) <= 100:
        return math.ceil(available * int(text[:-1]) / 100)
    if text.isdigit() and int(text) > 0:
        return min(int(text), available)
    raise BadInput(where, size, "a number of nodes such as 5, or a percentage such as 10%")


def spread(nodes: Iterable[Candidate], seed: str) -> list[Candidate]:
    """Order nodes so that any first part represents all accounts, Regions and platforms equally.

    The order depends only on IDs and ``seed``: a repeated plan has the same waves.
    """
    return sorted(nodes, key=lambda node: (hashlib.sha256(f"{seed}/{node.node_id}".encode()).digest(), node.node_id))


def assign(
    nodes: Sequence[Candidate],
    waves: Sequence[Wave],
    seed: str,
    allowed: Callable[[Candidate, int], bool] = lambda node, index: True,
) -> tuple[list[list[Candidate]], list[Candidate]]:
    """Assign each node to the first wave that selects it and has room.

    :param waves: the policy's waves, in order; ``size`` counts selected nodes that are not in an earlier wave.
    :param allowed: whether the wave with that index may take the node; if not, a later one may.
    :returns: (the nodes of each wave, the nodes that no wave took), in a stable order.
    """
    left = spread(nodes, seed)
    taken: list[list[Candidate]] = []
    for index, wave in enumerate(waves):
        chosen, left = take(left, wave, index, allowed)
        taken.append(chosen)
    return taken, sorted(left, key=lambda node: node.node_id)


def wave_of(node: Candidate, waves: Sequence[Wave]) -> str:
    """Return the name of the first wave that selects a node, whatever its size; ``""`` if none does."""
    return next((wave.name for wave in waves if matches(node, wave.select)), "")


def take(
    left: Sequence[Candidate], wave: Wave, index: int, allowed: Callable[[Candidate, int], bool]
) -> tuple[list[Candidate], list[Candidate]]:
    """Return the nodes that a wave takes, in a stable order, and the remaining nodes."""
    selected = [node for node in left if matches(node, wave.select) and allowed(node, index)]
    chosen = selected[: to_size(wave.size, len(selected), f"waves[{index}].size")]
    ids = {node.node_id for node in chosen}
    rest = [node for node in left if node.node_id not in ids]
    return sorted(chosen, key=lambda node: (node.executor, node.account, node.region, node.node_id)), rest
