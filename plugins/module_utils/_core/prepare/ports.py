# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What preparing nodes needs of a place: power, tags, load balancer targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol


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
