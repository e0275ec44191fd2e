# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first node of each account-Region and role installs alone: only a node can show that nodes can read their list.

When the controller reads the list, this proves that the object exists, not that nodes have permission to read it. Until
one node's patch state shows its list, no other node of its account-Region and instance profile begins. If that node
ends without such a state, the others of its kind do not begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..lists.planned import needs_list
from ..model import Status
from .state import DONE, NodeState, Rollout

STAGE = "patch"
#: Outcomes of an install that reveal nothing about the list: nothing ran on the node.
_SILENT = frozenset({Status.UNREACHABLE.value, Status.SKIPPED.value, Status.NO_OP.value, Status.CANCELLED.value})
Kind = tuple[str, str, str]


@dataclass(slots=True)
class FirstAlone:
    """``waiting``: nodes that must not begin their install yet. ``refused``: nodes that must never, and why."""

    waiting: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)


def first_alone(state: Rollout, wave: str) -> FirstAlone:
    """Return which nodes of a wave's current turn wait for the first one of their kind."""
    found, due = FirstAlone(), _due(state, wave)
    if not due:
        return found
    proven, trying, failed = _seen(state, frozenset(due))
    for kind, nodes in due.items():
        if kind in proven:
            continue
        if kind in trying:
            found.waiting.update(nodes)
        elif kind in failed:
            why = f"{failed[kind]} installed first and did not show that nodes of its kind can read their list"
            found.refused.update(dict.fromkeys(nodes, why))
        else:
            found.waiting.update(nodes[1:])
    return found


def _due(state: Rollout, wave: str) -> dict[Kind, list[str]]:
    """Return the pinned nodes of a wave that have not begun their install and have no open intent, by kind."""
    due: dict[Kind, list[str]] = {}
    for node_id in state.waves[wave].nodes:
        planned, node = state.planned[node_id], state.nodes[node_id]
        if node.stage == STAGE and node.token is None and needs_list(planned):
            due.setdefault(_kind(planned), []).append(node_id)
    return due


def _kind(planned: Mapping[str, Any]) -> Kind:
    return str(planned["account"]), str(planned["region"]), str(planned.get("instance_profile") or "")


def _seen(state: Rollout, kinds: frozenset[Kind]) -> tuple[set[Kind], set[Kind], dict[Kind, str]]:
    """Return the kinds of which a node has shown its list, is trying to, or has failed to."""
    proven: set[Kind] = set()
    trying: set[Kind] = set()
    failed: dict[Kind, str] = {}
    for node_id, node in state.nodes.items():
        planned = state.planned[node_id]
        kind = _kind(planned) if needs_list(planned) else None
        if kind not in kinds or kind is None or kind in proven:
            continue
        if _used_list(node):
            proven.add(kind)
            if len(proven) == len(kinds):
                break
        elif node.stage == STAGE and node.token is not None:
            trying.add(kind)
        elif _ended_without(node):
            failed.setdefault(kind, str(planned.get("name") or node_id))
    return proven, trying, failed


def _used_list(node: NodeState) -> bool:
    """Return whether a patch state of our command named the list."""
    result = node.results.get(STAGE, {})
    evidence = result.get("evidence") or ((node.final or {}).get("evidence") or {}).get(STAGE) or {}
    return bool(evidence.get("override_list"))


def _ended_without(node: NodeState) -> bool:
    """Return whether an install ran, or may have run, without leaving a patch state of our command."""
    if node.stage == DONE:
        final = node.final or {}
        return STAGE in (final.get("evidence") or {}) and final.get("status") not in _SILENT
    result = node.results.get(STAGE)
    return result is not None and result.get("status") not in _SILENT and node.stage != STAGE
