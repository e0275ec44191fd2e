# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State Manager of the lab: what it refuses, clears, and runs when (API reference and user guide)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.lab.conftest import Fleet

SCAN: dict[str, Any] = {
    "Name": "AWS-RunPatchBaseline",
    "AssociationName": "scan",
    "Parameters": {"Operation": ["Scan"]},
    "Targets": [{"Key": "InstanceIds", "Values": ["*"]}],
}
DAY = 86400


def create(ssm: Any, **members: Any) -> str:
    return str(ssm.create_association(**{**SCAN, **members})["AssociationDescription"]["AssociationId"])


def runs(ssm: Any, association_id: str) -> list[dict[str, Any]]:
    return list(ssm.describe_association_executions(AssociationId=association_id)["AssociationExecutions"])


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"Name": "No-Such"}, "InvalidDocument"),
        ({"Parameters": {"Operation": ["Dance"]}}, "InvalidParameters"),
        ({"Targets": [{"Key": "colour", "Values": ["red"]}]}, "InvalidTarget"),
        ({"Targets": []}, "InvalidTarget"),
        ({"TargetMaps": [{"InstanceId": ["i-0123456789abcdef0"]}]}, "InvalidTargetMaps"),
        ({"ScheduleExpression": "daily"}, "InvalidSchedule"),
        ({"ScheduleExpression": "rate(15 minutes)"}, "InvalidSchedule"),
        ({"ScheduleExpression": "cron(0 3 ? * * *)", "ScheduleOffset": 2}, "InvalidSchedule"),
        ({"ScheduleExpression": "rate(1 day)", "ApplyOnlyAtCronInterval": True}, "InvalidParameters"),
        ({"InstanceId": "i-0123456789abcdef0"}, "InvalidParameters"),
        ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "ValidationException"),
    ],
)
def test_creation_is_refused(ssm: Any, refused: Callable[..., str], members: dict[str, Any], code: str) -> None:
    assert refused(ssm.create_association, **{**SCAN, **members}) == code
    assert ssm.list_associations()["Associations"] == []


def test_update_clears_what_it_is_not_given(ssm: Any) -> None:
    association_id = create(ssm, MaxErrors="2", ScheduleExpression="rate(1 day)")
    ssm.update_association(AssociationId=association_id, **{**SCAN, "MaxConcurrency": "10%"})
    found = ssm.describe_association(AssociationId=association_id)["AssociationDescription"]
    assert (found["AssociationVersion"], found["MaxConcurrency"]) == ("2", "10%")
    assert not {"MaxErrors", "ScheduleExpression"} & set(found)
    older = ssm.describe_association(AssociationId=association_id, AssociationVersion="1")["AssociationDescription"]
    assert older["MaxErrors"] == "2"


def test_document_can_not_change(ssm: Any, refused: Callable[..., str]) -> None:
    association_id = create(ssm)
    other = {"AssociationId": association_id, "Name": "AWS-UpdateSSMAgent"}
    assert refused(ssm.update_association, **other) == "InvalidUpdate"


def test_runs_at_once_then_on_schedule_until_deleted(fleet: Fleet, ssm: Any) -> None:
    association_id = create(ssm, ScheduleExpression="rate(1 day)")
    assert [row["Status"] for row in runs(ssm, association_id)] == ["Pending"]
    fleet.lab.advance(2 * DAY + 3600)
    assert len(runs(ssm, association_id)) == 3
    ssm.delete_association(AssociationId=association_id)
    assert ssm.list_associations()["Associations"] == []


def test_waits_for_its_schedule_when_told_to(fleet: Fleet, ssm: Any) -> None:
    association_id = create(ssm, ScheduleExpression="cron(0 3 ? * * *)", ApplyOnlyAtCronInterval=True)
    assert runs(ssm, association_id) == []
    fleet.lab.advance(DAY)
    moment = runs(ssm, association_id)[0]["CreatedTime"]
    assert (moment.utctimetuple().tm_hour, moment.minute) == (3, 0)


def test_scan_really_happens_and_each_node_tells(fleet: Fleet, ssm: Any) -> None:
    association_id = create(ssm)
    fleet.lab.advance(3 * 3600)
    run = runs(ssm, association_id)[0]
    request = {"AssociationId": association_id, "ExecutionId": run["ExecutionId"]}
    targets = ssm.describe_association_execution_targets(**request)["AssociationExecutionTargets"]
    done = [row["ResourceId"] for row in targets if row["Status"] == "Success"]
    assert done, "no node was scanned"
    states = ssm.describe_instance_patch_states(InstanceIds=done[:10])["InstancePatchStates"]
    assert {row["InstanceId"] for row in states} == set(done[:10])
    status = ssm.describe_instance_associations_status(InstanceId=done[0])["InstanceAssociationStatusInfos"]
    assert [(row["AssociationName"], row["Status"]) for row in status] == [("scan", "Success")]
    assert ssm.list_commands()["Commands"] == [], "State Manager's runs are not listed as commands"


def test_is_started_by_hand(ssm: Any, refused: Callable[..., str]) -> None:
    association_id = create(ssm, ScheduleExpression="cron(0 3 ? * * *)", ApplyOnlyAtCronInterval=True)
    ssm.start_associations_once(AssociationIds=[association_id])
    assert len(runs(ssm, association_id)) == 1
    unknown = "00000000-0000-4000-8000-000000000000"
    assert refused(ssm.start_associations_once, AssociationIds=[unknown]) == "AssociationDoesNotExist"


def test_lists_are_cut_into_pages(ssm: Any) -> None:
    made = {create(ssm, AssociationName=f"scan-{number}") for number in range(3)}
    first = ssm.list_associations(MaxResults=2)
    rest = ssm.list_associations(MaxResults=2, NextToken=first["NextToken"])
    assert {row["AssociationId"] for row in first["Associations"] + rest["Associations"]} == made
    by_name = [{"key": "AssociationName", "value": "scan-1"}]
    assert len(ssm.list_associations(AssociationFilterList=by_name)["Associations"]) == 1


def test_tags_are_its_own(ssm: Any) -> None:
    association_id = create(ssm, Tags=[{"Key": "Team", "Value": "web"}])
    kind = {"ResourceType": "Association", "ResourceId": association_id}
    ssm.add_tags_to_resource(Tags=[{"Key": "Stage", "Value": "dev"}], **kind)
    ssm.remove_tags_from_resource(TagKeys=["Team"], **kind)
    assert ssm.list_tags_for_resource(**kind)["TagList"] == [{"Key": "Stage", "Value": "dev"}]
