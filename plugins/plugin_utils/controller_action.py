# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base of action plugins: they run on the controller, require no connection, and return errors as results."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.executor.process.worker import WorkerProcess
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import PatchtideError
from .large_json import leave_parent_alone
from .parent_watch import watch_parent
from .progress import SignOfLife, show_lines_at_once

display = Display()
show_lines_at_once()  # Ansible's main process, which writes the lines, loads an action's class before it forks


NO_NODES = (
    "No inventory host says how it is patched (patchtide_executor). "
    "Was the inventory given with -i, and could it be read? See the warnings above."
)


class EmptyInventory(PatchtideError):
    """The inventory has no nodes, which is always a mistake."""

    code = "EmptyInventory"


class ControllerAction(ActionBase):
    """Checks the options against ``SPEC`` and calls ``act``. A ``PatchtideError`` becomes a failed result."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    SPEC: ClassVar[dict[str, Any]] = {}
    RULES: ClassVar[dict[str, Any]] = {}
    _life: SignOfLife | None = None
    _is_headed = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        if isinstance(multiprocessing.current_process(), WorkerProcess):
            watch_parent()
        leave_parent_alone()
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            _unused, options = self.validate_argument_spec(argument_spec=self.spec(), **self.RULES)
            where = options.get("wave") or (task_vars or {}).get("inventory_hostname") or ""
            with SignOfLife(self.say, f"{where} {self._task.get_name()}".strip()) as self._life:
                return {**result, **self.act(options, task_vars or {})}
        except PatchtideError as error:
            return {**result, "failed": True, "msg": str(error), "error": error.to_dict()}

    def spec(self) -> dict[str, Any]:
        return self.SPEC

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Do the work and return the members of the result, including ``changed``."""
        raise NotImplementedError

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    @property
    def diff_mode(self) -> bool:
        return bool(self._task.diff)

    def say(self, line: str) -> None:
        """Show one line immediately, in a terminal and in the log of AWX."""
        if not self._is_headed and banner_comes_late():
            display.banner(f"TASK [{self._task.get_name()}]")
        self._is_headed = True
        display.display(f"    {line}")
        if self._life:
            self._life.said()


def banner_comes_late() -> bool:
    """Return whether the callback shows a task's banner only with its first result, below all progress lines."""
    try:
        shown = [
            C.config.get_config_value(name, plugin_type="callback", plugin_name=C.DEFAULT_STDOUT_CALLBACK)
            for name in ("display_skipped_hosts", "display_ok_hosts")
        ]
    except AnsibleError:  # a callback without these options
        return False
    return not all(shown)
