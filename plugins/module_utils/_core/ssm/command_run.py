# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command of Run Command, as modules ask for it: sent exactly once, awaited, judged per node; knows only ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from ..clock import Clock
from ..errors import BadInput, PatchtideError
from ..work.ssm.commands import MAX_NODES, Ambiguous
from ..work.ssm.ports import Invocation
from . import limits
from .targets import Targets, check_targets, to_targets

#: A command in one of these states still works on nodes, or will.
RUNNING = frozenset({"Pending", "InProgress", "Cancelling", "Delayed"})
_SLOWEST = 15.0
#: How far back a lost answer is looked for: nobody else uses the same comment.
_LOOK_BACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandState:
    """A command as ListCommands shows it; ``members`` is all of it as plain data."""

    command_id: str
    status: str
    members: Mapping[str, Any]


class CommandPort(Protocol):
    """Commands of one place."""

    def send_members(self, action: str, members: Mapping[str, Any]) -> str:
        """Send once, never retried behind our back. :raises Ambiguous: the answer was lost."""

    def find_recent(self, comment: str, document: str, seconds: float, clock: Clock) -> str | None:
        """Return the newest command with that comment and document of the last so many seconds."""

    def state(self, command_id: str) -> CommandState | None:
        """Return the command; ``None`` while the service does not show it yet."""

    def invocations(self, command_id: str, with_output: bool) -> list[Invocation]:
        """Return every node's part of it."""

    def cancel_nodes(self, command_id: str, node_ids: Sequence[str]) -> None:
        """Ask for its end, on all nodes if none is named."""


def check_command(options: Mapping[str, Any]) -> Targets:
    """Check what the service would refuse and return the targets; ids are among them as ``InstanceIds``.

    :raises BadInput: with the option's name.
    """
    targets = to_targets(options)
    if not targets:
        raise BadInput("instance_ids", None, "nodes to run on: instance_ids, instance_tags, tag_keys or resource_group")
    check_targets(targets)
    if "InstanceIds" in targets and len(targets) > 1:
        raise BadInput("instance_tags", sorted(targets)[-1], "nothing beside instance_ids")
    limits.at_most("instance_ids", targets.get("InstanceIds"), MAX_NODES)
    limits.document("document", options["document"])
    limits.document_version("document_version", options["document_version"])
    limits.shorter("document_hash", options["document_hash"], 256)
    limits.bucket("output_s3_bucket", options["output_s3_bucket"])
    limits.shorter("output_s3_prefix", options["output_s3_prefix"], 500)
    limits.shorter("cloudwatch_log_group", options["cloudwatch_log_group"], 512)
    limits.alarm("alarm", options["alarm"])
    limits.shorter("comment", options["comment"], 100)
    limits.within("delivery_timeout", options["delivery_timeout"], 30, 2592000, "seconds")
    limits.concurrency("max_concurrency", options["max_concurrency"])
    limits.errors("max_errors", options["max_errors"])
    return targets


def send_once(port: CommandPort, members: Mapping[str, Any], clock: Clock, tries: int = 4) -> str:
    """Send the command exactly once: after a lost answer its comment is looked for before it is sent again."""
    comment, document = str(members["Comment"]), str(members["DocumentName"])
    for _try in range(tries):
        try:
            return port.send_members(f"send {document}", members)
        except Ambiguous:
            for wait in (2, 5, 10):  # ListCommands is eventually consistent
                clock.sleep(wait)
                found = port.find_recent(comment, document, _LOOK_BACK.total_seconds(), clock)
                if found:
                    return found
    raise PatchtideError(f"Could not send {comment!r}: no answer after {tries} tries")


def look(port: CommandPort, command_id: str, clock: Clock) -> CommandState | None:
    """Return the command; ``None`` only after looking for seconds, because a new one is not shown at once."""
    for wait in (1, 2, 4):
        if state := port.state(command_id):
            return state
        clock.sleep(wait)
    return port.state(command_id)


def await_end(port: CommandPort, command_id: str, timeout: float, clock: Clock) -> CommandState:
    """Wait until the command ended on all nodes, looking less and less often.

    :raises PatchtideError: it has not after ``timeout`` seconds. It goes on: SSM was not told to stop.
    """
    until, pause = clock.now() + timedelta(seconds=timeout), 2.0
    while True:
        state = port.state(command_id)
        if state and state.status not in RUNNING:
            return state
        if clock.now() >= until:
            raise PatchtideError(f"Command {command_id} has not ended after {timeout:g} seconds; it goes on")
        clock.sleep(pause)
        pause = min(pause * 1.5, _SLOWEST)


def to_outcome(invocations: Sequence[Invocation]) -> dict[str, Any]:
    """Return nodes by how the command ended on each, because a command is Success even where nodes were not reached."""
    by_status: dict[str, list[str]] = {}
    for row in invocations:
        by_status.setdefault(row.status, []).append(row.node_id)
    failed = sorted(row.node_id for row in invocations if row.status != "Success" and row.status not in RUNNING)
    return {
        "succeeded": sorted(by_status.get("Success", [])),
        "failed": failed,
        "running": sorted(row.node_id for row in invocations if row.status in RUNNING),
        "statuses": {status: sorted(nodes) for status, nodes in sorted(by_status.items())},
    }
