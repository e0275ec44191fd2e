# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of Azure machines as they are now: the inventory has them from Resource Graph, which is behind the machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ...module_utils._aws.session import each_place
from ...module_utils._core.enrollment.machine import SET_TAGS, Judgement, Machine
from ...module_utils._core.model import Place, place_label
from ..aws_options import node_places
from ..prepare.places import Clouds


def judge_again(judged: Sequence[Judgement], clouds: Clouds, judge: Callable[[Machine], Judgement]) -> list[Judgement]:
    """Read the tags that Azure machines seem to lack, and judge those again that have them.

    A subscription that does not answer changes nothing here; writing its tags will fail and tell why.
    """
    members: dict[str, list[Judgement]] = {}
    for item in judged:
        node = item.machine.candidate
        if node.in_azure and any(item.repair(SET_TAGS)):
            members.setdefault(place_label(node.account, node.region), []).append(item)
    nodes = [some[0].machine.candidate for some in members.values()]

    def read(place: Place) -> dict[str, dict[str, str]]:
        port, here = clouds.ports(place, azure=True).tags, members[place.label]
        ids = [item.machine.candidate.node_id for item in here]
        found: dict[str, dict[str, str]] = {}
        for key in sorted({key for item in here for repair in item.repair(SET_TAGS) for key in repair.tags}):
            for node_id, value in port.tags(ids, key).items():
                found.setdefault(node_id, {})[key] = value
        return found

    outcomes = each_place(node_places([(node.account, node.region) for node in nodes], ()), read)
    fresh = {node_id: tags for _place, found, _error in outcomes for node_id, tags in (found or {}).items()}
    return [
        judge(_with_tags(item.machine, fresh[item.machine.candidate.node_id]))
        if item.machine.candidate.node_id in fresh
        else item
        for item in judged
    ]


def _with_tags(machine: Machine, tags: dict[str, str]) -> Machine:
    known = {**machine.node["tags"], **tags}
    return replace(machine, node={**machine.node, "tags": known}, candidate=replace(machine.candidate, tags=known))
