# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waves select where it is hardly what was meant: nobody, or nodes that no baseline of the policy covers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..executors import find
from ..nodes import Candidate, Select, matches
from ..policy.values import Policy, Wave

#: Nodes that a warning names.
_NAMED = 3
#: Platforms of baselines whose operating system is no Linux.
_PLATFORMS: Mapping[str, str] = {"WINDOWS": "windows", "MACOS": "macos"}


def empty_wave_warnings(
    policy: Policy, waves: Sequence[Sequence[Candidate]], nodes: Sequence[Candidate], told: Mapping[int, str]
) -> Iterator[str]:
    """Yield a sentence for every wave without nodes that makes later ones go first, or can never have any.

    :param waves: the nodes of each wave. :param nodes: the whole estate.
    :param told: waves by their order from 1 that are empty for a reason which is told elsewhere.
    """
    for index, wave in enumerate(policy.waves):
        if waves[index] or wave.select.missed or index + 1 in told:
            continue
        before = [node for members in waves[:index] for node in members]
        later = next((policy.waves[at].name for at in range(index + 1, len(waves)) if waves[at]), "")
        if why := _why_empty(wave, nodes, before, later):
            yield f"Wave {wave.name} has no node: {why}{f'; wave {later} goes first' if later else ''}."


def _why_empty(wave: Wave, nodes: Sequence[Candidate], before: Sequence[Candidate], later: str) -> str:
    if not any(matches(node, wave.select) for node in nodes):
        return "its select matches no node of the estate"
    if not later:
        return ""
    if any(matches(node, wave.select) for node in before):
        return "earlier waves took the nodes that it selects"
    return "nothing is to be done on the nodes that it selects"


def uncovered_warnings(policy: Policy, waves: Sequence[Sequence[Candidate]]) -> Iterator[str]:
    """Yield a sentence for every wave without select that takes nodes which no baseline of the policy covers."""
    systems = {baseline.name: baseline.operating_system for baseline in policy.baselines}
    covered = {
        (group.name, _platform(systems.get(name, ""))) for group in policy.patch_groups for name in group.baselines
    }
    defaults = {_platform(baseline.operating_system) for baseline in policy.baselines if baseline.default}
    for wave, members in zip(policy.waves, waves, strict=True):
        if wave.select != Select():
            continue
        found = [
            node
            for node in members
            if _by_baseline(node) and node.platform not in defaults and (node.patch_group, node.platform) not in covered
        ]
        if found:
            yield f"Wave {wave.name} has no select, and {_uncovered(found)}."


def _uncovered(nodes: Sequence[Candidate]) -> str:
    names = ", ".join(node.name or node.host for node in nodes[:_NAMED])
    more = f" and {len(nodes) - _NAMED:,} more" if len(nodes) > _NAMED else ""
    count = "1 of its nodes is" if len(nodes) == 1 else f"{len(nodes):,} of its nodes are"
    return (
        f"{count} covered by no baseline of the policy ({names}{more}): "
        "the default baselines of their accounts decide what is installed"
    )


def _platform(operating_system: str) -> str:
    return _PLATFORMS.get(operating_system, "linux")


def _by_baseline(node: Candidate) -> bool:
    row = find(node.executor)
    return row is not None and row.by_baseline
