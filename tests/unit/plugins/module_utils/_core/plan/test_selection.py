# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings about waves that select nobody, and about nodes that no baseline of the policy covers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy

REST = {"name": "rest", "select": {"platforms": ["linux", "windows"]}}


def node(number: int, **more: Any) -> Candidate:
    given = {"executor": "ssm", "platform": "linux", "patch_group": "WEB", "ping_status": "Online", **more}
    return Candidate(node_id=f"i-{number}", host=f"h{number}", account="1", region="r", **given)


def warnings(nodes: list[Candidate], *waves: dict[str, Any], done: tuple[str, ...] = (), **policy: Any) -> list[str]:
    """Return the plan's warnings; ``done`` names nodes on which nothing is missing."""
    missing = {item.node_id: [] if item.node_id in done else [{"id": "a"}] for item in nodes}
    scan = {key: {"status": "succeeded", "missing": found} for key, found in missing.items()}
    plan = build_plan(
        nodes,
        to_policy({"name": "p", "patching": {"pin": "baseline"}, "waves": list(waves), **policy}),
        {"nodes": scan, "failed_places": []},
        policy_digest="d",
        windows={},
        created_at="2026-06-01T00:00:00Z",
    )
    return list(plan["warnings"])


def canary(**select: Any) -> dict[str, Any]:
    return {"name": "canary", "select": select}


@pytest.mark.parametrize(
    ("waves", "done", "told"),
    [
        ([canary(nodes=["gone"]), REST], (), "its select matches no node of the estate; wave rest goes first"),
        ([canary(nodes=["i-1"]), REST], ("i-1",), "nothing is to be done on the nodes that it selects; wave rest goes"),
        ([REST, canary(nodes=["gone"])], (), "its select matches no node of the estate."),
        (
            [REST, canary(nodes=["i-1"]), {"name": "last", "select": {"platforms": ["macos"]}}],
            (),
            "earlier waves took the nodes that it selects; wave last goes first.",
        ),
    ],
)
def test_a_wave_without_nodes_is_told_with_the_reason(waves: list[Any], done: tuple[str, ...], told: str) -> None:
    (text,) = warnings([node(1), node(2), node(3, platform="macos")][: 3 if len(waves) > 2 else 2], *waves, done=done)
    assert text.startswith("Wave canary has no node: ") and told in text


def test_a_wave_that_may_be_empty_is_not_told() -> None:
    assert warnings([node(1)], canary(missed=True), REST) == []
    assert warnings([node(1)], REST, canary(nodes=["i-1"])) == []
    assert warnings([node(1)], canary(nodes=["i-1"]), REST, done=("i-1",)) == []


BASELINES: dict[str, Any] = {
    "baselines": [
        {"name": "al", "operating_system": "AMAZON_LINUX_2023"},
        {"name": "win", "operating_system": "WINDOWS"},
    ],
    "patch_groups": [{"name": "WEB", "baselines": ["al"]}, {"name": "ALL", "baselines": ["al", "win"]}],
}
LAST = {"name": "last"}


def test_nodes_that_no_baseline_covers_are_counted_where_a_wave_takes_everything() -> None:
    some = [node(1), node(2, patch_group="DB"), node(3, platform="windows"), node(4, patch_group="ALL")]
    (text,) = warnings([*some, *(node(n, patch_group="") for n in range(5, 8))], LAST, **BASELINES)
    assert text.startswith("Wave last has no select, and 5 of its nodes are covered by no baseline of the policy (")
    assert "and 2 more): the default baselines of their accounts decide" in text


@pytest.mark.parametrize(
    ("item", "wave", "default"),
    [
        (node(1), LAST, None),
        (node(1, patch_group="ALL", platform="windows"), LAST, None),
        (node(1, patch_group="DB"), LAST, True),
        (node(1, patch_group="DB", executor="linux"), LAST, None),
        (node(1, patch_group="DB"), REST, None),
    ],
)
def test_covered_or_named_nodes_are_not_told(item: Candidate, wave: dict[str, Any], default: bool | None) -> None:
    first, second = BASELINES["baselines"]
    assert warnings([item], wave, **{**BASELINES, "baselines": [{**first, "default": default}, second]}) == []
