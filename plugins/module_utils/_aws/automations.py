# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Executions of runbooks through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import NotFound, ServiceError
from .._core.ssm.automation_run import Execution
from .._core.ssm.parameters import to_parameters
from .._core.ssm.targets import Targets
from .convert import to_plain, to_tag_list, to_target_list
from .errors import aws_errors
from .paging import without_empty

_LOCATION = {
    "accounts": "Accounts",
    "regions": "Regions",
    "max_concurrency": "TargetLocationMaxConcurrency",
    "max_errors": "TargetLocationMaxErrors",
    "execution_role_name": "ExecutionRoleName",
    "include_child_units": "IncludeChildOrganizationUnits",
    "exclude_accounts": "ExcludeAccounts",
    "targets": "Targets",
    "targets_max_concurrency": "TargetsMaxConcurrency",
    "targets_max_errors": "TargetsMaxErrors",
}


class SsmAutomations:
    """The ``AutomationPort`` of one account-Region; ``client`` is its SSM client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, members: Mapping[str, Any]) -> str:
        with aws_errors(f"start automation {members['DocumentName']}"):
            return str(self._client.start_automation_execution(**members)["AutomationExecutionId"])

    def get(self, execution_id: str) -> Execution:
        action = f"read automation {execution_id}"
        try:
            with aws_errors(action):
                row = self._client.get_automation_execution(AutomationExecutionId=execution_id)["AutomationExecution"]
        except ServiceError as error:
            if error.code == "AutomationExecutionNotFoundException":
                raise NotFound(action, error.code, error.detail) from error
            raise
        return to_execution(row)

    def stop(self, execution_id: str, how: str) -> None:
        try:
            with aws_errors(f"stop automation {execution_id}"):
                self._client.stop_automation_execution(AutomationExecutionId=execution_id, Type=how)
        except ServiceError as error:
            if error.code != "InvalidAutomationStatusUpdateException":  # it has ended in the meantime
                raise


def to_execution(row: Mapping[str, Any]) -> Execution:
    """Convert an AutomationExecution. Names given by users and runbooks are kept."""
    members = to_plain({key: value for key, value in row.items() if key not in ("Parameters", "Outputs", "Variables")})
    for name in ("Parameters", "Outputs"):
        members[name.lower()] = dict(row.get(name) or {})
    return Execution(
        execution_id=row["AutomationExecutionId"], status=row["AutomationExecutionStatus"], members=members
    )


def to_members(options: Mapping[str, Any], targets: Targets, token: str) -> dict[str, Any]:
    """Return the members of StartAutomationExecution for the options of ``ssm_automation``."""
    parameters = to_parameters(options["parameters"] or {})
    locations = [_location(row) for row in options["target_locations"] or []]
    members = {
        "DocumentName": options["document"],
        "DocumentVersion": options["document_version"],
        "Parameters": {key: list(value) for key, value in parameters.items()} or None,
        "ClientToken": token,
        "TargetParameterName": options["target_parameter"],
        "Targets": to_target_list(targets) or None,
        "TargetMaps": options["target_maps"] or None,
        "MaxConcurrency": options["max_concurrency"],
        "MaxErrors": options["max_errors"],
        "TargetLocations": locations or None,
        "Tags": to_tag_list(options["tags"] or {}) or None,
        "AlarmConfiguration": _alarm(options),
        "Mode": options["mode"],
        "TargetLocationsURL": options["target_locations_url"],
    }
    return without_empty(members)


def _location(row: Mapping[str, Any]) -> dict[str, Any]:
    members = {_LOCATION[name]: value for name, value in row.items() if name in _LOCATION}
    if row.get("targets"):
        members["Targets"] = to_target_list(row["targets"])
    return without_empty({**members, "TargetLocationAlarmConfiguration": _alarm(row)})


def _alarm(options: Mapping[str, Any]) -> dict[str, Any] | None:
    if not options["alarm"]:
        return None
    return {"Alarms": [{"Name": options["alarm"]}], "IgnorePollAlarmFailure": bool(options["ignore_alarm_failure"])}
