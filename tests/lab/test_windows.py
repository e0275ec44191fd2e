# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows, targets and tasks: what the service accepts, refuses and shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Refused = Callable[..., str]
WINDOW = {
    "Name": "web-prod",
    "Schedule": "cron(30 23 ? * TUE#3 *)",
    "Duration": 3,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}
TARGETS = [{"Key": "tag:PatchGroup", "Values": ["WEB-PROD"]}]


@pytest.fixture
def window(ssm: Any) -> str:
    return str(ssm.create_maintenance_window(**WINDOW)["WindowId"])


@pytest.fixture
def target(ssm: Any, window: str) -> str:
    request = {"WindowId": window, "ResourceType": "INSTANCE", "Targets": TARGETS}
    return str(ssm.register_target_with_maintenance_window(**request)["WindowTargetId"])


def task(ssm: Any, window: str, target: str, **more: Any) -> str:
    request = {
        "WindowId": window,
        "TaskType": "RUN_COMMAND",
        "TaskArn": "AWS-RunPatchBaseline",
        "Targets": [{"Key": "WindowTargetIds", "Values": [target]}],
        "MaxConcurrency": "10%",
        "MaxErrors": "1",
        **more,
    }
    return str(ssm.register_task_with_maintenance_window(**request)["WindowTaskId"])


@pytest.mark.parametrize(
    "change",
    [
        {"Cutoff": 3},
        {"Schedule": "cron(30 23 * * TUE *)"},
        {"Schedule": "rate(1 days)"},
        {"ScheduleTimezone": "Mars/Olympus"},
        {"Schedule": "rate(7 days)", "ScheduleOffset": 2},
        {"StartDate": "2026-07-01T00:00:00Z", "EndDate": "2026-06-01T00:00:00Z"},
        {"StartDate": "soon"},
    ],
)
def test_windows_the_service_refuses(ssm: Any, refused: Refused, change: dict[str, Any]) -> None:
    assert refused(ssm.create_maintenance_window, **{**WINDOW, **change}) == "ValidationException"


def test_replace_clears_what_is_not_given(ssm: Any, refused: Refused, window: str) -> None:
    ssm.update_maintenance_window(WindowId=window, Description="old", ScheduleOffset=2, Enabled=False)
    assert refused(ssm.update_maintenance_window, WindowId=window, Replace=True, Name="new") == "ValidationException"
    ssm.update_maintenance_window(WindowId=window, Replace=True, **WINDOW)
    shown = ssm.get_maintenance_window(WindowId=window)
    assert "Description" not in shown
    assert "ScheduleOffset" not in shown


def test_a_disabled_window_has_no_next_time(ssm: Any, window: str) -> None:
    assert "NextExecutionTime" in ssm.get_maintenance_window(WindowId=window)
    ssm.update_maintenance_window(WindowId=window, Enabled=False)
    assert "NextExecutionTime" not in ssm.get_maintenance_window(WindowId=window)
    assert ssm.describe_maintenance_window_schedule(WindowId=window)["ScheduledWindowExecutions"] == []


def test_a_window_that_is_not_there(ssm: Any, refused: Refused) -> None:
    missing = "mw-0123456789abcdef0"
    assert refused(ssm.get_maintenance_window, WindowId=missing) == "DoesNotExistException"
    assert ssm.delete_maintenance_window(WindowId=missing)["WindowId"] == missing  # it declares no such error
    assert ssm.describe_maintenance_window_executions(WindowId=missing)["WindowExecutions"] == []


def test_a_target_in_use_is_kept_when_asked_to_be_safe(ssm: Any, refused: Refused, window: str, target: str) -> None:
    task(ssm, window, target)
    both = {"WindowId": window, "WindowTargetId": target}
    assert refused(ssm.deregister_target_from_maintenance_window, Safe=True, **both) == "TargetInUseException"
    ssm.deregister_target_from_maintenance_window(**both)
    assert ssm.describe_maintenance_window_targets(WindowId=window)["Targets"] == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Targets": []}, "ValidationException"),
        ({"TaskInvocationParameters": {"Lambda": {"Payload": b"{}"}}}, "ValidationException"),
        ({"Targets": [{"Key": "tag:a", "Values": ["b"]}]}, "ValidationException"),
        (
            {"Targets": [{"Key": "WindowTargetIds", "Values": ["11111111-2222-4333-8444-555555555555"]}]},
            "DoesNotExistException",
        ),
        ({"TaskType": "LAMBDA", "TaskArn": "arn:aws:lambda:eu-central-1:1:function:Notify"}, "ValidationException"),
        ({"TaskType": "AUTOMATION", "Targets": []}, "ValidationException"),
    ],
)
def test_tasks_the_service_refuses(
    ssm: Any, refused: Refused, window: str, target: str, more: dict[str, Any], code: str
) -> None:
    assert refused(lambda: task(ssm, window, target, **more)) == code


def test_a_task_shows_the_services_own_role_and_its_type_by_two_names(ssm: Any, window: str, target: str) -> None:
    task_id = task(ssm, window, target)
    shown = ssm.get_maintenance_window_task(WindowId=window, WindowTaskId=task_id)
    assert shown["ServiceRoleArn"].endswith("/AWSServiceRoleForAmazonSSM")
    (row,) = ssm.describe_maintenance_window_tasks(WindowId=window)["Tasks"]
    assert (shown["TaskType"], row["Type"]) == ("RUN_COMMAND", "RUN_COMMAND")
    assert "TaskInvocationParameters" not in row


def test_windows_are_found_by_what_they_target(ssm: Any, window: str, target: str) -> None:
    node = ssm.describe_instance_information(Filters=[{"Key": "tag:PatchGroup", "Values": ["WEB-PROD"]}])
    ids = [{"Key": "InstanceIds", "Values": [node["InstanceInformationList"][0]["InstanceId"]]}]
    for targets in (TARGETS, ids):
        found = ssm.describe_maintenance_windows_for_target(ResourceType="INSTANCE", Targets=targets)
        assert [row["WindowId"] for row in found["WindowIdentities"]] == [window]
    other = [{"Key": "tag:PatchGroup", "Values": ["WEB-DEV"]}]
    assert not ssm.describe_maintenance_windows_for_target(ResourceType="INSTANCE", Targets=other)["WindowIdentities"]
