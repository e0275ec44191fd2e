# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks registered with a maintenance window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .operations import Answer, Request, SsmError, operation, page
from .window_targets import existing_target, filtered, new_id
from .windows import Window, existing

if TYPE_CHECKING:
    from .backend import Place

MOST_TASKS = 20  #: a window (service quotas)
_MEMBERS = (
    "Targets",
    "TaskArn",
    "ServiceRoleArn",
    "TaskParameters",
    "TaskInvocationParameters",
    "Priority",
    "MaxConcurrency",
    "MaxErrors",
    "LoggingInfo",
    "Name",
    "Description",
    "CutoffBehavior",
    "AlarmConfiguration",
)
_PARAMETERS = {
    "RUN_COMMAND": "RunCommand",
    "AUTOMATION": "Automation",
    "STEP_FUNCTIONS": "StepFunctions",
    "LAMBDA": "Lambda",
}
_HIDDEN = ("TaskInvocationParameters", "TaskType")


def _existing_task(window: Window, task_id: str) -> dict[str, Any]:
    if task_id not in window.tasks:
        raise SsmError("DoesNotExistException", f"Window task {task_id} does not exist")
    return window.tasks[task_id]


def _check(window: Window, task: dict[str, Any]) -> None:
    kind, targets = task["TaskType"], task.get("Targets", [])
    if kind == "RUN_COMMAND" and not targets:
        raise _wrong("One or more targets must be given for Run Command tasks.")
    limits = [name for name in ("MaxConcurrency", "MaxErrors") if name in task]
    if targets and len(limits) < 2:
        # "a value can be omitted only when you are registering or updating a targetless task"
        raise _wrong("MaxConcurrency and MaxErrors are required for a task with targets.")
    if not targets and limits:
        raise _wrong(f"{' and '.join(limits)} can't be given for a task without targets.")
    for row in targets:
        if row.get("Key", "").lower() not in ("windowtargetids", "instanceids"):
            raise _wrong(f"Key {row.get('Key')!r} of Targets is none of WindowTargetIds and InstanceIds.")
        if row["Key"].lower() == "windowtargetids":
            for target_id in row.get("Values", []):
                existing_target(window, target_id)
    given = set(task.get("TaskInvocationParameters", {}))
    if given - {_PARAMETERS[kind]}:
        raise _wrong(f"TaskInvocationParameters of a {kind} task are {_PARAMETERS[kind]}, not {sorted(given)}.")
    if kind == "LAMBDA" and not task["TaskArn"].rpartition(":")[2].startswith("SSM"):
        raise _wrong("The name of a Lambda function that a maintenance window runs begins with SSM.")


def _wrong(message: str) -> SsmError:
    return SsmError("ValidationException", message)


def _service_role(place: Place) -> str:
    """Without a role of the user's, the service-linked one is used (RegisterTaskWithMaintenanceWindow)."""
    return f"arn:aws:iam::{place.account}:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM"


@operation("RegisterTaskWithMaintenanceWindow")
def register_task(place: Place, request: Request) -> Answer:
    def make() -> Answer:
        window = existing(place, request["WindowId"])
        task = {key: request[key] for key in ("TaskType", *_MEMBERS) if key in request}
        _check(window, task)
        if len(window.tasks) >= MOST_TASKS:
            raise SsmError("ResourceLimitExceededException", f"{MOST_TASKS} tasks a maintenance window.")
        task_id = new_id(place)
        window.tasks[task_id] = {"WindowId": window.window_id, "WindowTaskId": task_id, **_defaults(place), **task}
        return {"WindowTaskId": task_id}

    return place.tokens.once("RegisterTaskWithMaintenanceWindow", request, make)


def _defaults(place: Place) -> dict[str, Any]:
    return {"Targets": [], "Priority": 1, "ServiceRoleArn": _service_role(place)}


@operation("UpdateMaintenanceWindowTask")
def update_task(place: Place, request: Request) -> Answer:
    window = existing(place, request["WindowId"])
    task = _existing_task(window, request["WindowTaskId"])
    kept = dict(task)
    if request.get("Replace"):
        if "TaskArn" not in request:
            # "If True, then all fields that are required by RegisterTaskWithMaintenanceWindow are also required"
            raise _wrong("Replace needs TaskArn.")
        kept = {key: task[key] for key in ("WindowId", "WindowTaskId", "TaskType")} | _defaults(place)
    changed = {**kept, **{key: request[key] for key in _MEMBERS if key in request}}
    _check(window, changed)
    window.tasks[request["WindowTaskId"]] = changed
    return {key: value for key, value in changed.items() if key != "TaskType"}


@operation("GetMaintenanceWindowTask")
def get_task(place: Place, request: Request) -> Answer:
    task = _existing_task(existing(place, request["WindowId"]), request["WindowTaskId"])
    # "For maintenance window tasks without a target specified … the system inserts a placeholder value of 1"
    return {**({} if task["Targets"] else {"MaxConcurrency": "1", "MaxErrors": "1"}), **task}


@operation("DeregisterTaskFromMaintenanceWindow")
def deregister_task(place: Place, request: Request) -> Answer:
    window = existing(place, request["WindowId"])
    _existing_task(window, request["WindowTaskId"])
    del window.tasks[request["WindowTaskId"]]
    return {"WindowId": window.window_id, "WindowTaskId": request["WindowTaskId"]}


_LOOKS = {"WindowTaskId": "WindowTaskId", "TaskArn": "TaskArn", "Priority": "Priority", "TaskType": "Type"}


@operation("DescribeMaintenanceWindowTasks")
def describe_tasks(place: Place, request: Request) -> Answer:
    tasks = existing(place, request["WindowId"]).tasks.values()
    rows = [{**{k: v for k, v in task.items() if k not in _HIDDEN}, "Type": task["TaskType"]} for task in tasks]
    return page("Tasks", filtered(rows, request, _LOOKS), request, 50)
