# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads maintenance windows with their targets, tasks and occurrences."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.change import to_dict
from .convert import to_plain, to_time
from .errors import aws_errors
from .paging import read_all
from .tags import describe_tags
from .window_targets import list_targets
from .window_tasks import from_api as task_from_api
from .windows import from_api

_AT_ONCE = 8


class WindowReader:
    """Reads from one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the windows that the options of ``ssm_maintenance_window_info`` select."""
        ids = self._of_node(options["instance_id"]) if options["instance_id"] else self._all(options)
        if options["names"] is not None:
            ids = {key: name for key, name in ids.items() if {key, name} & set(options["names"])}
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(lambda window_id: self._whole(window_id, options), ids))

    def _all(self, options: Mapping[str, Any]) -> dict[str, str]:
        filters = []
        if options["enabled"] is not None:
            filters.append({"Key": "Enabled", "Values": [str(options["enabled"]).lower()]})
        rows = read_all(
            self._client,
            "list maintenance windows",
            "describe_maintenance_windows",
            "WindowIdentities",
            100,
            Filters=filters,
        )
        return {row["WindowId"]: row["Name"] for row in rows}

    def _of_node(self, node_id: str) -> dict[str, str]:
        rows = read_all(
            self._client,
            f"list the maintenance windows of {node_id}",
            "describe_maintenance_windows_for_target",
            "WindowIdentities",
            ResourceType="INSTANCE",
            Targets=[{"Key": "InstanceIds", "Values": [node_id]}],
        )
        return {row["WindowId"]: row["Name"] for row in rows}

    def _whole(self, window_id: str, options: Mapping[str, Any]) -> dict[str, Any]:
        with aws_errors(f"read maintenance window {window_id}"):
            data = self._client.get_maintenance_window(WindowId=window_id)
        found = to_dict(from_api(data, describe_tags(self._client, "MaintenanceWindow", window_id)))
        found["next_execution_time"] = data.get("NextExecutionTime", "")
        found |= {"created_at": to_time(data.get("CreatedDate")), "modified_at": to_time(data.get("ModifiedDate"))}
        if options["targets"]:
            targets = list_targets(self._client, window_id)
            found["targets"] = [{**to_dict(target), "resource_type": target.resource_type} for target in targets]
        if options["tasks"]:
            found["tasks"] = self._tasks(window_id)
        if options["occurrences"]:
            found["occurrences"] = self._occurrences(window_id, options["occurrences"])
        return found

    def _tasks(self, window_id: str) -> list[dict[str, Any]]:
        action, operation = f"list the tasks of {window_id}", "describe_maintenance_window_tasks"
        rows = read_all(self._client, action, operation, "Tasks", 100, WindowId=window_id)
        with aws_errors(f"read the tasks of {window_id}"):
            whole = [
                self._client.get_maintenance_window_task(WindowId=window_id, WindowTaskId=row["WindowTaskId"])
                for row in rows
            ]
        return [to_dict(task_from_api(row)) for row in whole]

    def _occurrences(self, window_id: str, limit: int) -> list[str]:
        """Read one page only, because the schedule has no end."""
        with aws_errors(f"read the schedule of {window_id}"):
            reply = self._client.describe_maintenance_window_schedule(WindowId=window_id, MaxResults=limit)
        return [to_plain(row)["execution_time"] for row in reply["ScheduledWindowExecutions"]][:limit]
