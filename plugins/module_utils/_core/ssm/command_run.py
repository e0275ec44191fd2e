# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command of Run Command: sent exactly once, awaited, with an outcome for each node. Depends on ports only."""

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

#: In these states, a command runs on nodes or will run.
RUNNING = frozenset({"Pending", "InProgress", "Cancelling", "Delayed"})
_SLOWEST = 15.0
#: Seconds to look back for a command whose answer was lost. Its comment is unique.
_LOOK_BACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandState:
    """A command as ListCommands returns it; ``members`` is the complete answer as plain data."""

    command_id: str
    status: str
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailedInvocation(Invocation):
    """A node's part of a command with its name and the steps of the document (``plugins``), as plain data."""

    name: str = ""
    plugins: tuple[Mapping[str, Any], ...] = ()


class CommandPort(Protocol):
    """Commands of one account-Region."""

    def send_members(self, action: str, members: Mapping[str, Any]) -> str:
        """Send once, without hidden retries. :raises Ambiguous: the answer was lost."""

    def find_recent(self, comment: str, document: str, seconds: float, clock: Clock) -> str | None:
        """Return the newest command with this comment and document that was sent within this number of seconds."""

    def state(self, command_id: str) -> CommandState | None:
        """Return the command; ``None`` if the service does not list it yet."""

    def detailed(self, command_id: str) -> list[DetailedInvocation]:
        """Return the invocation of each node with its steps."""

    def cancel_nodes(self, command_id: str, node_ids: Sequence[str]) -> None:
        """Request cancellation on these nodes, or on all if none is given."""


def check_command(options: Mapping[str, Any]) -> Targets:
    """Validate the options and return the targets; IDs are in ``InstanceIds``.

    :raises BadInput: names the option.
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
    limits.matches("output_s3_region", options.get("output_s3_region"), r".{3,20}", "a Region such as eu-central-1")
    limits.shorter("cloudwatch_log_group", options["cloudwatch_log_group"], 512)
    limits.alarm("alarm", options["alarm"])
    limits.shorter("comment", options["comment"], 100)
    limits.within("delivery_timeout", options["delivery_timeout"], 30, 2592000, "seconds")
    limits.concurrency("max_concurrency", options["max_concurrency"])
    limits.errors("max_errors", options["max_errors"])
    if options.get("notification_arn") and not options.get("notification_role_arn"):
        # SendCommand, InvalidRole: "verify that you specified an IAM role for notifications"
        raise BadInput("notification_role_arn", None, "the role that publishes to notification_arn")
    return targets


def send_once(port: CommandPort, members: Mapping[str, Any], clock: Clock, tries: int = 4) -> str:
    """Send the command exactly once. If the answer is lost, look up its comment before sending again."""
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
    """Return the command. ``None`` only after several seconds, because a new command is not listed immediately."""
    for wait in (1, 2, 4):
        if state := port.state(command_id):
            return state
        clock.sleep(wait)
    return port.state(command_id)


def await_end(port: CommandPort, command_id: str, timeout: float, clock: Clock) -> CommandState:
    """Wait until the command has ended on all nodes, polling less and less often.

    :raises PatchtideError: it has not ended after ``timeout`` seconds. It continues.
    """
    until, pause = clock.now() + timedelta(seconds=timeout), 2.0
    while True:
        state = port.state(command_id)
        if state and state.status not in RUNNING:
            return state
        if clock.now() >= until:
            raise PatchtideError(f"Command {command_id} has not ended after {timeout:g} seconds and continues")
        clock.sleep(pause)
        pause = min(pause * 1.5, _SLOWEST)


def to_outcome(invocations: Sequence[Invocation]) -> dict[str, Any]:
    """Return nodes by the command's status on each. The command is Success even if it did not reach all nodes."""
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
