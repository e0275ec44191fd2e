# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings by which Azure patches and assesses a machine by itself. Pure.

Members are those of osProfile in Microsoft.Compute 2024-07-01 and Microsoft.HybridCompute 2022-12-27.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..azure_ids import is_arc
from ..change import Change
from ..errors import BadInput
from .ports import ResourcePort

MODES = ("AutomaticByOS", "AutomaticByPlatform", "ImageDefault", "Manual")
ASSESSMENTS = ("AutomaticByPlatform", "ImageDefault")
_LINUX, _WINDOWS = ("ImageDefault", "AutomaticByPlatform"), ("Manual", "AutomaticByOS", "AutomaticByPlatform")
_OWN = "automaticByPlatformSettings"
_BYPASS = "bypassPlatformSafetyChecksOnUserSchedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSettings:
    """The settings. ``customer_schedules``: only schedules of the customer patch under AutomaticByPlatform."""

    patch_mode: str
    assessment_mode: str
    customer_schedules: bool = False
    hotpatch: bool = False


def from_machine(data: Mapping[str, Any]) -> tuple[PatchSettings, str]:
    """Return settings and kind of configuration of a machine: ``linuxConfiguration`` or ``windowsConfiguration``."""
    profile = (data.get("properties") or {}).get("osProfile") or {}
    windows = bool(profile.get("windowsConfiguration"))
    kind = "windowsConfiguration" if windows else "linuxConfiguration"
    found = (profile.get(kind) or {}).get("patchSettings") or {}
    mode = str(found.get("patchMode") or ("AutomaticByOS" if windows else "ImageDefault"))
    settings = PatchSettings(
        patch_mode=mode,
        assessment_mode=str(found.get("assessmentMode") or "ImageDefault"),
        customer_schedules=bool((found.get(_OWN) or {}).get(_BYPASS)),
        hotpatch=bool(found.get("enableHotpatching")),
    )
    return settings, kind


class PatchSettingsNoun:
    """The settings of one machine. What is ``None`` in ``given`` stays as it is."""

    def __init__(self, port: ResourcePort, node_id: str, given: Mapping[str, Any]) -> None:
        self._port, self._node_id, self._given = port, node_id, given
        self._kind = ""

    def plan(self) -> Change[PatchSettings]:
        found = self._port.read()
        if found is None:
            raise BadInput("machines", self._node_id, "a machine that exists")
        before, self._kind = from_machine(found)
        names = ("patch_mode", "assessment_mode", "customer_schedules", "hotpatch")
        after = replace(before, **{name: self._given[name] for name in names if self._given[name] is not None})
        if after.patch_mode != "AutomaticByPlatform" and self._given["customer_schedules"] is None:
            after = replace(after, customer_schedules=False)
        self._check(after)
        return Change(before, after)

    def _check(self, after: PatchSettings) -> None:
        windows = self._kind == "windowsConfiguration"
        modes = _WINDOWS if windows else _LINUX
        if after.patch_mode not in modes:
            raise BadInput("patch_mode", after.patch_mode, f"one of {', '.join(modes)} on this operating system")
        by_platform = after.patch_mode == "AutomaticByPlatform"
        if after.customer_schedules and (not by_platform or is_arc(self._node_id)):
            expected = "false for a server of Azure Arc" if is_arc(self._node_id) else "patch_mode AutomaticByPlatform"
            raise BadInput("customer_schedules", True, expected)
        # Azure answers 400 (claranet/terraform-azurerm-windows-vm issue 4).
        if after.hotpatch and (not windows or not by_platform or after.customer_schedules):
            raise BadInput(
                "hotpatch", True, "Windows with patch_mode AutomaticByPlatform and without customer_schedules"
            )

    def apply(self, change: Change[PatchSettings]) -> PatchSettings | None:
        after = change.after
        if after is None:  # plan() returns settings
            return None
        settings: dict[str, Any] = {"patchMode": after.patch_mode, "assessmentMode": after.assessment_mode}
        if after.patch_mode == "AutomaticByPlatform" and not is_arc(self._node_id):
            settings[_OWN] = {_BYPASS: after.customer_schedules}
        if change.before is not None and change.before.hotpatch != after.hotpatch:
            settings["enableHotpatching"] = after.hotpatch
        answer = self._port.patch({"properties": {"osProfile": {self._kind: {"patchSettings": settings}}}})
        return from_machine(answer)[0] if answer.get("properties") else after
