# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import NotFound
from .._core.ssm.windows import Window, only_one, to_instant
from .convert import to_tag_list
from .errors import aws_errors
from .paging import read_all, to_filters, without_empty
from .tags import describe_tags, ensure_tags


def find_window_id(client: Any, reference: str) -> str | None:
    """Return the ID of the window with this name or ID. One read for a name, none for an ID."""
    if reference.startswith("mw-") and len(reference) == 20:
        return reference
    rows = read_all(
        client,
        f"look up maintenance window {reference}",
        "describe_maintenance_windows",
        "WindowIdentities",
        100,
        Filters=to_filters(Name=reference),
    )
    return only_one("maintenance window", reference, [row["WindowId"] for row in rows if row["Name"] == reference])


class SsmWindows:
    """The ``WindowPort`` of one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, name: str) -> Window | None:
        """Three reads: the list filtered by name, the window, its tags."""
        window_id = find_window_id(self._client, name)
        return self.get(window_id) if window_id else None

    def get(self, window_id: str) -> Window | None:
        try:
            with aws_errors(f"read maintenance window {window_id}"):
                data = self._client.get_maintenance_window(WindowId=window_id)
        except NotFound:
            return None
        return from_api(data, describe_tags(self._client, "MaintenanceWindow", window_id))

    def create(self, wanted: Window) -> str:
        with aws_errors(f"create maintenance window {wanted.name}"):
            reply = self._client.create_maintenance_window(Tags=to_tag_list(wanted.tags), **to_api(wanted))
        return str(reply["WindowId"])

    def update(self, wanted: Window) -> None:
        with aws_errors(f"update maintenance window {wanted.name}"):
            self._client.update_maintenance_window(
                WindowId=wanted.window_id, Enabled=wanted.enabled, Replace=True, **to_api(wanted)
            )

    def set_tags(self, window_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        ensure_tags(self._client, "MaintenanceWindow", window_id, before, after)

    def delete(self, window_id: str) -> None:
        with aws_errors(f"delete maintenance window {window_id}"):
            self._client.delete_maintenance_window(WindowId=window_id)


def to_api(wanted: Window) -> dict[str, Any]:
    """Return the members that CreateMaintenanceWindow and UpdateMaintenanceWindow share."""
    members = {
        "Name": wanted.name,
        "Description": wanted.description,
        "Schedule": wanted.schedule,
        "ScheduleTimezone": wanted.timezone,
        "ScheduleOffset": wanted.offset_days or None,
        "StartDate": wanted.start,
        "EndDate": wanted.end,
        "Duration": wanted.duration_hours,
        "Cutoff": wanted.cutoff_hours,
        "AllowUnassociatedTargets": wanted.allow_unassociated_targets,
    }
    return without_empty(members)


def from_api(data: Mapping[str, Any], tags: Mapping[str, str]) -> Window:
    """Convert the answer of GetMaintenanceWindow."""
    return Window(
        name=data["Name"],
        description=data.get("Description", ""),
        schedule=data["Schedule"],
        timezone=data.get("ScheduleTimezone", ""),
        offset_days=data.get("ScheduleOffset", 0),
        start=to_instant("start", data.get("StartDate")),
        end=to_instant("end", data.get("EndDate")),
        duration_hours=data["Duration"],
        cutoff_hours=data["Cutoff"],
        allow_unassociated_targets=data["AllowUnassociatedTargets"],
        enabled=data.get("Enabled", True),
        tags=tags,
        window_id=data["WindowId"],
    )
