# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance configurations and their assignments: Microsoft.Maintenance 2023-04-01, guest patching alone.

All calls are synchronous: PUT 200 or 201, DELETE 200 or 204. Members are those of Maintenance.json; the limits of the
guest scope are those of Microsoft Learn, "Scheduling recurring updates for machines by using the Azure portal and Azure
Policy" (1 hour 30 minutes to 3 hours 55 minutes) and "Control updates by using maintenance configurations" (6 hours).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tzlocal.windows_tz import win_tz

from .answers import Refused, Reply, not_found
from .operations import Request

_TIME = "%Y-%m-%d %H:%M"
_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
#: The grammar that the description of ``recurEvery`` states, word by word.
_RECURS = re.compile(
    rf"\d*Hours?|\d*Days?|\d*Weeks?( ({_DAYS})(,({_DAYS}))*)?"
    r"|\d*Months?( day([1-9]|[12]\d|3[01])(,day([1-9]|[12]\d|3[01]))*"
    rf"| (First|Second|Third|Fourth|Last) ({_DAYS})( Offset-?[0-6])?)?"
)
_SHORTEST, _LONGEST = 90, 235


def put_configuration(request: Request) -> Reply:
    properties = request.body.get("properties") or {}
    _check(properties)
    key = request.path.lower()
    known = key in request.world.configurations
    window = {"expirationDateTime": "9999-12-31 23:59:59", **properties["maintenanceWindow"]}
    request.world.configurations[key] = {
        "id": request.path,
        "name": request.parts["name"],
        "type": "Microsoft.Maintenance/maintenanceConfigurations",
        "location": request.body["location"],
        "tags": request.body.get("tags") or {},
        "properties": {"namespace": "Microsoft.Maintenance", "visibility": "Custom", **properties}
        | {"maintenanceWindow": window},
    }
    return Reply(200 if known else 201, request.world.configurations[key])


def get_configuration(request: Request) -> Reply:
    found = request.world.configurations.get(request.path.lower())
    if found is None:
        raise not_found(f"Microsoft.Maintenance/maintenanceConfigurations/{request.parts['name']}")
    return Reply(body=found)


def list_configurations(request: Request) -> Reply:
    start = f"/subscriptions/{request.parts['sub']}/".lower()
    return Reply(body={"value": [row for key, row in request.world.configurations.items() if key.startswith(start)]})


def delete_configuration(request: Request) -> Reply:
    return Reply(200 if request.world.configurations.pop(request.path.lower(), None) else 204)


def put_assignment(request: Request) -> Reply:
    properties = request.body.get("properties") or {}
    wanted = str(properties.get("maintenanceConfigurationId") or "")
    scope = request.parts["scope"]
    if wanted.lower() not in request.world.configurations:
        raise Refused(404, "NotFound", f"The maintenance configuration '{wanted}' was not found.")
    if "/machines/" in scope.lower() or "/virtualmachines/" in scope.lower():
        _check_machine(request, scope)
        if properties.get("filter"):
            raise Refused(400, "BadRequest", "A filter is only valid for a subscription or a resource group.")
    key = request.path.lower()
    known = key in request.world.assignments
    request.world.assignments[key] = {
        "id": request.path,
        "name": request.parts["name"],
        "type": "Microsoft.Maintenance/configurationAssignments",
        **({"location": request.body["location"]} if request.body.get("location") else {}),
        "properties": {**properties, "resourceId": scope},
    }
    return Reply(200 if known else 201, request.world.assignments[key])


def get_assignment(request: Request) -> Reply:
    found = request.world.assignments.get(request.path.lower())
    if found is None:
        raise not_found(f"Microsoft.Maintenance/configurationAssignments/{request.parts['name']}")
    return Reply(body=found)


def delete_assignment(request: Request) -> Reply:
    return Reply(200 if request.world.assignments.pop(request.path.lower(), None) else 204)


def _check_machine(request: Request, scope: str) -> None:
    """A schedule needs customer managed schedules (Learn, "Configure schedule patching on Azure VMs for business
    continuity"); a server of Azure Arc has no such setting."""
    machine = request.world.machines.get(scope.lower())
    if machine is None:
        raise not_found(scope.rpartition("/providers/")[2])
    if not machine.is_arc and not (machine.patch_mode == "AutomaticByPlatform" and machine.bypass):
        text = (
            "Scheduled patching requires the patch mode AutomaticByPlatform and "
            "bypassPlatformSafetyChecksOnUserSchedule = true."
        )
        raise Refused(400, "BadRequest", text)


def _check(properties: dict[str, Any]) -> None:
    if properties.get("maintenanceScope") != "InGuestPatch":
        raise Refused(400, "BadRequest", "The lab has the scope InGuestPatch alone.")
    if (properties.get("extensionProperties") or {}).get("InGuestPatchMode") not in ("User", "Platform"):
        raise Refused(400, "BadRequest", "extensionProperties.InGuestPatchMode is required for InGuestPatch.")
    window = properties.get("maintenanceWindow") or {}
    try:
        datetime.strptime(window.get("startDateTime", ""), _TIME)
        if window.get("expirationDateTime"):
            datetime.strptime(window["expirationDateTime"][:16], _TIME)
    except ValueError as why:
        raise Refused(400, "BadRequest", f"maintenanceWindow: {why}") from why
    found = re.fullmatch(r"(\d\d):([0-5]\d)", str(window.get("duration") or ""))
    minutes = int(found[1]) * 60 + int(found[2]) if found else 0
    if not _SHORTEST <= minutes <= _LONGEST:
        raise Refused(400, "BadRequest", "The duration must be between 01:30 and 03:55.")
    if window.get("timeZone") not in win_tz:
        raise Refused(400, "BadRequest", f"The time zone '{window.get('timeZone')}' is not a Windows time zone.")
    if window.get("recurEvery") and not _RECURS.fullmatch(window["recurEvery"]):
        raise Refused(400, "BadRequest", f"recurEvery '{window['recurEvery']}' is not valid.")
    hours = re.fullmatch(r"(\d*)Hours?", str(window.get("recurEvery") or ""))
    if hours and int(hours[1] or 1) < 6:
        raise Refused(400, "BadRequest", "The shortest recurrence of InGuestPatch is 6 hours.")
    install = properties.get("installPatches") or {}
    chosen = install.get("linuxParameters") or {}, install.get("windowsParameters") or {}
    if not any(value for part in chosen for value in part.values()):
        raise Refused(400, "BadRequest", "installPatches: at least one classification or update is required.")
