# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows and their schedules. The lab does not run them: see its README."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ..clock import from_iso
from .operations import Answer, Request, SsmError, operation, page
from .schedule import occurrences, parse, to_text
from .tags import check_tags, set_tags

if TYPE_CHECKING:
    from .backend import Place

MOST_WINDOWS = 50
_REQUIRED = ("Name", "Schedule", "Duration", "Cutoff", "AllowUnassociatedTargets")
_OPTIONAL = ("Description", "StartDate", "EndDate", "ScheduleTimezone", "ScheduleOffset")
#: members of MaintenanceWindowIdentity besides WindowId and NextExecutionTime
_IDENTITY = ("Name", "Enabled", "Duration", "Cutoff", "Schedule", *_OPTIONAL)


@dataclass(slots=True)
class Window:
    """One window with its targets and tasks, each a dictionary of API members."""

    window_id: str
    data: dict[str, Any]
    created: datetime
    modified: datetime
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def zone(self) -> str:
        return str(self.data.get("ScheduleTimezone", ""))

    def next_times(self, now: datetime) -> Iterator[datetime]:
        """When it opens from now on: within StartDate and EndDate, and only while enabled."""
        if not self.data["Enabled"]:
            return iter(())
        start = _moment(self.data, "StartDate")
        return occurrences(
            self.data["Schedule"],
            self.zone,
            self.data.get("ScheduleOffset", 0),
            start or self.created,
            max(now, start) if start else now,
            _moment(self.data, "EndDate"),
        )


def existing(place: Place, window_id: str) -> Window:
    found: Window | None = place.windows.get(window_id)
    if found is None:
        raise SsmError("DoesNotExistException", f"Maintenance window {window_id} does not exist")
    return found


def _moment(data: dict[str, Any], name: str) -> datetime | None:
    return from_iso(data[name]) if data.get(name) else None


def _check(data: dict[str, Any]) -> None:
    try:
        parse(data["Schedule"])
    except (ValueError, KeyError) as error:
        raise _wrong(f"Schedule {data['Schedule']!r}: {error}") from None
    if data["Cutoff"] >= data["Duration"]:
        raise _wrong(f"Cutoff {data['Cutoff']} must be less than Duration {data['Duration']}.")
    if data.get("ScheduleOffset") and not data["Schedule"].startswith("cron"):
        raise _wrong("ScheduleOffset is for cron schedules only.")
    if zone := data.get("ScheduleTimezone"):
        try:
            ZoneInfo(zone)
        except (ValueError, KeyError, OSError):
            raise _wrong(f"ScheduleTimezone {zone!r} is no IANA time zone.") from None
    try:
        start, end = _moment(data, "StartDate"), _moment(data, "EndDate")
    except ValueError:
        raise _wrong("StartDate and EndDate are ISO 8601, such as 2026-06-01T00:00:00-08:00.") from None
    if start and end and end <= start:
        raise _wrong("EndDate must be after StartDate.")


def _wrong(message: str) -> SsmError:
    return SsmError("ValidationException", message)


@operation("CreateMaintenanceWindow")
def create_maintenance_window(place: Place, request: Request) -> Answer:
    def make() -> Answer:
        data = {key: request[key] for key in (*_REQUIRED, *_OPTIONAL) if key in request}
        _check(data)
        check_tags(request.get("Tags", []))
        if len(place.windows) >= MOST_WINDOWS:
            raise SsmError("ResourceLimitExceededException", f"{MOST_WINDOWS} maintenance windows a Region.")
        window_id = place.hex_id("mw-")
        now = place.sim.now
        place.windows[window_id] = Window(window_id, {**data, "Enabled": True}, now, now)
        set_tags(place, "MaintenanceWindow", window_id, request.get("Tags", []))
        return {"WindowId": window_id}

    return place.tokens.once("CreateMaintenanceWindow", request, make)


@operation("UpdateMaintenanceWindow")
def update_maintenance_window(place: Place, request: Request) -> Answer:
    window = existing(place, request["WindowId"])
    replace = request.get("Replace", False)
    if replace and (missing := [name for name in _REQUIRED if name not in request]):
        raise _wrong(f"Replace needs every member that CreateMaintenanceWindow requires; missing: {missing}.")
    kept = {"Enabled": window.data["Enabled"]} if replace else dict(window.data)
    given = {key: request[key] for key in (*_REQUIRED, *_OPTIONAL, "Enabled") if key in request}
    data = {**kept, **given}
    _check(data)
    window.data, window.modified = data, place.sim.now
    return {"WindowId": window.window_id, **window.data}


@operation("GetMaintenanceWindow")
def get_maintenance_window(place: Place, request: Request) -> Answer:
    window = existing(place, request["WindowId"])
    answer = {"WindowId": window.window_id, **window.data, **_next(window, place.sim.now)}
    return {**answer, "CreatedDate": window.created, "ModifiedDate": window.modified}


def _scheduled(window: Window, moment: datetime) -> dict[str, str]:
    when = to_text(moment, window.zone)
    return {"WindowId": window.window_id, "Name": window.data["Name"], "ExecutionTime": when}


def _next(window: Window, now: datetime) -> dict[str, str]:
    moment = next(window.next_times(now), None)
    return {"NextExecutionTime": to_text(moment, window.zone)} if moment else {}


@operation("DeleteMaintenanceWindow")
def delete_maintenance_window(place: Place, request: Request) -> Answer:
    # It declares no DoesNotExistException: deleting what is not there succeeds.
    place.windows.pop(request["WindowId"], None)
    place.tags.pop(("MaintenanceWindow", request["WindowId"]), None)
    return {"WindowId": request["WindowId"]}


@operation("DescribeMaintenanceWindows")
def describe_maintenance_windows(place: Place, request: Request) -> Answer:
    rows = []
    for window in sorted(place.windows.values(), key=lambda item: str(item.window_id)):
        if all(_matches(window, row.get("Key", ""), row.get("Values", [])) for row in request.get("Filters", [])):
            data = {key: window.data[key] for key in _IDENTITY if key in window.data}
            rows.append({"WindowId": window.window_id, **data, **_next(window, place.sim.now)})
    return page("WindowIdentities", rows, request, 50)


def _matches(window: Window, key: str, values: list[str]) -> bool:
    if key == "Name":
        return window.data["Name"] in values
    if key == "Enabled":
        return str(window.data["Enabled"]).lower() in [value.lower() for value in values]
    raise _wrong(f"DescribeMaintenanceWindows has no filter {key}; it has Name and Enabled.")


@operation("DescribeMaintenanceWindowSchedule")
def describe_maintenance_window_schedule(place: Place, request: Request) -> Answer:
    windows = [existing(place, request["WindowId"])] if "WindowId" in request else list(place.windows.values())
    if request.get("Targets"):
        windows = [window for window in windows if is_for(place, window, request["Targets"])]
    rows = [
        (moment, _scheduled(window, moment))
        for window in windows
        for moment in itertools.islice(window.next_times(place.sim.now), 50)
    ]
    ordered = [row for _, row in sorted(rows, key=lambda pair: pair[0])]
    return page("ScheduledWindowExecutions", ordered, request, 50)


@operation("DescribeMaintenanceWindowsForTarget")
def describe_maintenance_windows_for_target(place: Place, request: Request) -> Answer:
    if not request["Targets"]:
        raise _wrong("Targets is empty.")
    rows = [
        {"WindowId": window.window_id, "Name": window.data["Name"]}
        for window in place.windows.values()
        if is_for(place, window, request["Targets"])
    ]
    return page("WindowIdentities", rows, request, 50)


def is_for(place: Place, window: Window, targets: list[dict[str, Any]]) -> bool:
    """Say whether any registered target of a window and any of the given ones mean the same node or tag."""
    mine = [row for target in window.targets.values() for row in target["Targets"]]
    return any(_same(place, a, b) for a in mine for b in targets)


def _same(place: Place, registered: dict[str, Any], asked: dict[str, Any]) -> bool:
    if registered.get("Key") == asked.get("Key"):
        return bool(set(registered.get("Values", [])) & set(asked.get("Values", [])))
    if asked.get("Key", "").lower() != "instanceids":
        return False
    nodes = [node for node in map(place.managed_node, asked.get("Values", [])) if node]
    key, values = registered.get("Key", ""), registered.get("Values", [])
    if key == "tag-key":
        return any(value in node.tags for node in nodes for value in values)
    return any(node.tags.get(key.removeprefix("tag:")) in values for node in nodes)
