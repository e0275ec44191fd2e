# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends, follows or cancels a command in one account-Region for ``ssm_command``."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from .._aws.commands import to_members
from .._core.change import to_data
from .._core.clock import Clock
from .._core.errors import BadInput, PatchtideError
from .._core.ssm.command_run import RUNNING, CommandPort, await_end, check_command, look, send_once, to_outcome


def run_command(port: CommandPort, options: Mapping[str, Any], clock: Clock, *, check: bool) -> dict[str, Any]:
    """Send, follow or cancel a command and return ``changed`` and the command with its outcome.

    :raises PatchtideError: with ``fail_on_error``, if a node did not succeed.
    """
    if options["state"] == "cancelled":
        return _cancel(port, options, clock, check)
    targets = {} if options["command_id"] else check_command(options)
    command_id = options["command_id"] or _reattach(port, options, clock)
    changed = command_id is None
    if command_id is None:
        if check:
            return {"changed": True, "command": {}}
        comment = options["comment"] or f"patchtide ssm_command {uuid.uuid4().hex[:12]}"
        command_id = send_once(port, to_members(options, targets, comment), clock)
    if options["wait"] and not check:
        await_end(port, command_id, options["wait_timeout"], clock)
    result: dict[str, Any] = {"changed": changed, "command": _describe(port, command_id, with_rows=options["wait"])}
    failed = result["command"].get("outcome", {}).get("failed")
    if failed and options["fail_on_error"]:
        statuses = result["command"]["outcome"]["statuses"]
        raise PatchtideError(f"Command {command_id} did not succeed on {len(failed)} nodes: {statuses}")
    return result


def _reattach(port: CommandPort, options: Mapping[str, Any], clock: Clock) -> str | None:
    if not options["reattach_within"]:
        return None
    if not options["comment"]:
        raise BadInput("comment", None, "the comment of the earlier command")
    return port.find_recent(options["comment"], options["document"], options["reattach_within"], clock)


def _cancel(port: CommandPort, options: Mapping[str, Any], clock: Clock, check: bool) -> dict[str, Any]:
    command_id = options["command_id"]
    state = look(port, command_id, clock)
    if state is None:
        raise BadInput("command_id", command_id, "the ID of a command in this account and Region")
    changed = state.status in RUNNING and state.status != "Cancelling"
    if changed and not check:
        port.cancel_nodes(command_id, options["instance_ids"] or [])
    return {"changed": changed, "command": _describe(port, command_id, with_rows=True)}


def _describe(port: CommandPort, command_id: str, with_rows: bool) -> dict[str, Any]:
    state = port.state(command_id)
    if state is None:
        return {"command_id": command_id}
    if not with_rows:
        return dict(state.members)
    rows = port.detailed(command_id)
    return {**state.members, "invocations": to_data(rows), "outcome": to_outcome(rows)}
