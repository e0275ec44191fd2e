# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Associations: what a declaration changes, and what is refused before any call."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.associations import (
    ALL_NODES,
    Association,
    plan_association,
    to_given,
)

BEFORE = Association(
    name="scan", document="AWS-RunPatchBaseline", targets=ALL_NODES, association_id="x", schedule="cron(0 3 ? * * *)"
)


def plan(**options: Any) -> Any:
    return plan_association(BEFORE, to_given({"name": "scan", **options}), present=True)


def test_nothing_given_changes_nothing() -> None:
    assert not plan().changed


def test_single_values_are_lists_of_one() -> None:
    assert plan(parameters={"Operation": "Scan", "Count": 3}).after.parameters == {
        "Operation": ("Scan",),
        "Count": ("3",),
    }


def test_order_of_calendars_means_nothing() -> None:
    first = plan(calendars=["b", "a"]).after
    assert not plan_association(first, to_given({"name": "scan", "calendars": ["a", "b"]}), present=True).changed


def test_all_nodes_are_one_target() -> None:
    assert to_given({"all_nodes": True})["targets"] == {"InstanceIds": ("*",)}
    assert to_given({"all_nodes": False})["targets"] is None


def test_other_document_recreates_and_says_why() -> None:
    change = plan(document="AWS-UpdateSSMAgent")
    assert change.after.association_id is None
    assert "AWS-RunPatchBaseline to AWS-UpdateSSMAgent" in str(change.recreate)


def test_bucket_takes_prefix_and_region_with_it() -> None:
    before = plan(output_s3_bucket="logs", output_s3_prefix="x", output_s3_region="eu-central-1").after
    after = plan_association(before, to_given({"name": "scan", "output_s3_bucket": ""}), present=True).after
    assert after == BEFORE


def test_defaults_that_the_service_adds_to_locations_are_no_change() -> None:
    wanted = {"Accounts": ["111122223333"], "Regions": ["eu-central-1"]}
    stored = {**wanted, "TargetLocationMaxConcurrency": "1"}
    before = plan(target_locations=[stored]).after
    given = to_given({"name": "scan", "target_locations": [wanted]})
    assert not plan_association(before, given, present=True).changed
    other = to_given({"name": "scan", "target_locations": [{**wanted, "Regions": ["us-east-1"]}]})
    assert plan_association(before, other, present=True).changed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"document": "x y z"}, "document: 'x y z'"),
        ({"document_version": "0"}, "document_version: '0'"),
        ({"schedule": "rate(29 minutes)"}, "at least 30 minutes"),
        ({"schedule": "rate(1 hour)", "apply_only_at_cron_interval": True}, "a rate does not support it"),
        ({"offset_days": 7, "apply_only_at_cron_interval": True}, "1 to 6 days"),
        ({"offset_days": 2}, "apply_only_at_cron_interval=true beside it"),
        (
            {"offset_days": 2, "apply_only_at_cron_interval": True, "schedule": "at(2027-01-01T00:00:00)"},
            "a cron expression",
        ),
        ({"duration_hours": 25, "apply_only_at_cron_interval": True}, "1 to 24 hours"),
        ({"duration_hours": 2}, "apply_only_at_cron_interval=true beside it"),
        ({"max_concurrency": "0"}, "max_concurrency: '0'"),
        ({"max_errors": "101%"}, "max_errors: '101%'"),
        ({"output_s3_bucket": "ab"}, "3 to 63 characters"),
        ({"output_s3_region": "eu-central-1"}, "an output_s3_bucket as well"),
        ({"alarm": "x" * 256}, "at most 255"),
        ({"dispatch_role_arn": "role/x"}, "the ARN of a role"),
        ({"target_parameter": "x" * 51}, "at most 50"),
        ({"target_maps": [{"InstanceId": ["i-1"]}]}, "either target maps or targets"),
        ({"target_locations": [{}] * 101}, "at most 100"),
        ({"all_nodes": True, "instance_tags": {"Team": "web"}}, "no other targets"),
        ({"instance_ids": ["web-1"]}, "a node ID"),
        ({"tags": {"<": "x"}}, "a key of 1 to 128"),
    ],
)
def test_what_the_service_would_refuse(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        plan(**options)


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ([{}], "1 to 20 parameters"),
        ([{"InstanceId": ["x"] * 26}], "at most 25"),
        ([{"InstanceId": ["x" * 51]}], "1 to 50 characters"),
        ([{"InstanceId": ["x"]}] * 301, "at most 300"),
    ],
)
def test_target_maps_have_limits(maps: list[dict[str, Any]], message: str) -> None:
    options = {"name": "run", "document": "AWS-RestartEC2Instance", "target_maps": maps}
    with pytest.raises(BadInput, match=message):
        plan_association(None, to_given(options), present=True)


def test_new_association_needs_a_document() -> None:
    with pytest.raises(BadInput, match="document: None"):
        plan_association(None, to_given({"name": "scan"}), present=True)


def test_strange_schedule_of_others_is_left_alone() -> None:
    before = Association(name="scan", document="AWS-RunPatchBaseline", schedule="cron(0 0/90 * ? * * * *)")
    after = plan_association(before, to_given({"name": "scan", "max_errors": "1"}), present=True).after
    assert after is not None and after.schedule == before.schedule
