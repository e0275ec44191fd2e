# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node as the inventory sees it, and what selectors ask of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A node as the inventory sees it, with what selectors ask for."""

    node_id: str
    host: str
    name: str = ""
    executor: str = ""
    platform: str = ""
    os: str = ""
    account: str = ""
    region: str = ""
    zone: str = ""
    patch_group: str = ""
    application: str = ""
    state: str = ""
    ping_status: str = ""
    managed: bool = True
    missed: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()


_FACTS: Mapping[str, Callable[[Candidate], Collection[str]]] = {
    "patch_groups": lambda node: (node.patch_group,),
    "executors": lambda node: (node.executor,),
    "platforms": lambda node: (node.platform,),
    "accounts": lambda node: (node.account,),
    "regions": lambda node: (node.region,),
    "zones": lambda node: (node.zone,),
    "applications": lambda node: (node.application,),
    "nodes": lambda node: (node.node_id, node.host),
    "groups": lambda node: node.groups,
}


def matches(node: Candidate, select: Mapping[str, Any]) -> bool:
    """Tell whether the node fulfils every criterion that is given; a criterion lists alternatives. Nothing given: all.

    Criteria: ``patch_groups, executors, platforms, accounts, regions, zones, applications, groups``, ``nodes`` (ids or
    inventory names), ``tags`` (key to a value or list of values), ``missed`` (true: an earlier rollout missed it).
    """
    for key, wanted in select.items():
        if wanted and key in _FACTS and set(wanted).isdisjoint(_FACTS[key](node)):
            return False
    if select.get("missed") and not node.missed:
        return False
    for key, value in (select.get("tags") or {}).items():
        if node.tags.get(key) not in ([value] if isinstance(value, str) else value):
            return False
    return True
