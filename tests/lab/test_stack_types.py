# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of resources in stacks that moto lacks, in stacks of their own."""

from __future__ import annotations

import copy
import json

import boto3
import pytest
import yaml
from moto import mock_aws

from lab.aws import stack_types
from tests.checks.test_templates import TEMPLATES

assert stack_types, "moto finds the types as subclasses of its own"


def test_a_stack_has_the_resource_group_of_the_spoke_until_it_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    group = TEMPLATES["spoke"]["Resources"]["Nodes"]
    body = yaml.safe_dump(
        {"Resources": {"Nodes": group}, "Parameters": {"PatchGroupKey": {"Type": "String", "Default": "Patch Group"}}}
    )
    with mock_aws():
        stacks = boto3.client("cloudformation", region_name="eu-central-1")
        groups = boto3.client("resource-groups", region_name="eu-central-1")
        stacks.create_stack(StackName="spoke", TemplateBody=body)
        found = groups.get_group_query(GroupName="patchtide-nodes")["GroupQuery"]["ResourceQuery"]
        assert found["Type"] == "TAG_FILTERS_1_0" and json.loads(found["Query"]) == {
            "ResourceTypeFilters": ["AWS::EC2::Instance", "AWS::SSM::ManagedInstance"],
            "TagFilters": [{"Key": "Patch Group", "Values": []}],
        }
        stacks.delete_stack(StackName="spoke")
        assert not groups.list_groups()["GroupIdentifiers"]


def test_the_policy_of_the_controller_has_the_names_of_the_hubs_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto resolves what the policy refers to; the rest of the hub needs more than moto has."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    hub = copy.deepcopy(TEMPLATES["hub"])
    parts = {name: hub["Resources"][name] for name in ("Key", "History", "ControllerPolicy")}
    parts["Key"]["Properties"]["KeyPolicy"] = {}
    names = {name: hub["Parameters"][name] for name in ("Prefix", "RolloutRoleName", "RetentionDays")}
    body = json.dumps({"Parameters": names, "Resources": parts})
    body = body.replace('"GetAtt": "Key.Arn"', '"Fn::GetAtt": ["Key", "Arn"]').replace('"Sub":', '"Fn::Sub":')
    with mock_aws():
        stacks = boto3.client("cloudformation", region_name="eu-central-1")
        stacks.create_stack(StackName="hub", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        resources = stacks.describe_stack_resources(StackName="hub")["StackResources"]
        made = {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in resources}
        iam = boto3.client("iam")
        version = iam.get_policy(PolicyArn=made["ControllerPolicy"])["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=made["ControllerPolicy"], VersionId=version)
        rows = {row["Sid"]: row["Resource"] for row in found["PolicyVersion"]["Document"]["Statement"]}
        assert rows["KeepHistory"] == f"arn:aws:s3:::{made['History']}/*"
        assert rows["EncryptHistory"] == f"arn:aws:kms:*:*:key/{made['Key']}"
        assert rows["KeepClaimsAndLedgers"] == "arn:aws:dynamodb:*:*:table/patchtide-*"
        assert rows["AssumeRoles"] == "arn:aws:iam::*:role/patchtide"
