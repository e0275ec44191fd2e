# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack set, its stacks, and what its operations do to them once their time has come.

Rules: API reference of CloudFormation, StackSetOperation, StackSetOperationPreferences and StackInstanceSummary; user
guide, StackSets concepts.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.organizations.models import organizations_backends

from .access import role_exists

#: How long an operation takes, in all accounts and Regions together.
SECONDS = 20
SERVICE = "member.org.stacksets.cloudformation.amazonaws.com"


def management_account(account: str) -> str:
    """Return the management account of an account's organization; "" without one."""
    if organizations_backends[account]["aws"].org:
        return account
    return str(organizations_backends.master_accounts.get(account, ("", ""))[0])


def delegated() -> set[str]:
    """Return the accounts that are delegated administrators for StackSets."""
    found = set()
    for backends in organizations_backends.values():
        for backend in backends.values():
            found |= {admin.account.id for admin in backend.admins if SERVICE in admin.services}
    return found


def accounts_of(account: str, units: Iterable[str]) -> dict[str, str]:
    """Return the accounts of units and of those below them, each with the unit that the request named.

    The management account gets no stacks (user guide, considerations for service-managed permissions).
    """
    management = management_account(account)
    backend = organizations_backends[management]["aws"]
    found: dict[str, str] = {}
    for unit in units:
        below = [unit]
        for parent in below:
            below += [item.id for item in backend.ou if item.parent_id == parent]
            members = [item.id for item in backend.accounts if item.parent_id == parent and item.id != management]
            found |= {item: unit for item in members if item not in found}
    return found


def follow_conditions(resources: Any) -> None:
    """Create or delete what a changed condition is for (user guide, conditions section); moto's updates overlook it."""
    for name, item in resources._resource_json_map.items():
        wanted = "Condition" not in item or resources.lazy_condition_map[item["Condition"]]
        there = resources._parsed_resources.get(name) is not None
        if wanted and not there:
            resources[name]
        elif there and not wanted:
            resources._delete_resource(resources._parsed_resources.pop(name), item)


@dataclass(slots=True, kw_only=True)
class Row:
    """One stack instance."""

    account: str
    region: str
    unit: str
    set_id: str
    status: str = "OUTDATED"
    detail: str = "PENDING"
    reason: str = ""
    drift: str = "NOT_CHECKED"
    checked: datetime | None = None
    stack: Any = None
    operation_id: str = ""

    def to_api(self) -> dict[str, Any]:
        return {
            "StackSetId": self.set_id,
            "Account": self.account,
            "Region": self.region,
            "OrganizationalUnitId": self.unit,
            "StackId": self.stack.stack_id if self.stack else None,
            "Status": self.status,
            "StatusReason": self.reason or None,
            "StackInstanceStatus": {"DetailedStatus": self.detail},
            "DriftStatus": self.drift,
            "LastDriftCheckTimestamp": self.checked,
            "LastOperationId": self.operation_id,
        }


@dataclass(slots=True, kw_only=True)
class Operation:
    """``keys``: account and Region of each stack. ``results`` follow when its time has come."""

    operation_id: str
    action: str
    keys: list[tuple[str, str]]
    wishes: dict[str, Any]
    retain: bool
    began: datetime
    status: str = "RUNNING"
    reason: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)

    def to_api(self) -> dict[str, Any]:
        return {
            "OperationId": self.operation_id,
            "Action": self.action,
            "Status": self.status,
            "StatusReason": self.reason or None,
            "CreationTimestamp": self.began,
            "RetainStacks": self.retain,
        }

    def tolerance(self, accounts: int) -> int:
        """Failures that a Region may have: a number, or a percentage that is rounded down."""
        if "FailureTolerancePercentage" in self.wishes:
            return accounts * int(self.wishes["FailureTolerancePercentage"]) // 100
        return int(self.wishes.get("FailureToleranceCount", 0))


@dataclass(slots=True, kw_only=True)
class StackSet:
    """``hidden``: parameters with NoEcho. ``units`` and ``regions``: every target that it ever got."""

    name: str
    account: str
    region: str
    model: str
    template: str = ""
    description: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    capabilities: list[str] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    administration_role: str = ""
    execution_role: str = "AWSCloudFormationStackSetExecutionRole"
    auto: dict[str, Any] | None = None
    managed: dict[str, Any] | None = None
    units: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    set_id: str = ""

    def __post_init__(self) -> None:
        self.set_id = f"{self.name}:{uuid.uuid4()}"

    @property
    def running(self) -> list[Operation]:
        return [item for item in self.operations.values() if item.status == "RUNNING"]

    def to_api(self) -> dict[str, Any]:
        service = self.model == "SERVICE_MANAGED"
        shown = {key: "****" if key in self.hidden else value for key, value in self.parameters.items()}
        return {
            "StackSetName": self.name,
            "StackSetId": self.set_id,
            "Status": "ACTIVE",
            "TemplateBody": self.template,
            "Description": self.description or None,
            "Parameters": shown,
            "Capabilities": self.capabilities,
            "Tags": {item["Key"]: item["Value"] for item in self.tags},
            "PermissionModel": self.model,
            "AutoDeployment": self.auto,
            "ManagedExecution": self.managed,
            "AdministrationRoleARN": self.administration_role or None,
            "ExecutionRoleName": None if service else self.execution_role,
            "OrganizationalUnitIds": sorted(self.units) if service else None,
            "Regions": sorted(self.regions),
        }

    def add(self, account: str, region: str, unit: str) -> None:
        row = Row(account=account, region=region, unit=unit, set_id=self.set_id)
        self.rows.setdefault((account, region), row)

    def begin(
        self,
        operation_id: str,
        action: str,
        keys: list[tuple[str, str]],
        wishes: dict[str, Any],
        retain: bool,
        now: datetime,
    ) -> Operation:
        made = Operation(
            operation_id=operation_id or str(uuid.uuid4()),
            action=action,
            keys=keys,
            wishes=wishes,
            retain=retain,
            began=now,
        )
        for key in keys:
            # An update makes every stack outdated until it has it (StackInstanceSummary, Status).
            self.rows[key].status = self.rows[key].status if action == "DETECT_DRIFT" else "OUTDATED"
            self.rows[key].detail, self.rows[key].operation_id = "PENDING", made.operation_id
        self.operations[made.operation_id] = made
        return made

    def catch_up(self, now: datetime) -> None:
        """Carry out what is due."""
        for item in self.running:
            if now >= item.began + timedelta(seconds=SECONDS):
                self._carry_out(item, now)

    def _carry_out(self, item: Operation, now: datetime) -> None:
        order = [str(name) for name in item.wishes.get("RegionOrder") or []]
        regions = sorted(
            {region for _account, region in item.keys},
            key=lambda name: (name not in order, order.index(name) if name in order else 0, name),
        )
        stopped = False
        for region in regions:
            accounts = sorted(account for account, name in item.keys if name == region)
            failures = 0
            for account in accounts:
                row = self.rows[account, region]
                if stopped:
                    row.detail, row.reason = "CANCELLED", "Cancelled since failure tolerance has exceeded"
                else:
                    self._one(item, row, now)
                    failures += row.detail == "FAILED"
                    stopped = failures > item.tolerance(len(accounts))
                result = {"SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED", "CANCELLED": "CANCELLED"}.get(
                    row.detail, "SUCCEEDED"
                )
                item.results.append(
                    {"Account": account, "Region": region, "Status": result, "StatusReason": row.reason or None}
                )
        item.status = "FAILED" if stopped else "SUCCEEDED"
        item.reason = "The number of failures exceeded the failure tolerance" if stopped else ""

    def _one(self, item: Operation, row: Row, now: datetime) -> None:
        row.detail, row.reason = "SUCCEEDED", ""
        if item.action == "DETECT_DRIFT":
            row.drift, row.checked = "IN_SYNC", now
            return
        if self._suspended(row.account):
            row.detail = "SKIPPED_SUSPENDED_ACCOUNT"
            return
        try:
            self._check_roles(row.account)
            if item.action == "DELETE":
                self._delete(row, item.retain)
            else:
                self._deploy(row)
        except Exception as error:
            row.detail, row.reason = "FAILED", str(getattr(error, "message", "") or error)
            row.status = "INOPERABLE" if item.action == "DELETE" else "OUTDATED"

    def _suspended(self, account: str) -> bool:
        management = management_account(self.account)
        members = organizations_backends[management]["aws"].accounts if management else []
        return any(item.id == account and item.status == "SUSPENDED" for item in members)

    def _check_roles(self, account: str) -> None:
        """Self-managed sets need a role in each account (user guide, grant self-managed permissions)."""
        if self.model == "SELF_MANAGED" and not role_exists(account, self.execution_role):
            admin = self.administration_role or "AWSCloudFormationStackSetAdministrationRole"
            raise ValueError(
                f"Account {account} should have '{self.execution_role}' role with trust relationship to Role '{admin}'."
            )

    def _deploy(self, row: Row) -> None:
        backend = cloudformation_backends[row.account][row.region]
        if row.stack is not None:
            row.stack.update(self.template, None, dict(self.parameters), None)
            follow_conditions(row.stack.resource_map)
        else:
            before = set(backend.stacks)
            try:
                row.stack = backend.create_stack(
                    name=f"StackSet-{self.name}-{uuid.uuid4()}",
                    template=self.template,
                    parameters=dict(self.parameters),
                )
            except Exception:
                for key in set(backend.stacks) - before:
                    del backend.stacks[key]
                raise
        row.status = "CURRENT"

    def _delete(self, row: Row, retain: bool) -> None:
        if row.stack is not None and not retain:
            cloudformation_backends[row.account][row.region].delete_stack(row.stack.stack_id)
        del self.rows[row.account, row.region]
