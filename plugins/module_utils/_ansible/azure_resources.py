# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that manage single resources of Azure: the declared state of each is applied, or predicted in check mode."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from .._azure.machines import COMPUTE_API, HYBRID_API
from .._azure.resource import MAINTENANCE_API, Resource
from .._azure.tenants import Tenants
from .._azure.zones import to_iana, to_windows
from .._core.azure.assignments import AssignmentNoun, check_scope
from .._core.azure.configurations import Configuration, ConfigurationNoun
from .._core.azure.patch_settings import PatchSettingsNoun
from .._core.azure_ids import is_arc, is_vm
from .._core.change import Change, to_dict
from .._core.errors import BadInput, PatchtideError
from .._core.times.recurrence import parse_recurrence, to_cron
from .azure_spec import to_login


def run_configuration(module: AnsibleModule) -> NoReturn:
    """Carry out C(azure_maintenance_configuration)."""
    given = module.params

    def work() -> dict[str, Any]:
        group = f"/subscriptions/{given['subscription']}/resourceGroups/{given['resource_group']}"
        path = f"{group}/providers/Microsoft.Maintenance/maintenanceConfigurations/{given['name']}"
        zone = to_windows(given["timezone"]) if given["state"] == "present" else ""
        arm = Tenants(to_login(given)).of(given["subscription"])
        what = f"the maintenance configuration {given['name']}"
        noun = ConfigurationNoun(Resource(arm, path, MAINTENANCE_API, what), given, zone)
        result = _applied(module, noun, "maintenance_configuration", path)
        return {**result, "id": path, **_schedule(result["maintenance_configuration"])}

    _run(module, work, {"maintenance_configuration": {}})


def run_assignment(module: AnsibleModule) -> NoReturn:
    """Carry out C(azure_maintenance_assignment)."""
    given = module.params

    def work() -> dict[str, Any]:
        scope = check_scope(given["scope"])
        path = f"{scope}/providers/Microsoft.Maintenance/configurationAssignments/{given['name']}"
        arm = Tenants(to_login(given)).of(scope.split("/")[2])
        noun = AssignmentNoun(Resource(arm, path, MAINTENANCE_API, f"the assignment {given['name']}"), given)
        return _applied(module, noun, "maintenance_assignment", path)

    _run(module, work, {"maintenance_assignment": {}})


def run_patch_settings(module: AnsibleModule) -> NoReturn:
    """Carry out C(azure_patch_settings)."""
    given, diffs = module.params, list[dict[str, Any]]()

    def one(tenants: Tenants, node_id: str) -> dict[str, Any]:
        try:
            arm = tenants.of(node_id.split("/")[2])
            api = HYBRID_API if is_arc(node_id) else COMPUTE_API
            port = Resource(arm, node_id, api, node_id.rpartition("/")[2])
            found = _applied(module, PatchSettingsNoun(port, node_id, given), "settings", node_id)
        except PatchtideError as error:
            return {"id": node_id, "changed": False, "error": error.to_dict()}
        diffs.extend([found.pop("diff")] if "diff" in found else [])
        return {"id": node_id, **found}

    def work() -> dict[str, Any]:
        ids = [str(item).rstrip("/").lower() for item in given["machines"]]
        for item in ids:
            if not (is_arc(item) or is_vm(item)):
                raise BadInput("machines", item, "resource IDs of virtual machines and Azure Arc servers")
        tenants = Tenants(to_login(given))
        rows = [one(tenants, item) for item in dict.fromkeys(ids)]
        report = {
            "changed": any(row["changed"] for row in rows),
            "machines": rows,
            **({"diff": diffs} if diffs else {}),
        }
        if failed := [row for row in rows if "error" in row]:
            text = f"{len(failed)} of {len(rows)} machines failed, the first: {failed[0]['error']['message']}"
            module.fail_json(msg=text, **report)
        return report

    _run(module, work, {"machines": []})


def _applied(module: AnsibleModule, noun: Any, name: str, header: str) -> dict[str, Any]:
    """Apply a noun's change, or predict it in check mode."""
    change: Change[Any] = noun.plan()
    after = change.after
    if change.changed and not module.check_mode:
        after = noun.apply(change)
    result: dict[str, Any] = {"changed": change.changed, name: to_dict(after)}
    if module._diff and change.changed:
        result["diff"] = change.to_diff(header)
    return result


def _schedule(found: dict[str, Any]) -> dict[str, Any]:
    """Return time zone and recurrence of a configuration as those of AWS, as far as AWS has them."""
    if not found:
        return {}
    configuration = Configuration(**found)
    more: dict[str, Any] = {"timezone": to_iana(configuration.timezone), "schedule": None}
    try:
        first = datetime.strptime(configuration.start, "%Y-%m-%d %H:%M")
        cron = to_cron(parse_recurrence(configuration.recur_every), first) if configuration.recur_every else None
    except (ValueError, BadInput):
        return more
    return {**more, "schedule": cron[0], "offset_days": cron[1]} if cron else more


def _run(module: AnsibleModule, work: Callable[[], dict[str, Any]], empty: dict[str, Any]) -> NoReturn:
    try:
        result = work()
    except PatchtideError as error:
        module.fail_json(msg=str(error), error=error.to_dict(), **empty)
    module.exit_json(**result)
    raise AssertionError("exit_json ends the module")
