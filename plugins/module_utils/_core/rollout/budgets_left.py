# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes of a wave may be taken down now, by the plan's budgets: failed nodes and those still down count."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from ..model import Status
from ..plan.budgets import Disruption, Member, allow
from .state import Rollout, due_nodes


def over_budget(state: Rollout, wave: str, without: Container[str] = (), taken: Container[str] = ()) -> dict[str, str]:
    """Return the nodes that are due for their install and may not be taken down, with the budget that says so.

    :param without: nodes that are due and refused for another reason; they do not count.
    :param taken: nodes that already have permission, which the journal does not show yet.
    """
    if not any(limit is not None for limit in state.rules.budgets.limits.values()):
        return {}
    due = frozenset(node for node in due_nodes(state, wave, "patch") if node not in without and node not in taken)
    members = [_member(state, node, due, taken) for item in state.plan["waves"] for node in item["nodes"]]
    return dict(allow(members, state.rules.budgets).blocked)


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
