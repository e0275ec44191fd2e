# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of earlier sources, text that is never a template."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.azure_ids import machine_key
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.hosts import HostWriter, known_machines
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.unsafe import mark_unsafe
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.fleet import trusted


def test_the_vm_counts_before_its_arc_entry() -> None:
    vm = SimpleNamespace(name="vm", vars={"vmid": "A", "resource_type": "Microsoft.Compute/virtualMachines"})
    arc = SimpleNamespace(name="arc", vars={"vmid": "a", "resource_type": "Microsoft.HybridCompute/machines"})
    static = SimpleNamespace(name="static", vars={"patchtide_node_id": "mi-1"})
    assert known_machines([arc, vm, static]) == known_machines([vm, static, arc]) == {"a": "vm", "mi-1": "static"}


VM_ID, ARC_ID = "01020304-0506-0708-090a-0b0c0d0e0f10", "04030201-0605-0807-090a-0b0c0d0e0f10"


def test_one_machine_in_both_orders_of_its_bytes() -> None:
    """DSP0134, System UUID: {00112233-4455-6677-8899-…} is 33 22 11 00 55 44 77 66 88 99 … in SMBIOS 2.6."""
    assert machine_key(VM_ID) == machine_key(ARC_ID.upper()) and machine_key("I-1") == "i-1"
    assert machine_key(VM_ID) != machine_key(VM_ID.replace("0f10", "0f11"))
    host = SimpleNamespace(name="vm", vars={"patchtide_source_id": ARC_ID})
    assert known_machines([host]) == {machine_key(VM_ID): "vm"}


def node(executor: str, **more: Any) -> dict[str, Any]:
    return {**EMPTY, "executor": executor, "node_id": executor, "tags": {executor: "1", "both": executor}, **more}


@pytest.mark.parametrize(
    ("first", "second", "order", "kept"),
    [
        ("ssm", "azure", [], "ssm"),
        ("ssm", "azure", ["azure", "ssm"], "azure"),
        ("azure", "ssm", ["azure", "ssm"], "azure"),
        ("ssm", "azure", ["azure"], "azure"),
        ("azure", "ssm", ["azure"], "azure"),
        ("ssm", "", ["azure", "ssm"], "ssm"),
        ("linux", "ssm", ["azure"], "linux"),
    ],
)
def test_the_executor_of_a_machine_that_two_sources_have(first: str, second: str, order: list[str], kept: str) -> None:
    inventory = InventoryData()
    writer = HostWriter(inventory)
    writer.add("web", node(first, account="1"), order)
    found = writer.add("web", node(second, account="2", state="running"), order)
    assert (found["patchtide_executor"], found["patchtide_node_id"]) == (kept, kept)
    assert found["patchtide_account"] == ("1" if kept == first else "2")
    groups = {group.name for group in inventory.hosts["web"].groups}
    other = second if kept == first else first
    assert found["patchtide_merged_ids"] == [other] * bool(other) and ("merged" in groups) == bool(other)
    assert f"executor_{other}" not in groups and f"account_{'2' if kept == first else '1'}" not in groups
    assert {f"executor_{kept}", f"account_{'1' if kept == first else '2'}"} <= groups
    if kept == second:
        assert found["patchtide_tags"] == {first: "1", second: "1", "both": second}
        assert "state_running" in groups


@given(
    st.recursive(
        st.one_of(st.text(), st.sampled_from(["{{ 7 * 6 }}", "{% raw %}", "{# x #}"]), st.integers(), st.none()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_cloud_text_is_a_template(data: Any) -> None:
    """Covers the promise that untrusted text is never templated, whatever ansible-core does about it."""
    templar = Templar(loader=DataLoader(), variables={"data": mark_unsafe(data)})
    assert templar.template(trusted("{{ data }}")) == data
