# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service settings through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.ssm.service_settings import ServiceSetting
from .errors import aws_errors


class SsmServiceSettings:
    """The ``ServiceSettingPort`` of one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, setting_id: str) -> ServiceSetting:
        with aws_errors(f"read service setting {setting_id}"):
            return _from_api(self._client.get_service_setting(SettingId=setting_id))

    def update(self, setting_id: str, value: str) -> None:
        with aws_errors(f"update service setting {setting_id}"):
            self._client.update_service_setting(SettingId=setting_id, SettingValue=value)

    def reset(self, setting_id: str) -> ServiceSetting:
        with aws_errors(f"reset service setting {setting_id}"):
            return _from_api(self._client.reset_service_setting(SettingId=setting_id))


def _from_api(reply: Mapping[str, Any]) -> ServiceSetting:
    data = reply["ServiceSetting"]
    return ServiceSetting(
        setting_id=data["SettingId"], value=data["SettingValue"], is_default=data.get("Status") == "Default"
    )
