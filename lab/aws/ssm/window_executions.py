# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Executions of maintenance windows. A window opens when the lab is told to (admin URL ``windows``), not by itself.

Run Command tasks really run, lower priorities first, one command per window target. Other types fail, and say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .commands import _is_target
from .documents import find_document
from .invocations import Command, status_of
from .operations import Answer, Request, SsmError, operation, page
from .windows import Window, existing

if TYPE_CHECKING:
    from .backend import Place

_STATUS = {
    "Pending": "PENDING",
    "Delayed": "PENDING",
    "InProgress": "IN_PROGRESS",
    "Success": "SUCCESS",
    "TimedOut": "TIMED_OUT",
    "Cancelled": "CANCELLED",
    "Cancelling": "CANCELLING",
}
_RUNNING = ("PENDING", "IN_PROGRESS", "CANCELLING")
_LOOK_EVERY = 5


@dataclass(slots=True)
class TaskRun:
    """One task of an execution; ``commands`` by window target id ("" for nodes named in the task itself)."""

    run_id: str
    task: dict[str, Any]
    started: datetime | None = None
    detail: str = ""
    cancelled: bool = False
    commands: dict[str, Command] = field(default_factory=dict)

    @property
    def status(self) -> str:
        found = [_STATUS.get(status_of(command.detail), "FAILED") for command in self.commands.values()]
        for status in ("IN_PROGRESS", "PENDING", "CANCELLING"):
            if status in found:
                return status
        if self.cancelled and (self.started is None or "CANCELLED" in found):
            return "CANCELLED"
        if self.started is None:
            return "PENDING"
        return "FAILED" if self.detail or any(status != "SUCCESS" for status in found) else "SUCCESS"

    @property
    def ended(self) -> datetime | None:
        ends = [row.ended for command in self.commands.values() for row in command.invocations.values() if row.ended]
        return None if self.status in _RUNNING else max(ends, default=self.started)


@dataclass(slots=True)
class Execution:
    """One opening of a window."""

    place: Place
    execution_id: str
    window: Window
    started: datetime
    runs: list[TaskRun]
    cancelled: bool = False

    def go_on(self) -> None:
        """Start the next priority once the one before has ended; no task starts after the cutoff."""
        if any(run.started and run.status in _RUNNING for run in self.runs):
            self.place.sim.after(_LOOK_EVERY, self.go_on)
            return
        waiting = [run for run in self.runs if run.started is None and not run.cancelled]
        data = self.window.data
        cutoff = self.started + timedelta(hours=data["Duration"] - data["Cutoff"])
        if not waiting or self.place.sim.now >= cutoff:
            for run in waiting:
                run.cancelled = True
            return
        first = min(run.task["Priority"] for run in waiting)
        for run in waiting:
            if run.task["Priority"] == first:
                self._start(run)
        self.place.sim.after(_LOOK_EVERY, self.go_on)

    def _start(self, run: TaskRun) -> None:
        run.started = self.place.sim.now
        if run.task["TaskType"] != "RUN_COMMAND":
            run.detail = f"The lab does not run tasks of type {run.task['TaskType']}."
            return
        for target_id, targets in self._targets(run.task):
            nodes = [node for node in self.place.managed() if all(_is_target(node, target) for target in targets)]
            run.commands[target_id] = self._command(run.task, nodes)

    def _targets(self, task: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        for row in task["Targets"]:
            if row["Key"].lower() == "instanceids":
                yield "", [row]
            else:
                yield from (
                    (key, self.window.targets[key]["Targets"]) for key in row["Values"] if key in self.window.targets
                )

    def _command(self, task: dict[str, Any], nodes: list[Any]) -> Command:
        given = task.get("TaskInvocationParameters", {}).get("RunCommand", {})
        document = find_document(task["TaskArn"])
        request = {"MaxConcurrency": task["MaxConcurrency"], "MaxErrors": task["MaxErrors"], **given}
        command = Command(
            place=self.place,
            command_id=self.place.uuid(),
            document=document,
            parameters=document.read(given.get("Parameters", {})),
            request=request,
            requested=self.place.sim.now,
            nodes=nodes,
        )
        self.place.commands[command.command_id] = command
        command.start()
        return command

    @property
    def status(self) -> str:
        found = [run.status for run in self.runs]
        if any(status in _RUNNING for status in found):
            return "CANCELLING" if self.cancelled else "IN_PROGRESS"
        if self.cancelled:
            return "CANCELLED"
        return "SUCCESS" if all(status == "SUCCESS" for status in found) else "FAILED"

    def cancel(self) -> None:
        self.cancelled = True
        for run in self.runs:
            run.cancelled = True
            for command in run.commands.values():
                command.cancel([])


def open_window(place: Place, window_id: str) -> str:
    """Open a window now, whatever its schedule says, and return the id of the execution."""
    window = existing(place, window_id)
    runs = [
        TaskRun(place.uuid(), dict(task)) for task in sorted(window.tasks.values(), key=lambda row: row["Priority"])
    ]
    execution = Execution(place, place.uuid(), window, place.sim.now, runs)
    place.kept["window_executions"][execution.execution_id] = execution
    execution.go_on()
    return execution.execution_id


def _existing(place: Place, execution_id: str) -> Execution:
    found: Execution | None = place.kept["window_executions"].get(execution_id)
    if found is None:
        raise SsmError("DoesNotExistException", f"Window execution {execution_id} does not exist")
    return found


def _run(place: Place, request: Request, member: str) -> TaskRun:
    for run in _existing(place, request["WindowExecutionId"]).runs:
        if run.run_id == request[member]:
            return run
    raise SsmError("DoesNotExistException", f"Task execution {request[member]} does not exist")


def _row(status: str, detail: str, start: datetime | None, end: datetime | None) -> dict[str, Any]:
    found: dict[str, Any] = {"Status": status}
    pairs = {"StatusDetails": detail, "StartTime": start, "EndTime": None if status in _RUNNING else end}
    return found | {key: value for key, value in pairs.items() if value}


def _execution(row: Execution) -> dict[str, Any]:
    end = max((run.ended for run in row.runs if run.ended), default=row.started)
    return {"WindowExecutionId": row.execution_id, **_row(row.status, "", row.started, end)}


@operation("DescribeMaintenanceWindowExecutions")
def describe_executions(place: Place, request: Request) -> Answer:
    found = [row for row in place.kept["window_executions"].values() if row.window.window_id == request["WindowId"]]
    rows = [{"WindowId": request["WindowId"], **_execution(row)} for row in reversed(found)]
    for item in request.get("Filters", []):
        if item.get("Key") not in ("ExecutedBefore", "ExecutedAfter"):
            raise SsmError(
                "ValidationException", f"Filter key {item.get('Key')!r} is none of ExecutedBefore and ExecutedAfter."
            )
        moment = datetime.fromisoformat(item["Values"][0].replace("Z", "+00:00"))
        before = item["Key"] == "ExecutedBefore"
        rows = [row for row in rows if (row["StartTime"] < moment) == before]
    return page("WindowExecutions", rows, request, 50)


@operation("GetMaintenanceWindowExecution")
def get_execution(place: Place, request: Request) -> Answer:
    row = _existing(place, request["WindowExecutionId"])
    return {**_execution(row), "TaskIds": [run.run_id for run in row.runs]}


def _task(execution_id: str, run: TaskRun) -> dict[str, Any]:
    head = {"WindowExecutionId": execution_id, "TaskExecutionId": run.run_id}
    return {**head, **_row(run.status, run.detail, run.started, run.ended), "TaskArn": run.task["TaskArn"]}


@operation("DescribeMaintenanceWindowExecutionTasks")
def describe_execution_tasks(place: Place, request: Request) -> Answer:
    row = _existing(place, request["WindowExecutionId"])
    rows = [{**_task(row.execution_id, run), "TaskType": run.task["TaskType"]} for run in row.runs]
    return page("WindowExecutionTaskIdentities", rows, request, 50)


@operation("GetMaintenanceWindowExecutionTask")
def get_execution_task(place: Place, request: Request) -> Answer:
    run = _run(place, request, "TaskId")
    rate: dict[str, Any] = {
        key: run.task[key] for key in ("Priority", "MaxConcurrency", "MaxErrors") if key in run.task
    }
    return {**_task(request["WindowExecutionId"], run), "Type": run.task["TaskType"], **rate}


def _invocations(request: Request, run: TaskRun) -> list[dict[str, Any]]:
    rows = []
    for target_id, command in run.commands.items():
        ends = [row.ended for row in command.invocations.values() if row.ended]
        status = _STATUS.get(status_of(command.detail), "FAILED")
        head = {"WindowExecutionId": request["WindowExecutionId"], "TaskExecutionId": run.run_id}
        own = {"InvocationId": command.command_id, "ExecutionId": command.command_id, "TaskType": "RUN_COMMAND"}
        rows.append(
            {
                **head,
                **own,
                **_row(status, command.detail, command.requested, max(ends, default=None)),
                "WindowTargetId": target_id,
            }
        )
    return rows


@operation("DescribeMaintenanceWindowExecutionTaskInvocations")
def describe_execution_task_invocations(place: Place, request: Request) -> Answer:
    rows = _invocations(request, _run(place, request, "TaskId"))
    return page("WindowExecutionTaskInvocationIdentities", rows, request, 50)


@operation("GetMaintenanceWindowExecutionTaskInvocation")
def get_execution_task_invocation(place: Place, request: Request) -> Answer:
    for row in _invocations(request, _run(place, request, "TaskId")):
        if row["InvocationId"] == request["InvocationId"]:
            return row
    raise SsmError("DoesNotExistException", f"Invocation {request['InvocationId']} does not exist")


@operation("CancelMaintenanceWindowExecution")
def cancel_execution(place: Place, request: Request) -> Answer:
    _existing(place, request["WindowExecutionId"]).cancel()
    return {"WindowExecutionId": request["WindowExecutionId"]}
