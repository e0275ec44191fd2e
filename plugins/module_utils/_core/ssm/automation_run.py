# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One execution of a runbook: started exactly once, awaited, stopped. Depends on ports only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from ..clock import Clock
from ..errors import BadInput, PatchtideError
from . import limits
from .parameters import check_automation_parameters, to_parameters
from .targets import Targets, check_targets, to_targets

#: In these states, an execution is still running or waits for a person.
RUNNING = frozenset(
    {"Pending", "InProgress", "Waiting", "Cancelling", "PendingApproval", "Approved", "Scheduled", "RunbookInProgress"}
    | {"PendingChangeCalendarOverride", "ChangeCalendarOverrideApproved"}
)
GOOD = frozenset({"Success", "CompletedWithSuccess"})
_SLOWEST = 15.0
#: TargetLocationsURL (botocore's service model)
_S3_OBJECT = r"https://[-a-zA-Z0-9@:%._+~#=]{1,253}\.s3(\.[a-z\d-]{9,16})?\.amazonaws\.com/.{1,2000}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution as GetAutomationExecution returns it; ``members`` is the complete answer as plain data."""

    execution_id: str
    status: str
    members: Mapping[str, Any]


class AutomationPort(Protocol):
    """Executions of one account-Region."""

    def start(self, members: Mapping[str, Any]) -> str:
        """Start one and return its ID; one ClientToken never starts two."""

    def get(self, execution_id: str) -> Execution:
        """Return the execution. :raises NotFound: it does not exist."""

    def stop(self, execution_id: str, how: str) -> None:
        """Stop it: ``Cancel`` immediately, ``Complete`` after the running step."""


def check_automation(options: Mapping[str, Any]) -> Targets:
    """Validate the options and return the targets; empty if the runbook has none.

    :raises BadInput: names the option.
    """
    targets = to_targets(options) or {}
    check_targets(targets)
    limits.at_most("targets", targets, 1)
    if targets and options["target_maps"]:
        raise BadInput("target_maps", "…", "no value together with other targets")
    if bool(targets or options["target_maps"]) != bool(options["target_parameter"]):
        raise BadInput(
            "target_parameter",
            options["target_parameter"],
            "the parameter that receives each target, if targets are set",
        )
    limits.shorter("target_parameter", options["target_parameter"], 50)
    limits.at_most("target_locations", options.get("target_locations"), 100)
    limits.document("document", options["document"])
    limits.document_version("document_version", options["document_version"])
    check_automation_parameters("parameters", to_parameters(options["parameters"] or {}))
    limits.alarm("alarm", options["alarm"])
    if options.get("target_locations") and options.get("target_locations_url"):
        raise BadInput("target_locations_url", options["target_locations_url"], "no value beside target_locations")
    url = options.get("target_locations_url")
    limits.matches("target_locations_url", url, _S3_OBJECT, "the https address of an object in S3")
    limits.concurrency("max_concurrency", options["max_concurrency"])
    limits.errors("max_errors", options["max_errors"])
    uuid = r"[a-fA-F0-9]{8}(-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}"
    limits.matches("client_token", options["client_token"], uuid, "a UUID")
    return targets


def await_execution(port: AutomationPort, execution_id: str, timeout: float, clock: Clock) -> Execution:
    """Wait until the execution ends, polling less and less often.

    :raises PatchtideError: it has not ended after ``timeout`` seconds. It continues.
    """
    until, pause = clock.now() + timedelta(seconds=timeout), 2.0
    while True:
        found = port.get(execution_id)
        if found.status not in RUNNING:
            return found
        if clock.now() >= until:
            raise PatchtideError(f"Automation {execution_id} is {found.status} after {timeout:g} seconds and continues")
        clock.sleep(pause)
        pause = min(pause * 1.5, _SLOWEST)


def failed_steps(execution: Execution) -> Sequence[str]:
    """Return ``step: message`` of the steps that did not succeed."""
    return [
        f"{step.get('step_name')}: {step.get('failure_message', step.get('step_status'))}"
        for step in execution.members.get("step_executions", [])
        if step.get("step_status") not in ("Success", None)
    ]
