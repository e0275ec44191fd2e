# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches machines of Azure outside of rollouts; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._azure.machines import COMPUTE_API, HYBRID_API, machine
from ..module_utils._azure.patching import Machines
from ..module_utils._azure.tenants import Tenants
from ..module_utils._core.azure_ids import is_arc, is_vm
from ..module_utils._core.errors import BadInput, PatchtideError
from ..module_utils._core.executors import AZURE
from ..module_utils._core.model import Status
from ..module_utils._core.work.azure.requests import LEAST_SECONDS, MOST_SECONDS
from ..module_utils._core.work.final_record import error
from ..module_utils._core.work.packages.listing import PackageRules
from ..plugin_utils.azure_login import by_subscription, env_tenants
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.executors.azure_install import Choice, Installations
from ..plugin_utils.executors.azure_scan import Assessments
from ..plugin_utils.executors.served import why_unserved
from ..plugin_utils.progress import Throttle

_REBOOT = {"never": "Never", "if_required": "IfRequired", "always": "Always"}


class ActionModule(ControllerAction):
    """Assesses in check mode as well: an assessment changes nothing, and without it nothing can be predicted."""

    SPEC: ClassVar[dict[str, Any]] = {
        "machines": {"type": "list", "elements": "str", "required": True},
        "classifications": {"type": "list", "elements": "str", "default": []},
        "include": {"type": "list", "elements": "str", "default": []},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "reboot": {"type": "str", "choices": list(_REBOOT), "default": "never"},
        "maximum_duration": {"type": "int", "default": 120},
        "max_age_hours": {"type": "float", "default": 0},
        "poll_interval": {"type": "int", "default": 60},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        ids = list(dict.fromkeys(str(item).rstrip("/").lower() for item in options["machines"]))
        _check(options, ids)
        if why := why_unserved(AZURE.name):
            raise BadInput("machines", options["machines"], f"an executor that works here: {why}")
        tenants = env_tenants()
        rows = by_subscription(ids, str, lambda name, some: self._of_one(tenants, name, some, options))
        failed = [row for row in rows if "error" in row]
        report: dict[str, Any] = {"changed": any(row["changed"] for row in rows), "machines": rows}
        if failed:
            text = f"{len(failed)} of {len(rows)} machines failed, the first: {failed[0]['error']['text']}"
            return {**report, "failed": True, "msg": text}
        if diffs := [_diff(row) for row in rows if row["changed"]]:
            report["diff"] = diffs
        return report

    def _of_one(
        self, tenants: Tenants, subscription: str, ids: Sequence[str], options: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the results of a subscription's machines; if it does not answer, this is the result of each."""
        try:
            arm = tenants.of(subscription)
            nodes = [{"node_id": item, "platform": _platform(arm, item), "state": ""} for item in ids]
            work = Installations(
                assessments=Assessments(
                    port=Machines(arm),
                    clock=find_clock(),
                    rules=PackageRules(exclude=tuple(options["exclude"])),
                    say=Throttle(self.say),
                    max_age=timedelta(hours=options["max_age_hours"]),
                    poll_seconds=float(options["poll_interval"]),
                ),
                choice=Choice(
                    classifications=tuple(options["classifications"]),
                    include=tuple(options["include"]),
                    reboot=_REBOOT[options["reboot"]],
                    seconds=options["maximum_duration"] * 60,
                ),
                predict=self.check_mode,
            )
            return work.run(nodes)
        except PatchtideError as why:
            nothing = {"changed": False, "missing": [], "selected": [], "status": Status.FAILED.value}
            return [{"node_id": item, **nothing, "error": error(why.code, str(why))} for item in ids]


def _check(options: Mapping[str, Any], ids: Sequence[str]) -> None:
    for item in ids:
        if not (is_arc(item) or is_vm(item)):
            raise BadInput("machines", item, "resource IDs of virtual machines and Azure Arc servers")
    if not (options["classifications"] or options["include"]):
        raise BadInput("classifications", [], "classes of updates, or updates in include")
    least, most = LEAST_SECONDS // 60, MOST_SECONDS // 60
    if not least <= options["maximum_duration"] <= most:
        raise BadInput("maximum_duration", options["maximum_duration"], f"{least} to {most} minutes")


def _platform(arm: Any, node_id: str) -> str:
    """Return ``linux`` or ``windows``. :raises PatchtideError: the machine does not exist, or does not say."""
    properties = machine(arm, node_id, HYBRID_API if is_arc(node_id) else COMPUTE_API).get("properties") or {}
    disk = (properties.get("storageProfile") or {}).get("osDisk") or {}
    found = str(properties.get("osType") or disk.get("osType") or "").lower()
    if found not in ("linux", "windows"):
        raise PatchtideError(f"{node_id.rpartition('/')[2]}: its operating system is not known to Azure")
    return found


def _diff(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a diff of what is missing: what was chosen is not any more."""
    gone = {patch["title"] for patch in row["selected"]}
    before = sorted(patch["title"] for patch in row["missing"])
    after = [title for title in before if title not in gone]
    names = {"before_header": row["node_id"], "after_header": row["node_id"]}
    return {**names, "before": {"missing": before}, "after": {"missing": after}}
