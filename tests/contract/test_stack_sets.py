# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spokes are deployed by stack sets on the lab's CloudFormation, and the role of the template is what they get."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible.stack_sets import run_stack_set
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.stack_sets import CfnStackSets
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stacks.deploy import InstancesFailed
from botocore.exceptions import ClientError

from lab.aws.launch import ROOT, Lab

HOME, WEB, DATA = "111111111111", "222222222222", "333333333333"
HERE, THERE = "eu-central-1", "us-east-1"
SPOKE = (ROOT / "templates" / "spoke.template").read_text("utf-8")
EXECUTION = "AWSCloudFormationStackSetExecutionRole"
OPTIONS: dict[str, Any] = {
    **dict.fromkeys(("description", "tags", "permission_model", "administration_role_arn", "execution_role_name")),
    **dict.fromkeys(("auto_deployment", "retain_stacks_on_account_removal", "managed_execution")),
    **dict.fromkeys(("organizational_units", "operation_preferences")),
    **dict.fromkeys(("purge_targets", "retain_stacks", "detect_drift"), False),
    "name": "patchtide-spoke",
    "state": "present",
    "template_body": SPOKE,
    "capabilities": ["CAPABILITY_NAMED_IAM"],
    "parameters": {
        "HomeRegion": HERE,
        "ControllerArns": [f"arn:aws:iam::{HOME}:root"],
        "ExternalId": "contoso-patching",
        "RolloutRoleName": "patchtide-spoke",
        "AllowTagNodes": True,
    },
    "purge_tags": True,
    "account_filter": "NONE",
    "on_instance_error": "fail",
    "wait_timeout": 600,
    "target_accounts": [WEB, DATA],
    "target_regions": [HERE, THERE],
}
WRITES = ("Create", "Update", "Delete", "Detect")


class LabClock:
    def __init__(self, aws: Lab) -> None:
        self._aws = aws

    def now(self) -> datetime:
        return datetime.fromisoformat(self._aws.get("clock")["now"].replace("Z", "+00:00")).astimezone(timezone.utc)

    def sleep(self, seconds: float) -> None:
        self._aws.advance(seconds)


class Hub:
    """The home account, with roles for self-managed sets in some accounts."""

    def __init__(self, aws: Lab) -> None:
        aws.reset()
        self.aws, self.client = aws, aws.client("cloudformation", HERE)

    def let_in(self, *accounts: str) -> None:
        for account in accounts:
            trust = {"Version": "2012-10-17", "Statement": []}
            iam = self.aws.client("iam", HERE, account)
            iam.create_role(RoleName=EXECUTION, AssumeRolePolicyDocument=json.dumps(trust))

    def run(self, *, check: bool = False, **options: Any) -> dict[str, Any]:
        call_as = options.pop("call_as", "SELF")
        port = CfnStackSets(self.client, call_as)
        return run_stack_set(port, {**OPTIONS, **options}, LabClock(self.aws), check=check, header="spoke")

    def written(self) -> list[str]:
        calls = self.aws.get("ledger")["calls"]
        return [
            row["operation"]
            for row in calls
            if row["service"] == "cloudformation" and row["operation"].startswith(WRITES)
        ]

    def policies(self, account: str, role: str = "patchtide-spoke") -> set[str]:
        iam = self.aws.client("iam", HERE, account)
        return set(iam.list_role_policies(RoleName=role)["PolicyNames"])


@pytest.fixture
def hub(aws: Lab) -> Hub:
    return Hub(aws)


def test_spokes_of_two_accounts_from_check_mode_to_their_removal(hub: Hub) -> None:
    hub.let_in(WEB, DATA)
    predicted = hub.run(check=True)
    assert predicted["changed"] and not hub.written()
    done = hub.run()
    assert done["stack_set"] == predicted["stack_set"] and len(done["instances"]) == 4
    assert hub.policies(WEB) == {"ReadTheEstate", "RunCommands", "TagNodes"} == hub.policies(DATA)
    hub.aws.post("ledger/reset")
    assert not hub.run()["changed"] and not hub.written(), "a second run writes nothing"
    more = {**OPTIONS["parameters"], "AllowReadAlarms": True, "AllowTagNodes": False}
    hub.run(parameters=more)
    assert (
        hub.policies(WEB) == {"ReadTheEstate", "RunCommands", "ReadAlarms"} and not hub.run(parameters=more)["changed"]
    )
    gone = hub.run(state="absent", template_body=None)
    assert gone["changed"] and not hub.run(state="absent", template_body=None)["changed"]
    assert "patchtide-spoke" not in {row["RoleName"] for row in hub.aws.client("iam", HERE, WEB).list_roles()["Roles"]}


def test_an_account_that_lets_nobody_in_is_a_row_and_the_next_run_tries_again(hub: Hub) -> None:
    hub.let_in(DATA)
    wishes = {"failure_tolerance_count": 1, "region_order": [HERE, THERE]}
    done = hub.run(on_instance_error="report", operation_preferences=wishes)
    assert {(row["account"], row["status"]) for row in done["failed_instances"]} == {(WEB, "FAILED")}
    assert EXECUTION in done["failed_instances"][0]["reason"] and hub.policies(DATA)
    hub.let_in(WEB)
    again = hub.run()
    assert [row["what"] for row in again["operations"]] == ["retry"] and not again["failed_instances"]
    assert not hub.run()["changed"] and hub.policies(WEB)


def test_without_tolerance_later_accounts_are_cancelled(hub: Hub) -> None:
    hub.let_in(DATA)
    with pytest.raises(InstancesFailed, match="4 stacks") as error:
        hub.run()
    assert [row["status"] for row in error.value.rows] == ["FAILED", "CANCELLED", "CANCELLED", "CANCELLED"]


def test_units_of_an_organization_by_its_delegated_administrator(hub: Hub) -> None:
    management = hub.aws.client("organizations", THERE)
    management.create_organization(FeatureSet="ALL")
    root = management.list_roots()["Roots"][0]["Id"]
    unit = management.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
    member = management.create_account(AccountName="m", Email="m@example.com")["CreateAccountStatus"]["AccountId"]
    management.move_account(AccountId=member, SourceParentId=root, DestinationParentId=unit)
    options = {"permission_model": "SERVICE_MANAGED", "organizational_units": [unit], "target_accounts": None}
    done = hub.run(**options, target_regions=[HERE], auto_deployment=True)
    assert [(row["account"], row["unit"]) for row in done["instances"]] == [(member, unit)]
    assert not hub.run(**options, target_regions=[HERE], auto_deployment=True)["changed"]
    with pytest.raises(ServiceError, match="delegated admin"):
        hub.run(call_as="DELEGATED_ADMIN", name="other", **options, target_regions=[HERE])


def test_drift_is_asked_for_and_shown(hub: Hub) -> None:
    hub.let_in(WEB)
    one = {"target_accounts": [WEB], "target_regions": [HERE]}
    hub.run(**one)
    done = hub.run(detect_drift=True, **one)
    assert not done["changed"] and done["instances"][0]["drift"] == "IN_SYNC" and done["instances"][0]["drift_checked"]


def refused(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**request)
    return str(error.value.response["Error"]["Code"])


def test_what_cloudformation_refuses(hub: Hub) -> None:
    """API reference: errors of CreateStackSet, CreateStackInstances and UpdateStackInstances."""
    hub.let_in(WEB)
    named: dict[str, Any] = {"StackSetName": "patchtide-spoke"}
    rows = {"HomeRegion": HERE, "ControllerArns": "x", "ExternalId": "contoso"}
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in rows.items()]
    create, whole = hub.client.create_stack_set, {**named, "TemplateBody": SPOKE, "Parameters": given}
    assert refused(create, **whole) == "InsufficientCapabilitiesException"
    whole["Capabilities"] = ["CAPABILITY_NAMED_IAM"]
    assert refused(create, **{**whole, "Parameters": given[:1]}) == "ValidationError", "a parameter without a value"
    unknown = [*given, {"ParameterKey": "Unknown", "ParameterValue": "x"}]
    assert refused(create, **{**whole, "Parameters": unknown}) == "ValidationError"
    create(**whole)
    assert refused(create, **whole) == "NameAlreadyExistsException"
    assert refused(hub.client.describe_stack_set, StackSetName="other") == "StackSetNotFoundException"
    instances = {**named, "Accounts": [WEB], "Regions": [HERE]}
    assert refused(hub.client.update_stack_instances, **instances) == "StackInstanceNotFoundException"
    both = {"FailureToleranceCount": 1, "FailureTolerancePercentage": 1}
    assert refused(hub.client.create_stack_instances, **instances, OperationPreferences=both) == "ValidationError"
    hub.client.create_stack_instances(**instances, OperationId="first")
    assert (
        refused(hub.client.create_stack_instances, **instances, OperationId="first")
        == "OperationIdAlreadyExistsException"
    )
    assert refused(hub.client.update_stack_instances, **instances) == "OperationInProgressException"
    hub.aws.advance(60)
    assert refused(hub.client.delete_stack_set, **named) == "StackSetNotEmptyException"


def test_the_role_of_a_spoke_lets_the_controller_in_and_reaches_tagged_nodes_only(hub: Hub) -> None:
    hub.let_in(WEB)
    more = {**OPTIONS["parameters"], "NodeTagValue": "yes", "AllowStartAndStopNodes": True}
    hub.run(target_accounts=[WEB], target_regions=[HERE], parameters=more)
    assume = {"RoleArn": f"arn:aws:iam::{WEB}:role/patchtide-spoke", "RoleSessionName": "patchtide-2026-06"}
    sts = hub.aws.client("sts", HERE)
    assert refused(sts.assume_role, **assume) == "AccessDenied", "without the external ID"
    assume["ExternalId"] = "contoso-patching"
    assert refused(sts.assume_role, **{**assume, "RoleSessionName": "somebody"}) == "AccessDenied"
    keys = sts.assume_role(**assume)["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], HERE)
    ssm, ec2 = (session.client(name, endpoint_url=hub.aws.url) for name in ("ssm", "ec2"))
    rows = hub.aws.get("nodes")["nodes"]
    tagged, other = [
        row["node_id"]
        for row in rows
        if row["account"] == WEB and row["region"] == HERE and not row["name"].endswith("-04")
    ][:2]
    hub.aws.client("ec2", HERE, WEB).create_tags(Resources=[tagged], Tags=[{"Key": "Patching", "Value": "yes"}])
    scan = {"DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}}
    assert ssm.send_command(InstanceIds=[tagged], **scan)["Command"]["CommandId"]
    assert refused(ssm.send_command, InstanceIds=[tagged, other], **scan) == "AccessDeniedException"
    reset = {"DocumentName": "AWSSupport-ResetAccess", "InstanceIds": [tagged]}
    assert refused(ssm.send_command, **reset) == "AccessDeniedException"
    assert refused(ec2.stop_instances, InstanceIds=[other]) == "UnauthorizedOperation"
    assert ec2.stop_instances(InstanceIds=[tagged])["StoppingInstances"] and ssm.describe_patch_baselines()
    assert refused(ssm.create_patch_baseline, Name="nobody-allowed-this") == "AccessDeniedException"
