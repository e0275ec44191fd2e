# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of SSM resources: which resources, which values, how many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Fleet

Refused = Callable[..., str]
TAG = [{"Key": "a", "Value": "b"}]


def tags(ssm: Any, kind: str, resource: str) -> dict[str, str]:
    rows = ssm.list_tags_for_resource(ResourceType=kind, ResourceId=resource)["TagList"]
    return {row["Key"]: row["Value"] for row in rows}


def test_tags_of_a_hybrid_node_are_added_changed_and_removed(fleet: Fleet) -> None:
    ssm, node = fleet.ssm("plant-prod-01"), {"ResourceType": "ManagedInstance", "ResourceId": fleet.id("plant-prod-01")}
    before = tags(ssm, *node.values())
    ssm.add_tags_to_resource(Tags=TAG, **node)
    ssm.add_tags_to_resource(Tags=[{"Key": "a", "Value": "c"}], **node)
    assert tags(ssm, *node.values()) == {**before, "a": "c"}
    ssm.remove_tags_from_resource(TagKeys=["a", "never-there"], **node)
    assert tags(ssm, *node.values()) == before


@pytest.mark.parametrize(
    ("kind", "resource", "code"),
    [
        ("ManagedInstance", "i-0123456789abcdef0", "InvalidResourceId"),
        ("ManagedInstance", "mi-0123456789abcdef0", "InvalidResourceId"),
        ("PatchBaseline", "pb-0123456789abcdef0", "InvalidResourceId"),
        ("MaintenanceWindow", "mw-0123456789abcdef0", "InvalidResourceId"),
        ("Document", "nobody", "InvalidResourceId"),
    ],
)
def test_what_is_not_there_has_no_tags(ssm: Any, refused: Refused, kind: str, resource: str, code: str) -> None:
    assert refused(ssm.add_tags_to_resource, ResourceType=kind, ResourceId=resource, Tags=TAG) == code


def test_an_ec2_node_is_not_tagged_through_ssm(fleet: Fleet, refused: Refused) -> None:
    """AddTagsToResource: a ManagedInstance is a hybrid node, its id begins with mi-."""
    request = {"ResourceType": "ManagedInstance", "ResourceId": fleet.id("web-dev-01")}
    assert refused(fleet.ssm("web-dev-01").add_tags_to_resource, Tags=TAG, **request) == "InvalidResourceId"


@pytest.mark.parametrize("value", ["cron(30 23 ? * TUE#1 *)", "{{ 7*7 }}", "<script>", "two\nlines"])
def test_ssm_refuses_values_that_ec2_takes(ssm: Any, fleet: Fleet, refused: Refused, value: str) -> None:
    request = {"ResourceType": "ManagedInstance", "ResourceId": fleet.id("plant-prod-01")}
    ssm = fleet.ssm("plant-prod-01")
    assert refused(ssm.add_tags_to_resource, Tags=[{"Key": "a", "Value": value}], **request) == "ValidationException"


def test_a_resource_has_fifty_tags_and_no_more(fleet: Fleet, refused: Refused) -> None:
    ssm, node = fleet.ssm("plant-prod-01"), {"ResourceType": "ManagedInstance", "ResourceId": fleet.id("plant-prod-01")}
    room = 50 - len(tags(ssm, *node.values()))
    ssm.add_tags_to_resource(Tags=[{"Key": f"k{n}", "Value": ""} for n in range(room)], **node)
    assert refused(ssm.add_tags_to_resource, Tags=TAG, **node) == "TooManyTagsError"


def test_reserved_keys_are_refused(ssm: Any, refused: Refused) -> None:
    tag = [{"Key": "aws:mine", "Value": "x"}]
    assert refused(ssm.create_patch_baseline, Name="abc", Tags=tag) == "ValidationException"
    filters = [{"Key": "OWNER", "Values": ["Self"]}]
    assert ssm.describe_patch_baselines(Filters=filters)["BaselineIdentities"] == []


def test_a_document_keeps_its_tags_with_moto(ssm: Any) -> None:
    step = '{"action": "aws:runShellScript", "name": "a", "inputs": {"runCommand": ["uname"]}}'
    content = f'{{"schemaVersion": "2.2", "mainSteps": [{step}]}}'
    ssm.create_document(Name="mine", Content=content, DocumentType="Command")
    ssm.add_tags_to_resource(ResourceType="Document", ResourceId="mine", Tags=TAG)
    assert tags(ssm, "Document", "mine") == {"a": "b"}
