# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab refuses what the services refuse. Each case names the limit of the API reference it keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config

from lab.aws.ssm.operations import OPERATIONS
from lab.aws.validate import problems

from .conftest import WEB, Fleet

Refused = Callable[..., str]
ID = "i-00000000000000000"


@pytest.fixture
def raw(fleet: Fleet) -> Any:
    """A client that does not validate, so that the server has to."""
    import boto3

    return boto3.client(
        "ssm",
        region_name="eu-central-1",
        endpoint_url=fleet.lab.url,
        aws_access_key_id=f"AKIA{WEB}LAB0",
        aws_secret_access_key="lab-secret-not-a-secret",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1, "mode": "standard"}),
    )


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("describe_instance_information", {"MaxResults": 4}),
        ("describe_instance_information", {"MaxResults": 51}),
        ("describe_instance_properties", {"MaxResults": 1001}),
        ("describe_instance_patch_states", {"InstanceIds": [ID], "MaxResults": 9}),
        ("describe_instance_patch_states", {"InstanceIds": [ID] * 51}),
        ("describe_instance_patch_states", {}),
        ("describe_patch_baselines", {"MaxResults": 101}),
        ("describe_maintenance_windows", {"MaxResults": 9}),
        ("list_commands", {"MaxResults": 51}),
        ("list_commands", {"Filters": [{"key": "Nonsense", "value": "x"}]}),
        ("create_patch_baseline", {"Name": "ab"}),
        ("create_patch_baseline", {"Name": "has space"}),
        ("create_patch_baseline", {"Name": "abc", "OperatingSystem": "BEOS"}),
        ("create_patch_baseline", {"Name": "abc", "Description": ""}),
        ("create_patch_baseline", {"Name": "abc", "ApprovedPatches": ["p"] * 51}),
        ("send_command", {"DocumentName": "AWS-RunPatchBaseline", "InstanceIds": ["i-1"]}),
        ("send_command", {"DocumentName": "AWS-RunPatchBaseline", "InstanceIds": [ID] * 51}),
        ("send_command", {"DocumentName": "AWS-RunPatchBaseline", "MaxConcurrency": "0"}),
        ("send_command", {"DocumentName": "AWS-RunPatchBaseline", "Comment": "x" * 101}),
        ("send_command", {"DocumentName": "AWS-RunPatchBaseline", "TimeoutSeconds": 29}),
        ("create_maintenance_window", {"Name": "abc"}),
    ],
)
def test_requests_outside_the_model_are_validation_exceptions(
    raw: Any, refused: Refused, operation: str, request_: dict[str, Any]
) -> None:
    assert refused(getattr(raw, operation), **request_) == "ValidationException"


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({"Name": "abc", "Nonsense": 1}, "Nonsense"),
        ({"Name": "abc", "ApprovedPatches": ["p" * 101]}, "ApprovedPatches[0]"),
        ({"Name": "abc", "Tags": [{"Key": "a", "Value": "cron(0 2 ? * * *)"}]}, "Tags[0].Value"),
        ({"Name": 7}, "Name"),
    ],
)
def test_validator_names_what_is_wrong_at_any_depth(value: dict[str, Any], wrong: str) -> None:
    from moto.core.utils import get_service_model

    shape = get_service_model("ssm").operation_model("CreatePatchBaseline").input_shape
    assert wrong in problems(value, shape)
    assert not problems({"Name": "abc", "Tags": [{"Key": "Größe", "Value": "a b_.:/=+-@"}]}, shape)


def rules(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"ApprovalRules": {"PatchRules": [{"PatchFilterGroup": {"PatchFilters": []}, **row} for row in rows]}}


@pytest.mark.parametrize(
    "more",
    [
        rules({}),
        rules({"ApproveAfterDays": 1, "ApproveUntilDate": "2026-01-01"}),
        rules({"ApproveUntilDate": "01-02-2026"}),
        {"OperatingSystem": "UBUNTU", **rules({"ApproveAfterDays": 7})},
        {"OperatingSystem": "WINDOWS", **rules({"ApproveAfterDays": 7, "EnableNonSecurity": True})},
        {"OperatingSystem": "SUSE", "AvailableSecurityUpdatesComplianceStatus": "COMPLIANT"},
        {"ApprovedPatches": ["KB1"], "RejectedPatches": ["KB1"]},
        {"GlobalFilters": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["Required"]}]}},
    ],
)
def test_baselines_the_service_would_refuse(ssm: Any, refused: Refused, more: dict[str, Any]) -> None:
    assert refused(ssm.create_patch_baseline, Name="strict", **more) == "ValidationException"


def test_a_token_of_another_request_is_refused(ssm: Any, refused: Refused) -> None:
    token = ssm.describe_instance_information(MaxResults=5)["NextToken"]
    again = ssm.describe_instance_information(MaxResults=5, NextToken=token)
    assert len(again["InstanceInformationList"]) == 5
    assert refused(ssm.describe_instance_properties, MaxResults=5, NextToken=token) == "InvalidNextToken"
    assert refused(ssm.describe_instance_information, NextToken="2") == "InvalidNextToken"


def test_pages_are_whole_and_distinct(ssm: Any) -> None:
    pages = list(ssm.get_paginator("describe_instance_information").paginate(PaginationConfig={"PageSize": 5}))
    ids = [row["InstanceId"] for page in pages for row in page["InstanceInformationList"]]
    assert len(pages) == 5
    assert len(ids) == len(set(ids)) == 22


def test_client_token_makes_creation_idempotent(ssm: Any, refused: Refused) -> None:
    first = ssm.create_patch_baseline(Name="once", ClientToken="t1")["BaselineId"]
    assert ssm.create_patch_baseline(Name="once", ClientToken="t1")["BaselineId"] == first
    assert refused(ssm.create_patch_baseline, Name="twice", ClientToken="t1") == "IdempotentParameterMismatch"


def test_tag_filters_do_not_mix(ssm: Any, refused: Refused) -> None:
    filters = [{"Key": "tag:Owner", "Values": ["web-team"]}, {"Key": "PingStatus", "Values": ["Online"]}]
    assert refused(ssm.describe_instance_information, Filters=filters) == "InvalidFilterKey"


def test_there_are_fifty_windows_and_no_more(ssm: Any, refused: Refused) -> None:
    window = {"Schedule": "rate(7 days)", "Duration": 2, "Cutoff": 1, "AllowUnassociatedTargets": False}
    for number in range(50):
        ssm.create_maintenance_window(Name=f"w{number:03}", **window)
    assert refused(ssm.create_maintenance_window, Name="one-too-many", **window) == "ResourceLimitExceededException"


def test_every_operation_of_ours_is_one_of_the_model() -> None:
    from moto.core.utils import get_service_model

    import lab.aws.ssm.backend  # noqa: F401 - registers the operations

    assert len(OPERATIONS) > 40
    assert set(OPERATIONS) <= set(get_service_model("ssm").operation_names)


def test_an_operation_nobody_has_is_told_at_once(ssm: Any, refused: Refused) -> None:
    assert refused(ssm.list_ops_item_events) == "UnknownOperationException"
