# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stack sets of one account-Region, in memory. An operation runs for one poll, and one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stacks.deploy import BUSY
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stacks.instances import Instance, Request
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stacks.stack_sets import StackSet, Summary


class FakeStackSets:
    """A ``StackSetPort``. ``broken``: accounts whose stacks fail, with the reason. ``units``: their accounts."""

    def __init__(self, summary: Summary, units: Mapping[str, list[str]] | None = None) -> None:
        self.template, self._units = summary, units or {}
        self.definition: StackSet | None = None
        self.known: frozenset[tuple[str, str]] = frozenset()
        self.rows: dict[tuple[str, str], Instance] = {}
        self.broken: dict[str, str] = {}
        self.suspended: set[str] = set()
        self.writes: list[Any] = []
        self.busy = 0
        self._operations: dict[str, list[dict[str, str]]] = {}
        self._running: set[str] = set()

    def find(self, name: str) -> tuple[StackSet, frozenset[tuple[str, str]]] | None:
        return (self.definition, self.known) if self.definition else None

    def instances(self, name: str) -> list[Instance]:
        return [self.rows[key] for key in sorted(self.rows)]

    def summary(self, template: str) -> Summary:
        return self.template

    def create(self, wanted: StackSet, parameters: Mapping[str, str | None]) -> None:
        self.writes.append(("create set", dict(parameters)))
        self.definition = wanted

    def update(self, wanted: StackSet, parameters: Mapping[str, str | None], preferences: Mapping[str, Any]) -> str:
        found = self._begin("update", list(self.rows), dict(parameters))
        self.definition = wanted  # a failed update keeps the new definition (API reference, UpdateStackSet)
        return found

    def create_instances(self, name: str, request: Request, preferences: Mapping[str, Any]) -> str:
        accounts = {name: "" for name in request.accounts if request.account_filter in ("NONE", "UNION")}
        for unit in request.units if request.account_filter != "UNION" or not request.accounts else ():
            chosen = {
                "NONE": self._units[unit],
                "INTERSECTION": [item for item in self._units[unit] if item in request.accounts],
                "DIFFERENCE": [item for item in self._units[unit] if item not in request.accounts],
            }[request.account_filter]
            accounts |= dict.fromkeys(chosen, unit)
        self.known |= {(unit, region) for unit in request.units for region in request.regions}
        keys = [(account, region) for account in accounts for region in request.regions]
        for account, region in keys:
            row = Instance(account=account, region=region, unit=accounts[account], status="OUTDATED", detail="PENDING")
            self.rows.setdefault((account, region), row)
        return self._begin("create", keys, request)

    def update_instances(self, name: str, request: Request, preferences: Mapping[str, Any]) -> str:
        return self._begin("retry", self._keys(request), request)

    def delete_instances(self, name: str, request: Request, retain: bool, preferences: Mapping[str, Any]) -> str:
        keys = self._keys(request)
        found = self._begin("delete", keys, (request, retain))
        for key in keys:
            if self.rows[key].account not in self.broken:
                del self.rows[key]
        return found

    def detect_drift(self, name: str, preferences: Mapping[str, Any]) -> str:
        found = self._begin("drift", list(self.rows), None)
        self.rows = {key: replace(row, drift="DRIFTED") for key, row in self.rows.items()}
        return found

    def delete(self, name: str) -> None:
        assert not self.rows, "StackSetNotEmptyException"
        self.writes.append(("delete set", name))
        self.definition = None

    def _keys(self, request: Request) -> list[tuple[str, str]]:
        keys = [(account, region) for account in request.accounts for region in request.regions]
        assert all(key in self.rows for key in keys), "StackInstanceNotFoundException"
        assert all(self.rows[key].unit in (request.units or ("",)) for key in keys)
        return keys

    def _begin(self, what: str, keys: list[tuple[str, str]], request: Any) -> str:
        if self.busy or self._running:
            self.busy -= 1
            raise ServiceError(what, BUSY, "Another operation is in progress.")
        self.writes.append((what, request))
        operation_id = f"{what}-{len(self.writes)}"
        self._running.add(operation_id)
        self._operations[operation_id] = [self._carry_out(*key) for key in keys]
        return operation_id

    def _carry_out(self, account: str, region: str) -> dict[str, str]:
        status, detail, why = "CURRENT", "SUCCEEDED", ""
        if account in self.broken:
            status, detail, why = "OUTDATED", "FAILED", self.broken[account]
        if account in self.suspended:
            status, detail = "OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT"
        self.rows[account, region] = replace(self.rows[account, region], status=status, detail=detail)
        return {"account": account, "region": region, "status": detail, "reason": why}

    def operation(self, name: str, operation_id: str) -> tuple[str, str]:
        if operation_id in self._running:
            self._running.remove(operation_id)
            return "RUNNING", ""
        bad = [row for row in self._operations[operation_id] if row["status"] == "FAILED"]
        return ("FAILED", "too many failures") if bad else ("SUCCEEDED", "")

    def results(self, name: str, operation_id: str) -> list[dict[str, str]]:
        return self._operations[operation_id]
