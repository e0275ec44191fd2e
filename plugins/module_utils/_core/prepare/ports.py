# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports of preparations to a place: power, tags, load balancer targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol


class PowerPort(Protocol):
    """The power of the EC2 instances of one place, and whether their agents respond.

    Reads raise ``ServiceError``. ``start`` and ``stop`` do not: they return the reason of a refused call for each node.
    """

    def states(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the state by instance ID: pending, running, stopping, stopped. A missing instance is gone."""

    def start(self, ids: Sequence[str]) -> dict[str, str]:
        """Start instances; return why not by node ID, also for those gone. The others are pending or running."""

    def stop(self, ids: Sequence[str]) -> dict[str, str]:
        """Stop instances; return why not by node ID. The others are stopping, stopped or gone."""

    def ping(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the agent's PingStatus by node ID (i- and mi-): Online or ConnectionLost; registered nodes only."""


class TagPort(Protocol):
    """One tag of many nodes of one place (i- and mi-). Reads raise ``ServiceError``, writes report for each node."""

    def tags(self, ids: Sequence[str], key: str) -> dict[str, str]:
        """Return the tag's value by node ID, for nodes that have it."""

    def put(self, ids: Sequence[str], key: str, value: str) -> dict[str, str]:
        """Set the tag; return why not by node ID, also for those gone. Other tags are not changed."""

    def drop(self, ids: Sequence[str], key: str) -> dict[str, str]:
        """Remove the tag; return why not by node ID. Nodes without the tag, or gone, are not errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One registration of a node in a target group, with everything needed to register it again.

    :param target_id: the instance ID, or the private IP address in a group of type ``ip``.
    :param zone: ``""`` or the zone for RegisterTargets (an Availability Zone or ``all``, type ``ip`` only).
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
        """The reverse of ``to_dict``."""
        return Target(**data)


class DrainPort(Protocol):
    """Load balancers (ELBv2) of one place. Reads raise ``ServiceError``, writes report for each node."""

    def targets(self, ids: Sequence[str]) -> dict[str, tuple[Target, ...]]:
        """Return the targets from which nodes receive requests now, by node ID; others are missing.

        A target that somebody else is already draining, or whose group no load balancer uses, is omitted.
        """

    def drain(self, targets: Sequence[Target]) -> dict[str, str]:
        """Deregister targets; return why not by node ID. Targets not registered, or gone, are not errors."""

    def restore(self, targets: Sequence[Target]) -> dict[str, str]:
        """Register targets as before; return why not by node ID. Nodes or groups that are gone are not errors."""

    def health(self, targets: Sequence[Target]) -> dict[Target, str]:
        """Return healthy, unhealthy, initial, draining, unused or unavailable; those gone are missing.

        A drained target becomes ``unused`` when its last request is done.
        """
