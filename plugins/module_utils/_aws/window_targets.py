# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets of maintenance windows through the SSM API."""

from __future__ import annotations

from typing import Any

from .._core.errors import NotFound
from .._core.ssm.window_targets import WindowTarget
from .._core.ssm.windows import only_one
from .convert import from_target_list, to_target_list
from .errors import aws_errors
from .paging import read_all, without_empty
from .windows import find_window_id


def list_targets(client: Any, window_id: str) -> list[WindowTarget]:
    """Return all targets of a window; none if the window does not exist."""
    action = f"list the targets of maintenance window {window_id}"
    try:
        rows = read_all(client, action, "describe_maintenance_window_targets", "Targets", 100, WindowId=window_id)
    except NotFound:
        return []
    return [
        WindowTarget(
            name=row.get("Name", ""),
            targets=from_target_list(row["Targets"]),
            owner_information=row.get("OwnerInformation", ""),
            description=row.get("Description", ""),
            window_id=row["WindowId"],
            target_id=row["WindowTargetId"],
        )
        for row in rows
    ]


class SsmWindowTargets:
    """The ``WindowTargetPort`` of one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find_window(self, reference: str) -> str | None:
        return find_window_id(self._client, reference)

    def find(self, window_id: str, name: str) -> WindowTarget | None:
        found = [target for target in list_targets(self._client, window_id) if target.name == name]
        only_one("window target", name, [str(target.target_id) for target in found])
        return found[0] if found else None

    def get(self, window_id: str, target_id: str) -> WindowTarget | None:
        targets = list_targets(self._client, window_id)
        return next((target for target in targets if target.target_id == target_id), None)

    def register(self, wanted: WindowTarget) -> str:
        with aws_errors(f"add target {wanted.name} to maintenance window {wanted.window_id}"):
            reply = self._client.register_target_with_maintenance_window(
                WindowId=wanted.window_id, ResourceType=wanted.resource_type, **_to_api(wanted)
            )
        return str(reply["WindowTargetId"])

    def update(self, wanted: WindowTarget) -> None:
        with aws_errors(f"update target {wanted.name} of maintenance window {wanted.window_id}"):
            self._client.update_maintenance_window_target(
                WindowId=wanted.window_id, WindowTargetId=wanted.target_id, Replace=True, **_to_api(wanted)
            )

    def deregister(self, target: WindowTarget, *, safe: bool) -> None:
        try:
            with aws_errors(f"remove target {target.name} from maintenance window {target.window_id}"):
                self._client.deregister_target_from_maintenance_window(
                    WindowId=target.window_id, WindowTargetId=target.target_id, Safe=safe
                )
        except NotFound:
            return


def _to_api(wanted: WindowTarget) -> dict[str, Any]:
    members = {
        "Name": wanted.name,
        "Description": wanted.description,
        "OwnerInformation": wanted.owner_information,
        "Targets": to_target_list(wanted.targets),
    }
    return without_empty(members)
