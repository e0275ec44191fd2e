# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated machine: power, boots, packages. It knows nothing of the SSM API."""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .catalogue import OperatingSystem, Patch
from .clock import from_iso
from .estate import NodeSpec
from .ledger import Ledger
from .simulation import Event, Simulation

#: An agent that has not been heard of for five minutes counts as lost (it sends a health ping every five minutes).
PING_EVERY = 300
#: Seconds between two looks of an agent for a role. Said to be 30 minutes at most, so the lab takes all of them.
CREDENTIALS_EVERY = 1800
NEWEST_AGENT = "3.3.3270.0"
#: Seconds from the end of a boot until the machine's application answers requests.
APP_SECONDS = (10.0, 30.0)


@dataclass(slots=True)
class Installed:
    """One update on the machine."""

    patch: Patch
    at: datetime
    #: installed by Patch Manager without the reboot that should follow
    awaits_reboot: bool = False


class Node:
    """The state of one machine at the simulation's now."""

    def __init__(self, spec: NodeSpec, system: OperatingSystem, sim: Simulation, ledger: Ledger) -> None:
        self.spec, self.system, self._sim, self._ledger = spec, system, sim, ledger
        self.node_id, self.name = spec.node_id, spec.name
        #: launches another machine in this one's place and returns its id; there is nobody to do so at first
        self.replace: Callable[[], str] = lambda: ""
        self.tags: dict[str, str] = dict(spec.tags)
        self.faults: dict[str, Any] = copy.deepcopy(dict(spec.faults))
        self.boots = 0
        self.power = "stopped" if spec.stopped else "running"
        self._goes_down = False
        self._left_behind: Callable[[], None] | None = None
        self.agent_up = not spec.stopped and not self.faults["offline"]
        seed = self.random("age")
        self.boot_time = sim.now - timedelta(days=seed.randint(20, 60), seconds=seed.randint(0, 86400))
        #: (from, until) of each time its application did not answer; the last one may not be over
        self.outages: list[tuple[datetime, datetime | None]] = []
        self._app_up = not spec.stopped
        self._app_starts: Event | None = None
        #: whose list of running services is on the machine, and from which boot
        self.services_of: tuple[str, int] | None = None
        #: whose list of packages is on the machine, and the versions in it
        self.packages_of: tuple[str, dict[str, str]] | None = None
        self.registered_at = self.boot_time
        #: whether Systems Manager knows it, and whether its agent may register now
        self.registered = spec.managed
        self.may_register: Callable[[], bool] = lambda: False
        self.down_since = sim.now - timedelta(days=seed.randint(8, 21))
        self.kernel = self.kernel_newest = system.kernel
        self.agent_version = NEWEST_AGENT if seed.random() < 0.8 else "3.2.2303.0"
        self.installed: dict[str, Installed] = {}
        self.failed: dict[str, datetime] = {}
        #: what the patch document keeps on the machine of its last Install with NoReboot
        self.last_no_reboot: datetime | None = None
        self.uploads = 0
        self.replacement: str = ""
        self._preinstall(seed)
        self._tell_app()
        self._plan_termination()

    def _preinstall(self, seed: random.Random) -> None:
        if self.spec.missing is not None:
            here = [patch for patch in self.system.updates if patch.patch_id not in self.spec.missing]
            self.installed = {
                patch.patch_id: Installed(patch, patch.released + timedelta(days=1))
                for patch in here
                if not patch.dependency
            }
            return
        for patch in self.system.updates:
            keep_missing = patch.is_kernel or seed.random() < self.spec.pending
            if not keep_missing and not patch.dependency and patch.released < self.boot_time + timedelta(days=20):
                self.installed[patch.patch_id] = Installed(patch, patch.released + timedelta(days=1))

    def random(self, purpose: str) -> random.Random:
        """Return a source of chance that depends on the node and the purpose alone."""
        return random.Random(f"{self.node_id}/{purpose}")

    @property
    def is_windows(self) -> bool:
        return self.system.platform == "Windows"

    @property
    def boot_id(self) -> str:
        return str(uuid.UUID(int=self.random(f"boot {self.boots}").getrandbits(128), version=4))

    @property
    def is_up(self) -> bool:
        """Whether the machine runs, with or without its agent: what was begun on it goes on."""
        return self.power == "running" and not self._goes_down

    @property
    def answers(self) -> bool:
        """Whether the agent can take commands now."""
        return self.power == "running" and self.agent_up and not self.faults["offline"]

    @property
    def last_ping(self) -> datetime:
        return self._sim.now if self.answers else self.down_since

    @property
    def ping_status(self) -> str:
        silent = (self._sim.now - self.last_ping).total_seconds()
        return "Online" if silent < PING_EVERY else "ConnectionLost"

    @property
    def patch_group(self) -> str:
        """The node's patch group; the key is case-sensitive and one of two spellings."""
        return self.tags.get("PatchGroup") or self.tags.get("Patch Group") or ""

    @property
    def pending_reboot(self) -> bool:
        unbooted = any(row.patch.needs_reboot and row.at > self.boot_time for row in self.installed.values())
        return unbooted or bool(self.faults["pending_reboot"])

    def seconds(self, low: float, high: float, purpose: str) -> float:
        """How long something takes here: the node's own luck, times how slow it is."""
        return self.random(f"{purpose} {self.boots}").uniform(low, high) * float(self.faults["slow"])

    def set_faults(self, changes: dict[str, Any]) -> None:
        if changes.get("offline") and not self.faults["offline"]:
            self.down_since = self._sim.now
        self.faults.update(changes)
        if changes.get("offline") is False or changes.get("never_back") is False:
            self.find_agent()
        if "terminate_at" in changes:
            self._plan_termination()
        self._tell_app()

    def lose_agent(self) -> None:
        """The agent stops; the machine and what runs on it go on."""
        if self.agent_up:
            self.agent_up, self.down_since = False, self._sim.now

    def find_agent(self) -> None:
        """The agent is started again, and takes up what waits for it since a reboot."""
        if not self.is_up:
            return
        self.agent_up = True
        left, self._left_behind = self._left_behind, None
        if left is not None:
            left()

    @property
    def serves(self) -> bool:
        """Whether its application answers requests, such as a load balancer's health checks."""
        return not self.outages or self.outages[-1][1] is not None

    def _tell_app(self) -> None:
        up = self._app_up and not self.faults["app_down"]
        if up and not self.serves:
            self.outages[-1] = (self.outages[-1][0], self._sim.now)
        elif not up and self.serves:
            self.outages.append((self._sim.now, None))

    def _app_ends(self) -> None:
        if self._app_starts is not None:
            self._app_starts.cancel()
        self._app_up = False
        self._tell_app()

    def _app_comes(self) -> None:
        self._app_starts = self._sim.after(self.seconds(*APP_SECONDS, "app"), self._app_came)

    def _app_came(self) -> None:
        self._app_up = True
        self._tell_app()

    def install(self, patch: Patch, awaits_reboot: bool) -> bool:
        """Install one update; False when it fails here."""
        if self.fails(patch):
            self.failed[patch.patch_id] = self._sim.now
            return False
        self.failed.pop(patch.patch_id, None)
        self.installed[patch.patch_id] = Installed(patch, self._sim.now, awaits_reboot)
        if patch.is_kernel:
            self.kernel_newest = kernel_of(self.system, patch)
        self._ledger.note("installs", self, {"patch": patch.patch_id, "version": patch.version}, self._sim.now)
        return True

    def fails(self, patch: Patch) -> bool:
        from fnmatch import fnmatchcase

        full = self.faults["disk_free_mb"] is not None and self.faults["disk_free_mb"] < 2 * patch.size_mb + 100
        return full or any(fnmatchcase(patch.patch_id, mask) for mask in self.faults["fail_patches"])

    def reboot(self, done: Callable[[], None]) -> None:
        """Go down and, unless a fault forbids, come up again; ``done`` is called when the agent is back."""
        if self.faults["no_reboot"]:
            self._sim.after(5, done)
            return
        self.agent_up, self.down_since, self._goes_down = False, self._sim.now, True
        self._app_ends()
        boots = self.boots
        self._sim.after(self.seconds(*self._boot_seconds, "reboot"), self._back, boots, done)

    def _back(self, boots: int, done: Callable[[], None]) -> None:
        if self.boots != boots or self.power != "running":
            return  # stopped or started by somebody else meanwhile
        self._boot()
        self._ledger.note("reboots", self, {"boot_id": self.boot_id}, self._sim.now)
        if self.faults["never_back"]:
            self._left_behind = done
            return
        self.agent_up = True
        self._app_comes()
        done()

    @property
    def _boot_seconds(self) -> tuple[float, float]:
        return (180.0, 300.0) if self.is_windows else (45.0, 110.0)

    def _boot(self) -> None:
        self.boots += 1
        self._goes_down = False
        self._left_behind = None
        self.boot_time = self._sim.now
        self.kernel = self.kernel_newest
        self.faults["pending_reboot"] = False
        for row in self.installed.values():
            row.awaits_reboot = False

    def launch(self) -> None:
        """Come to life now, as a new instance does: pending, running, then its agent registers."""
        self.power, self.agent_up, self.registered_at = "stopped", False, self._sim.now
        self.start()

    def stop(self) -> None:
        """What StopInstances does: 30 s of stopping, then stopped."""
        if self.power not in ("running", "pending"):
            return
        self._ledger.note("stops", self, {}, self._sim.now)
        self.power, self.agent_up, self.down_since = "stopping", False, self._sim.now
        self._app_ends()
        self._sim.after(30, self._stopped)

    def _stopped(self) -> None:
        if self.power == "stopping":
            self.power = "stopped"

    def start(self) -> None:
        """What StartInstances does: pending for 20 s, then a boot, then the agent registers."""
        if self.power not in ("stopped", "stopping"):
            return
        self._ledger.note("starts", self, {}, self._sim.now)
        self.power = "pending"
        self._boot()
        self._sim.after(20, self._running, self.boots)

    def _running(self, boots: int) -> None:
        if self.power == "pending" and self.boots == boots:
            self.power = "running"
            self._sim.after(self.seconds(*self._boot_seconds, "start"), self._agent_starts, boots)

    def _agent_starts(self, boots: int) -> None:
        if self.power == "running" and self.boots == boots and not self.faults["never_back"]:
            self.agent_up = True
            self._app_comes()
            self._try_to_register(boots)

    def _try_to_register(self, boots: int) -> None:
        """The agent of an instance without credentials asks for them again and again."""
        if self.registered or self.boots != boots or self.power != "running":
            return
        if self.agent_up and self.may_register():
            self.registered, self.registered_at = True, self._sim.now
        else:
            self._sim.after(CREDENTIALS_EVERY, self._try_to_register, boots)

    def terminate(self) -> None:
        """What TerminateInstances does, or an Auto Scaling group that scales in."""
        if self.power == "terminated":
            return
        self.power, self.agent_up, self.down_since = "terminated", False, self._sim.now
        self._app_ends()
        self._ledger.note("terminations", self, {"replacement": self.replacement}, self._sim.now)

    def _plan_termination(self) -> None:
        moment = self.faults["terminate_at"]
        if moment:
            due = (from_iso(str(moment)) - self._sim.now).total_seconds()
            self._sim.after(max(due, 0), self._terminate_at, moment)

    def _terminate_at(self, moment: str) -> None:
        if self.faults["terminate_at"] != moment or self.power == "terminated":
            return
        if self.faults["replaced"]:
            self.replacement = self.replace()
        self.terminate()

    def tag(self, key: str, value: str | None) -> None:
        """Set or remove (``None``) a tag, and note it if that changes anything."""
        before = self.tags.get(key)
        if before == value:
            return
        if value is None:
            del self.tags[key]
        else:
            self.tags[key] = value
        self._ledger.note("tags", self, {"key": key, "value": value, "before": before}, self._sim.now)


def kernel_of(system: OperatingSystem, patch: Patch) -> str:
    """Name the kernel a kernel update brings, as ``uname -r`` (or the build number on Windows) would."""
    if system.platform == "Windows":
        return patch.version
    if patch.name.startswith("linux-image-"):
        return patch.name.removeprefix("linux-image-")
    version = patch.version.rsplit(":", 1)[-1]
    return f"{version}-default" if system.baseline_os == "SUSE" else f"{version}.x86_64"
