# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of the inventory that has registered with Systems Manager is the same machine as its hybrid node."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.enrollment.machine import Machine
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.enrollment.look import _join
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.nodes import candidates

GROUP = "/subscriptions/22222222-bbbb-4bbb-8bbb-000000000001/resourcegroups/rg"
VM = f"{GROUP}/providers/microsoft.compute/virtualmachines/a"
VM_ID = "0f3a6cf1-c9a2-4b64-8c0d-5d7c9d8f0b1a"
AZURE = {"patchtide_executor": "azure", "patchtide_node_id": VM, "patchtide_source_id": VM_ID}
NODE = {**EMPTY, "node_id": "mi-1", "account": "111111111111", "region": "eu-central-1", "managed": True}


def machines(hosts: dict[str, dict[str, Any]], **node: Any) -> dict[str, Machine]:
    """Join hosts of an inventory with one node of Systems Manager, and return the machines by their names."""
    task_vars = {"hostvars": hosts, "groups": {"all": list(hosts), "plant": list(hosts)}}
    policy = to_policy({})
    known = list(candidates(task_vars, policy.tags.application))
    nodes = [{**NODE, "resource_type": "ManagedInstance", **node}]
    return {item.candidate.host: item for item in _join(nodes, known, set(), task_vars, policy)}


@pytest.mark.parametrize(
    "node",
    [{"tags": {"Name": "plant-07"}}, {"computer_name": "PLANT-07"}, {"computer_name": "plant-07.example.com"}],
    ids=["tag", "computer", "domain"],
)
def test_a_registered_host_is_no_machine_of_its_own(node: dict[str, Any]) -> None:
    assert set(machines({"plant-07": {}}, **node)) == {"mi-1"}
    assert set(machines({"plant-07": {"patchtide_node_id": "plant-07"}}, **node)) == {"mi-1"}


@pytest.mark.parametrize(
    "node",
    [
        {"tags": {"Name": "plant-08"}},
        {"computer_name": "localhost"},
        {"tags": {"Name": "plant-07"}, "resource_type": "EC2Instance", "node_id": "i-1"},
    ],
    ids=["another", "everybody's", "ec2"],
)
def test_a_host_of_another_name_is(node: dict[str, Any]) -> None:
    found = machines({"plant-07": {}, "localhost": {}}, **node)
    assert found["plant-07"].candidate.executor == "" and not found["plant-07"].hybrid


def test_a_host_with_an_executor_stays_and_is_known_to_be_registered() -> None:
    found = machines({"plant-07": {"patchtide_executor": "linux"}}, computer_name="plant-07")
    assert found["plant-07"].hybrid and "mi-1" in found


@pytest.mark.parametrize(("source", "known"), [(VM_ID, True), ("another", False), ("", False)])
def test_a_virtual_machine_of_azure_is_known_by_its_id(source: str, known: bool) -> None:
    assert machines({"az": AZURE}, source_id=source)["az"].hybrid is known


def test_a_host_without_an_executor_has_the_tags_of_its_variables() -> None:
    told = {"patchtide_tags": {"Owner": "plant"}, "patchtide_patch_group": "PLANT"}
    found = machines({"plant-07": told})["plant-07"].candidate
    assert (found.tags, found.patch_group, "plant" in found.groups) == ({"Owner": "plant"}, "PLANT", True)
