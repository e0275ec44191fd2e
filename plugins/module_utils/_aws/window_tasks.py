# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of maintenance windows through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import NotFound
from .._core.ssm.window_tasks import WindowTask
from .._core.ssm.windows import only_one
from .convert import from_target_list, to_target_list
from .errors import aws_errors
from .paging import read_all, without_empty
from .window_targets import list_targets
from .windows import find_window_id

#: API member by option, per task type; the API's name of the type first.
_MEMBERS: dict[str, tuple[str, dict[str, str]]] = {
    "RUN_COMMAND": (
        "RunCommand",
        {
            "comment": "Comment",
            "document_hash": "DocumentHash",
            "document_hash_type": "DocumentHashType",
            "document_version": "DocumentVersion",
            "output_s3_bucket": "OutputS3BucketName",
            "output_s3_prefix": "OutputS3KeyPrefix",
            "parameters": "Parameters",
            "notification_role_arn": "ServiceRoleArn",
            "delivery_timeout": "TimeoutSeconds",
        },
    ),
    "AUTOMATION": ("Automation", {"document_version": "DocumentVersion", "parameters": "Parameters"}),
    "LAMBDA": ("Lambda", {"client_context": "ClientContext", "qualifier": "Qualifier", "payload": "Payload"}),
    "STEP_FUNCTIONS": ("StepFunctions", {"input": "Input", "name": "Name"}),
}
_CLOUDWATCH = {
    "cloudwatch_log_group": "CloudWatchLogGroupName",
    "cloudwatch_output": "CloudWatchOutputEnabled",
}
_NOTIFICATION = {
    "notification_arn": "NotificationArn",
    "notification_events": "NotificationEvents",
    "notification_type": "NotificationType",
}


class SsmWindowTasks:
    """The ``WindowTaskPort`` of one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find_window(self, reference: str) -> str | None:
        return find_window_id(self._client, reference)

    def target_ids(self, window_id: str) -> dict[str, str]:
        return {
            target.name or str(target.target_id): str(target.target_id)
            for target in list_targets(self._client, window_id)
        }

    def find(self, window_id: str, name: str) -> WindowTask | None:
        """Two reads: the window's tasks, and the one task with its invocation parameters."""
        action = f"list the tasks of maintenance window {window_id}"
        try:
            rows = read_all(self._client, action, "describe_maintenance_window_tasks", "Tasks", 100, WindowId=window_id)
            ids = [row["WindowTaskId"] for row in rows if row.get("Name") == name]
            task_id = only_one("window task", name, ids)
        except NotFound:
            return None
        return self.get(window_id, task_id) if task_id else None

    def get(self, window_id: str, task_id: str) -> WindowTask | None:
        try:
            with aws_errors(f"read task {task_id} of maintenance window {window_id}"):
                return from_api(self._client.get_maintenance_window_task(WindowId=window_id, WindowTaskId=task_id))
        except NotFound:
            return None

    def register(self, wanted: WindowTask) -> str:
        with aws_errors(f"add task {wanted.name} to maintenance window {wanted.window_id}"):
            reply = self._client.register_task_with_maintenance_window(
                WindowId=wanted.window_id, TaskType=wanted.task_type, **to_api(wanted)
            )
        return str(reply["WindowTaskId"])

    def update(self, wanted: WindowTask) -> None:
        with aws_errors(f"update task {wanted.name} of maintenance window {wanted.window_id}"):
            self._client.update_maintenance_window_task(
                WindowId=wanted.window_id, WindowTaskId=wanted.task_id, Replace=True, **to_api(wanted)
            )

    def deregister(self, task: WindowTask) -> None:
        try:
            with aws_errors(f"remove task {task.name} from maintenance window {task.window_id}"):
                self._client.deregister_task_from_maintenance_window(WindowId=task.window_id, WindowTaskId=task.task_id)
        except NotFound:
            return


def to_api(wanted: WindowTask) -> dict[str, Any]:
    """Return the members that registering and updating a task share."""
    members = {
        "Name": wanted.name,
        "Description": wanted.description,
        "TaskArn": wanted.task_arn,
        "Targets": to_target_list(wanted.targets) or None,
        "ServiceRoleArn": wanted.service_role_arn,
        "Priority": wanted.priority,
        "MaxConcurrency": wanted.max_concurrency,
        "MaxErrors": wanted.max_errors,
        "CutoffBehavior": wanted.cutoff_behavior,
        "TaskInvocationParameters": invocation_to_api(wanted.task_type, wanted.invocation),
        "TaskParameters": {key: {"Values": list(values)} for key, values in wanted.task_parameters.items()} or None,
        "LoggingInfo": dict(wanted.logging_info) or None,
    }
    if wanted.alarm:
        members["AlarmConfiguration"] = {
            "Alarms": [{"Name": wanted.alarm}],
            "IgnorePollAlarmFailure": wanted.ignore_alarm_failure,
        }
    return without_empty(members)


def from_api(data: Mapping[str, Any]) -> WindowTask:
    """Convert the answer of GetMaintenanceWindowTask."""
    alarm = data.get("AlarmConfiguration") or {}
    return WindowTask(
        name=data.get("Name", ""),
        task_type=data["TaskType"],
        task_arn=data["TaskArn"],
        targets=from_target_list(data.get("Targets")),
        service_role_arn=_own_role(data.get("ServiceRoleArn", "")),
        priority=data.get("Priority", 0),
        # For a task without targets, the service returns a placeholder of 1.
        max_concurrency=data.get("MaxConcurrency", "") if data.get("Targets") else "",
        max_errors=data.get("MaxErrors", "") if data.get("Targets") else "",
        description=data.get("Description", ""),
        cutoff_behavior=data.get("CutoffBehavior", "CONTINUE_TASK"),
        alarm=next((item["Name"] for item in alarm.get("Alarms", [])), ""),
        ignore_alarm_failure=alarm.get("IgnorePollAlarmFailure", False),
        invocation=invocation_from_api(data["TaskType"], data.get("TaskInvocationParameters") or {}),
        task_parameters={key: tuple(row.get("Values", ())) for key, row in data.get("TaskParameters", {}).items()},
        logging_info=dict(data.get("LoggingInfo", {})),
        window_id=data["WindowId"],
        task_id=data["WindowTaskId"],
    )


def invocation_to_api(task_type: str, invocation: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return TaskInvocationParameters, ``None`` if there are none."""
    key, names = _MEMBERS[task_type]
    members = _renamed(invocation, names)
    if "Parameters" in members:
        members["Parameters"] = {name: list(values) for name, values in members["Parameters"].items()}
    if "Payload" in members:
        members["Payload"] = members["Payload"].encode()
    for group, group_names in (("CloudWatchOutputConfig", _CLOUDWATCH), ("NotificationConfig", _NOTIFICATION)):
        if found := _renamed(invocation, group_names):
            members[group] = {name: list(item) if isinstance(item, tuple) else item for name, item in found.items()}
    return {key: members} if members else None


def _renamed(invocation: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {member: invocation[option] for option, member in names.items() if option in invocation}


def invocation_from_api(task_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of ``invocation_to_api``; members without a value are omitted."""
    key, names = _MEMBERS[task_type]
    found = data.get(key) or {}
    flat = {**found, **found.get("CloudWatchOutputConfig", {}), **found.get("NotificationConfig", {})}
    options = {
        option: flat[member] for option, member in {**names, **_CLOUDWATCH, **_NOTIFICATION}.items() if member in flat
    }
    if "parameters" in options:
        options["parameters"] = {name: tuple(values) for name, values in options["parameters"].items()}
    if "notification_events" in options:
        options["notification_events"] = tuple(sorted(options["notification_events"]))
    if "payload" in options:
        payload = options["payload"]
        raw = payload.read() if hasattr(payload, "read") else payload
        options["payload"] = raw.decode() if isinstance(raw, bytes) else raw
    return {option: value for option, value in options.items() if value not in ("", 0, {}, (), [], False)}


def _own_role(arn: str) -> str:
    """If no role is set, the service returns its service-linked role (RegisterTaskWithMaintenanceWindow)."""
    return "" if arn.endswith("/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM") else arn
