# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a stack set and its stacks into the declared state, one operation after the other.

A stack set carries out one operation at a time (API reference, OperationInProgressException). An operation that fails
in some accounts is a result, not an error: the rows of ``failed_instances`` say where and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from ..change import Change, to_data
from ..clock import Clock
from ..errors import PatchtideError, ServiceError
from .instances import EXCLUDED, Instance, Request, missing, requests_for, to_targets
from .stack_sets import StackSet, Summary, check_targets, plan_definition, to_send

BUSY = "OperationInProgressException"
POLL_SECONDS = 5


class StackSetPort(Protocol):
    """Stack sets of one account-Region. Operations return their ID; the service carries them out later."""

    def find(self, name: str) -> tuple[StackSet, frozenset[tuple[str, str]]] | None:
        """Return the set, and its targets as pairs of unit and Region."""

    def instances(self, name: str) -> list[Instance]:
        """Return all stack instances."""

    def summary(self, template: str) -> Summary:
        """Read a template. The service refuses an invalid one."""

    def create(self, wanted: StackSet, parameters: Mapping[str, str | None]) -> None:
        """Create the set without stacks. ``parameters``: see ``to_send``."""

    def update(self, wanted: StackSet, parameters: Mapping[str, str | None], preferences: Mapping[str, Any]) -> str:
        """Change the definition and all stacks."""

    def create_instances(self, name: str, request: Request, preferences: Mapping[str, Any]) -> str:
        """Create stacks."""

    def update_instances(self, name: str, request: Request, preferences: Mapping[str, Any]) -> str:
        """Bring stacks to the definition of the set."""

    def delete_instances(self, name: str, request: Request, retain: bool, preferences: Mapping[str, Any]) -> str:
        """Remove stacks from the set, and delete them unless ``retain``."""

    def detect_drift(self, name: str, preferences: Mapping[str, Any]) -> str:
        """Compare the resources of all stacks with their templates."""

    def delete(self, name: str) -> None:
        """Delete the set, which must not have stacks."""

    def operation(self, name: str, operation_id: str) -> tuple[str, str]:
        """Return status and reason."""

    def results(self, name: str, operation_id: str) -> list[dict[str, str]]:
        """Return ``account``, ``region``, ``status`` and ``reason`` of each stack of an operation."""


class InstancesFailed(PatchtideError):
    """Stacks of a set are not as declared. ``rows`` say which and why, ``operations`` what was tried."""

    code = "InstancesFailed"

    def __init__(self, name: str, rows: Sequence[Mapping[str, Any]], operations: Sequence[Mapping[str, Any]]) -> None:
        first = rows[0]
        super().__init__(
            f"{len(rows)} stacks of stack set {name} are not as declared; the first, in {first['account']}/"
            f"{first['region']}: {first['reason'] or first['status']}"
        )
        self.rows, self.operations = list(rows), list(operations)

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "failed_instances": self.rows, "operations": self.operations}


class TooSlow(PatchtideError):
    """An operation did not end in time. It continues."""

    code = "TooSlow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What has to be done, in this order. ``retry``: stacks that an earlier operation left outdated."""

    before: StackSet | None
    after: StackSet | None
    remove: list[Request] = field(default_factory=list)
    create: list[Request] = field(default_factory=list)
    retry: list[Request] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)
    change: Change[dict[str, Any]] = field(default_factory=lambda: Change(None, None))


def plan(port: StackSetPort, options: Mapping[str, Any]) -> Plan:
    """Read the set, its stacks and the template, and return what has to be done. Writes nothing.

    :param options: of the module ``stack_set``.
    """
    found = port.find(options["name"])
    before, known = found or (None, frozenset())
    rows = port.instances(options["name"]) if before else []
    if options["state"] == "absent":
        return Plan(before=before, after=None, remove=requests_for(rows), change=Change(_view(before, rows), None))
    after = plan_definition(before, options, port.summary(options["template_body"]))
    check_targets(options, after.permission_model)
    targets = to_targets(options)
    extra = [row for row in rows if targets.declared and not targets.holds(row)]
    kept = [row for row in rows if row not in extra]
    purged = extra if options["purge_targets"] else []
    stale = [row for row in kept if row.failed and row.status != "INOPERABLE"] if before == after else []
    new = missing(targets, rows, known)
    wanted = _view(after, [row for row in rows if row not in purged], new)
    renew = f"{len(stale)} stacks are outdated" if stale else None
    return Plan(
        before=before,
        after=after,
        remove=requests_for(purged),
        create=new,
        retry=requests_for(stale, targets.regions),
        undeclared=sorted(row.label for row in extra),
        change=Change(_view(before, rows), wanted, renew=renew),
    )


def _view(value: StackSet | None, rows: Sequence[Instance], new: Sequence[Request] = ()) -> dict[str, Any] | None:
    """Return a set as results and diffs show it: its template in lines, its stacks as ``account/region``."""
    if value is None:
        return None
    data = {**to_data(value), "template": value.template.splitlines()}
    stacks = {row.label for row in rows}
    for request in new:
        items = (
            request.accounts
            if request.account_filter in ("INTERSECTION", "NONE") and request.accounts
            else request.units
        )
        stacks |= {f"{item}/{region}" for item in items for region in request.regions}
    return {**data, "stacks": sorted(stacks)}


class Deployment:
    """Carries a plan out. ``operations`` has one row for each operation, whatever became of it."""

    def __init__(self, port: StackSetPort, options: Mapping[str, Any], clock: Clock) -> None:
        self._port, self._options, self._clock = port, options, clock
        self._name = options["name"]
        self._until = clock.now() + timedelta(seconds=options["wait_timeout"])
        self.operations: list[dict[str, Any]] = []

    def apply(self, todo: Plan) -> None:
        """Do what the plan has. Later steps follow even if an operation failed in some accounts."""
        port, name, after = self._port, self._name, todo.after
        if after is None:
            self._remove(todo)
            return
        parameters = to_send(after, self._options["parameters"] or {})
        if todo.before is None:
            port.create(after, parameters)
        elif todo.before != after:
            self._run("update", (), partial(port.update, after, parameters))
        for request in todo.remove:
            self._delete(request)
        for request in todo.create:
            self._run("create", request.regions, partial(port.create_instances, name, request))
        for request in todo.retry:
            self._run("retry", request.regions, partial(port.update_instances, name, request))

    def _remove(self, todo: Plan) -> None:
        for request in todo.remove:
            self._delete(request)
        if left := self._port.instances(self._name):
            raise InstancesFailed(self._name, [_row(row, "it could not be deleted") for row in left], self.operations)
        self._port.delete(self._name)

    def _delete(self, request: Request) -> None:
        port, name, retain = self._port, self._name, self._options["retain_stacks"]
        self._run("delete", request.regions, partial(port.delete_instances, name, request, retain))

    def detect_drift(self) -> None:
        """Have the service compare all stacks with their templates, which changes none of them."""
        self._run("detect_drift", (), partial(self._port.detect_drift, self._name))

    def _run(self, what: str, regions: Sequence[str], start: Callable[[Mapping[str, Any]], str]) -> None:
        """Start an operation as soon as no other one runs, and follow it to its end."""
        operation_id = self._start(start, self._preferences(regions))
        status, reason = self._port.operation(self._name, operation_id)
        while status in ("RUNNING", "QUEUED", "STOPPING"):
            self._wait(f"operation {operation_id}, which continues")
            status, reason = self._port.operation(self._name, operation_id)
        row = {"what": what, "operation_id": operation_id, "status": status, "reason": reason}
        self.operations.append({**row, "results": self._port.results(self._name, operation_id)})

    def _start(self, start: Callable[[Mapping[str, Any]], str], preferences: Mapping[str, Any]) -> str:
        while True:
            try:
                return start(preferences)
            except ServiceError as error:
                if error.code != BUSY:
                    raise
            self._wait("the end of an operation that somebody else began")

    def _wait(self, what: str) -> None:
        if self._clock.now() >= self._until:
            raise TooSlow(f"Stack set {self._name}: {self._options['wait_timeout']} seconds were too short for {what}.")
        self._clock.sleep(POLL_SECONDS)

    def _preferences(self, regions: Sequence[str]) -> dict[str, Any]:
        """The service takes only an order of Regions that the operation has."""
        given = {
            key: value for key, value in (self._options["operation_preferences"] or {}).items() if value is not None
        }
        if regions and "region_order" in given:
            given["region_order"] = [region for region in given["region_order"] if region in regions]
        return given

    def outdated(self, rows: Sequence[Instance]) -> list[dict[str, Any]]:
        """Return the existing stacks that are not as the set declares, with the reason of the last operation.

        :param rows: all stack instances, as they are now.
        """
        reasons = {
            (row["account"], row["region"]): row["reason"] for item in self.operations for row in item["results"]
        }
        return [_row(row, reasons.get((row.account, row.region), "")) for row in rows if row.failed]

    def failed(self, rows: Sequence[Instance]) -> list[dict[str, Any]]:
        """Return the stacks that are not as declared after all operations, those that do not exist included."""
        targets = to_targets(self._options)
        absent = [] if targets.account_filter == EXCLUDED else missing(targets, rows, ())
        lost = [
            Instance(account=name, region=region, status="MISSING")
            for request in absent
            for name in request.accounts
            for region in request.regions
        ]
        return [*self.outdated(rows), *(_row(row, "no operation created it") for row in lost)]


def _row(row: Instance, reason: str) -> dict[str, Any]:
    status = row.status if row.status in ("INOPERABLE", "MISSING") else row.detail
    return {"account": row.account, "region": row.region, "status": status, "reason": row.reason or reason}
