# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2 and SSM speak of the same machines: ids, tags, power."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import SHARED, WEB, Fleet


@pytest.fixture
def ec2(fleet: Fleet) -> Any:
    return fleet.lab.client("ec2", account=WEB)


def instance(ec2: Any, node_id: str) -> dict[str, Any]:
    return dict(ec2.describe_instances(InstanceIds=[node_id])["Reservations"][0]["Instances"][0])


def ping(fleet: Fleet, name: str) -> str:
    filters = [{"Key": "InstanceIds", "Values": [fleet.id(name)]}]
    rows = fleet.ssm(name).describe_instance_information(Filters=filters)["InstanceInformationList"]
    return str(rows[0]["PingStatus"])


def test_a_stopped_node_starts_and_its_agent_comes_online_later(fleet: Fleet, ec2: Any) -> None:
    node_id = fleet.id("web-prod-08")
    before = fleet.now("web-prod-08")["boot_id"]
    assert (instance(ec2, node_id)["State"]["Name"], ping(fleet, "web-prod-08")) == ("stopped", "ConnectionLost")
    ec2.start_instances(InstanceIds=[node_id])
    assert instance(ec2, node_id)["State"]["Name"] == "pending"
    fleet.lab.advance(25)
    assert (instance(ec2, node_id)["State"]["Name"], ping(fleet, "web-prod-08")) == ("running", "ConnectionLost")
    fleet.lab.advance(120)
    assert ping(fleet, "web-prod-08") == "Online"
    assert fleet.now("web-prod-08")["boot_id"] != before


def test_a_node_that_stops_is_online_until_its_silence_is_noticed(fleet: Fleet, ec2: Any) -> None:
    node_id = fleet.id("web-dev-01")
    ec2.stop_instances(InstanceIds=[node_id])
    assert instance(ec2, node_id)["State"]["Name"] == "stopping"
    fleet.lab.advance(60)
    assert (instance(ec2, node_id)["State"]["Name"], ping(fleet, "web-dev-01")) == ("stopped", "Online")
    fleet.lab.advance(300)
    assert ping(fleet, "web-dev-01") == "ConnectionLost"
    assert [row["name"] for row in fleet.lab.get("ledger")["stops"]] == ["web-dev-01"]


def test_power_can_not_be_switched_in_between(fleet: Fleet, ec2: Any, refused: Callable[..., str]) -> None:
    running, stopped = fleet.id("web-dev-01"), fleet.id("web-prod-08")
    ec2.stop_instances(InstanceIds=[running])
    ec2.start_instances(InstanceIds=[stopped])
    assert refused(ec2.start_instances, InstanceIds=[running]) == "IncorrectInstanceState"
    assert refused(ec2.stop_instances, InstanceIds=[stopped]) == "IncorrectInstanceState"


def test_a_stop_in_the_middle_of_an_install_interrupts_the_document(fleet: Fleet, ec2: Any) -> None:
    command = fleet.send("web-dev-01", wait=300, Parameters={"Operation": ["Install"]})
    ec2.stop_instances(InstanceIds=[fleet.id("web-dev-01")])
    fleet.lab.advance(3600)
    assert fleet.outcome(command, "web-dev-01")["Status"] == "InProgress"
    ec2.start_instances(InstanceIds=[fleet.id("web-dev-01")])
    fleet.lab.advance(600)
    assert fleet.outcome(command, "web-dev-01")["Status"] == "Failed"


def test_tags_set_in_ec2_are_what_ssm_targets(fleet: Fleet, ec2: Any) -> None:
    node_id = fleet.id("web-dev-01")
    ec2.create_tags(Resources=[node_id], Tags=[{"Key": "ssm-patch-now", "Value": "abc"}])
    filters = [{"Key": "tag:ssm-patch-now", "Values": ["abc"]}]
    rows = fleet.ssm("web-dev-01").describe_instance_information(Filters=filters)["InstanceInformationList"]
    assert [row["InstanceId"] for row in rows] == [node_id]
    ec2.delete_tags(Resources=[node_id], Tags=[{"Key": "ssm-patch-now"}])
    assert "ssm-patch-now" not in fleet.now("web-dev-01")["tags"]


def test_managed_instances_have_the_profile_their_agent_needs(fleet: Fleet, ec2: Any) -> None:
    profile = instance(ec2, fleet.id("web-dev-01"))["IamInstanceProfile"]["Arn"]
    assert profile == f"arn:aws:iam::{WEB}:instance-profile/patchtide-node"


def test_hostile_tag_values_arrive_unchanged(fleet: Fleet, ec2: Any) -> None:
    tags = {row["Key"]: row["Value"] for row in instance(ec2, fleet.id("web-dev-02"))["Tags"]}
    assert tags["Owner"] == "{{ 7*7 }}"
    assert tags["Name"].startswith("<script>")
    assert "\n" in tags["Note"]


def test_one_call_finds_the_tags_of_ec2_and_hybrid_nodes(fleet: Fleet) -> None:
    tagging = fleet.lab.client("resourcegroupstaggingapi", account=SHARED)
    request = {"ResourceTypeFilters": ["ec2:instance", "ssm:managed-instance"], "ResourcesPerPage": 5}
    pages = list(tagging.get_paginator("get_resources").paginate(**request))
    rows = {row["ResourceARN"]: row["Tags"] for page in pages for row in page["ResourceTagMappingList"]}
    assert len(pages) == 3
    arn = f"arn:aws:ssm:eu-central-1:{SHARED}:managed-instance/{fleet.id('plant-prod-01')}"
    assert {"Key": "PatchGroup", "Value": "PLANT-PROD"} in rows[arn]
    assert len(rows) == 14


def test_a_page_of_resources_is_cut_by_resources_alone(fleet: Fleet, refused: Callable[..., str]) -> None:
    tagging = fleet.lab.client("resourcegroupstaggingapi", account=WEB)
    page = tagging.get_resources(ResourceTypeFilters=["ec2:instance"], ResourcesPerPage=100)
    arns = [row["ResourceARN"] for row in page["ResourceTagMappingList"]]
    assert len(arns) == 22
    assert not page.get("PaginationToken")
    assert len(tagging.get_resources(ResourceARNList=arns)["ResourceTagMappingList"]) == 22
    both = {"ResourceARNList": arns, "ResourceTypeFilters": ["ec2:instance"]}
    assert refused(tagging.get_resources, **both) == "InvalidParameterException"


def test_an_instance_without_an_agent_is_ec2s_alone(fleet: Fleet) -> None:
    ec2 = fleet.lab.client("ec2", "us-east-1", SHARED)
    shown = instance(ec2, fleet.id("bastion-01"))
    assert (shown["State"]["Name"], "IamInstanceProfile" in shown) == ("running", False)
    rows = fleet.ssm("bastion-01").describe_instance_information()["InstanceInformationList"]
    assert {row["ResourceType"] for row in rows} == {"ManagedInstance"}
