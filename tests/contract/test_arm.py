# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of Azure Resource Manager, against the lab's endpoint over TLS."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure import graph, machines
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.arm import Arm
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.errors import Lost, Throttled
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.tags import merge_tags, read_tags, respell_tags
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, NotFound, ServiceError

from lab.azure.launch import AzureLab
from tests.contract.azure_lab import PLANT, SHOP, calls, connect, vm


@pytest.fixture
def lab(azure: AzureLab) -> AzureLab:
    return azure


@pytest.fixture
def arm(lab: AzureLab) -> Arm:
    return connect(lab)


def test_both_ways_to_list_agree(arm: Arm) -> None:
    by_graph = {row["id"].lower(): row for row in machines.by_graph(arm, [SHOP, PLANT], scale_sets=False)}
    by_lists = {row["id"].lower(): row for place in (SHOP, PLANT) for row in machines.by_lists(arm, place)}
    assert len(by_graph) == 8 and set(by_graph) == set(by_lists)
    for key, row in by_graph.items():
        other = by_lists[key]
        for name in ("name", "vmId", "osType", "osVersion", "computerName", "location", "tags", "patchMode"):
            assert row[name] == other[name], name
        assert (row["powerState"] or "") == (other["powerState"] or "")


def test_instances_of_scale_sets_are_seen(arm: Arm) -> None:
    rows = [row for row in machines.by_graph(arm, [SHOP]) if "virtualmachinescalesets" in row["type"]]
    assert [row["name"] for row in rows] == ["az-pool-01", "az-pool-02"]


def test_pages_of_resource_graph(arm: Arm, lab: AzureLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "PAGE", 3)
    assert len(list(machines.by_graph(arm, [SHOP, PLANT], scale_sets=False))) == 8
    assert calls(lab, "POST resources") == 3


def test_a_cut_result_is_an_error(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the ID the service cuts the result and gives no token (Microsoft Learn, large data sets)."""
    monkeypatch.setattr(graph, "PAGE", 3)
    with pytest.raises(ServiceError, match="ResultTruncated"):
        list(graph.rows(arm, "resources | project name", [SHOP], "query"))


def test_a_wrong_secret(lab: AzureLab) -> None:
    with pytest.raises(AccessDenied, match="AADSTS7000215"):
        machines.subscriptions(connect(lab, secret="wrong"))


def test_an_unknown_tenant(lab: AzureLab) -> None:
    with pytest.raises((AccessDenied, Lost), match=r"tenant|AADSTS90002"):
        machines.subscriptions(connect(lab, tenant="77777777-0000-4000-8000-000000000001"))


def test_a_revoked_token_is_renewed(arm: Arm, lab: AzureLab) -> None:
    """Continuous Access Evaluation: a 401 with claims, which azure-core 1.31 leaves to its users."""
    machines.subscriptions(arm)
    lab.post("tokens")
    begun = arm.act(f"{vm('az-web-01')}/assessPatches", machines.COMPUTE_API, None, "assess")
    assert begun.status == 202


def test_a_machine_that_is_gone(arm: Arm) -> None:
    with pytest.raises(NotFound, match="ResourceNotFound"):
        machines.instance_view(arm, vm("nobody"))


def test_reads_are_repeated(arm: Arm, lab: AzureLab) -> None:
    lab.post("faults", {"rules": [{"kind": "throttle", "operation": "GET instanceView", "tps": 0, "times": 2}]})
    assert machines.instance_view(arm, vm("az-web-01"))
    assert calls(lab, "GET instanceView") == 3


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"kind": "throttle", "tps": 0}, Throttled),
        ({"kind": "error", "status": 503}, Lost),
        ({"kind": "error", "status": 500}, Lost),
        ({"kind": "lose_response"}, Lost),
        ({"kind": "down"}, Lost),
        ({"kind": "deny"}, AccessDenied),
    ],
)
def test_actions_are_sent_once(arm: Arm, lab: AzureLab, rule: dict[str, Any], error: type[ServiceError]) -> None:
    """azure-core repeats every request whose answer has Retry-After, POST as well (azure-core, _retry.py)."""
    lab.post("faults", {"rules": [{**rule, "operation": "POST assessPatches"}]})
    with pytest.raises(ServiceError) as raised:
        arm.act(f"{vm('az-web-01')}/assessPatches", machines.COMPUTE_API, None, "assess")
    assert raised.value.__class__ is error
    assert calls(lab, "POST assessPatches") == 1


def test_a_long_running_operation(arm: Arm, lab: AzureLab) -> None:
    begun = arm.act(f"{vm('az-web-01')}/assessPatches", machines.COMPUTE_API, None, "assess")
    url = begun.headers["location"]
    assert (begun.status, arm.follow(url, "poll").status) == (202, 202)
    lab.post("clock", {"advance": 300})
    ended = arm.follow(url, "poll")
    assert (ended.status, ended.data["status"]) == (200, "Succeeded")
    assert (
        len(ended.data["availablePatches"])
        == ended.data["criticalAndSecurityPatchCount"] + ended.data["otherPatchCount"]
    )


@pytest.mark.parametrize("url", ["https://evil.example/operations/1", "http://127.0.0.1/operations/1"])
def test_the_token_goes_to_no_other_host(arm: Arm, url: str) -> None:
    with pytest.raises(ServiceError, match="ForeignUrl"):
        arm.follow(url, "poll")


def test_tags_are_merged(arm: Arm, lab: AzureLab) -> None:
    before = read_tags(arm, vm("az-web-01"))
    assert merge_tags(arm, vm("az-web-01"), {"New": "1"}) == {**before, "New": "1"}
    assert lab.machine("az-web-01")["tags"] == {**before, "New": "1"}


def test_a_spelling_is_changed_only_by_removing_it(arm: Arm) -> None:
    """azure-rest-api-specs issue 8982: a merge succeeds and keeps the old spelling."""
    assert "PATCH GROUP" in merge_tags(arm, vm("az-web-03"), {"Patch Group": "AZ-WEB"})
    tags = read_tags(arm, vm("az-web-03"))
    after = respell_tags(arm, vm("az-web-03"), {"Patch Group": "PATCH GROUP"}, tags)
    assert after["Patch Group"] == "AZ-WEB" and "PATCH GROUP" not in after


@pytest.mark.parametrize(
    ("fault", "code"), [({"lock": "ReadOnly"}, "ScopeLocked"), ({"deny_tags": True}, "RequestDisallowedByPolicy")]
)
def test_tags_that_may_not_be_written(arm: Arm, lab: AzureLab, fault: dict[str, Any], code: str) -> None:
    lab.post("faults", {"machine": "az-web-01", **fault})
    with pytest.raises(ServiceError, match=code):
        merge_tags(arm, vm("az-web-01"), {"New": "1"})
    assert "New" not in lab.machine("az-web-01")["tags"]


def test_reads_are_repeated_and_actions_are_not(arm: Arm, lab: AzureLab) -> None:
    lab.post("faults", {"rules": [{"kind": "error", "status": 503, "operation": "GET virtualmachines", "times": 2}]})
    assert arm.read(vm("az-web-01"), machines.COMPUTE_API, "read")["name"] == "az-web-01"
    assert calls(lab, "GET virtualmachines") == 3


def test_a_subscription_names_its_tenant_without_a_token(arm: Arm, lab: AzureLab) -> None:
    """shawntabrizi.com, "Secret APIs in Azure Active Directory and Azure Resource Manager"."""
    assert arm.tenant_of(SHOP) == lab.client.tenant
    assert arm.tenant_of("00000000-0000-0000-0000-000000000000") == ""
