# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows of one place with their targets and tasks, in memory."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.window_targets import WindowTarget
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.window_tasks import WindowTask
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.windows import Window, only_one


class FakeWindows:
    """A ``WindowPort``."""

    def __init__(self) -> None:
        self.rows: dict[str, Window] = {}
        self.targets: dict[str, WindowTarget] = {}
        self.tasks: dict[str, WindowTask] = {}
        self.calls: list[str] = []

    def find(self, name: str) -> Window | None:
        found = only_one("maintenance window", name, [key for key, row in self.rows.items() if row.name == name])
        return self.rows[found] if found else None

    def get(self, window_id: str) -> Window | None:
        return self.rows.get(window_id)

    def create(self, wanted: Window) -> str:
        self.calls.append("create")
        window_id = f"mw-{len(self.calls):017x}"
        self.rows[window_id] = replace(wanted, window_id=window_id, enabled=True)
        return window_id

    def update(self, wanted: Window) -> None:
        self.calls.append("update")
        self.rows[str(wanted.window_id)] = replace(wanted, tags=self.rows[str(wanted.window_id)].tags)

    def set_tags(self, window_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        self.calls.append("set_tags")
        self.rows[window_id] = replace(self.rows[window_id], tags=dict(after))

    def delete(self, window_id: str) -> None:
        self.calls.append("delete")
        self.rows.pop(window_id, None)
        self.targets = {key: row for key, row in self.targets.items() if row.window_id != window_id}
        self.tasks = {key: row for key, row in self.tasks.items() if row.window_id != window_id}

    def find_window(self, reference: str) -> str | None:
        found = self.rows.get(reference) or self.find(reference)
        return found.window_id if found else None


class FakeWindowTargets:
    """A ``WindowTargetPort`` over the windows of a ``FakeWindows``."""

    def __init__(self, windows: FakeWindows) -> None:
        self._windows = windows

    def find_window(self, reference: str) -> str | None:
        return self._windows.find_window(reference)

    def find(self, window_id: str, name: str) -> WindowTarget | None:
        rows = self._windows.targets.values()
        return next((row for row in rows if (row.window_id, row.name) == (window_id, name)), None)

    def get(self, window_id: str, target_id: str) -> WindowTarget | None:
        found = self._windows.targets.get(target_id)
        return found if found and found.window_id == window_id else None

    def register(self, wanted: WindowTarget) -> str:
        target_id = str(uuid.uuid4())
        self._windows.targets[target_id] = replace(wanted, target_id=target_id)
        return target_id

    def update(self, wanted: WindowTarget) -> None:
        before = self._windows.targets[str(wanted.target_id)]
        assert before.resource_type == wanted.resource_type, "the service can't change the type of a target"
        self._windows.targets[str(wanted.target_id)] = wanted

    def deregister(self, target: WindowTarget, *, safe: bool) -> None:
        used = [task for task in self._windows.tasks.values() if target.target_id in sum(task.targets.values(), ())]
        if safe and used:
            raise ServiceError(f"remove target {target.name}", "TargetInUseException", "a task uses it")
        self._windows.targets.pop(str(target.target_id), None)


class FakeWindowTasks:
    """A ``WindowTaskPort`` over the windows of a ``FakeWindows``."""

    def __init__(self, windows: FakeWindows) -> None:
        self._windows = windows

    def find_window(self, reference: str) -> str | None:
        return self._windows.find_window(reference)

    def target_ids(self, window_id: str) -> dict[str, str]:
        rows = self._windows.targets.values()
        return {row.name: str(row.target_id) for row in rows if row.window_id == window_id}

    def find(self, window_id: str, name: str) -> WindowTask | None:
        rows = self._windows.tasks.values()
        return next((row for row in rows if (row.window_id, row.name) == (window_id, name)), None)

    def get(self, window_id: str, task_id: str) -> WindowTask | None:
        found = self._windows.tasks.get(task_id)
        return found if found and found.window_id == window_id else None

    def register(self, wanted: WindowTask) -> str:
        task_id = str(uuid.uuid4())
        self._windows.tasks[task_id] = replace(wanted, task_id=task_id)
        return task_id

    def update(self, wanted: WindowTask) -> None:
        before = self._windows.tasks[str(wanted.task_id)]
        assert before.task_type == wanted.task_type, "the service can't change the type of a task"
        self._windows.tasks[str(wanted.task_id)] = wanted

    def deregister(self, task: WindowTask) -> None:
        self._windows.tasks.pop(str(task.task_id), None)
