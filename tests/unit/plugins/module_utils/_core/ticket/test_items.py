# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which configuration items are the nodes of a plan."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ticket.items import (
    Items,
    Lookup,
    item_queries,
    match_items,
)

LOOKUPS = [
    Lookup(table="cmdb_ci_vm_instance", column="object_id", by="node_id"),
    Lookup(table="cmdb_ci_server", column="name", by="name"),
]
NODES = [{"node_id": "i-2", "name": "web-2"}, {"node_id": "i-1", "name": "web-1"}]


def test_one_query_for_many_nodes() -> None:
    assert list(item_queries(NODES, LOOKUPS)) == [
        {"table": "cmdb_ci_vm_instance", "column": "object_id", "query": "object_idINi-1,i-2"},
        {"table": "cmdb_ci_server", "column": "name", "query": "nameINweb-1,web-2"},
    ]
    many = [{"node_id": f"i-{number}"} for number in range(60)]
    assert [row["query"].count(",") for row in item_queries(many, LOOKUPS)] == [24, 24, 9]


@pytest.mark.parametrize("name", ["a^active=true", "a,b", "a\nb", "javascript:gs.now(1)", "", "^", None])
def test_a_name_never_becomes_a_condition(name: str | None) -> None:
    assert list(item_queries([{"node_id": "x", "name": name}], LOOKUPS[1:])) == []


def test_the_first_lookup_that_finds_one_counts() -> None:
    found = {
        "cmdb_ci_vm_instance": [{"sys_id": "A", "object_id": "i-1"}],
        "cmdb_ci_server": [{"sys_id": "B", "name": "web-1"}, {"sys_id": "C", "name": {"value": "web-2"}}],
    }
    assert match_items(NODES, LOOKUPS, found) == Items(linked=("C", "A"))


def test_rows_that_are_no_node_are_left_out_and_nodes_without_one_named() -> None:
    """An instance that drops the condition returns all rows."""
    found = {"cmdb_ci_server": [{"sys_id": "Z", "name": "other"}, {"sys_id": "B", "name": "web-1"}]}
    assert match_items(NODES, LOOKUPS, found) == Items(linked=("B",), missing=("web-2",))


def test_several_items_of_one_node_are_named_and_not_linked() -> None:
    found = {"cmdb_ci_server": [{"sys_id": "A", "name": "web-1"}, {"sys_id": "B", "name": "web-1"}]}
    assert match_items(NODES[1:], LOOKUPS, found) == Items(several=("web-1",))
    twice = {"cmdb_ci_server": [{"sys_id": "A", "name": "web-1"}] * 2}
    assert match_items(NODES[1:], LOOKUPS, twice).linked == ("A",)


def test_a_node_without_the_member_is_no_item() -> None:
    found = {"cmdb_ci_server": [{"sys_id": "A", "name": ""}]}
    assert match_items([{"node_id": "i-1", "name": ""}], LOOKUPS[1:], found) == Items(missing=("i-1",))
