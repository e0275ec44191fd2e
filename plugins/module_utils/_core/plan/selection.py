# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves with a selection that is probably a mistake: no node, or every node. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..nodes import Candidate, Select, matches
from ..policy.values import Policy, Wave


def empty_waves(
    policy: Policy, waves: Sequence[Sequence[Candidate]], nodes: Sequence[Candidate]
) -> Iterator[tuple[int, str, bool]]:
    """Yield (order from 1, why, whether its gate pauses) for each wave that has no node but should have some.

    A wave before others pauses: without it they would be the first to get the patches. A wave for missed nodes or for
    findings may be empty, and so may the last one.

    :param waves: the nodes of each wave. :param nodes: the whole estate.
    """
    for index, wave in enumerate(policy.waves):
        if waves[index] or wave.select.missed or wave.select.by_risk:
            continue
        before = [node for members in waves[:index] for node in members]
        later = next((policy.waves[at].name for at in range(index + 1, len(waves)) if waves[at]), "")
        if why := _why_empty(wave, nodes, before, later):
            yield index + 1, f"{why}; wave {later} would go first" if later else why, bool(later)


def _why_empty(wave: Wave, nodes: Sequence[Candidate], before: Sequence[Candidate], later: str) -> str:
    if not any(matches(node, wave.select) for node in nodes):
        return "its select matches no node of the estate"
    if not later:
        return ""
    if any(matches(node, wave.select) for node in before):
        return "earlier waves took the nodes that it selects"
    return "no node that it selects can be patched or needs a patch"


def whole_account_warnings(policy: Policy, waves: Sequence[Sequence[Candidate]]) -> Iterator[str]:
    """Yield a sentence for every wave that takes all remaining nodes because nothing limits it."""
    for wave, members in zip(policy.waves, waves, strict=True):
        if wave.select == Select() and str(wave.size) == "100%" and members:
            count = "1 node" if len(members) == 1 else f"{len(members):,} nodes"
            yield (
                f"Wave {wave.name} has no select, so it takes every node that no earlier wave took, {count} in this "
                "plan. Add a select; groups: [all] says that all are meant."
            )
