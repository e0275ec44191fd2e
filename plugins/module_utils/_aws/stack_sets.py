# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stack sets through the CloudFormation API."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .._core.errors import ServiceError
from .._core.stacks.instances import Instance, Request
from .._core.stacks.stack_sets import SELF_MANAGED, SERVICE_MANAGED, StackSet, Summary
from .convert import from_tag_list, to_tag_list, to_time
from .errors import aws_errors
from .paging import read_all, without_empty

_PREFERENCES = {
    "region_order": "RegionOrder",
    "region_concurrency_type": "RegionConcurrencyType",
    "failure_tolerance_count": "FailureToleranceCount",
    "failure_tolerance_percentage": "FailureTolerancePercentage",
    "max_concurrent_count": "MaxConcurrentCount",
    "max_concurrent_percentage": "MaxConcurrentPercentage",
    "concurrency_mode": "ConcurrencyMode",
}


def _new_id() -> str:
    return str(uuid.uuid4())


class CfnStackSets:
    """The ``StackSetPort`` of one account-Region.

    :param client: its CloudFormation client.
    :param call_as: ``SELF``, or ``DELEGATED_ADMIN`` in an account that AWS Organizations has made one.
    """

    def __init__(self, client: Any, call_as: str, make_id: Callable[[], str] = _new_id) -> None:
        self._client, self._make_id = client, make_id
        # Only service-managed sets have delegated administrators.
        self._caller = {} if call_as == "SELF" else {"CallAs": call_as}

    def find(self, name: str) -> tuple[StackSet, frozenset[tuple[str, str]]] | None:
        try:
            with aws_errors(f"read stack set {name}"):
                row = self._client.describe_stack_set(StackSetName=name, **self._caller)["StackSet"]
        except ServiceError as error:
            if error.code == "StackSetNotFoundException":
                return None
            raise
        if row.get("Status") == "DELETED":
            return None
        units, regions = row.get("OrganizationalUnitIds") or [], row.get("Regions") or []
        return from_api(row), frozenset((unit, region) for unit in units for region in regions)

    def instances(self, name: str) -> list[Instance]:
        request: dict[str, Any] = {"StackSetName": name, **self._caller}
        action = f"list the stacks of stack set {name}"
        rows = read_all(self._client, action, "list_stack_instances", "Summaries", **request)
        return sorted((to_instance(row) for row in rows), key=lambda row: (row.account, row.region))

    def summary(self, template: str) -> Summary:
        with aws_errors("read the template"):
            reply = self._client.get_template_summary(TemplateBody=template)
        rows = reply.get("Parameters") or []
        return Summary(
            parameters=frozenset(row["ParameterKey"] for row in rows),
            required=frozenset(row["ParameterKey"] for row in rows if "DefaultValue" not in row),
            hidden=frozenset(row["ParameterKey"] for row in rows if row.get("NoEcho")),
            capabilities=tuple(reply.get("Capabilities") or ()),
        )

    def create(self, wanted: StackSet, parameters: Mapping[str, str | None]) -> None:
        service = wanted.permission_model == SERVICE_MANAGED
        members = {
            **_definition(wanted, parameters),
            "PermissionModel": wanted.permission_model,
            "AutoDeployment": _auto_deployment(wanted) if service else None,
            "ClientRequestToken": self._make_id(),
        }
        with aws_errors(f"create stack set {wanted.name}"):
            self._client.create_stack_set(**without_empty(members), **self._caller)

    def update(self, wanted: StackSet, parameters: Mapping[str, str | None], preferences: Mapping[str, Any]) -> str:
        service = wanted.permission_model == SERVICE_MANAGED
        members = {
            **_definition(wanted, parameters),
            # Without tags the service would leave them as they are.
            "Tags": to_tag_list(wanted.tags),
            "AutoDeployment": _auto_deployment(wanted) if service else None,
        }
        request = without_empty(members)
        return self._operate(f"update stack set {wanted.name}", self._client.update_stack_set, request, preferences)

    def create_instances(self, name: str, request: Request, preferences: Mapping[str, Any]) -> str:
        members = {"StackSetName": name, **_targets(request)}
        return self._operate(f"create stacks of {name}", self._client.create_stack_instances, members, preferences)

    def update_instances(self, name: str, request: Request, preferences: Mapping[str, Any]) -> str:
        members = {"StackSetName": name, **_targets(request)}
        return self._operate(f"update stacks of {name}", self._client.update_stack_instances, members, preferences)

    def delete_instances(self, name: str, request: Request, retain: bool, preferences: Mapping[str, Any]) -> str:
        members = {"StackSetName": name, **_targets(request), "RetainStacks": retain}
        return self._operate(f"delete stacks of {name}", self._client.delete_stack_instances, members, preferences)

    def detect_drift(self, name: str, preferences: Mapping[str, Any]) -> str:
        members = {"StackSetName": name}
        return self._operate(f"detect drift of {name}", self._client.detect_stack_set_drift, members, preferences)

    def _operate(
        self, action: str, call: Callable[..., Any], members: Mapping[str, Any], preferences: Mapping[str, Any]
    ) -> str:
        """Start an operation under an ID of ours, which exists if botocore repeated a call whose answer was lost."""
        wishes = {_PREFERENCES[key]: value for key, value in preferences.items()}
        operation_id = self._make_id()
        try:
            with aws_errors(action):
                call(
                    **members,
                    OperationId=operation_id,
                    **({"OperationPreferences": wishes} if wishes else {}),
                    **self._caller,
                )
        except ServiceError as error:
            if error.code != "OperationIdAlreadyExistsException":
                raise
        return operation_id

    def delete(self, name: str) -> None:
        try:
            with aws_errors(f"delete stack set {name}"):
                self._client.delete_stack_set(StackSetName=name, **self._caller)
        except ServiceError as error:
            if error.code != "StackSetNotFoundException":
                raise

    def operation(self, name: str, operation_id: str) -> tuple[str, str]:
        with aws_errors(f"read operation {operation_id} of stack set {name}"):
            row = self._client.describe_stack_set_operation(
                StackSetName=name, OperationId=operation_id, **self._caller
            )["StackSetOperation"]
        return row["Status"], row.get("StatusReason", "")

    def results(self, name: str, operation_id: str) -> list[dict[str, str]]:
        request: dict[str, Any] = {"StackSetName": name, "OperationId": operation_id, **self._caller}
        action = f"read the results of operation {operation_id}"
        rows = read_all(self._client, action, "list_stack_set_operation_results", "Summaries", **request)
        return [
            {
                "account": row["Account"],
                "region": row["Region"],
                "status": row["Status"],
                "reason": row.get("StatusReason", ""),
            }
            for row in rows
        ]


def _definition(wanted: StackSet, parameters: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "StackSetName": wanted.name,
        "Description": wanted.description,
        "TemplateBody": wanted.template,
        "Parameters": [
            {"ParameterKey": key, **({"UsePreviousValue": True} if value is None else {"ParameterValue": value})}
            for key, value in parameters.items()
        ],
        "Capabilities": list(wanted.capabilities) or None,
        "Tags": to_tag_list(wanted.tags) or None,
        "AdministrationRoleARN": wanted.administration_role_arn,
        "ExecutionRoleName": wanted.execution_role_name,
        "ManagedExecution": {"Active": wanted.managed_execution},
    }


def _auto_deployment(wanted: StackSet) -> dict[str, bool]:
    if not wanted.auto_deployment:
        return {"Enabled": False}
    return {"Enabled": True, "RetainStacksOnAccountRemoval": wanted.retain_stacks_on_account_removal}


def _targets(request: Request) -> dict[str, Any]:
    if not request.units:
        return {"Accounts": list(request.accounts), "Regions": list(request.regions)}
    targets: dict[str, Any] = {"OrganizationalUnitIds": list(request.units)}
    if request.accounts:
        # Without a filter the service would take the accounts as well as the units (API reference, DeploymentTargets).
        targets |= {"Accounts": list(request.accounts), "AccountFilterType": request.account_filter}
    return {"DeploymentTargets": targets, "Regions": list(request.regions)}


def from_api(row: Mapping[str, Any]) -> StackSet:
    """Convert the answer of DescribeStackSet."""
    auto, model = row.get("AutoDeployment") or {}, row.get("PermissionModel") or SELF_MANAGED
    service = model == SERVICE_MANAGED
    return StackSet(
        name=row["StackSetName"],
        template=str(row.get("TemplateBody") or "").rstrip("\n") + "\n",
        description=row.get("Description") or "",
        parameters={item["ParameterKey"]: item.get("ParameterValue", "") for item in row.get("Parameters") or []},
        capabilities=tuple(sorted(row.get("Capabilities") or [])),
        tags=from_tag_list(row.get("Tags")),
        permission_model=model,
        administration_role_arn="" if service else row.get("AdministrationRoleARN") or "",
        execution_role_name="" if service else row.get("ExecutionRoleName") or "",
        auto_deployment=bool(auto.get("Enabled")),
        retain_stacks_on_account_removal=bool(auto.get("RetainStacksOnAccountRemoval")),
        managed_execution=bool((row.get("ManagedExecution") or {}).get("Active")),
    )


def to_instance(row: Mapping[str, Any]) -> Instance:
    """Convert one row of ListStackInstances."""
    return Instance(
        account=row["Account"],
        region=row["Region"],
        unit=row.get("OrganizationalUnitId") or "",
        status=row.get("Status") or "",
        detail=(row.get("StackInstanceStatus") or {}).get("DetailedStatus") or "",
        reason=row.get("StatusReason") or "",
        drift=row.get("DriftStatus") or "NOT_CHECKED",
        drift_checked=to_time(row.get("LastDriftCheckTimestamp")),
        stack_id=row.get("StackId") or "",
    )
