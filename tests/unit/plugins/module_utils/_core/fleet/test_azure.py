# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of Azure as nodes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.azure_ids import is_arc, parts
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.azure import from_row, power_state
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.records import Spellings
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY

VM = "/subscriptions/S-1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/Web-01"
ARC = "/subscriptions/S-1/resourceGroups/RG/providers/Microsoft.HybridCompute/machines/db-01"


def row(**members: Any) -> dict[str, Any]:
    base = {"id": VM, "name": "Web-01", "type": "Microsoft.Compute/virtualMachines", "subscriptionId": "S-1"}
    return {**base, "location": "West Europe", "osType": "Linux", "powerState": "PowerState/running", **members}


def node(**members: Any) -> dict[str, Any]:
    found = from_row(row(**members), {"s-1": "shop"}, Spellings())
    assert found is not None
    return found


def test_every_member_is_there() -> None:
    assert set(node()) == set(EMPTY)


def test_ids_have_one_spelling() -> None:
    found = node()
    assert found["node_id"] == VM.lower()
    assert (found["account"], found["account_name"], found["region"]) == ("s-1", "shop", "westeurope")
    assert found["name"] == "Web-01"


@pytest.mark.parametrize(("kind", "text"), [("Linux", "linux"), ("windows", "windows"), (None, ""), ("Solaris", "")])
def test_platform_in_any_case_or_unknown(kind: str | None, text: str) -> None:
    assert node(osType=kind)["platform"] == text


def test_instances_of_scale_sets_have_no_executor() -> None:
    """Update Manager does not support them (Microsoft Learn, "Unsupported workloads")."""
    flexible = node(scaleSet=f"{VM}/../virtualMachineScaleSets/pool")
    uniform = node(type="microsoft.compute/virtualmachinescalesets/virtualmachines")
    assert flexible["executor"] == uniform["executor"] == ""
    assert flexible["resource_type"] == uniform["resource_type"] == "ScaleSetVM"
    assert node()["executor"] == "azure" and node()["resource_type"] == "AzureVM"


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("PowerState/running", "running"),
        ("PowerState/deallocated", "deallocated"),
        ("PowerState/stopped", "stopped"),
        ("PowerState/starting", "pending"),
        ("PowerState/hibernated", ""),
        ("", ""),
    ],
)
def test_power(code: str, state: str) -> None:
    assert power_state(code) == state
    assert node(powerState=code)["state"] == state


@pytest.mark.parametrize(
    ("status", "ping", "state"),
    [
        ("Connected", "Online", "running"),
        ("Disconnected", "ConnectionLost", ""),
        ("Expired", "ConnectionLost", ""),
        (None, "ConnectionLost", ""),
    ],
)
def test_arc_servers_are_online_only_while_connected(status: str | None, ping: str, state: str) -> None:
    found = node(id=ARC, type="Microsoft.HybridCompute/machines", status=status, powerState=None)
    assert (found["ping_status"], found["state"], found["resource_type"]) == (ping, state, "ArcServer")


def test_tag_names_have_no_case() -> None:
    found = node(tags={"PATCH GROUP": "web", "maintenance window": "tuesday"})
    assert (found["patch_group"], found["maintenance_window"]) == ("web", "tuesday")
    assert found["tags"] == {"PATCH GROUP": "web", "maintenance window": "tuesday"}


def test_what_is_no_machine() -> None:
    assert from_row(row(id=None), {}, Spellings()) is None
    assert from_row(row(type="microsoft.storage/storageaccounts"), {}, Spellings()) is None


def test_resource_ids() -> None:
    assert parts(VM) == ("S-1", "RG", "Web-01")
    assert is_arc(ARC) and not is_arc(VM)


@pytest.mark.parametrize(
    ("mode", "bypass", "hotpatch", "who"),
    [
        ("AutomaticByPlatform", False, False, "platform"),
        ("AutomaticByPlatform", True, False, ""),
        ("AutomaticByPlatform", False, True, "hotpatch"),
        ("AutomaticByOS", False, False, "os"),
        ("ImageDefault", False, False, ""),
        ("Manual", False, False, ""),
        ("", False, False, ""),
    ],
)
def test_who_else_patches_a_machine(mode: str, bypass: bool, hotpatch: bool, who: str) -> None:
    assert node(patchMode=mode, bypass=bypass, hotpatch=hotpatch)["auto_patching"] == who
