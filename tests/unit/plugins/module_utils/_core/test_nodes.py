# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of a node: everything that lists some of them is derived from one table."""

from __future__ import annotations

from dataclasses import fields

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import NodeResult
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import (
    ADDRESS,
    EMPTY,
    IDENTITY,
    MEMBERS,
    PLANNED,
    VARIABLES,
    WATCHED,
    Candidate,
    Select,
    matches,
    texts,
)

CANDIDATE = {item.name for item in fields(Candidate)}


def test_no_member_is_defined_twice() -> None:
    names = [member.name for member in MEMBERS]
    assert len(names) == len(set(names))


def test_a_plan_is_made_from_what_a_candidate_has() -> None:
    assert set(PLANNED) | set(WATCHED) <= CANDIDATE
    assert set(WATCHED) <= set(PLANNED) and set(ADDRESS) <= set(IDENTITY) <= set(PLANNED)


def test_a_candidate_takes_every_text_that_the_inventory_has_of_it() -> None:
    assert set(VARIABLES) == {name for name in CANDIDATE if EMPTY.get(name) == ""}
    assert {"node_id", "ping_status"} <= set(VARIABLES) and "host" not in VARIABLES


def test_a_result_record_has_the_identity() -> None:
    assert set(IDENTITY) <= {item.name for item in fields(NodeResult)}


def test_members_that_are_not_there_are_empty_texts() -> None:
    assert texts({"patchtide_name": "web", "patchtide_zone": None}, ("name", "zone", "os"), "patchtide_") == {
        "name": "web",
        "zone": "",
        "os": "",
    }


def test_a_selector_finds_an_azure_machine_in_any_case_and_other_nodes_as_they_are_written() -> None:
    machine = Candidate(node_id="/subscriptions/1/resourcegroups/rg/providers/p/t/web", host="web_1a2b")
    assert matches(machine, Select(nodes=("/Subscriptions/1/resourceGroups/RG/providers/p/t/Web",)))
    assert not matches(machine, Select(nodes=("WEB_1A2B",)))


def test_a_selector_that_only_names_nodes_says_so() -> None:
    assert Select(nodes=("web-1",)).by_name
    assert not Select().by_name and not Select(nodes=("web-1",), zones=("a",)).by_name
    both = Select(nodes=("web-1",), tags={"App": ("shop",)})
    assert both.to_dict() == {
        "nodes": ["web-1"],
        "tags": {"App": ["shop"]},
    }
