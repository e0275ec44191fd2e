# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine seen twice is one host (F04)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.merge import RULES, merge_nodes
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.records import (
    Spellings,
    type_of,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY
from hypothesis import given
from hypothesis import strategies as st

KEYS = Spellings()


def node(node_id: str, **members: Any) -> dict[str, Any]:
    base = {**EMPTY, "node_id": node_id, "managed": True, "ping_status": "Online", "resource_type": type_of(node_id)}
    return {**base, "account": "1", "region": "r", **members}


def merged(*nodes: dict[str, Any], rules: tuple[str, ...] = tuple(RULES)) -> dict[str, list[str]]:
    return {item["node_id"]: item["merged_ids"] for item in merge_nodes(nodes, rules, KEYS)}


def test_a_registration_on_an_ec2_instance() -> None:
    ec2, hybrid = node("i-1"), node("mi-1", source_id="i-1", source_type="AWS::EC2::Instance")
    assert merged(ec2, hybrid) == {"i-1": ["mi-1"]}
    assert merged(ec2, hybrid, rules=()) == {"i-1": [], "mi-1": []}


def test_the_entry_that_can_be_worked_with_stays() -> None:
    """EC2's own entry is no use if only the hybrid registration is managed; it takes EC2's state and tags along."""
    ec2 = node("i-1", managed=False, ping_status="", state="running", tags={"Patch Group": "A"})
    hybrid = node("mi-1", source_id="i-1", tags={"Owner": "me"})
    (only,) = merge_nodes([ec2, hybrid], ["source"], KEYS)
    assert (only["node_id"], only["state"], only["patch_group"]) == ("mi-1", "running", "A")
    assert only["tags"] == {"Patch Group": "A", "Owner": "me"}


def test_an_azure_vm_registered_twice() -> None:
    azure = {"source_type": "Microsoft.Compute/virtualMachines", "source_id": "vm-1"}
    old, new = node("mi-1", registered_at="2025", **azure), node("mi-2", registered_at="2026", **azure)
    assert merged(old, new) == {"mi-2": ["mi-1"]}


def test_equal_source_ids_of_different_clouds_are_different_machines() -> None:
    one = node("mi-1", source_type="Microsoft.Compute/virtualMachines", source_id="1")
    two = node("mi-2", source_type="compute.googleapis.com/Instance", source_id="1")
    assert len(merged(one, two)) == 2


def test_a_node_that_is_its_own_source_is_nothing_special() -> None:
    assert merged(node("i-1", source_id="i-1"), node("i-2", source_id="i-2")) == {"i-1": [], "i-2": []}


def test_registered_again() -> None:
    same = {"computer_name": "plant", "ip": "10.0.0.1"}
    old, new = node("mi-1", ping_status="ConnectionLost", **same), node("mi-2", **same)
    assert merged(old, new) == {"mi-2": ["mi-1"]}
    assert merged(old, {**new, "region": "other"}) == {"mi-1": [], "mi-2": []}


def test_two_that_are_online_are_two_machines() -> None:
    same = {"computer_name": "clone", "ip": "10.0.0.1"}
    assert len(merged(node("mi-1", **same), node("mi-2", **same))) == 2


@given(
    st.lists(
        st.builds(
            node,
            st.sampled_from([f"{kind}-{number}" for kind in ("i", "mi") for number in range(4)]),
            source_id=st.sampled_from(["", "i-0", "i-1", "mi-2", "x"]),
            source_type=st.sampled_from(["", "a", "b"]),
            ping_status=st.sampled_from(["Online", "ConnectionLost", ""]),
            managed=st.booleans(),
            computer_name=st.sampled_from(["", "h"]),
            ip=st.sampled_from(["", "1"]),
        ),
        unique_by=lambda item: item["node_id"],
    )
)
def test_no_node_is_lost_and_none_is_in_two_places(nodes: list[dict[str, Any]]) -> None:
    before = sorted(item["node_id"] for item in nodes)
    result = merge_nodes(nodes, list(RULES), KEYS)
    after = sorted(name for item in result for name in (item["node_id"], *item["merged_ids"]))
    assert after == before


@pytest.mark.parametrize(
    ("name", "is_own"),
    [
        ("plant-01", True),
        ("WIN-4F7Q2KJ8R1A", True),
        ("ip-tables-host", True),
        ("localhost", False),
        ("LOCALHOST.localdomain", False),
        ("raspberrypi", False),
        ("ubuntu", False),
        ("ip-10-0-0-5.eu-central-1.compute.internal", False),
        ("", False),
    ],
)
def test_a_name_that_many_machines_have_identifies_none(name: str, is_own: bool) -> None:
    same = {"computer_name": name, "ip": "10.0.0.1"}
    found = merged(node("mi-1", ping_status="ConnectionLost", **same), node("mi-2", **same))
    assert found == ({"mi-2": ["mi-1"]} if is_own else {"mi-1": [], "mi-2": []})
