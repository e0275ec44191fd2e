# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a command: its invocations wait, are delivered, run, end ("Understanding command statuses")."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..node import Node
from .behaviour import REBOOT, Behaviour, Result, behaviour_of
from .documents import Document

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
}
#: "count against the parent command's MaxErrors limit"; no other detail does
ERRORS = ("Failed", "ExecutionTimedOut")
#: "don't contribute to whether the parent command status is Success or Incomplete"
_IGNORED = frozenset({"Undeliverable", "InvalidPlatform", "AccessDenied"})
RETRY = 15.0


def status_of(detail: str) -> str:
    return _STATUS.get(detail, detail)


@dataclass(slots=True)
class Invocation:
    """A command on one node."""

    command: Command = field(repr=False)
    node: Node
    detail: str = "Pending"
    started: datetime | None = None
    ended: datetime | None = None
    result: Result | None = None
    _run: Behaviour | None = field(default=None, repr=False)
    _boots: int = 0
    _rebooting: bool = False

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
            place.sim.after(self.command.delivery_timeout, self._delivery_expires)
            place.sim.after(self.node.random(self.command.command_id).uniform(1, 4), self._try)

    def _try(self) -> None:
        if self.is_over or self.started:
            return
        if not self.node.answers:
            if self.command.place.sim.now - self.command.requested > timedelta(seconds=30):
                self.detail = "Delayed" if self.detail == "Pending" else self.detail
            self.command.place.sim.after(RETRY, self._try)
            return
        self.detail, self.started = "InProgress", self.command.place.sim.now
        self._boots = self.node.boots
        self._run = behaviour_of(self.command.place, self.node, self.command.document.name, self.command.parameters)
        self.command.place.sim.after(self.command.execution_timeout, self._execution_expires)
        self._step()

    def _delivery_expires(self) -> None:
        if not self.is_over and not self.started:
            self.end("DeliveryTimedOut")

    def _execution_expires(self) -> None:
        """The agent enforces the execution timeout: without one the invocation stays InProgress (ssm-agent#320)."""
        if not self.is_over and self.node.answers:
            self.end("ExecutionTimedOut")

    def _step(self) -> None:
        if self.is_over or self._run is None:
            return
        place = self.command.place
        if not self.node.answers:
            place.sim.after(2 * RETRY, self._step)  # nobody reports while the agent is away
            return
        if self.node.boots != self._boots:
            self.result = Result(code=1, stderr="The document was interrupted by a restart of the node.")
            self.end("Failed")
            return
        if self.detail == "Cancelling":
            self.end("Cancelled")
            return
        self._advance()

    def _advance(self) -> None:
        assert self._run is not None
        try:
            wanted = next(self._run)
        except StopIteration as stop:
            self.result = stop.value
            self.end("Success" if stop.value.code == 0 else "Failed")
            return
        if wanted is REBOOT:
            self.node.reboot(self._rebooted)
        else:
            self.command.place.sim.after(float(wanted), self._step)

    def _rebooted(self) -> None:
        self._boots = self.node.boots
        self._step()

    def cancel(self) -> None:
        """CancelCommand: what waits is cancelled, what runs is asked to stop and may still end well."""
        if self.is_over:
            return
        if self.started:
            self.detail = "Cancelling"
        else:
            self.end("Cancelled")

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
    _queue: deque[Invocation] = field(default_factory=deque, repr=False)

    def __post_init__(self) -> None:
        self.invocations = {node.node_id: Invocation(self, node) for node in self.nodes}
        self._queue = deque(self.invocations.values())

    @property
    def delivery_timeout(self) -> int:
        return int(self.request.get("TimeoutSeconds", 3600))

    @property
    def execution_timeout(self) -> int:
        return int(self.parameters.get("executionTimeout", [str(self.document.timeout)])[0])

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
