# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of SSM for an account-Region. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..change import Change
from . import limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSetting:
    """A setting, identified by its path such as ``/ssm/managed-instance/activation-tier``. It always has a value."""

    setting_id: str
    value: str
    is_default: bool


class ServiceSettingPort(Protocol):
    """Settings of one account-Region."""

    def read(self, setting_id: str) -> ServiceSetting:
        """Return the setting. :raises NotFound: it does not exist."""

    def update(self, setting_id: str, value: str) -> None:
        """Set its value."""

    def reset(self, setting_id: str) -> ServiceSetting:
        """Reset it to its default and return it."""


class ServiceSettingNoun:
    """Declared setting in one account-Region."""

    def __init__(self, port: ServiceSettingPort, options: Mapping[str, Any]) -> None:
        self._port = port
        self._options = options

    def plan(self) -> Change[ServiceSetting]:
        setting_id, value = self._options["setting_id"], self._options["value"]
        limits.matches(
            "setting_id", setting_id, r"(arn:.*)?/ssm/.+", "a path such as /ssm/managed-instance/activation-tier"
        )
        before = self._port.read(setting_id)
        if self._options["state"] == "absent":
            # Only the service knows the default.
            reset = ServiceSetting(setting_id=before.setting_id, value="", is_default=True)
            return Change(before, before if before.is_default else reset)
        if before.value == value:
            return Change(before, before)
        return Change(before, ServiceSetting(setting_id=before.setting_id, value=value, is_default=False))

    def apply(self, change: Change[ServiceSetting]) -> ServiceSetting | None:
        setting_id = self._options["setting_id"]
        if change.after is None or change.after.is_default:
            return self._port.reset(setting_id)
        self._port.update(setting_id, change.after.value)
        return change.after
