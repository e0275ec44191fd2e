# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits and predictions of window targets and tasks (botocore's model of RegisterTaskWithMaintenanceWindow)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.targets import check_targets, to_targets
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.window_tasks import (
    WindowTask,
    plan_window_task,
    to_given,
)

TASK: dict[str, Any] = {"name": "install", "task_arn": "AWS-RunPatchBaseline"}
TARGETS: Any = {"WindowTargetIds": ("23639a0b-ddbc-4bca-9e72-78d96aaaaaaa",)}
ARN = "arn:aws:lambda:eu-central-1:111111111111:function:"


def plan(before: WindowTask | None = None, **options: Any) -> WindowTask | None:
    targets = options.pop("targets", TARGETS)
    given = {**to_given({**TASK, **options}), "targets": targets}
    return plan_window_task(before, given, "mw-0", present=True).after


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task_arn": None}, "task_arn: ''"),
        ({"priority": -1}, "priority: -1"),
        ({"max_concurrency": "0"}, "max_concurrency: '0'"),
        ({"max_concurrency": "101%"}, "max_concurrency: '101%'"),
        ({"max_errors": "ten"}, "max_errors: 'ten'"),
        ({"targets": {}}, "which Run Command requires"),
        ({"targets": {}, "lambda_function": {}, "task_arn": ARN + "SSMx", "max_errors": "1"}, "without targets"),
        ({"lambda_function": {"payload": "{}"}, "task_arn": ARN + "notify"}, "begins with SSM"),
        ({"automation": {"document_version": "newest"}}, "automation.document_version: 'newest'"),
        ({"run_command": {"delivery_timeout": 29}}, "30 to 2592000 seconds"),
        ({"run_command": {"comment": "x" * 101}}, "at most 100 characters"),
        ({"run_command": {}, "automation": {}}, "a task has one type"),
        ({"task_type": "LAMBDA", "run_command": {}}, "lambda_function for a task of type LAMBDA"),
    ],
)
def test_what_the_service_would_refuse_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        plan(**options)


def test_members_not_given_stay_and_empty_ones_go() -> None:
    before = plan(run_command={"comment": "monthly", "delivery_timeout": 600, "parameters": {"Operation": "Scan"}})
    after = plan(before, run_command={"comment": ""})
    assert after and after.invocation == {"delivery_timeout": 600, "parameters": {"Operation": ("Scan",)}}


def test_parameters_of_another_type_do_not_survive() -> None:
    before = plan(run_command={"comment": "monthly"})
    after = plan(before, automation={"parameters": {"InstanceId": "{{RESOURCE_ID}}"}})
    assert after and after.invocation == {"parameters": {"InstanceId": ("{{RESOURCE_ID}}",)}}


def test_targeted_task_gets_the_rate_of_run_command() -> None:
    after = plan()
    assert after and (after.max_concurrency, after.max_errors) == ("50", "0")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"instance_tags": {"Team": "web"}}, {"tag:Team": ("web",)}),
        ({"instance_ids": ["i-0123456789abcdef0"]}, {"InstanceIds": ("i-0123456789abcdef0",)}),
        ({"tag_keys": ["b", "a"]}, {"tag-key": ("a", "b")}),
        ({"resource_group": "web"}, {"resource-groups:Name": ("web",)}),
    ],
)
def test_ways_to_name_nodes(options: dict[str, Any], expected: Any) -> None:
    assert to_targets(options) == expected


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({f"tag:{n}": ("x",) for n in range(6)}, "at most 5"),
        ({"tag:Team": tuple(str(n) for n in range(51))}, "instance_tags.Team: '51 entries'"),
        ({"InstanceIds": ("web-1",)}, "a node ID such as"),
        ({"resource-groups:Name": ("web",), "tag:Team": ("web",)}, "either a resource group, or"),
        ({"resource-groups:ResourceTypeFilters": ("AWS::EC2::Instance",)}, "a resource_group as well"),
    ],
)
def test_targets_that_the_service_would_refuse(targets: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        check_targets(targets)
