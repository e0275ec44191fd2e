# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that Azure has in the lab: tenants, subscriptions, machines, operations, limits of its services."""

from __future__ import annotations

import random
import secrets
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lab.aws.catalogue import load_operating_system
from lab.aws.clock import VirtualClock
from lab.aws.faults import Faults
from lab.aws.ledger import Ledger
from lab.aws.simulation import Simulation

from . import network
from .estate import AzureEstate, Client, Subscription
from .machine import Machine, Operation

#: Allowance, refill per minute and most, of the lab's clock (Microsoft Learn, "Compute throttling limits": virtual
#: machines, per resource; per subscription and Region). ARM itself: "Understand how Azure Resource Manager throttles
#: requests": reads 250 + 25 a second, writes and deletes 200 + 10 a second, per subscription and principal.
LIMITS = {
    "patch": (2.0, 6.0),
    "update": (4.0, 12.0),
    "get": (12.0, 36.0),
    "place:patch": (200.0, 600.0),
    "place:update": (500.0, 1500.0),
    "place:list": (300.0, 900.0),
    "arm:read": (25.0 * 60, 250.0),
    "arm:write": (10.0 * 60, 200.0),
    "graph": (15.0 * 12, 15.0),
}
TOKEN_SECONDS = 3600


@dataclass(slots=True)
class Bucket:
    tokens: float
    at: datetime


@dataclass(slots=True)
class World:
    """The lab's Azure. ``lock`` is held around every request.

    :param lag: virtual seconds by which Resource Graph is behind.
    """

    estate: AzureEstate
    clock: VirtualClock
    ledger: Ledger = field(default_factory=Ledger)
    faults: Faults = field(default_factory=Faults)
    lag: float = 20.0
    lock: Any = field(default_factory=threading.RLock)
    sim: Simulation = field(init=False)
    machines: dict[str, Machine] = field(init=False)
    operations: dict[str, tuple[Operation, Machine]] = field(default_factory=dict)
    #: network interfaces by ID in lower case
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: maintenance configurations and their assignments by ID in lower case
    configurations: dict[str, dict[str, Any]] = field(default_factory=dict)
    assignments: dict[str, dict[str, Any]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    _tokens: dict[str, tuple[Client, float]] = field(default_factory=dict)
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    _seen: dict[str, tuple[datetime, dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.seed()

    def seed(self) -> None:
        """Make every machine as new."""
        self.sim = Simulation(self.clock.now())
        systems = {item.node.os for item in self.estate.machines}
        loaded = {key: load_operating_system(key, self.clock.now()) for key in sorted(systems)}
        self.machines = {
            item.node.node_id.lower(): Machine(item, loaded[item.node.os], self.sim, self.ledger)
            for item in self.estate.machines
        }
        for kept in (self.operations, self._buckets, self._seen, self.configurations, self.assignments):
            kept.clear()
        self.cards = {}
        for machine in self.machines.values():
            if not machine.is_arc:
                self.cards[network.card_id(machine).lower()] = network.new_card(machine)
        for key, row in self.estate.maintenance:
            (self.assignments if "/configurationassignments/" in key else self.configurations)[key] = row

    def machine_of_card(self, card: str) -> Machine:
        return next(
            item for item in self.machines.values() if not item.is_arc and network.card_id(item).lower() == card.lower()
        )

    def catch_up(self) -> None:
        """Let everything happen that was due by now."""
        self.sim.run_until(self.clock.now())

    @property
    def now(self) -> datetime:
        return self.sim.now

    def subscription(self, subscription_id: str) -> Subscription | None:
        wanted = subscription_id.lower()
        return next((item for item in self.estate.subscriptions if item.subscription_id.lower() == wanted), None)

    def readable(self, client: Client) -> Iterator[Subscription]:
        """Yield the subscriptions that a client can read."""
        for item in self.estate.subscriptions:
            if item.tenant == client.tenant and (not client.subscriptions or item.name in client.subscriptions):
                yield item

    def token(self, client: Client) -> str:
        """Return a new token. It lives in real time, as clients know it."""
        found = secrets.token_urlsafe(32)
        self._tokens[found] = client, time.time() + TOKEN_SECONDS
        return found

    def client_of(self, token: str) -> Client | None:
        client, until = self._tokens.get(token, (None, 0.0))
        return client if until > time.time() else None

    def revoke_tokens(self) -> None:
        """All tokens end now, as after a change of the credentials; the clients still believe in them."""
        self.revoked.update(self._tokens)
        self._tokens.clear()

    def begin(self, kind: str, machine: Machine) -> Operation:
        found = Operation(
            operation_id=str(uuid.UUID(int=self._chance.getrandbits(128), version=4)), kind=kind, started=self.now
        )
        self.operations[found.operation_id] = found, machine
        return found

    @property
    def _chance(self) -> random.Random:
        return random.Random(f"operation {len(self.operations)}")

    def allow(self, limit: str, key: str) -> float:
        """Take one from an allowance; return the seconds to wait if there is none, else 0."""
        rate, most = LIMITS[limit]
        bucket = self._buckets.setdefault((limit, key), Bucket(most, self.now))
        minutes = (self.now - bucket.at).total_seconds() / 60
        bucket.tokens, bucket.at = min(most, bucket.tokens + minutes * rate), self.now
        if bucket.tokens < 1:
            return max(1.0, (1 - bucket.tokens) / rate * 60)
        bucket.tokens -= 1
        return 0.0

    def seen(self, key: str, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row as Resource Graph shows it: as it was until the last change is ``lag`` seconds old."""
        known = self._seen.get(key)
        if known is None:
            self._seen[key] = self.now, row
            return row
        at, before = known
        if before == row:
            return row
        if (self.now - at) >= timedelta(seconds=self.lag):
            self._seen[key] = self.now, row
            return row
        return before
