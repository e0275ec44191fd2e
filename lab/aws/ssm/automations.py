# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Automation: executions of the runbooks that users created. Of the actions only aws:sleep and aws:approve work.

Any other action fails its step, and says so: the lab does not pretend to have done something.
"""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place

#: "100 concurrently executing automations" (service quotas)
MOST_RUNNING = 100
_RUNNING = ("Pending", "InProgress", "Waiting", "Cancelling")
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@operation("StartAutomationExecution")
def start_automation_execution(place: Place, request: Request) -> Answer:
    name = request["DocumentName"].rpartition("document/")[2]
    document = place.kept["documents"].get(name)
    if document is None or document["type"] != "Automation":
        raise SsmError("AutomationDefinitionNotFoundException", f"There is no runbook {name} here.")
    wanted = request.get("DocumentVersion", "$DEFAULT")
    numbers = {"$DEFAULT": document["default"], "$LATEST": max(document["versions"])}
    version = document["versions"].get(numbers[wanted] if wanted in numbers else int(wanted))
    if version is None:
        raise SsmError("AutomationDefinitionVersionNotFoundException", f"{name} has no version {wanted}.")
    _check_parameters(version["data"].get("parameters") or {}, request)

    def make() -> Answer:
        if sum(_state(place, row)[0] in _RUNNING for row in place.kept["automations"].values()) >= MOST_RUNNING:
            raise SsmError("AutomationExecutionLimitExceededException", f"{MOST_RUNNING} automations run already.")
        execution_id = str(uuid.UUID(int=place.chance.getrandbits(128), version=4))
        place.kept["automations"][execution_id] = {
            "id": execution_id,
            "document": name,
            "version": str(version["number"]),
            "steps": version["data"].get("mainSteps") or [],
            "started": place.sim.now,
            "stopped": None,
            "request": request,
        }
        return {"AutomationExecutionId": execution_id}

    return place.tokens.once("StartAutomationExecution", request, make)


def _check_parameters(declared: dict[str, Any], request: Request) -> None:
    given = set(request.get("Parameters", {}))
    target = {request["TargetParameterName"]} if "TargetParameterName" in request else set()
    if bool(target) != bool(request.get("Targets") or request.get("TargetMaps")):
        raise SsmError(
            "InvalidAutomationExecutionParametersException", "Targets and TargetParameterName belong together."
        )
    if unknown := sorted((given | target) - set(declared)):
        raise SsmError("InvalidAutomationExecutionParametersException", f"The runbook has no parameters {unknown}.")
    needed = {name for name, row in declared.items() if "default" not in row}
    if missing := sorted(needed - given - target):
        raise SsmError("InvalidAutomationExecutionParametersException", f"The runbook needs the parameters {missing}.")


def _seconds(step: dict[str, Any]) -> float:
    found = _DURATION.fullmatch(str(step.get("inputs", {}).get("Duration", "")))
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    return hours * 3600 + minutes * 60 + seconds


def _state(place: Place, row: dict[str, Any]) -> tuple[str, list[dict[str, Any]], datetime | None]:
    """Return status, steps and end as they are now: everything follows from when it started and was stopped."""
    at: datetime = row["started"]
    until = min(row["stopped"] or place.sim.now, place.sim.now)
    steps: list[dict[str, Any]] = []
    for step in row["steps"]:
        shown = {"StepName": step["name"], "Action": step["action"], "ExecutionStartTime": at}
        end = at + timedelta(seconds=_seconds(step))
        if step["action"] == "aws:sleep" and end <= until:
            steps.append({**shown, "StepStatus": "Success", "ExecutionEndTime": end})
            at = end
            continue
        if step["action"] not in ("aws:sleep", "aws:approve"):
            text = f"The lab does not carry out {step['action']}."
            steps.append({**shown, "StepStatus": "Failed", "ExecutionEndTime": at, "FailureMessage": text})
            return "Failed", steps, at
        if row["stopped"]:
            steps.append({**shown, "StepStatus": "Cancelled", "ExecutionEndTime": row["stopped"]})
            return "Cancelled", steps, row["stopped"]
        running = "Waiting" if step["action"] == "aws:approve" else "InProgress"
        return running, [*steps, {**shown, "StepStatus": running}], None
    return "Success", steps, at


def _existing(place: Place, execution_id: str) -> dict[str, Any]:
    found: dict[str, Any] | None = place.kept["automations"].get(execution_id)
    if found is None:
        raise SsmError("AutomationExecutionNotFoundException", f"There is no automation execution {execution_id}.")
    return found


@operation("GetAutomationExecution")
def get_automation_execution(place: Place, request: Request) -> Answer:
    row = _existing(place, request["AutomationExecutionId"])
    status, steps, ended = _state(place, row)
    failed = [step["FailureMessage"] for step in steps if "FailureMessage" in step]
    whole = {**_metadata(row, status, ended), "StepExecutions": steps, "StepExecutionsTruncated": False}
    whole["Parameters"] = row["request"].get("Parameters", {})
    if not whole["Parameters"]:
        del whole["Parameters"]
    return {"AutomationExecution": {**whole, "FailureMessage": failed[0]} if failed else whole}


def _metadata(row: dict[str, Any], status: str, ended: datetime | None) -> dict[str, Any]:
    found = {
        "AutomationExecutionId": row["id"],
        "DocumentName": row["document"],
        "DocumentVersion": row["version"],
        "AutomationExecutionStatus": status,
        "ExecutionStartTime": row["started"],
        "Mode": row["request"].get("Mode", "Auto"),
    }
    return {**found, "ExecutionEndTime": ended} if ended else found


@operation("DescribeAutomationExecutions")
def describe_automation_executions(place: Place, request: Request) -> Answer:
    rows = []
    for row in sorted(place.kept["automations"].values(), key=lambda item: item["started"], reverse=True):
        status, _, ended = _state(place, row)
        shown = _metadata(row, status, ended)
        if all(_passes(shown, item) for item in request.get("Filters", [])):
            rows.append(shown)
    return page("AutomationExecutionMetadataList", rows, request, 50)


def _passes(row: dict[str, Any], item: dict[str, Any]) -> bool:
    key, values = item["Key"], item["Values"]
    if key == "DocumentNamePrefix":
        return any(row["DocumentName"].startswith(value) for value in values)
    members = {"ExecutionStatus": "AutomationExecutionStatus", "ExecutionId": "AutomationExecutionId"}
    if key not in members:
        raise SsmError("InvalidFilterKey", f"The lab does not filter automations by {key}.")
    return row[members[key]] in values


@operation("StopAutomationExecution")
def stop_automation_execution(place: Place, request: Request) -> Answer:
    row = _existing(place, request["AutomationExecutionId"])
    if _state(place, row)[0] not in _RUNNING:
        raise SsmError("InvalidAutomationStatusUpdateException", "The automation execution has ended already.")
    row["stopped"] = place.sim.now
    return {}
