# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes of a wave may be taken down now, by the plan's budgets: failed nodes and those still down count."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any

from ..model import Status
from ..plan.budgets import Disruption, Member, allow, scope_names
from .state import Rollout, due_nodes


def over_budget(state: Rollout, wave: str, without: Container[str] = (), taken: Container[str] = ()) -> dict[str, str]:
    """Return the nodes that are due for their install and may not be taken down, with the budget that says so.

    :param without: nodes that are due and refused for another reason; they do not count.
    :param taken: nodes that already have permission, which the journal does not show yet.

    A child plan asks for the budgets of all children instead, see ``usage``.
    """
    if "part" in state.plan or not any(limit is not None for limit in state.rules.budgets.limits.values()):
        return {}
    due = frozenset(node for node in due_nodes(state, wave, "patch") if node not in without and node not in taken)
    members = [_member(state, node, due, taken) for item in state.plan["waves"] for node in item["nodes"]]
    return dict(allow(members, state.rules.budgets).blocked)


def usage(
    state: Rollout, limits: Collection[str], asked: Sequence[str] = (), taken: Container[str] = ()
) -> tuple[dict[str, list[str]], dict[str, list[int]]]:
    """Return what a child plan asks for, and what it uses.

    :param limits: the budgets that count. :param asked: nodes to take down; they count as up. :param taken: see above.
    :returns: the budgets of each asked node; by budget, the nodes that are out of service and how many of them failed.
    """
    wanted: dict[str, list[str]] = {}
    used: dict[str, list[int]] = {}
    due = frozenset(asked)
    for node in state.planned.values() if limits else ():
        member = _member(state, node, due, taken)
        scopes = [scope for scope in scope_names(member) if scope in limits]
        if member.node_id in due:
            wanted[member.node_id] = scopes
        elif member.state.uses_budget:
            for scope in scopes:
                numbers = used.setdefault(scope, [0, 0])
                numbers[0] += 1
                numbers[1] += member.state is Disruption.FAILED
    return {node: wanted.get(node, []) for node in asked}, used


def _member(state: Rollout, node: Mapping[str, Any], due: frozenset[str], taken: Container[str]) -> Member:
    node_id = node["node_id"]
    promised = node_id in taken and state.nodes[node_id].stage == "patch"
    disruption = Disruption.DOWN if promised else _disruption(state, node_id)
    return Member(
        node_id=node_id,
        state=Disruption.WAITING if node_id in due else disruption,
        wave=state.nodes[node_id].wave,
        zone=node.get("zone") or "",
        cluster=node.get("cluster") or "",
    )


def _disruption(state: Rollout, node_id: str) -> Disruption:
    node = state.nodes[node_id]
    if node_id in state.prepared.get((node.wave, "drained"), {}):
        return Disruption.DOWN
    if node.final is not None:
        status = Status(node.final["status"])
        failed = status.is_failure or status is Status.UNKNOWN or node_id in state.waves[node.wave].problems
        return Disruption.FAILED if failed else Disruption.BACK if status.is_good else Disruption.HELD
    begun = node.results.get("patch", {}).get("status", Status.SKIPPED.value) != Status.SKIPPED.value
    return Disruption.DOWN if begun or node.earlier or (node.token and node.stage == "patch") else Disruption.HELD
