# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of resources in stacks that moto lacks, in stacks of their own."""

from __future__ import annotations

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
