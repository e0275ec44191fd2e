# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists or installs the updates of the play's Linux host; see the module of the same name for the documentation."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleConnectionFailure

from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.model import Status
from ..module_utils._core.work.detached import Look, begin_script, look_script, parse_look, stop_script
from ..module_utils._core.work.final_record import error
from ..module_utils._core.work.packages.listing import PackageRules
from ..module_utils._core.work.packages.results import install_result, scan_result
from ..module_utils._core.work.packages.scripts import INSTALL_MODES, install_script, list_script
from ..module_utils._core.work.packages.updates import read_list
from ..plugin_utils.executors.direct import DirectAction

#: What a stage's result calls ``failed``, which is Ansible's flag in the result of a task.
FAILED_IDS = "failed_ids"
#: Seconds between two looks at an install.
_PAUSE = 3.0
_FAILURES = (Status.FAILED.value, Status.TIMED_OUT.value, Status.UNKNOWN.value)


class ActionModule(DirectAction):
    """Installs as detached work: it goes on if the connection breaks, and ends at its limit."""

    SPEC: ClassVar[dict[str, Any]] = {
        "state": {"type": "str", "choices": ["listed", "installed"], "default": "listed"},
        "security_only": {"type": "bool", "default": False},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "lock_timeout": {"type": "int", "default": 300},
        "timeout": {"type": "int", "default": 7200},
        "allow_removals": {"type": "bool", "default": False},
        "repair_database": {"type": "bool", "default": False},
        "restart_services": {"type": "bool", "default": False},
        "security_sources": {"type": "list", "elements": "str", "default": []},
        "other_sources": {"type": "list", "elements": "str", "default": []},
        "releasever": {"type": "str", "default": ""},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rules = PackageRules(
            security_only=options["security_only"],
            exclude=tuple(options["exclude"]),
            lock_seconds=options["lock_timeout"],
            allow_removals=options["allow_removals"],
            repair=options["repair_database"],
            restart_services=options["restart_services"],
            security_sources=tuple(options["security_sources"]),
            other_sources=tuple(options["other_sources"]),
            releasever=options["releasever"],
        )
        started = self.now()
        try:
            listed = scan_result(*read_list(self.shell(list_script(rules)), rules), rules)
        except PatchtideError as why:
            listed = {"status": Status.FAILED.value, "error": error(why.code, str(why))}
        if options["state"] == "listed" or listed["status"] != Status.SUCCEEDED.value:
            result, changed = listed, False
        else:
            result = self._install(listed["missing_after"], rules, options["timeout"])
            changed = bool(result.get("changes_total")) or (self.check_mode and bool(result["installed"]))
        result = {FAILED_IDS if name == "failed" else name: value for name, value in result.items()}
        failed = {}
        if result["status"] in _FAILURES:
            failed = {"failed": True, "msg": result["error"]["text"]}
        return {"changed": changed, "started_at": started, "ended_at": self.now(), **result, **failed}

    def _install(self, ids: list[str], rules: PackageRules, seconds: int) -> dict[str, Any]:
        if not ids or self.check_mode:
            return {"status": (Status.SUCCEEDED if ids else Status.NO_OP).value, "installed": ids}
        token = f"linux_patch {secrets.token_hex(16)}"
        last_begin = seconds - min(300, seconds // 4)
        script = begin_script(token, install_script(ids, rules, last_begin), seconds, modes=INSTALL_MODES)
        begun = parse_look(self.shell(script))
        if begun.state != "begun":
            return {"status": Status.FAILED.value, "error": error("refused", "the host refused the work")}
        found = self._wait(token, time.monotonic() + seconds + 120)
        if found is None:
            self.shell(stop_script(token))
            found = self._look(token)
        if found is None:
            text = "the host did not say how the install ended"
            return {"status": Status.UNKNOWN.value, "error": error("no_end", text)}
        return install_result(found, ids)

    def _wait(self, token: str, end: float) -> Look | None:
        """Return the look at an install that no longer runs; ``None`` if it did not end in time."""
        while time.monotonic() < end:
            found = self._look(token)
            if found is not None and found.state not in ("starting", "running"):
                return found
            time.sleep(_PAUSE)
        return None

    def _look(self, token: str) -> Look | None:
        """Return the look, or ``None`` while the host can't be reached: the install goes on without us."""
        try:
            return parse_look(self.shell(look_script(token, final=False, prove=True)))
        except (AnsibleConnectionFailure, PatchtideError):
            return None
