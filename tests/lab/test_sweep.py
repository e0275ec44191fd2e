# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger's word on a rollout: Installs by window, what was forgotten, what was left; and machines that go away."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from lab.aws.clock import from_iso, to_iso
from lab.aws.sweep import findings

from .conftest import WEB, Fleet

NODE, OTHER = "web-prod-01", "web-prod-02"
INSTALL = {"Operation": ["Install"], "RebootOption": ["NoReboot"]}


def now(fleet: Fleet) -> datetime:
    return from_iso(fleet.lab.get("clock")["service"])


def open_window(fleet: Fleet, hours: float = 1, *nodes: str, name: str = "night") -> None:
    start = now(fleet)
    row = {"name": name, "start": to_iso(start), "end": to_iso(start + timedelta(hours=hours))}
    fleet.lab.post("ledger/windows", {"windows": [{**row, "nodes": nodes} if nodes else row]})


def found(fleet: Fleet, *planned: str, lasting: tuple[str, ...] = ()) -> list[str]:
    return findings(fleet.lab.get("ledger"), planned, lasting)


def test_a_good_night_has_no_findings(fleet: Fleet) -> None:
    open_window(fleet, 1, NODE, fleet.id(OTHER))
    command = fleet.send(NODE, OTHER, Parameters=INSTALL, wait=2000)
    rows = fleet.lab.get("ledger")["install_runs"]
    assert {(row["name"], row["window"], row["ended_in"], row["outcome"]) for row in rows} == {
        (NODE, "night", True, "Success"),
        (OTHER, "night", True, "Success"),
    }
    assert {row["command_id"] for row in rows} == {command}
    assert found(fleet, NODE, OTHER) == []


def test_two_installs_in_one_window_are_found(fleet: Fleet) -> None:
    open_window(fleet, 3)
    for _unused in range(2):
        fleet.send(NODE, Parameters=INSTALL, wait=2000)
    assert found(fleet, NODE) == [f"{NODE}: 2 Installs in window night"]


def test_an_install_outside_its_window_and_one_that_outlasts_it_are_found(fleet: Fleet) -> None:
    open_window(fleet, 0.1, NODE)
    fleet.send(NODE, OTHER, Parameters=INSTALL, wait=2000)
    assert [row.split(" at ")[0] for row in found(fleet, NODE, OTHER)] == [
        f"{NODE}: Install of window night ended after it",
        f"{OTHER}: Install began outside any window",
    ]


def test_a_scan_is_no_install_and_a_forgotten_node_is_found(fleet: Fleet) -> None:
    open_window(fleet)
    fleet.send(NODE, wait=200)
    assert found(fleet, NODE) == [f"{NODE}: no Install"]


def test_what_is_left_prepared_is_found(fleet: Fleet) -> None:
    ec2 = fleet.lab.client("ec2", account=WEB)
    ec2.create_tags(Resources=[fleet.id(NODE)], Tags=[{"Key": "patch-now", "Value": "1"}])
    ec2.create_tags(Resources=[fleet.id(NODE)], Tags=[{"Key": "LastPatched", "Value": "today"}])
    ec2.start_instances(InstanceIds=[fleet.id("web-prod-08")])
    watch = fleet.lab.client("cloudwatch", account=WEB)
    metric = {"Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "Threshold": 1.0}
    more = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}
    watch.put_metric_alarm(AlarmName="cpu", **metric, **more)
    watch.disable_alarm_actions(AlarmNames=["cpu"])
    assert found(fleet, lasting=("LastPatched",)) == [
        "alarm cpu: actions left off",
        f"{NODE}: tag patch-now left at 1",
        "web-prod-08: left running",
    ]
    ec2.delete_tags(Resources=[fleet.id(NODE)], Tags=[{"Key": "patch-now"}])
    fleet.lab.advance(300)
    ec2.stop_instances(InstanceIds=[fleet.id("web-prod-08")])
    watch.enable_alarm_actions(AlarmNames=["cpu"])
    assert found(fleet, lasting=("LastPatched",)) == []


def balancer(fleet: Fleet) -> tuple[Any, str]:
    elb = fleet.lab.client("elbv2", account=WEB)
    return elb, str(elb.describe_target_groups(Names=["shop-web"])["TargetGroups"][0]["TargetGroupArn"])


def test_a_node_left_out_of_its_target_group_is_found(fleet: Fleet) -> None:
    elb, group = balancer(fleet)
    targets = [{"Id": fleet.id(NODE)}]
    elb.deregister_targets(TargetGroupArn=group, Targets=targets)
    assert found(fleet) == [f"{NODE}: left out of shop-web"]
    elb.register_targets(TargetGroupArn=group, Targets=targets)
    assert found(fleet) == []


@pytest.mark.parametrize("replaced", [True, False])
def test_an_instance_is_terminated_at_a_moment_and_may_be_replaced(fleet: Fleet, replaced: bool) -> None:
    """Scale-in and replacement of an Auto Scaling group: another id, the group's tags, the image's packages."""
    fleet.fault(NODE, terminate_at=to_iso(now(fleet) + timedelta(seconds=600)), replaced=replaced)
    fleet.lab.advance(590)
    assert fleet.now(NODE)["power"] == "running"
    fleet.lab.advance(700)
    assert fleet.now(NODE)["power"] == "terminated"
    (row,) = fleet.lab.get("ledger")["terminations"]
    assert (row["name"], bool(row["replacement"])) == (NODE, replaced)
    if replaced:
        other = fleet.now(f"{NODE}~2")
        assert (other["node_id"], other["power"], other["ping_status"]) == (row["replacement"], "running", "Online")
        assert other["tags"] == fleet.now(NODE)["tags"]


def test_both_services_know_the_replacement_and_no_longer_the_one_that_is_gone(fleet: Fleet) -> None:
    fleet.fault(NODE, terminate_at=to_iso(now(fleet)), replaced=True)
    fleet.lab.advance(600)
    gone, new = fleet.id(NODE), fleet.lab.get("ledger")["terminations"][0]["replacement"]
    pages = fleet.lab.client("ec2", account=WEB).describe_instances()["Reservations"]
    power = {row["InstanceId"]: row["State"]["Name"] for page in pages for row in page["Instances"]}
    assert (power[gone], power[new]) == ("terminated", "running")
    ssm = fleet.ssm(NODE)
    known = ssm.get_paginator("describe_instance_information").paginate()
    ids = {row["InstanceId"] for page in known for row in page["InstanceInformationList"]}
    assert (new in ids, gone in ids) == (True, False)
    ssm.send_command(InstanceIds=[new], DocumentName="AWS-RunPatchBaseline", Parameters=INSTALL)
    fleet.lab.advance(2000)
    assert [row["node_id"] for row in fleet.lab.get("ledger")["install_runs"]] == [new]


def test_one_that_is_terminated_in_mid_install_never_reports(fleet: Fleet) -> None:
    """No document terminal response: DeliveryTimedOut at the command's expiry (command timeout values)."""
    command = fleet.send(NODE, Parameters=INSTALL, TimeoutSeconds=600, wait=200)
    fleet.fault(NODE, terminate_at=to_iso(now(fleet)))
    fleet.lab.advance(7000)
    assert fleet.outcome(command, NODE)["StatusDetails"] == "InProgress"
    fleet.lab.advance(700)
    assert fleet.outcome(command, NODE)["StatusDetails"] == "DeliveryTimedOut"
    assert fleet.lab.get("ledger")["install_runs"][0]["outcome"] is None
