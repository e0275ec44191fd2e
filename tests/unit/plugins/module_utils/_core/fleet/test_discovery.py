# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaps of an estate: each code with its nodes, owners and next step; texts of tags are harmless on a terminal."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.discovery import MEANINGS, find_gaps
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import TagKeys

FULL = {"Owner": "web-team", "Environment": "dev"}


def node(name: str, *coverage: str, **members: Any) -> dict[str, Any]:
    return {**EMPTY, "name": name, "node_id": f"i-{name}", "coverage": list(coverage), "tags": FULL, **members}


def test_a_complete_node_has_no_gap() -> None:
    assert find_gaps([node("a")], TagKeys()) == []


def test_gaps_have_their_nodes_and_owners_in_a_fixed_order() -> None:
    nodes = [
        node("b", "no_patch_group"),
        node("a", "no_patch_group", "unmanaged"),
        node("c", tags={"Environment": "x"}),
    ]
    found = find_gaps(nodes, TagKeys(patch_group="Patch Group"))
    assert [gap.code for gap in found] == ["unmanaged", "no_patch_group", "no_owner"]
    groups = found[1]
    assert groups.nodes == ("a", "b") and groups.owners == {"web-team": 2}
    assert groups.next_step == "Set the tag Patch Group." and found[2].owners == {"": 1}
    assert [code for code in MEANINGS if code in groups.to_dict().values()] == ["no_patch_group"]


def test_lines_show_a_few_names_and_no_control_characters() -> None:
    nodes = [node(f"n{number:02}\x1b[2J", "unmanaged") for number in range(12)]
    (gap,) = find_gaps(nodes, TagKeys())
    first, owners, step = gap.lines()
    assert first.startswith("12 run, and") and "and 4 more" in first and "\x1b" not in first
    assert owners == "  Owners: web-team (12)" and step.startswith("  Next: Install the SSM Agent")
