# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a command: its invocations wait, are delivered, run, end ("Understanding command statuses")."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..node import Node
from .behaviour import Result, behaviour_of
from .documents import Document
from .executions import RETRY, Execution

if TYPE_CHECKING:
    from .backend import Place

TERMINAL = frozenset(
    {
        "Success",
        "Failed",
        "Cancelled",
        "DeliveryTimedOut",
        "ExecutionTimedOut",
        "Undeliverable",
        "Terminated",
        "InvalidPlatform",
        "AccessDenied",
    }
)
#: detail -> status where the two differ
_STATUS = {
    "DeliveryTimedOut": "TimedOut",
    "ExecutionTimedOut": "TimedOut",
    "Undeliverable": "Failed",
    "InvalidPlatform": "Failed",
    "AccessDenied": "Failed",
    "Terminated": "Cancelled",  # "subsequent command invocations were canceled by the system"
    "Incomplete": "Failed",
    "NoInstancesInTag": "Failed",
    "RateExceeded": "Failed",
    "LimitExceeded": "Failed",
}
#: "count against the parent command's MaxErrors limit"; no other detail does
ERRORS = ("Failed", "ExecutionTimedOut")
#: "don't contribute to whether the parent command status is Success or Incomplete"
_IGNORED = frozenset({"Undeliverable", "InvalidPlatform", "AccessDenied"})
#: SendCommand has answered before the service refuses a command as a whole, and nobody can read it sooner anyway.
REFUSED_AFTER = timedelta(seconds=1)


def status_of(detail: str) -> str:
    return _STATUS.get(detail, detail)


@dataclass(slots=True)
class Invocation:
    """A command on one node, as the service shows it."""

    command: Command = field(repr=False)
    node: Node
    detail: str = "Pending"
    started: datetime | None = None
    ended: datetime | None = None
    result: Result | None = None
    _work: Execution | None = field(default=None, repr=False)

    @property
    def is_over(self) -> bool:
        return self.detail in TERMINAL

    def deliver(self) -> None:
        """The service hands the command to the node's agent."""
        place, document = self.command.place, self.command.document
        if self.node.system.platform not in document.platforms:
            self.end("InvalidPlatform")
        elif self.node.faults["undeliverable"] or self.node.ping_status == "ConnectionLost":
            # seen in the field: a running instance whose agent is lost gets Failed / Undeliverable, ResponseCode -1
            place.sim.after(20, self.end, "Undeliverable")
        else:
            place.sim.after(self.node.random(self.command.command_id).uniform(1, 4), self._try)

    def _try(self) -> None:
        """ "If this time is reached and the command hasn't already started running, it won't run" (TimeoutSeconds)."""
        place = self.command.place
        waited = (place.sim.now - self.command.requested).total_seconds()
        if self.is_over or self.started or waited > self.command.delivery_timeout:
            return
        if self.node.answers:
            self._begin()
            return
        if waited > 30:
            self.detail = "Delayed" if self.detail == "Pending" else self.detail
        place.sim.after(RETRY, self._try)

    def _begin(self) -> None:
        place, command = self.command.place, self.command
        self.detail, self.started = "InProgress", place.sim.now
        run = behaviour_of(place, self.node, command.document.name, command.parameters)
        self._work = Execution(place, self.node, run, self._hear, self._note())
        gone = self.node.faults["agent_gone_after"]
        if gone is not None and command.installs:
            place.sim.after(float(gone), self._lose_agent)
        self._work.begin(command.execution_timeout)

    def _note(self) -> Callable[[str], None]:
        """Let the ledger know of an Install from its begin on the node to its end there."""
        if not self.command.installs:
            return lambda outcome: None
        place, parameters = self.command.place, self.command.parameters
        facts = {
            "command_id": self.command.command_id,
            "snapshot_id": parameters["SnapshotId"][0],
            "override_list": parameters.get("InstallOverrideList", [""])[0],
        }
        row = place.ledger.install_begins(self.node, facts, place.sim.now)
        return lambda outcome: place.ledger.install_ends(row, outcome, place.sim.now)

    def _lose_agent(self) -> None:
        """The agent goes away in mid-install; whether the install outlives it is the fault's to say."""
        assert self._work is not None
        if self._work.detail or not self.node.agent_up:
            return
        self.node.lose_agent()
        if not self.node.faults["install_survives"]:
            self._work.die()
        if self.node.faults["agent_gone_for"] is not None:
            self.command.place.sim.after(float(self.node.faults["agent_gone_for"]), self.node.find_agent)

    def _hear(self, detail: str, result: Result | None) -> bool:
        """What the agent tells of its work. A terminal state stays: what is told too late is not shown."""
        if detail and not self.is_over:
            self.result = result
            self.end(detail)
        return not self.is_over

    def expire(self) -> None:
        """ "If a command expires, it changes status to DeliveryTimedOut for all invocations that have the status
        InProgress, Pending, or Delayed" (API reference, Command, ExpiresAfter); the work on the node goes on.

        Cancelling is not among them, so here a cancelled invocation whose agent is away stays Cancelling.
        """
        if self.detail in ("InProgress", "Pending", "Delayed") and not self.node.faults["never_expires"]:
            self.end("DeliveryTimedOut")

    def cancel(self) -> None:
        """CancelCommand: what waits is cancelled, what runs is asked to stop and may still end well."""
        if self.is_over:
            return
        if self._work is None:
            self.end("Cancelled")
        else:
            self.detail = "Cancelling"
            self._work.ask_to_stop()

    def end(self, detail: str) -> None:
        if self.is_over:
            return
        self.detail, self.ended = detail, self.command.place.sim.now
        self.command.pump()

    @property
    def code(self) -> int:
        """-1 until the step has ended (GetCommandInvocation, ResponseCode)."""
        return self.result.code if self.result and self.is_over else -1


@dataclass(slots=True)
class Command:
    """One SendCommand and its invocations."""

    place: Place = field(repr=False)
    command_id: str
    document: Document
    parameters: dict[str, list[str]]
    request: dict[str, Any]
    requested: datetime
    nodes: Sequence[Node] = field(repr=False)
    invocations: dict[str, Invocation] = field(default_factory=dict)
    cancelled: bool = False
    refused: str = ""  #: one of ``faults.REFUSALS``: then there are no invocations
    _queue: deque[Invocation] = field(default_factory=deque, repr=False)

    def __post_init__(self) -> None:
        nodes = () if self.refused else self.nodes
        self.invocations = {node.node_id: Invocation(self, node) for node in nodes}
        self._queue = deque(self.invocations.values())

    def start(self) -> None:
        """Let it run, and expire once its total timeout is over: "calculated based on the total timeout for the
        overall command" (ExpiresAfter), so for nodes that wait for their turn as well."""
        self.place.sim.after(0.5, self.pump)
        self.place.sim.after(self.total_timeout, self._expire)

    def _expire(self) -> None:
        self._queue.clear()
        for row in list(self.invocations.values()):
            row.expire()

    @property
    def delivery_timeout(self) -> int:
        return int(self.request.get("TimeoutSeconds", 3600))

    @property
    def execution_timeout(self) -> int:
        return int(self.parameters.get("executionTimeout", [str(self.document.timeout)])[0])

    @property
    def total_timeout(self) -> int:
        """ "Total timeout is equal to … delivery timeout plus execution timeout" (command timeout values)."""
        return self.delivery_timeout + self.execution_timeout

    @property
    def installs(self) -> bool:
        return self.parameters.get("Operation") == ["Install"]

    def pump(self) -> None:
        """Deliver as many as MaxConcurrency allows; terminate the rest once MaxErrors is exceeded.

        The service starts slowly (one node, then two, …); here a command starts at its full concurrency.
        """
        if self.errors > _share(self.request.get("MaxErrors", "0"), len(self.nodes), least=0):
            while self._queue:
                self._queue.popleft().end("Terminated")
            return
        limit = _share(self.request.get("MaxConcurrency", "50"), len(self.nodes), least=1)
        while self._queue and self._under_way < limit:
            invocation = self._queue.popleft()
            if not invocation.is_over:
                invocation.deliver()

    @property
    def _under_way(self) -> int:
        waiting = {id(invocation) for invocation in self._queue}
        return sum(not row.is_over and id(row) not in waiting for row in self.invocations.values())

    @property
    def errors(self) -> int:
        return sum(row.detail in ERRORS for row in self.invocations.values())

    @property
    def completed(self) -> int:
        return sum(row.is_over for row in self.invocations.values())

    def cancel(self, node_ids: Sequence[str]) -> None:
        self.cancelled = self.cancelled or not node_ids
        for node_id, invocation in self.invocations.items():
            if not node_ids or node_id in node_ids:
                invocation.cancel()

    @property
    def detail(self) -> str:
        """The command's StatusDetails from those of its invocations."""
        if self.refused:
            waits = self.place.sim.now - self.requested < REFUSED_AFTER
            return "Pending" if waits else self.refused
        details = [row.detail for row in self.invocations.values()]
        if not details:
            return "NoInstancesInTag"
        if any(detail not in TERMINAL for detail in details):
            return "Cancelling" if self.cancelled else _running(details)
        if self.cancelled and "Cancelled" in details:
            return "Cancelled"
        counted = [detail for detail in details if detail not in _IGNORED]
        if not counted:
            return "Failed"  # "if all the command invocations have the status Undeliverable, then … Failed"
        if all(detail == "Success" for detail in counted):
            return "Success"
        if self.errors > _share(self.request.get("MaxErrors", "0"), len(details), least=0):
            return "Failed"
        return "DeliveryTimedOut" if set(counted) == {"DeliveryTimedOut"} else "Incomplete"


def _running(details: Sequence[str]) -> str:
    return "Pending" if all(detail == "Pending" for detail in details) else "InProgress"


def _share(text: str, of: int, least: int) -> int:
    """Read a count or a percentage; "10%" of 50 is 5, so the sixth error stops a command."""
    number = of * int(text[:-1]) // 100 if text.endswith("%") else int(text)
    return max(number, least)
