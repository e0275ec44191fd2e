# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Windows hosts together: their clock, their login, and what went wrong in the lab itself."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lab.aws.clock import VirtualClock

from .machine import Machine
from .offers import Offer
from .wsus import ALL, Held, Wsus

LCU = Offer(
    kb="KB5990101",
    title="2026-05 Cumulative Update for Microsoft server operating system version 21H2 (KB5990101)",
    seconds=900,
    reboot=True,
)
NET = Offer(kb="KB5990102", title="2026-05 Cumulative Update for .NET Framework 3.5, 4.8 and 4.8.1 (KB5990102)")
#: What a host is offered besides: a longer number, a mention of another KB, and what is never installed unasked.
OTHERS = (
    Offer(kb="KB59901021", title="2026-05 Update for Windows Admin Center (KB59901021)"),
    Offer(kb="KB5990110", title="Update for the setup of KB5990102 (KB5990110)", categories=("Update Rollups",)),
    Offer(kb="KB2267602", title="Security Intelligence Update (KB2267602)", categories=("Definition Updates",)),
    Offer(kb="KB5990120", title="Windows Server 2025 (KB5990120)", categories=("Upgrades",)),
    Offer(kb="", title="Intel - net - 12.19.2.65", categories=("Drivers",)),
    Offer(
        kb="KB5990130", title="2026-05 Cumulative Update Preview (KB5990130)", categories=("Updates",), optional=True
    ),
    Offer(kb="KB5990140", title="Hidden by the administrator (KB5990140)", hidden=True),
)


@dataclass(slots=True)
class World:
    """``lock`` is held whenever a machine is looked at.

    :param hurries: a reader who waits makes the time pass; otherwise somebody else advances the clock.
    :param cuts: how many of the next connections of each operation, such as ``Receive``, are cut without an answer.
    :param lost: modes of the collection's script whose next answer is lost.
    :param wsus: the update server of hosts whose policies say so, and ``wsus_host``, the host that it runs on.
    """

    clock: VirtualClock
    machines: dict[str, Machine]
    hurries: bool = False
    user: str = "admin"
    password: str = "lab-password"
    cuts: dict[str, int] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    wsus: Wsus | None = None
    wsus_host: str = ""
    #: real seconds that a Receive waits at most, so that clients never wait for their own limit
    longest: float = 0.5
    #: scripts that the lab does not know, and errors of its own; a test that leaves some has failed
    trouble: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)

    def catch_up(self, machine: Machine) -> datetime:
        """Do what was due on a machine; return the time."""
        now = self.clock.now()
        machine.catch_up(now)
        return now

    def skip(self, machine: Machine) -> None:
        """Advance the clock to what a waiting reader waits for."""
        due = machine.next_due
        if due is not None and due > self.clock.now():
            self.clock.set(due)
        self.catch_up(machine)

    def answers(self, name: str) -> bool:
        with self.lock:
            machine = self.machines[name]
            if self.hurries and machine.down_until is not None and self.clock.now() < machine.down_until:
                self.skip(machine)
            return machine.answers(self.catch_up(machine))

    def is_cut(self, operation: str) -> bool:
        """Tell whether this connection is cut, and count it."""
        with self.lock:
            left = self.cuts.get(operation, 0)
            self.cuts[operation] = max(0, left - 1)
            return left > 0


def new_world(names: Iterable[str], start: datetime | None = None, *, hurries: bool = False) -> World:
    """Return a world of equal hosts that booted a week ago."""
    clock = VirtualClock(start)
    boot = (clock.now() - timedelta(days=7)).replace(microsecond=0)
    machines = {name: Machine(name, boot, offers=[LCU, NET, *OTHERS]) for name in names}
    return World(clock, machines, hurries=hurries)


def with_wsus(world: World, host: str, groups: Iterable[str]) -> Wsus:
    """Make a host of the world a WSUS server with some computer groups, from which all others take their updates.

    It has what the world knows, and nothing is approved. Which group a computer is in, its policies say.
    """
    updates = [Held(item.kb, item.title) for item in (LCU, NET, *OTHERS) if item.kb]
    world.wsus, world.wsus_host = Wsus({ALL: [], **{name: [ALL] for name in groups}}, updates), host
    for name, machine in world.machines.items():
        machine.wsus = world.wsus if name != host else None

    def needs(kb: str, groups: Sequence[str]) -> list[str]:
        """A computer reports all updates that it needs, approved or not ("Update States", WSUS)."""
        return [
            f"{name}.example.com"
            for name, machine in world.machines.items()
            if machine.policies.get("TargetGroup") in groups and kb in [offer.kb for offer in machine.offers]
        ]

    world.wsus.needs = needs
    return world.wsus
