# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Command over many nodes: chunks, exactly-once sending, waiting. Knows no service, only ports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

from ...clock import Clock
from ...errors import PatchtideError
from ...model import Status, place_label
from ...stamp import to_time
from .ports import CommandRequest, FleetPort, Invocation, sure
from .statuses import ENDED, NEVER_BEGAN, NO_END, NOT_VALID, REFUSED, WAITING

MAX_NODES = 50  # SendCommand, InstanceIds (botocore's service model)
MAX_COMMENT = 100  # SendCommand, Comment
#: What is kept of the end of a comment that is too long: the stage, the attempt and the number.
_TAIL = 20
#: An invocation in one of these has reached its node; until then it waits for its turn or for the agent.
_BEGUN = ("InProgress", "Cancelling")
#: How long a command may have no invocation before it is asked what became of it.
_EMPTY = timedelta(seconds=45)
#: A node that waited at a look so long ago has not worked since; of a longer time nobody knows.
_RECENT = timedelta(minutes=2)
#: Seconds before each look for a command that may exist.
_LOOKS = (0, 2, 5, 10)
T = TypeVar("T")
R = TypeVar("R")
#: Runs a function over items, concurrently, and gives the results in order, at best while later ones are worked on.
Gather = Callable[[Callable[[T], R], Sequence[T]], "Iterable[R]"]


class InvalidNodes(PatchtideError):
    """SendCommand refuses the whole call for nodes that are gone or in no valid state (aws/aws-cli#3646)."""

    code = "InvalidInstanceId"

    def __init__(self, text: str, node_ids: Iterable[str]) -> None:
        super().__init__(text)
        self.node_ids = frozenset(node_ids)


class Ambiguous(PatchtideError):
    """The answer to SendCommand was lost: the command may or may not exist."""

    code = "Ambiguous"


@dataclass(slots=True, kw_only=True)
class Chunk:
    """Up to 50 nodes of one place and platform and the command that works on them.

    ``begun``: nodes that were at work at the last look. ``error``: why it was not sent, or could not be looked at.
    ``queued``: nodes that waited at the last look, which was at ``looked_at``. ``unsettled``: invocations that ended,
    but whose effect the place does not show yet, with when they were first seen so. ``empty_since``: since when the
    command has no invocation. ``unsent``: nodes that were left to another command.
    """

    token: str
    place: str
    request: CommandRequest
    intended_at: datetime
    deadline: datetime
    command_id: str | None = None
    ended: dict[str, Invocation] = field(default_factory=dict)
    begun: int = 0
    queued: frozenset[str] = frozenset()
    looked_at: datetime | None = None
    unsettled: dict[str, tuple[Invocation, datetime]] = field(default_factory=dict)
    empty_since: datetime | None = None
    unsent: tuple[str, ...] = ()
    error: PatchtideError | None = None

    @property
    def waiting(self) -> tuple[str, ...]:
        return tuple(node for node in self.request.node_ids if node not in self.ended or node in self.unsettled)

    def waited(self, node: str, now: datetime) -> bool:
        """Tell whether a node was seen waiting a moment ago. What was seen long ago says nothing about now."""
        return node in self.queued and self.looked_at is not None and now - self.looked_at <= _RECENT


def comment_of(token: str) -> str:
    """Return the comment by which a command is found after a crash: SendCommand has no idempotency token.

    The service takes 100 characters. Of a longer text the middle gives way to a digest of the whole, so that no two
    tokens ever share a comment.
    """
    text = f"patchtide {token}"
    if len(text) <= MAX_COMMENT:
        return text
    middle = f"…{sha256(text.encode()).hexdigest()[:16]}…"
    return text[: MAX_COMMENT - len(middle) - _TAIL] + middle + text[-_TAIL:]


def split(nodes: Iterable[Mapping[str, Any]], size: int = MAX_NODES) -> list[tuple[str, str, list[str]]]:
    """Return (place label, platform, node ids) in chunks that one SendCommand takes, in a stable order."""
    groups: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        groups.setdefault((place_label(node["account"], node["region"]), node["platform"]), []).append(node["node_id"])
    return [
        (place, platform, sorted(ids)[start : start + size])
        for (place, platform), ids in sorted(groups.items())
        for start in range(0, len(ids), size)
    ]


def send(
    chunk: Chunk,
    port: FleetPort,
    *,
    look_first: bool,
    clock: Clock,
    confirm: Callable[[], None] = sure,
    tries: int = 4,
) -> str:
    """Send a chunk's command exactly once and return its id.

    :param confirm: is called right before each attempt; what it raises is passed on.
    :param look_first: an earlier run may have sent it a moment before it died, so look before sending.
    :raises Ambiguous: nobody can say whether it was sent. :raises PatchtideError: the service refuses it.
    """
    found = find_command(chunk, port, clock) if look_first else None
    misses = 0
    while not found and misses < tries:
        try:
            return port.send(_to_valid(chunk), confirm)
        except InvalidNodes as error:
            _leave_out(chunk, error, clock.now())  # fewer nodes each time
        except Ambiguous as lost:
            misses += 1
            try:
                found = find_command(chunk, port, clock)
            except PatchtideError as why:
                raise Ambiguous(f"{lost}; and it can't be looked for: {why}") from why
    if found:
        return found
    raise Ambiguous(f"Could not send {chunk.request.comment!r}: no answer after {tries} tries")


def _to_valid(chunk: Chunk) -> CommandRequest:
    valid = tuple(node for node in chunk.request.node_ids if node not in chunk.unsettled)
    return replace(chunk.request, node_ids=valid)


def _leave_out(chunk: Chunk, error: InvalidNodes, now: datetime) -> None:
    """Take out the nodes for which the whole call was refused; the others are sent.

    An error that names nobody leaves half of the nodes for another command, until one node is left: that is the one.

    :raises PatchtideError: no node is left.
    """
    valid = _to_valid(chunk).node_ids
    bad = [node for node in valid if node in error.node_ids]
    if not bad and len(valid) > 1:
        chunk.unsent += tuple(valid[(len(valid) + 1) // 2 :])
        kept = tuple(node for node in chunk.request.node_ids if node not in chunk.unsent)
        chunk.request = replace(chunk.request, node_ids=kept)
        return
    for node in bad or valid:
        row = Invocation(node_id=node, status=NOT_VALID, output=str(error), ended_at=to_time(now))
        chunk.ended[node], chunk.unsettled[node] = row, (row, now)
    if len(chunk.unsettled) == len(chunk.request.node_ids):
        raise error


def rest_of(chunk: Chunk) -> Chunk:
    """Return the chunk of the nodes that were not sent, with a token of its own."""
    token = f"{chunk.token}+"
    request = replace(chunk.request, node_ids=chunk.unsent, comment=comment_of(token))
    return Chunk(
        token=token, place=chunk.place, request=request, intended_at=chunk.intended_at, deadline=chunk.deadline
    )


def find_command(chunk: Chunk, port: FleetPort, clock: Clock) -> str | None:
    """Look for a chunk's command until it can be taken for never sent: ListCommands is eventually consistent."""
    for wait in _LOOKS:
        clock.sleep(wait)
        if found := port.find(chunk.request.comment, chunk.request.document, chunk.intended_at):
            return found
    return None


def _with_words(command_id: str, rows: dict[str, Invocation], port: FleetPort) -> dict[str, Invocation]:
    """Return the rows with what the failed ones printed: one more call where some failed, not 2,500 characters a look.

    Their words are for people; without them the outcome is the same, so an error in reading them is none.
    """
    silent = [node for node, row in rows.items() if ENDED[row.status] is Status.FAILED and not row.output]
    if not silent:
        return rows
    try:
        said = {row.node_id: row.output for row in port.invocations(command_id, True, silent)}
    except PatchtideError:
        return rows
    return {**rows, **{node: replace(rows[node], output=said.get(node, "")) for node in silent}}


def poll(chunk: Chunk, port: FleetPort, *, with_output: bool, now: datetime) -> dict[str, Invocation]:
    """Return the invocations that ended since the last look; those that failed have their output in any case."""
    if chunk.command_id is None or len(chunk.ended) == len(chunk.request.node_ids):
        return {}
    rows = port.invocations(chunk.command_id, with_output, chunk.request.node_ids)
    chunk.empty_since = None if rows or chunk.looked_at else chunk.empty_since or now
    if chunk.empty_since and now - chunk.empty_since >= _EMPTY and (why := port.refusal(chunk.command_id)):
        return refuse(chunk, PatchtideError(f"the service ended the command before any node began: {why}"), now)
    fresh = {
        row.node_id: _never_began(row) if chunk.waited(row.node_id, now) else row
        for row in rows
        if row.status in ENDED and row.node_id not in chunk.ended and row.node_id in chunk.request.node_ids
    }
    if not with_output:
        fresh = _with_words(chunk.command_id, fresh, port)
    chunk.begun = sum(row.status in _BEGUN for row in rows)
    chunk.queued = frozenset(row.node_id for row in rows if row.status in WAITING)
    chunk.looked_at = now if rows else chunk.looked_at
    chunk.ended.update({node: replace(row, output="") for node, row in fresh.items()})  # read once, by the caller
    return fresh


def _never_began(row: Invocation) -> Invocation:
    """Tell a command that expired while the node still waited from one that expired in the middle of its work."""
    return replace(row, status=NEVER_BEGAN) if row.status == "DeliveryTimedOut" else row


def expire(chunk: Chunk, now: datetime, *, cancelled: bool) -> dict[str, Invocation]:
    """Return the invocations that nobody waits for any more: one may stay InProgress for ever (amazon-ssm-agent#320).

    :param cancelled: the service took the cancellation; else even a node that waits may begin later.
    """
    late = {}
    for node in chunk.waiting:
        if node not in chunk.ended:
            status = NEVER_BEGAN if cancelled and chunk.waited(node, now) else NO_END
            late[node] = Invocation(node_id=node, status=status, ended_at=to_time(now))
    chunk.ended.update(late)
    return late


def refuse(chunk: Chunk, why: PatchtideError, now: datetime) -> dict[str, Invocation]:
    """Return the invocations of a chunk whose command could not be sent, or of which nobody knows whether it was."""
    chunk.error, status = why, NO_END if isinstance(why, Ambiguous) else REFUSED
    failed = {
        node: Invocation(node_id=node, status=status, output=str(why), ended_at=to_time(now))
        for node in chunk.waiting
        if node not in chunk.ended
    }
    chunk.ended.update(failed)
    return failed


def deadline(at: datetime, delivery_seconds: int, execution_seconds: int) -> datetime:
    """Return when a command that was sent at ``at`` must have ended: delivery, execution, and a minute of grace."""
    return at + timedelta(seconds=delivery_seconds + execution_seconds + 60)


def tally(chunks: Iterable[Chunk]) -> dict[str, int]:
    """Count nodes for the progress line: done, failing, running, and left: not begun as far as is known."""
    counts = {"done": 0, "failing": 0, "running": 0, "left": 0}
    for chunk in chunks:
        good = sum(row.status == "Success" for row in chunk.ended.values())
        waiting = len(chunk.request.node_ids) - len(chunk.ended)
        counts["done"] += good
        counts["failing"] += len(chunk.ended) - good
        counts["running"] += min(chunk.begun, waiting)
        counts["left"] += max(waiting - chunk.begun, 0)
    return counts
