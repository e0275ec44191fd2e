# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Splits a plan into child plans, one for each controller. The children share budgets and gates. Pure.

Each node is in exactly one child. A child names its parent's digest, and a controller derives the child again from the
parent before it begins: the approval of the parent covers exactly its children, and nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..azure_ids import in_azure
from ..connectivity.from_nodes import SITE
from ..counts import to_count
from ..errors import BadInput, PatchtideError
from ..model import place_label
from ..nodes import ACCOUNT, BY, GROUP_SITE
from .budgets import Member, scope_names
from .plan import seal, totals_of
from .rules import PlanRules

#: Name of the group of nodes that are in no account.
HOSTS = "hosts"
_LONGEST = 60


class NotOfParent(PatchtideError):
    """A child plan is not what the parent plan, which people approved, is split into."""

    code = "NotOfParent"


def split_plan(plan: Mapping[str, Any], by: str, at_most: int = 0) -> list[dict[str, Any]]:
    """Return the child plans, in a stable order.

    :param by: ``account_region`` (nodes of Azure by subscription), ``account`` (or subscription), or ``site`` (the tag
        ``Site``; without it like ``account_region``).
    :param at_most: number of children; smaller groups share one. 0: one for each group.
    :raises BadInput: the plan can't be split, or not by this.
    """
    _check_can_split(plan, by, at_most)
    return list(_children(plan, by, at_most))


def check_part(child: Mapping[str, Any], parent: Mapping[str, Any]) -> None:
    """Check that a child plan is exactly the parent's part of that name.

    :raises NotOfParent: it is not, or is no child plan.
    """
    part = child.get("part") or {}
    if part.get("digest") != parent["digest"]:
        raise NotOfParent(
            f"The child plan is of a plan with the digest {part.get('digest')}, and the parent plan beside it has "
            f"{parent['digest']}. Run split_plan on the approved plan again."
        )
    _check_can_split(parent, part["by"], part["at_most"])
    found = [item["digest"] for item in _children(parent, part["by"], part["at_most"], part["name"])]
    if found != [child["digest"]]:
        raise NotOfParent(
            f"Child plan {part['name']} has the digest {child['digest']}; split from the parent plan it has "
            f"{found[0] if found else 'none'}. It was changed, or another version of the collection made it. Run "
            "split_plan on the approved plan again."
        )


def as_approved(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan with the rollout and the digest that its approvals name: those of the parent of a child plan."""
    part = plan.get("part") or {}
    return {**plan, **{name: part[name] for name in ("rollout", "digest") if name in part}}


def group_of(node: Mapping[str, Any], by: str) -> str:
    """Return the group of a planned node."""
    if by == GROUP_SITE and (site := str(node["tags"].get(SITE) or "").strip()):
        return site
    whole = by == ACCOUNT or in_azure(node["node_id"])
    return place_label(node["account"], "" if whole and node["account"] else node["region"]) or HOSTS


def _check_can_split(plan: Mapping[str, Any], by: str, at_most: int) -> None:
    if by not in BY:
        raise BadInput("by", by, f"one of {', '.join(BY)}")
    if at_most < 0:
        raise BadInput("at_most", at_most, "a number of child plans, 0 for one for each group")
    if "part" in plan:
        raise BadInput("dir", plan["part"]["name"], "a plan that is not a child plan itself")
    if names := [wave["name"] for wave in plan["waves"] if wave.get("promote_from")]:
        raise BadInput(
            "dir",
            names[0],
            "a plan without promote_from: what an earlier wave has proven is known to its own child only",
        )


def _children(plan: Mapping[str, Any], by: str, at_most: int, only: str = "") -> Iterator[dict[str, Any]]:
    members = _parts(plan, by, at_most)
    totals = Counter(scope for wave in plan["waves"] for node in wave["nodes"] for scope in _scopes(wave, node))
    split = {"by": by, "at_most": at_most, "nodes": {name: _by_wave(plan, nodes) for name, nodes in members.items()}}
    for name, nodes in members.items():
        if only in ("", name):
            yield _child(plan, name, nodes, totals, split)


def _parts(plan: Mapping[str, Any], by: str, at_most: int) -> dict[str, frozenset[str]]:
    """Return the node IDs of each child by its name; the largest groups are assigned first."""
    groups: dict[str, list[str]] = {}
    for wave in plan["waves"]:
        for node in wave["nodes"]:
            groups.setdefault(group_of(node, by), []).append(node["node_id"])
    number = min(at_most or len(groups), len(groups))
    bins: list[tuple[list[str], list[str]]] = [([], []) for _number in range(number)]
    for label in sorted(groups, key=lambda name: (-len(groups[name]), name)):
        labels, nodes = min(bins, key=lambda item: len(item[1]))
        labels.append(label)
        nodes.extend(groups[label])
    ordered = sorted(bins, key=lambda item: min(item[0]))
    return {_name(order, labels): frozenset(nodes) for order, (labels, nodes) in enumerate(ordered, 1)}


def _name(order: int, labels: Sequence[str]) -> str:
    """Return a name that is also that of a directory."""
    slug = re.sub(r"[^a-z0-9]+", "-", min(labels).lower()).strip("-")[:_LONGEST] or "part"
    return f"{order:02}-{slug}" + (f"-and-{len(labels) - 1}-more" if len(labels) > 1 else "")


def _by_wave(plan: Mapping[str, Any], nodes: frozenset[str]) -> dict[str, int]:
    return {wave["name"]: sum(node["node_id"] in nodes for node in wave["nodes"]) for wave in plan["waves"]}


def _scopes(wave: Mapping[str, Any], node: Mapping[str, Any]) -> list[str]:
    return scope_names(Member(node_id="", wave=wave["name"], zone=node["zone"], cluster=node["cluster"]))


def _child(
    plan: Mapping[str, Any], name: str, nodes: frozenset[str], totals: Mapping[str, int], split: Mapping[str, Any]
) -> dict[str, Any]:
    waves = [_wave(wave, nodes) for wave in plan["waves"]]
    counts = Counter(node["list"] for wave in waves for node in wave["nodes"] if node.get("list"))
    part = {
        **split,
        "name": name,
        "digest": plan["digest"],
        "rollout": plan["rollout"],
        "limits": dict(sorted(_limits(plan, waves, totals))),
    }
    lists = [{**item, "nodes": counts[item["name"]]} for item in plan["lists"] if counts[item["name"]]]
    rollout = hashlib.sha256(f"{plan['digest']}/{name}".encode()).hexdigest()[:32]
    given = {"rollout": rollout, "part": part, "lists": lists, "waves": waves, "excluded": []}
    return seal({**plan, **given, "totals": totals_of(waves, ())})


def _wave(wave: Mapping[str, Any], members: frozenset[str]) -> dict[str, Any]:
    """Return a wave with the child's nodes. Numbers of nights and turns remain; a wave without nodes has no window."""
    nodes = [node for node in wave["nodes"] if node["node_id"] in members]
    if not nodes:
        return {**wave, "nodes": [], "window": None, "nights": [], "turns": 1}
    counts = Counter(node.get("night", 1) for node in nodes)
    return {**wave, "nodes": nodes, "nights": [{**night, "nodes": counts[night["number"]]} for night in wave["nights"]]}


def _limits(
    plan: Mapping[str, Any], waves: Sequence[Mapping[str, Any]], totals: Mapping[str, int]
) -> Iterator[tuple[str, int]]:
    """Yield the budgets that the child's nodes use. Shares refer to the nodes of the parent."""
    limits = PlanRules.of(plan).budgets.limits
    scopes = {scope for wave in waves for node in wave["nodes"] for scope in _scopes(wave, node)}
    for scope in scopes:
        if (limit := limits[scope.partition(" ")[0]]) is not None:
            yield scope, to_count(limit, totals[scope])
