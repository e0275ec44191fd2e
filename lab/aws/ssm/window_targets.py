# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets registered with a maintenance window."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from .operations import Answer, Request, SsmError, operation, page
from .windows import Window, existing

if TYPE_CHECKING:
    from .backend import Place

MOST_TARGETS = 100  #: a window (service quotas)
_OPTIONAL = ("OwnerInformation", "Name", "Description")


def new_id(place: Place) -> str:
    return str(uuid.UUID(int=place.chance.getrandbits(128), version=4))


def existing_target(window: Window, target_id: str) -> dict[str, Any]:
    if target_id not in window.targets:
        raise SsmError("DoesNotExistException", f"Window target {target_id} does not exist")
    return window.targets[target_id]


def _check(resource_type: str, targets: list[dict[str, Any]]) -> None:
    if not targets:
        raise SsmError("ValidationException", "Targets is empty.")
    for target in targets:
        key, values = target.get("Key", ""), target.get("Values", [])
        groups = key.startswith("resource-groups:")
        if groups != (resource_type == "RESOURCE_GROUP"):
            raise SsmError("ValidationException", f"Key {key!r} does not go with ResourceType {resource_type}.")
        if not groups and key.lower() not in ("instanceids", "tag-key") and not key.startswith("tag:"):
            raise SsmError("ValidationException", f"Key {key!r} is none of InstanceIds, tag-key and tag:<key>.")
        if not values:
            raise SsmError("ValidationException", f"Key {key!r} has no values.")


@operation("RegisterTargetWithMaintenanceWindow")
def register_target(place: Place, request: Request) -> Answer:
    def make() -> Answer:
        window = existing(place, request["WindowId"])
        _check(request["ResourceType"], request["Targets"])
        if len(window.targets) >= MOST_TARGETS:
            raise SsmError("ResourceLimitExceededException", f"{MOST_TARGETS} targets a maintenance window.")
        target_id = new_id(place)
        kept = {key: request[key] for key in ("ResourceType", "Targets", *_OPTIONAL) if key in request}
        window.targets[target_id] = {"WindowId": window.window_id, "WindowTargetId": target_id, **kept}
        return {"WindowTargetId": target_id}

    return place.tokens.once("RegisterTargetWithMaintenanceWindow", request, make)


@operation("UpdateMaintenanceWindowTarget")
def update_target(place: Place, request: Request) -> Answer:
    target = existing_target(existing(place, request["WindowId"]), request["WindowTargetId"])
    if request.get("Replace"):
        if "Targets" not in request:
            raise SsmError("ValidationException", "Replace needs Targets.")
        for key in _OPTIONAL:
            target.pop(key, None)
    if "Targets" in request:
        _check(target["ResourceType"], request["Targets"])
    target.update({key: request[key] for key in ("Targets", *_OPTIONAL) if key in request})
    return {key: value for key, value in target.items() if key != "ResourceType"}


@operation("DeregisterTargetFromMaintenanceWindow")
def deregister_target(place: Place, request: Request) -> Answer:
    window, target_id = existing(place, request["WindowId"]), request["WindowTargetId"]
    existing_target(window, target_id)
    if request.get("Safe") and target_id in _used(window):
        raise SsmError("TargetInUseException", f"Window target {target_id} is used by a task.")
    del window.targets[target_id]
    return {"WindowId": window.window_id, "WindowTargetId": target_id}


def _used(window: Window) -> set[str]:
    rows = [row for task in window.tasks.values() for row in task.get("Targets", [])]
    return {value for row in rows if row.get("Key") == "WindowTargetIds" for value in row.get("Values", [])}


_LOOKS = {"Type": "ResourceType", "WindowTargetId": "WindowTargetId", "OwnerInformation": "OwnerInformation"}


@operation("DescribeMaintenanceWindowTargets")
def describe_targets(place: Place, request: Request) -> Answer:
    rows = list(existing(place, request["WindowId"]).targets.values())
    return page("Targets", filtered(rows, request, _LOOKS), request, 50)


def filtered(rows: list[dict[str, Any]], request: Request, looks: dict[str, str]) -> list[dict[str, Any]]:
    """Apply the Filters of a Describe: each names a member and the values it may have."""
    for item in request.get("Filters", []):
        key = item.get("Key", "")
        if key not in looks:
            raise SsmError("ValidationException", f"There is no filter {key} here; there are {sorted(looks)}.")
        rows = [row for row in rows if str(row.get(looks[key], "")) in item.get("Values", [])]
    return rows
