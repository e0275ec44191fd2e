# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Executions of maintenance windows through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import BadInput, NotFound
from .convert import to_plain
from .errors import aws_errors
from .paging import read_all
from .windows import find_window_id

RUNNING = ("PENDING", "IN_PROGRESS", "CANCELLING")


class WindowExecutions:
    """Reads and cancels executions in one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the executions that the options of the info module select, newest first."""
        window_id = find_window_id(self._client, options["window"])
        if window_id is None:
            raise BadInput("window", options["window"], "the name or ID of an existing maintenance window")
        filters = [
            {"Key": key, "Values": [options[option]]}
            for option, key in (("after", "ExecutedAfter"), ("before", "ExecutedBefore"))
            if options[option]
        ]
        rows = read_all(
            self._client,
            f"list the executions of maintenance window {window_id}",
            "describe_maintenance_window_executions",
            "WindowExecutions",
            100,
            WindowId=window_id,
            Filters=filters,
        )
        wanted = [row for row in rows if options["status"] in (None, row["Status"])][: options["limit"]]
        return [self._whole(row, options) for row in wanted]

    def _whole(self, row: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = to_plain(row)
        if options["tasks"] or options["invocations"]:
            found["tasks"] = self._tasks(row["WindowExecutionId"], options["invocations"])
        return found

    def _tasks(self, execution_id: str, with_invocations: bool) -> list[dict[str, Any]]:
        action, operation = f"list the tasks of execution {execution_id}", "describe_maintenance_window_execution_tasks"
        key = "WindowExecutionTaskIdentities"
        rows = read_all(self._client, action, operation, key, 100, WindowExecutionId=execution_id)
        tasks: list[dict[str, Any]] = to_plain(rows)
        if with_invocations:
            for task in tasks:
                task["invocations"] = self._invocations(execution_id, task["task_execution_id"])
        return tasks

    def _invocations(self, execution_id: str, task_id: str) -> list[dict[str, Any]]:
        rows = read_all(
            self._client,
            f"list the invocations of task {task_id}",
            "describe_maintenance_window_execution_task_invocations",
            "WindowExecutionTaskInvocationIdentities",
            100,
            WindowExecutionId=execution_id,
            TaskId=task_id,
        )
        found: list[dict[str, Any]] = to_plain(rows)
        return found

    def get(self, execution_id: str) -> dict[str, Any]:
        """Return one execution. :raises BadInput: it does not exist."""
        try:
            with aws_errors(f"read window execution {execution_id}"):
                found: dict[str, Any] = to_plain(
                    self._client.get_maintenance_window_execution(WindowExecutionId=execution_id)
                )
        except NotFound:
            raise BadInput(
                "execution_id", execution_id, "the ID of a window execution in this account-Region"
            ) from None
        return found

    def cancel(self, execution_id: str) -> None:
        with aws_errors(f"cancel window execution {execution_id}"):
            self._client.cancel_maintenance_window_execution(WindowExecutionId=execution_id)


def ensure_cancelled(port: WindowExecutions, execution_id: str, *, check: bool) -> dict[str, Any]:
    """Request cancellation of a running execution; return ``changed`` and the execution."""
    found = port.get(execution_id)
    changed = found["status"] in RUNNING and found["status"] != "CANCELLING"
    if changed and not check:
        port.cancel(execution_id)
        found = port.get(execution_id)
    return {"changed": changed, "execution": found}
