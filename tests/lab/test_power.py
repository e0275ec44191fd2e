# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 refuses to start, stop or tag, as its API reference has it; what the ledger notes; the agent's update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import WEB, Fleet

Refused = Callable[..., str]


@pytest.fixture
def ec2(fleet: Fleet) -> Any:
    return fleet.lab.client("ec2", account=WEB)


def test_start_and_stop_are_idempotent(fleet: Fleet, ec2: Any) -> None:
    """Of a running or pending instance, or of a stopped or stopping one, EC2 shows the state and does nothing."""
    running, stopped = fleet.id("web-dev-01"), fleet.id("web-prod-08")
    ec2.start_instances(InstanceIds=[running])
    ec2.stop_instances(InstanceIds=[stopped])
    assert (fleet.now("web-dev-01")["power"], fleet.now("web-prod-08")["power"]) == ("running", "stopped")
    ledger = fleet.lab.get("ledger")
    assert ledger["starts"] == ledger["stops"] == []


def test_a_call_for_many_does_all_or_nothing(fleet: Fleet, ec2: Any, refused: Refused) -> None:
    good, bad = fleet.id("web-prod-08"), "i-00000000000000000"
    assert refused(ec2.start_instances, InstanceIds=[good, bad]) == "InvalidInstanceID.NotFound"
    fleet.fault("web-stg-04", no_capacity=True)
    assert refused(ec2.start_instances, InstanceIds=[good, fleet.id("web-stg-04")]) == "InsufficientInstanceCapacity"
    assert fleet.now("web-prod-08")["power"] == "stopped"


def test_no_capacity_is_a_server_error(fleet: Fleet, ec2: Any) -> None:
    """It stands under "Server error codes", so clients that retry take it for an outage."""
    fleet.fault("web-prod-08", no_capacity=True)
    with pytest.raises(ClientError) as caught:
        ec2.start_instances(InstanceIds=[fleet.id("web-prod-08")])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


@pytest.mark.parametrize("why", ["spot", "instance-store"])
def test_some_instances_can_not_be_stopped(fleet: Fleet, ec2: Any, refused: Refused, why: str) -> None:
    fleet.fault("web-dev-01", unstoppable=why)
    assert refused(ec2.stop_instances, InstanceIds=[fleet.id("web-dev-01")]) == "UnsupportedOperation"
    assert fleet.now("web-dev-01")["power"] == "running"


def test_a_terminated_instance_can_be_neither_started_nor_stopped(fleet: Fleet, ec2: Any, refused: Refused) -> None:
    ids = [fleet.id("web-dev-01")]
    ec2.terminate_instances(InstanceIds=ids)
    assert refused(ec2.start_instances, InstanceIds=ids) == "IncorrectInstanceState"
    assert refused(ec2.stop_instances, InstanceIds=ids) == "IncorrectInstanceState"


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("start_instances", {"InstanceIds": []}, "MissingParameter"),
        ("describe_instances", {"Filters": [{"Name": "instance-id", "Values": ["i-1"] * 201}]}, "FilterLimitExceeded"),
        ("describe_instances", {"InstanceIds": ["i-1"], "MaxResults": 50}, "InvalidParameterCombination"),
        ("describe_instances", {"MaxResults": 4}, "InvalidParameterValue"),
        ("create_tags", {"Resources": ["i-1"] * 1001, "Tags": [{"Key": "a", "Value": "b"}]}, "InvalidParameterValue"),
        ("create_tags", {"Resources": ["i-1"], "Tags": [{"Key": "aws:a", "Value": "b"}]}, "InvalidParameterValue"),
        ("create_tags", {"Resources": ["i-1"], "Tags": [{"Key": "k" * 128, "Value": "b"}]}, "InvalidParameterValue"),
        ("create_tags", {"Resources": ["i-1"], "Tags": [{"Key": "k", "Value": "v" * 257}]}, "InvalidParameterValue"),
    ],
)
def test_limits_of_requests(ec2: Any, refused: Refused, operation: str, request_: dict[str, Any], code: str) -> None:
    assert refused(getattr(ec2, operation), **request_) == code


def test_the_ledger_notes_tags_of_both_services(fleet: Fleet, ec2: Any) -> None:
    instance, hybrid = fleet.id("web-dev-01"), fleet.id("plant-dev-01")
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "patch-now", "Value": "1"}])
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "patch-now", "Value": "1"}])  # nothing new
    ec2.delete_tags(Resources=[instance], Tags=[{"Key": "patch-now"}])
    kind = {"ResourceType": "ManagedInstance", "ResourceId": hybrid}
    fleet.ssm("plant-dev-01").add_tags_to_resource(Tags=[{"Key": "patch-now", "Value": "2"}], **kind)
    fleet.ssm("plant-dev-01").remove_tags_from_resource(TagKeys=["patch-now"], **kind)
    noted = [(row["node_id"], row["key"], row["value"]) for row in fleet.lab.get("ledger")["tags"]]
    assert noted == [
        (instance, "patch-now", "1"),
        (instance, "patch-now", None),
        (hybrid, "patch-now", "2"),
        (hybrid, "patch-now", None),
    ]


def test_instances_are_spread_over_zones(fleet: Fleet, ec2: Any) -> None:
    rows = [row for item in ec2.describe_instances()["Reservations"] for row in item["Instances"]]
    assert {row["Placement"]["AvailabilityZone"] for row in rows} == {f"eu-central-1{letter}" for letter in "abc"}
    for row in rows:
        assert row["NetworkInterfaces"][0]["PrivateIpAddresses"][0]["PrivateIpAddress"] == row["PrivateIpAddress"]


def old_agent(fleet: Fleet) -> str:
    rows = fleet.nodes.values()
    return next(
        str(row["name"]) for row in rows if row["agent_version"].startswith("3.2") and row["power"] == "running"
    )


def test_the_agent_is_updated_in_a_minute_or_two(fleet: Fleet) -> None:
    name = old_agent(fleet)
    command = fleet.send(name, document="AWS-UpdateSSMAgent", Parameters={}, wait=50)
    assert fleet.outcome(command, name)["Status"] == "InProgress"
    fleet.lab.advance(90)
    assert fleet.outcome(command, name)["Status"] == "Success"
    assert fleet.now(name)["agent_version"] == "3.3.3270.0"


def test_an_update_of_the_agent_can_fail(fleet: Fleet) -> None:
    name = old_agent(fleet)
    fleet.fault(name, agent_update_fails=True)
    command = fleet.send(name, document="AWS-UpdateSSMAgent", Parameters={}, wait=300)
    assert fleet.outcome(command, name)["Status"] == "Failed"
    assert fleet.now(name)["agent_version"].startswith("3.2")


def test_an_older_agent_needs_to_be_allowed(fleet: Fleet) -> None:
    older = {"version": ["3.1.0.0"]}
    command = fleet.send("web-dev-01", document="AWS-UpdateSSMAgent", Parameters=older, wait=300)
    assert fleet.outcome(command, "web-dev-01")["Status"] == "Failed"
    allowed = {**older, "allowDowngrade": ["true"]}
    command = fleet.send("web-dev-01", document="AWS-UpdateSSMAgent", Parameters=allowed, wait=300)
    assert fleet.outcome(command, "web-dev-01")["Status"] == "Success"
    assert fleet.now("web-dev-01")["agent_version"] == "3.1.0.0"
