# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists or installs the updates of the play's Linux host; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.model import Patch, Status
from ..module_utils._core.work.final_record import error
from ..module_utils._core.work.host_probe import to_probe
from ..module_utils._core.work.linux_updates import LIST_SCRIPT, Updates, choose, parse_updates, to_spec
from ..module_utils._core.work.precheck import parse_probe
from ..plugin_utils.executors.direct import DirectAction


class ActionModule(DirectAction):
    """Hands the installing to Ansible's own package modules, by exact version."""

    SPEC: ClassVar[dict[str, Any]] = {
        "state": {"type": "str", "choices": ["listed", "installed"], "default": "listed"},
        "security_only": {"type": "bool", "default": False},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "lock_timeout": {"type": "int", "default": 300},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if options["state"] == "listed":
            result, changed = self._list(options), False
        else:
            result = self._install(options, task_vars)
            changed = bool(result["installed"])
        failed = {"failed": True, "msg": result["error"]["text"]} if result.get("error") else {}
        return {"changed": changed, **result, **failed}

    def _wanted(self, options: Mapping[str, Any]) -> tuple[Updates, list[Patch]]:
        updates = parse_updates(self.shell(LIST_SCRIPT))
        wanted = choose(updates.patches, security_only=options["security_only"], exclude=options["exclude"])
        return updates, wanted

    def _list(self, options: Mapping[str, Any]) -> dict[str, Any]:
        started = self.now()
        try:
            updates, wanted = self._wanted(options)
        except PatchtideError as why:
            return self._result(started, Status.FAILED, error=error("list_failed", str(why)))
        facts = parse_probe(self.shell(to_probe("linux"))) or {}
        if options["security_only"] and not updates.security_known:
            found = error("no_security_metadata", "its repositories do not say which updates are security updates")
            return self._result(started, Status.FAILED, error=found)
        return self._result(
            started,
            Status.SUCCEEDED,
            missing=[{**asdict(patch), "cve_ids": list(patch.cve_ids)} for patch in wanted],
            missing_after=[patch.id for patch in wanted],
            pending_reboot=bool(facts.get("pending_reboot")),
            counts={"missing_count": len(wanted), "failed_count": 0},
            manager=updates.manager,
        )

    def _install(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        started = self.now()
        try:
            updates, wanted = self._wanted(options)
        except PatchtideError as why:
            return self._result(started, Status.FAILED, error=error("list_failed", str(why)), installed=[])
        ids = [patch.id for patch in wanted]
        if not ids or self.check_mode:
            return self._result(started, Status.NO_OP if not ids else Status.SUCCEEDED, installed=ids)
        found = self._packages(updates.manager, ids, options, dict(task_vars))
        pending = bool((parse_probe(self.shell(to_probe("linux"))) or {}).get("pending_reboot"))
        if found.get("failed"):
            text = str(found.get("msg") or "the package manager failed")[-500:]
            return self._result(
                started, Status.FAILED, error=error("install_failed", text), installed=[], pending_reboot=pending
            )
        return self._result(started, Status.SUCCEEDED, installed=ids, pending_reboot=pending)

    def _packages(
        self, manager: str, ids: Sequence[str], options: Mapping[str, Any], task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        names = [to_spec(manager, patch_id) for patch_id in ids]
        module, more = {
            "apt": (
                "ansible.builtin.apt",
                {"dpkg_options": "force-confdef,force-confold", "lock_timeout": options["lock_timeout"]},
            ),
            "dnf": ("ansible.builtin.dnf", {"lock_timeout": options["lock_timeout"], "allowerasing": False}),
            "zypper": ("community.general.zypper", {}),
        }[manager]
        found: dict[str, Any] = self._execute_module(
            module_name=module, module_args={"name": names, "state": "present", **more}, task_vars=task_vars
        )
        return found

    def _result(self, started: str, status: Status, **more: Any) -> dict[str, Any]:
        return {"status": status.value, "started_at": started, "ended_at": self.now(), **more}
