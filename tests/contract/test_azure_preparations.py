# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power, tags and back ends of virtual machines on the lab's Azure (MO-5 to MO-9, TM-19, TM-20)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.drain import AzureDrain
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.node_tags import AzureNodeTags
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.power import AzurePower
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.prepare.ports import Target

from lab.azure.launch import AzureLab
from tests.contract.azure_lab import calls, connect, vm

RUNNING, OFF, GONE = vm("az-web-01"), vm("az-win-02"), vm("nobody")
ARC = RUNNING.replace("microsoft.compute/virtualmachines", "microsoft.hybridcompute/machines")
KEY = "ssm-patch-now"


@pytest.fixture
def power(azure: AzureLab) -> AzurePower:
    return AzurePower(connect(azure))


@pytest.fixture
def tags(azure: AzureLab) -> AzureNodeTags:
    return AzureNodeTags(connect(azure))


def seen(azure: AzureLab, *ids: str) -> tuple[dict[str, str], dict[str, str]]:
    power = AzurePower(connect(azure))
    return power.states(ids), power.ping(ids)


def test_a_deallocated_machine_is_started_and_deallocated_again(azure: AzureLab, power: AzurePower) -> None:
    assert power.states([RUNNING, OFF, GONE, ARC]) == {RUNNING: "running", OFF: "stopped"}
    assert power.start([RUNNING, OFF]) == {}
    assert power.states([OFF]) == {OFF: "pending"} and power.ping([OFF]) == {}
    azure.post("clock", {"advance": 21})
    assert seen(azure, OFF) == ({OFF: "running"}, {OFF: "ConnectionLost"})
    azure.post("clock", {"advance": 300})
    assert seen(azure, OFF) == ({OFF: "running"}, {OFF: "Online"})
    assert AzurePower(connect(azure)).stop([OFF]) == {} and seen(azure, OFF)[0] == {OFF: "stopping"}
    assert "it is deallocating" in AzurePower(connect(azure)).start([OFF])[OFF]
    azure.post("clock", {"advance": 120})
    assert azure.machine("az-win-02")["power"] == "deallocated"


def test_a_look_costs_one_call_each_and_switching_one(azure: AzureLab, power: AzurePower) -> None:
    power.start([OFF])
    assert (calls(azure, "GET instanceView"), calls(azure, "POST start")) == (1, 1)
    power.states([OFF, RUNNING])
    power.ping([OFF, RUNNING])
    assert calls(azure, "GET instanceView") == 3


def test_one_that_was_shut_down_in_its_system_is_neither_started_nor_off(azure: AzureLab, power: AzurePower) -> None:
    """Microsoft Learn, "States and billing status of Azure Virtual Machines": Stopped keeps its host, and is billed."""
    connect(azure).query(f"{RUNNING}/powerOff", "2024-07-01", None, "shut down")
    azure.post("clock", {"advance": 120})
    assert azure.machine("az-web-01")["power"] == "stopped"
    assert power.states([RUNNING]) == {RUNNING: "shut down"}
    assert power.start([RUNNING]) == {} and calls(azure, "POST start") == 0


def test_refusals_are_reasons_of_their_machine(azure: AzureLab, power: AzurePower) -> None:
    azure.post("faults", {"machine": "az-win-02", "no_capacity": True})
    azure.post("faults", {"machine": "az-web-01", "lock": "ReadOnly"})
    found = power.start([OFF, GONE, RUNNING])
    assert set(found) == {OFF, GONE} and found[OFF].startswith("AllocationFailed: ")
    assert power.stop([RUNNING])[RUNNING].startswith("ScopeLocked: ")
    assert power.stop([GONE]) == {}


def test_what_can_not_be_read_is_raised_or_a_reason(azure: AzureLab, power: AzurePower) -> None:
    azure.post("faults", {"rules": [{"kind": "deny", "operation": "GET instanceView"}]})
    with pytest.raises(ServiceError, match="AuthorizationFailed"):
        power.states([RUNNING])
    assert set(power.start([RUNNING, OFF])) == set(power.stop([RUNNING, OFF])) == {RUNNING, OFF}
    assert calls(azure, "POST deallocate") == calls(azure, "POST start") == 0


def test_a_tag_is_put_and_dropped_and_the_others_stay(azure: AzureLab, tags: AzureNodeTags) -> None:
    before = azure.machine("az-web-01")["tags"]
    assert tags.put([RUNNING, GONE], KEY, "r1").keys() == {GONE}
    assert tags.put([RUNNING], KEY.upper(), "r2") == {}
    assert tags.tags([RUNNING, OFF, GONE], KEY) == {RUNNING: "r2"}
    assert azure.machine("az-web-01")["tags"] == {**before, KEY: "r2"}
    assert tags.drop([RUNNING, OFF, GONE], KEY.title()) == {}
    assert azure.machine("az-web-01")["tags"] == before


def test_tags_that_may_not_be_written(azure: AzureLab, tags: AzureNodeTags) -> None:
    azure.post("faults", {"machine": "az-web-01", "deny_tags": True})
    assert tags.put([RUNNING, OFF], KEY, "r1")[RUNNING].startswith("RequestDisallowedByPolicy: ")
    assert tags.tags([RUNNING, OFF], KEY) == {OFF: "r1"}


BOTH = {"lb-shop", "agw-shop"}


@pytest.fixture
def drain(azure: AzureLab) -> AzureDrain:
    return AzureDrain(connect(azure))


def pools(azure: AzureLab, machine: str = RUNNING) -> set[str]:
    """Return the balancers whose back ends a machine is in now."""
    found = AzureDrain(connect(azure)).targets([machine]).get(machine, ())
    return {target.group.split("/")[8] for target in found}


def settle(azure: AzureLab) -> None:
    azure.post("clock", {"advance": 30})


def test_a_machine_leaves_its_back_ends_and_comes_back(azure: AzureLab, drain: AzureDrain) -> None:
    """Load Balancer and Application Gateway; one without back ends, and one that is gone, need nothing."""
    found = drain.targets([RUNNING, vm("az-win-01"), GONE])
    assert set(found) == {RUNNING} and pools(azure) == BOTH
    targets = found[RUNNING]
    assert {target.target_type for target in targets} == {"load_balancer", "application_gateway"}
    assert set(drain.health(targets).values()) == {"draining"}
    assert drain.drain(targets) == drain.drain(targets) == {}
    assert pools(azure) == set() and set(drain.health(targets).values()) == {"unused"}
    assert calls(azure, "PUT networkInterfaces") + calls(azure, "PUT networkinterfaces") == 1
    kept = [Target.from_dict(target.to_dict()) for target in targets]
    assert drain.restore(kept) == drain.restore(kept) == {} and pools(azure) == BOTH
    assert calls(azure, "PUT networkInterfaces") + calls(azure, "PUT networkinterfaces") == 2


def test_other_members_of_the_interface_are_kept(azure: AzureLab, drain: AzureDrain) -> None:
    """The lab refuses every other change of an interface."""
    one = [target for target in drain.targets([RUNNING])[RUNNING] if target.target_type == "load_balancer"]
    assert drain.drain(one) == {} and pools(azure) == {"agw-shop"}
    assert drain.restore(one) == {} and pools(azure) == BOTH


def test_an_interface_that_somebody_changed_meanwhile_is_read_again(azure: AzureLab, drain: AzureDrain) -> None:
    first, second = drain.targets([RUNNING])[RUNNING]
    arm, real = connect(azure), drain._read
    seen = []

    def stale(card: str) -> Any:
        found = real(card)
        if not seen:
            seen.append(card)
            assert AzureDrain(arm).drain([second]) == {}
        return found

    drain._read = stale  # type: ignore[method-assign] # somebody changes it between our read and our write
    assert drain.drain([first]) == {} and pools(azure) == set()


def test_without_an_etag_nothing_is_written(azure: AzureLab, drain: AzureDrain) -> None:
    first, _second = drain.targets([RUNNING])[RUNNING]
    real, before = drain._read, pools(azure)
    drain._read = lambda card: {**real(card), "etag": ""}  # type: ignore[method-assign] # the lab always names one
    assert "NoEtag" in drain.drain([first])[RUNNING] and pools(azure) == before


def test_what_azure_refuses_is_the_reason_of_its_machine(azure: AzureLab, drain: AzureDrain) -> None:
    targets = drain.targets([RUNNING, vm("az-web-02")])
    every = [target for found in targets.values() for target in found]
    azure.post("faults", {"rules": [{"kind": "deny", "operation": ["PUT networkInterfaces", "PUT networkinterfaces"]}]})
    found = drain.drain(every)
    assert set(found) == {RUNNING, vm("az-web-02")} and all("AuthorizationFailed" in text for text in found.values())
    azure.post("faults", {"reset": True, "rules": [{"kind": "deny", "operation": "GET virtualmachines"}]})
    with pytest.raises(ServiceError):
        drain.targets([RUNNING])
