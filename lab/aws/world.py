# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all account-Regions share: clock, estate, ledger, faults, and one lock around every change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from .catalogue import OperatingSystem, load_operating_system, to_operating_system
from .clock import VirtualClock
from .estate import Estate, load_estate
from .faults import Faults
from .ledger import Ledger

DEFAULT_ESTATE = Path(__file__).resolve().parents[1] / "estate.yml"


class World:
    """There is one per process, because moto makes its backends by class and tells them nothing else."""

    def __init__(self, estate: Estate, clock: VirtualClock) -> None:
        self.estate, self.clock = estate, clock
        self.lock = threading.RLock()
        self.ledger = Ledger()
        self.faults = Faults()
        #: what else is made as new at a reset
        self.beside: list[Callable[[], None]] = []

    @cached_property
    def systems(self) -> dict[str, OperatingSystem]:
        keys, own, now = {node.os for node in self.estate.nodes}, self.estate.systems, self.clock.now()
        return {
            key: to_operating_system(key, own[key], now) if key in own else load_operating_system(key, now)
            for key in sorted(keys)
        }

    def system(self, key: str) -> OperatingSystem:
        """Return an operating system of the catalogue, also one that no machine of the estate has."""
        if key not in self.systems:
            self.systems[key] = load_operating_system(key, self.clock.now())
        return self.systems[key]

    def renew(self) -> None:
        """Forget what is offered: ages count back from today again."""
        self.__dict__.pop("systems", None)


_world: World | None = None


def open_world(world: World) -> World:
    global _world
    _world = world
    return world


def world() -> World:
    """Return the world of this process; the default estate at its own start when none was opened."""
    if _world is None:
        estate = load_estate(DEFAULT_ESTATE)
        return open_world(World(estate, VirtualClock(estate.start)))
    return _world
