# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts, follows or stops an execution in one account-Region for ``ssm_automation``."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from .._aws.automations import to_members
from .._core.clock import Clock
from .._core.errors import PatchtideError
from .._core.ssm.automation_run import GOOD, RUNNING, AutomationPort, await_execution, check_automation, failed_steps


def run_automation(port: AutomationPort, options: Mapping[str, Any], clock: Clock, *, check: bool) -> dict[str, Any]:
    """Start, follow or stop an execution and return ``changed`` and the execution.

    :raises PatchtideError: with ``fail_on_error``, if the execution did not succeed.
    """
    execution_id = options["execution_id"]
    if options["state"] == "stopped":
        found = port.get(execution_id)
        changed = found.status in RUNNING and found.status != "Cancelling"
        if changed and not check:
            port.stop(execution_id, options["stop_type"])
            found = port.get(execution_id)
        return {"changed": changed, "automation": dict(found.members)}
    started = execution_id is None
    if started:
        targets = check_automation(options)
        if check:
            return {"changed": True, "automation": {}}
        token = options["client_token"] or str(uuid.uuid4())
        execution_id = port.start(to_members(options, targets, token))
    waits = options["wait"] and not check
    found = await_execution(port, execution_id, options["wait_timeout"], clock) if waits else port.get(execution_id)
    if waits and options["fail_on_error"] and found.status not in GOOD:
        raise PatchtideError(f"Automation {execution_id} is {found.status}: {'; '.join(failed_steps(found))}")
    return {"changed": started, "automation": dict(found.members)}
