# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service settings of an account-Region: GetServiceSetting, UpdateServiceSetting, ResetServiceSetting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .operations import Answer, Request, SsmError, operation

if TYPE_CHECKING:
    from .backend import Place

#: Setting -> (default, allowed values; empty for free text), from the API reference of UpdateServiceSetting.
SETTINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "/ssm/appmanager/appmanager-enabled": ("True", ("True", "False")),
    "/ssm/automation/customer-script-log-destination": ("none", ("CloudWatch", "none")),
    "/ssm/automation/customer-script-log-group-name": ("none", ()),
    "/ssm/automation/enable-adaptive-concurrency": ("False", ("True", "False")),
    "/ssm/documents/console/public-sharing-permission": ("Disable", ("Enable", "Disable")),
    "/ssm/managed-instance/activation-tier": ("standard", ("standard", "advanced")),
    "/ssm/managed-instance/default-ec2-instance-management-role": ("none", ()),
    "/ssm/opsinsights/opscenter": ("Disabled", ("Enabled", "Disabled")),
    "/ssm/parameter-store/default-parameter-tier": ("Standard", ("Standard", "Advanced", "Intelligent-Tiering")),
    "/ssm/parameter-store/high-throughput-enabled": ("false", ("true", "false")),
}


def _name(place: Place, setting_id: str) -> str:
    """A setting is named by its path or by its ARN."""
    name = setting_id.removeprefix(place.arn("servicesetting"))
    if name not in SETTINGS:
        raise SsmError("ServiceSettingNotFound", f"The service setting {setting_id} was not found.")
    return name


def _setting(place: Place, name: str) -> Answer:
    own = place.kept["service_settings"].get(name)
    found: dict[str, Any] = {
        "SettingId": name,
        "SettingValue": own["value"] if own else SETTINGS[name][0],
        "ARN": place.arn(f"servicesetting{name}"),
        "Status": "Customized" if own else "Default",
    }
    if own:
        found |= {"LastModifiedDate": own["at"], "LastModifiedUser": f"arn:aws:iam::{place.account}:user/lab"}
    return {"ServiceSetting": found}


@operation("GetServiceSetting")
def get_service_setting(place: Place, request: Request) -> Answer:
    return _setting(place, _name(place, request["SettingId"]))


@operation("UpdateServiceSetting")
def update_service_setting(place: Place, request: Request) -> Answer:
    name, value = _name(place, request["SettingId"]), request["SettingValue"]
    allowed = SETTINGS[name][1]
    if allowed and value not in allowed:
        raise SsmError("ValidationException", f"{value!r} is no value of {name}; {', '.join(allowed)} are.")
    place.kept["service_settings"][name] = {"value": value, "at": place.sim.now}
    return {}


@operation("ResetServiceSetting")
def reset_service_setting(place: Place, request: Request) -> Answer:
    name = _name(place, request["SettingId"])
    place.kept["service_settings"].pop(name, None)
    return _setting(place, name)
