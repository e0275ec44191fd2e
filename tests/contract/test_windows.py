# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows, their targets and tasks behave the same on the fake and on the lab."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.window_targets import WindowTargetNoun
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.window_tasks import WindowTaskNoun
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.windows import WindowNoun, to_given

from tests.contract.worlds import World

TARGET: dict[str, Any] = {
    "window": "night",
    "name": "web",
    "state": "present",
    "safe": True,
    "owner_information": None,
    "description": None,
    "instance_tags": {"Patch Group": ["web"]},
}
TASK: dict[str, Any] = {
    "window": "night",
    "name": "install",
    "state": "present",
    "task_arn": "AWS-RunPatchBaseline",
    "window_targets": ["web"],
    "instance_ids": None,
}


def run(noun: Any) -> tuple[bool, Any]:
    change = noun.plan()
    return change.changed, noun.apply(change) if change.changed else change.after


def window(world: World, *, present: bool = True, **options: Any) -> tuple[bool, Any]:
    given = {"name": "night", "schedule": "cron(0 2 ? * TUE#2 *)", "duration_hours": 4, "cutoff_hours": 1, **options}
    return run(WindowNoun(world.windows, to_given(given), present=present, purge_tags=True))


def target(world: World, **options: Any) -> tuple[bool, Any]:
    return run(WindowTargetNoun(world.window_targets, {**TARGET, **options}))


def task(world: World, **options: Any) -> tuple[bool, Any]:
    return run(WindowTaskNoun(world.window_tasks, {**TASK, **options}))


@pytest.fixture
def ready(world: World) -> World:
    """A window with a target."""
    window(world)
    target(world)
    return world


@pytest.mark.parametrize(
    ("member", "set_to", "cleared"),
    [
        ("description", "for the web", ""),
        ("timezone", "Europe/Berlin", ""),
        ("offset_days", 3, 0),
        ("start", "2027-01-01T00:00:00+01:00", ""),
        ("end", "2037-01-01T00:00:00Z", ""),
        ("duration_hours", 6, 4),
        ("cutoff_hours", 0, 1),
        ("schedule", "cron(0 3 ? * WED *)", "cron(0 2 ? * TUE#2 *)"),
        ("allow_unassociated_targets", True, False),
        ("enabled", False, True),
        ("tags", {"Team": "web"}, {}),
    ],
)
def test_window_member_is_set_kept_and_cleared(world: World, member: str, set_to: Any, cleared: Any) -> None:
    window(world)
    assert window(world, **{member: set_to})[0]
    assert not window(world, **{member: set_to})[0]
    assert window(world, **{member: cleared})[0]
    assert not window(world, **{member: cleared})[0]


def test_window_can_be_born_disabled(world: World) -> None:
    window(world, enabled=False)
    assert world.windows.find("night").enabled is False


def test_window_is_renamed_by_its_id_and_deleted(world: World) -> None:
    _unused, first = window(world)
    assert window(world, window_id=first.window_id, name="late-night")[0]
    assert world.windows.find("night") is None
    assert window(world, present=False, name="late-night") == (True, None)
    assert window(world, present=False, name="late-night") == (False, None)


@pytest.mark.parametrize(
    ("member", "set_to", "cleared"),
    [
        ("description", "web servers", ""),
        ("owner_information", "web team", ""),
        ("instance_tags", {"Patch Group": ["web", "db"]}, {"Patch Group": ["web"]}),
    ],
)
def test_target_member_is_set_and_cleared(ready: World, member: str, set_to: Any, cleared: Any) -> None:
    assert target(ready, **{member: set_to})[0]
    assert not target(ready, **{member: set_to})[0]
    assert target(ready, **{member: cleared})[0]
    assert not target(ready)[0]


def test_target_of_another_type_is_recreated(ready: World) -> None:
    _unused, before = target(ready)
    changed, after = target(ready, instance_tags=None, resource_group="web")
    assert changed and after.target_id != before.target_id
    assert not target(ready, instance_tags=None, resource_group="web")[0]


def test_target_in_use_is_kept_unless_unsafe(ready: World) -> None:
    task(ready)
    with pytest.raises(ServiceError, match="TargetInUse"):
        target(ready, state="absent")
    assert target(ready, state="absent", safe=False)[0]


def test_target_of_an_unknown_window_is_predicted_but_not_written(world: World) -> None:
    with pytest.raises(BadInput, match="existing maintenance window"):
        target(world)


def test_task_is_created_once_and_deleted(ready: World) -> None:
    parameters = {"run_command": {"parameters": {"Operation": "Install"}, "delivery_timeout": 600}}
    assert task(ready, **parameters)[0]
    assert not task(ready, **parameters)[0]
    assert not task(ready)[0], "not given means left alone"
    assert task(ready, state="absent")[0]
    assert not task(ready, state="absent")[0]


@pytest.mark.parametrize(
    ("member", "set_to", "cleared"),
    [
        ("description", "patches", ""),
        ("priority", 5, 1),
        ("max_concurrency", "10%", "50"),
        ("max_errors", "2", "0"),
        ("cutoff_behavior", "CANCEL_TASK", "CONTINUE_TASK"),
        ("service_role_arn", "arn:aws:iam::111111111111:role/ssm", ""),
        ("alarm", "too-many-errors", ""),
        ("run_command", {"comment": "monthly"}, {"comment": ""}),
        ("run_command", {"parameters": {"Operation": ["Scan"]}}, {"parameters": {}}),
        ("run_command", {"delivery_timeout": 700}, {"delivery_timeout": 0}),
        ("run_command", {"notification_arn": "arn:aws:sns:eu-central-1:111111111111:x"}, {"notification_arn": ""}),
        ("run_command", {"output_s3_bucket": "logs", "output_s3_prefix": "x"}, {"output_s3_bucket": ""}),
        ("run_command", {"cloudwatch_output": True}, {"cloudwatch_output": False}),
    ],
)
def test_task_member_is_set_kept_and_cleared(ready: World, member: str, set_to: Any, cleared: Any) -> None:
    task(ready)
    assert task(ready, **{member: set_to})[0]
    assert not task(ready, **{member: set_to})[0]
    assert task(ready, **{member: cleared})[0]
    assert not task(ready, **{member: cleared})[0]


def test_task_of_another_type_is_recreated(ready: World) -> None:
    _unused, before = task(ready)
    runbook = {"task_arn": "AWS-UpdateSSMAgent", "automation": {"document_version": "$LATEST"}}
    changed, after = task(ready, **runbook)
    assert changed and after.task_id != before.task_id
    assert not task(ready, **runbook)[0]


def test_task_without_targets_has_no_rate(ready: World) -> None:
    options = {
        "window_targets": [],
        "task_arn": "arn:aws:lambda:eu-central-1:111111111111:function:SSMNotify",
        "lambda_function": {"payload": "{}"},
    }
    _unused, after = task(ready, **options)
    assert (after.max_concurrency, after.max_errors) == ("", "")
    assert not task(ready, **options)[0]


def test_task_for_an_unknown_target_is_not_written(ready: World) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        task(ready, window_targets=["nowhere"])


def test_what_has_no_name_is_changed_and_deleted_by_its_id(ready: World) -> None:
    """Name is optional in RegisterTargetWithMaintenanceWindow and RegisterTaskWithMaintenanceWindow (API reference)."""
    _unused, named = target(ready)
    _unused, first = task(ready)
    target_id = ready.window_targets.register(replace(named, name="", target_id=None))
    task_id = ready.window_tasks.register(replace(first, name="", task_id=None))
    by_id = {"name": None, "target_id": target_id}
    assert target(ready, **by_id, description="without a name")[0]
    assert not target(ready, **by_id, description="without a name")[0]
    assert task(ready, name=None, task_id=task_id, priority=7)[0]
    assert task(ready, name="second", task_id=task_id)[0], "renamed"
    assert ready.window_tasks.find(str(first.window_id), "second").priority == 7
    assert task(ready, name=None, task_id=task_id, state="absent") == (True, None)
    assert target(ready, **by_id, state="absent") == (True, None)
    assert target(ready, **by_id, state="absent") == (False, None)
    assert task(ready) == (False, first), "the ones with a name are as they were"


def test_an_id_that_means_nothing_is_named(ready: World) -> None:
    nobody = "23639a0b-ddbc-4bca-9e72-78d96aaaaaaa"
    for noun, option in ((target, "target_id"), (task, "task_id")):
        with pytest.raises(BadInput, match=f"{option}: '{nobody}'.*an ID that exists in maintenance window night"):
            noun(ready, name=None, **{option: nobody})
        with pytest.raises(BadInput, match=f"{option}: '0f0f'.*such as"):
            noun(ready, name=None, **{option: "0f0f"})


def test_an_update_keeps_what_a_task_has_in_deprecated_members(ready: World) -> None:
    """Replace deletes what an update does not repeat (UpdateMaintenanceWindowTask)."""
    _unused, first = task(ready)
    old = {
        "task_parameters": {"Operation": ("Install",)},
        "logging_info": {"S3BucketName": "logs", "S3KeyPrefix": "patching", "S3Region": "eu-central-1"},
    }
    ready.window_tasks.deregister(first)
    task_id = ready.window_tasks.register(replace(first, task_id=None, **old))
    assert task(ready, priority=7)[0]
    after = ready.window_tasks.get(str(first.window_id), task_id)
    assert (after.priority, after.task_parameters, after.logging_info) == (7, *old.values())
