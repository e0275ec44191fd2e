# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the core asks of the world. Adapters implement these; tests have in-memory fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from .model import Patch, Place
from .rollout.claims import Claim
from .rollout.journal import Record


class Clock(Protocol):
    """Time. A rehearsal clock may be far from the wall's."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""


class JournalStore(Protocol):
    """An append-only, hash-chained list of records that several writers share."""

    def read(self) -> list[Record]:
        """Return the whole records not read before, in order; ``JournalError`` if the chain is broken."""

    def stream(self) -> Iterator[Record]:
        """Yield what ``read`` returns one by one, so that a journal of any length fits."""

    def append(
        self,
        kind: str,
        data: Mapping[str, Any],
        at: datetime,
        guard: Callable[[Sequence[Record]], None] | None = None,
    ) -> Record:
        """Add one record and return it once it is safely stored.

        :param guard: called under the store's lock with what others wrote meanwhile; raising refuses the record.
        """


class ClaimStore(Protocol):
    """Who holds which node, shared by all controllers. Its times are given: it has no clock of its own."""

    def claim(self, nodes: Sequence[str], *, owner: str, window: str, until: datetime, now: datetime) -> list[Claim]:
        """Claim nodes, each by itself, and return for each who holds it afterwards: ``owner``, or somebody else.

        What the owner holds already is renewed; what is past its time is taken over.
        """

    def release(self, nodes: Sequence[str], *, owner: str) -> None:
        """Give up what the owner holds of these nodes; what others hold is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One node's part of a command: SSM's StatusDetails without spaces, and the first 2,500 characters of output."""

    node_id: str
    status: str
    code: int = -1
    output: str = ""
    started_at: str | None = None
    ended_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchState:
    """A node's summary after its last Scan or Install (DescribeInstancePatchStates)."""

    node_id: str
    operation: str
    operation_ended_at: str | None
    counts: Mapping[str, int]
    baseline_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """What SendCommand is asked. At most 50 nodes."""

    document: str
    parameters: Mapping[str, Sequence[str]]
    node_ids: Sequence[str]
    comment: str
    delivery_timeout: int = 600
    max_concurrency: str = "100%"
    max_errors: str = "100%"


class FleetPort(Protocol):
    """Run Command and patch state of one place. All errors are ``PatchtideError``."""

    place: Place

    def send(self, request: CommandRequest) -> str:
        """Send once, never retried behind our back, and return the command id.

        :raises Ambiguous: the answer was lost, so the command may or may not exist.
        """

    def find(self, comment: str, document: str, after: datetime) -> str | None:
        """Return the command with that comment, if there is one: SendCommand has no idempotency token."""

    def invocations(self, command_id: str, with_output: bool) -> list[Invocation]:
        """Return every node's part of the command, all pages."""

    def cancel(self, command_id: str) -> None:
        """Ask for its end; the service gives no guarantee."""

    def patch_states(self, node_ids: Sequence[str]) -> list[PatchState]:
        """Return the patch states of these nodes, 50 a call; a node never scanned is missing from the answer."""

    def patches(self, node_id: str, states: Sequence[str]) -> list[Patch]:
        """Return the node's patches in these states (Missing, Failed, …)."""


class PowerPort(Protocol):
    """The power switches of the EC2 instances of one place, and whether their agents answer.

    Reads raise ``ServiceError``. ``start`` and ``stop`` do not: what a call is refused for is said of each node of it.
    """

    def states(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the state by instance id: pending, running, stopping, stopped. Who is missing is gone."""

    def start(self, ids: Sequence[str]) -> dict[str, str]:
        """Ask them to start; return why not by node id, gone ones too. The others are pending or running."""

    def stop(self, ids: Sequence[str]) -> dict[str, str]:
        """Ask them to stop; return why not by node id. The others are stopping, stopped or gone."""

    def ping(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the agent's PingStatus by node id (i- and mi-): Online or ConnectionLost; only of registered ones."""


class TagPort(Protocol):
    """One tag of many nodes of one place (i- and mi-). Reads raise ``ServiceError``, writes answer for each node."""

    def tags(self, ids: Sequence[str], key: str) -> dict[str, str]:
        """Return the tag's value by node id, of those that have it."""

    def put(self, ids: Sequence[str], key: str, value: str) -> dict[str, str]:
        """Set the tag; return why not by node id, gone ones too. No other tag is touched."""

    def drop(self, ids: Sequence[str], key: str) -> dict[str, str]:
        """Remove the tag; return why not by node id. One that has no such tag, or is gone, is no problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One registration of a node in a target group: all that is needed to register it again.

    :param target_id: the instance id, or the private IP address of a group of type ``ip``.
    :param zone: ``""`` or what RegisterTargets has to be told (an Availability Zone or ``all``, type ``ip`` only).
    :param quic_server_id: of a group whose protocol is QUIC or TCP_QUIC.
    :param state: its health when it was looked up; one that was not healthy before can't be waited for after.
    """

    node_id: str
    group: str
    target_id: str
    port: int | None
    target_type: str = "instance"
    zone: str = ""
    quic_server_id: str = ""
    state: str = field(default="", compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for the journal."""
        return asdict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Target:
        """Return what ``to_dict`` wrote."""
        return Target(**data)


class DrainPort(Protocol):
    """Load balancers (ELBv2) of one place. Reads raise ``ServiceError``, writes answer for each node."""

    def targets(self, ids: Sequence[str]) -> dict[str, tuple[Target, ...]]:
        """Return where nodes get requests from now, by node id; those that get none are missing.

        A target that somebody else is draining already, or whose group no load balancer uses, is left out.
        """

    def drain(self, targets: Sequence[Target]) -> dict[str, str]:
        """Deregister them; return why not by node id. What is not registered, or gone, is no problem."""

    def restore(self, targets: Sequence[Target]) -> dict[str, str]:
        """Register them as they were; return why not by node id. Gone nodes and target groups are no problem."""

    def health(self, targets: Sequence[Target]) -> dict[Target, str]:
        """Return healthy, unhealthy, initial, draining, unused or unavailable; those gone are missing.

        ``unused`` is what a drained target becomes when its last request is done.
        """


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm. ``state``: OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
    reason: str = ""


class AlarmPort(Protocol):
    """CloudWatch of one place."""

    def states(self, names: Sequence[str]) -> list[Alarm]:
        """Return metric and composite alarms in the order of the names; those that do not exist are missing.

        :raises ServiceError: they can't be read.
        """
