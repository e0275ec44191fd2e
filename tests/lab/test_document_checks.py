# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab refuses the requests that the service refuses because of what they refer to (API reference, errors)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Fleet

Refused = Callable[..., str]
STEP = {"action": "aws:runShellScript", "name": "kernel", "inputs": {"runCommand": ["uname -r"]}}
SLEEP = {"action": "aws:sleep", "name": "wait", "inputs": {"Duration": "PT1S"}}
TOPIC = {"NotificationArn": "arn:aws:sns:eu-central-1:222222222222:patching", "NotificationType": "Command"}
ROLE = "arn:aws:iam::222222222222:role/notify"


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("Command", {"schemaVersion": "2.2"}, "InvalidDocumentContent"),
        ("Command", {"schemaVersion": "2.2", "mainSteps": [{**STEP, "action": "aws:dance"}]}, "InvalidDocumentContent"),
        ("Command", {"schemaVersion": "2.2", "mainSteps": [SLEEP]}, "InvalidDocumentContent"),
        ("Command", {"schemaVersion": "2.2", "mainSteps": [{"action": STEP["action"]}]}, "InvalidDocumentContent"),
        ("Command", {"schemaVersion": "9.9", "mainSteps": [STEP]}, "InvalidDocumentSchemaVersion"),
        ("Command", {"schemaVersion": "0.3", "mainSteps": [STEP]}, "InvalidDocumentSchemaVersion"),
        ("Command", {"schemaVersion": "1.2"}, "InvalidDocumentContent"),
        ("Automation", {"schemaVersion": "0.3"}, "InvalidDocumentContent"),
        ("Automation", {"schemaVersion": "2.2", "mainSteps": [SLEEP]}, "InvalidDocumentSchemaVersion"),
        ("Automation", {"schemaVersion": "0.3", "mainSteps": [STEP]}, "InvalidDocumentContent"),
    ],
)
def test_documents_that_cannot_run_are_refused(
    ssm: Any, refused: Refused, kind: str, content: dict[str, Any], code: str
) -> None:
    made = {"Name": "wrong", "DocumentType": kind, "Content": json.dumps(content)}
    assert refused(ssm.create_document, **made) == code
    assert ssm.list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"] == []


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("Command", {"schemaVersion": "2.2", "mainSteps": [STEP]}),
        ("Command", {"schemaVersion": "1.2", "runtimeConfig": {"aws:runShellScript": {"properties": []}}}),
        ("Automation", {"schemaVersion": "0.3", "mainSteps": [SLEEP]}),
        ("Session", {"schemaVersion": "1.0", "sessionType": "Standard_Stream"}),
    ],
)
def test_documents_that_can_run_are_taken(ssm: Any, kind: str, content: dict[str, Any]) -> None:
    made = ssm.create_document(Name="right", DocumentType=kind, Content=json.dumps(content))
    assert made["DocumentDescription"]["DocumentVersion"] == "1"


def test_a_document_is_shared_with_all_or_with_accounts(ssm: Any, refused: Refused) -> None:
    ssm.create_document(Name="mine", Content=json.dumps({"schemaVersion": "2.2", "mainSteps": [STEP]}))
    share = {"Name": "mine", "PermissionType": "Share"}
    both = {**share, "AccountIdsToAdd": ["All", "333333333333"]}
    assert refused(ssm.modify_document_permission, **both) == "ValidationException"
    ssm.modify_document_permission(**share, AccountIdsToAdd=["All"])
    assert ssm.describe_document_permission(**share)["AccountIds"] == ["all"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"DocumentVersion": "99"}, "InvalidDocumentVersion"),
        ({"DocumentHash": "0" * 64}, "InvalidDocument"),
        ({"OutputS3BucketName": "no-such-bucket"}, "InvalidOutputFolder"),
        ({"NotificationConfig": TOPIC}, "InvalidRole"),
        ({"NotificationConfig": {**TOPIC, "NotificationArn": "patching"}, "ServiceRoleArn": ROLE}, "InvalidNotif"),
    ],
)
def test_commands_that_cannot_run_as_asked_are_refused(
    fleet: Fleet, refused: Refused, more: dict[str, Any], code: str
) -> None:
    request = {"DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}, **more}
    node = fleet.id("web-prod-01")
    assert refused(fleet.ssm("web-prod-01").send_command, InstanceIds=[node], **request).startswith(code)
    assert fleet.lab.get("ledger")["commands"] == []


def test_commands_with_the_documents_own_hash_and_a_bucket_that_exists_run(fleet: Fleet, ssm: Any) -> None:
    bucket = {"Bucket": "output", "CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
    fleet.lab.client("s3", account="222222222222").create_bucket(**bucket)
    found = ssm.describe_document(Name="AWS-RunPatchBaseline")["Document"]
    more = {"DocumentHash": found["Hash"], "DocumentHashType": found["HashType"], "DocumentVersion": "$LATEST"}
    told = {"OutputS3BucketName": "output", "NotificationConfig": TOPIC, "ServiceRoleArn": ROLE}
    command = fleet.send("web-prod-01", wait=200, **more, **told)
    assert fleet.outcome(command, "web-prod-01")["Status"] == "Success"


def test_targets_by_instance_id_in_any_case(fleet: Fleet, ssm: Any) -> None:
    """The guide's commands have ``Key=instanceids``."""
    target = [{"Key": "instanceids", "Values": [fleet.id("web-prod-01")]}]
    request = {"DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}}
    sent = ssm.send_command(Targets=target, **request)["Command"]
    assert sent["TargetCount"] == 1
    made = ssm.create_association(Name="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]}, Targets=target)
    again = {"AssociationId": made["AssociationDescription"]["AssociationId"], "Name": "AWS-RunPatchBaseline"}
    ssm.update_association(**again, Parameters={"Operation": ["Scan"]})
    found = ssm.describe_association(AssociationId=again["AssociationId"])["AssociationDescription"]
    assert "Targets" not in found
    window = {"Name": "night", "Schedule": "rate(7 days)", "Duration": 2, "Cutoff": 1}
    window_id = ssm.create_maintenance_window(**window, AllowUnassociatedTargets=False)["WindowId"]
    own = {"WindowId": window_id, "ResourceType": "INSTANCE", "Targets": target}
    assert ssm.register_target_with_maintenance_window(**own)["WindowTargetId"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"DocumentVersion": "99"}, "InvalidDocumentVersion"),
        ({"OutputLocation": {"S3Location": {"OutputS3BucketName": "no-such-bucket"}}}, "InvalidOutputLocation"),
    ],
)
def test_associations_that_cannot_run_as_asked_are_refused(
    ssm: Any, refused: Refused, more: dict[str, Any], code: str
) -> None:
    everyone = [{"Key": "InstanceIds", "Values": ["*"]}]
    request = {"Name": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}, "Targets": everyone}
    assert refused(ssm.create_association, **request, **more) == code


def test_a_data_sync_needs_a_bucket_that_exists(ssm: Any, refused: Refused) -> None:
    into = {"BucketName": "no-such-bucket", "SyncFormat": "JsonSerDe", "Region": "eu-central-1"}
    code = "ResourceDataSyncInvalidConfigurationException"
    assert refused(ssm.create_resource_data_sync, SyncName="all", S3Destination=into) == code


@pytest.mark.parametrize("role", ["service-role/AmazonEC2RunCommandRoleForManagedInstances", "patchtide-node"])
def test_an_activation_needs_a_role_that_exists(ssm: Any, refused: Refused, role: str) -> None:
    """hashicorp/terraform-provider-aws shows the code and the text, "Nonexistent role or missing ssm …"."""
    assert ssm.create_activation(IamRole=role)["ActivationId"]
    assert refused(ssm.create_activation, IamRole="no-such-role") == "ValidationException"
