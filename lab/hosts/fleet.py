# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of real hosts: brought up, looked at, and taken down without a trace."""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from lab.hosts import base, cgroups, families, inventory, network, sources, toy
from lab.hosts.estate import Host
from lab.hosts.machine import Machine, Surroundings, answers_ssh
from lab.hosts.requirements import HOST_COMMANDS, TOY_COMMANDS, ensure_able
from lab.hosts.running import HostsError, run

BUILD = Path(__file__).resolve().parents[2] / "build/hosts"
FIRST_ADDRESS = 10
# State, boot id, pending updates and free MiB, without apt writing its caches onto a disk that may be full.
PROBE = """\
systemctl is-system-running
cat /proc/sys/kernel/random/boot_id
apt-get -s -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= dist-upgrade | grep -c ^Inst
df --output=avail -m / | tail -n 1
"""
_AT_ONCE = 8
REPOSITORY = "toy-repository"  # the cgroup of the server; no host can be called so in an estate that uses it


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to bring up. `packages`: from the mirrors, from the toy repository alone, or from both. `pending`: how many
    updates are pending, from the security archive alone, which apt reads in a tenth of the time; `None`: all of them.
    """

    hosts: list[Host]
    suite: str = ""
    mirror: str = ""
    security_mirror: str = ""
    proxy: str = ""
    packages: str = "mirror"
    fresh: bool = False
    pending: int | None = None

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class Fleet:
    """All hosts of the lab of one name. Labs of different names can be up at the same time."""

    def __init__(self, name: str = "lab", build: Path = BUILD) -> None:
        self.name = name
        self.build = build
        self.folder = build / name
        # Names of interfaces are short: this one is unique to the checkout and the lab's name.
        self.bridge = network.BRIDGE_PREFIX + hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        self.inventory = self.folder / "inventory.yml"
        self.private_key = self.folder / "id_ed25519"

    def up(self, wish: Wish) -> list[Machine]:
        """Bring up what is wished; hosts that are up already stay as they are if they were made by the same wish."""
        ensure_able(HOST_COMMANDS if wish.packages == "mirror" else HOST_COMMANDS | TOY_COMMANDS)
        with self._lock(self.name):
            if (
                self._state().get("wish") == wish.digest()
                and (machines := self.machines())
                and self._all_answer(machines)
            ):
                return machines
            self._take_down()
            try:
                return self._bring_up(wish)
            except BaseException:
                self._take_down(keep_consoles=True)
                raise

    def down(self) -> None:
        """Leave nothing of this lab on the machine; the cached base stays."""
        ensure_able({})
        with self._lock(self.name):
            self._take_down()
        (self.build / f".{self.name}.lock").unlink(missing_ok=True)

    def machines(self) -> list[Machine]:
        """Hosts as the last `up` placed them."""
        return [
            Machine(
                host=Host(**placed["host"]),
                number=placed["number"],
                address=IPv4Address(placed["address"]),
                folder=self.folder / placed["host"]["name"],
            )
            for placed in self._state().get("machines", [])
        ]

    def kill(self, name: str) -> None:
        """End a host at once and for good, as a power cut does."""
        cgroups.kill(self.bridge, name)

    def ssh(self, machine: Machine) -> list[str]:
        """The beginning of a command line that runs the rest on a host."""
        return [
            *("ssh", "-i", str(self.private_key), *inventory.SSH_ARGUMENTS.split()),
            *("-o", "BatchMode=yes", "-o", "ConnectTimeout=5", f"root@{machine.address}"),
        ]

    def status(self) -> list[dict[str, str]]:
        """A row per host: name, address, state, boot id, pending updates, free MiB on the root file system."""
        machines = self.machines()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(self._look_at, machines))

    def _bring_up(self, wish: Wish) -> list[Machine]:
        origin = sources.of_this_machine(wish.suite, wish.mirror, wish.security_mirror, wish.proxy)
        cgroups.claim(self.bridge)
        with self._lock("base"):
            root = base.ensure_base(self.build, origin, lab=self.bridge, fresh=wish.fresh, pending=wish.pending)
            repository = toy.ensure_repository(self.build, origin.suite) if wish.packages != "mirror" else None
            wanted = {host.family for host in wish.hosts} & set(families.LOOK_ALIKES)
            layers = {name: families.ensure_layer(self.build, root, name, origin) for name in sorted(wanted)}
        self.folder.mkdir(parents=True, exist_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "patchtide lab", "-f", str(self.private_key)])
        subnet = network.create(self.bridge)
        texts = [origin.stanzas(updates_only=wish.pending is not None)] if wish.packages != "toy" else []
        if repository:
            texts.append(toy.stanzas(self._serve(repository, subnet[1]), origin.suite))
        around = Surroundings(
            lab=self.bridge,
            bridge=self.bridge,
            gateway=subnet[1],
            prefix_length=subnet.prefixlen,
            base=root,
            layers=layers,
            public_key=self.private_key.with_suffix(".pub").read_text(),
            apt_conf=origin.apt_conf(str(subnet[1])),
            sources="\n".join(texts),
            keyring=(repository / "key.gpg").read_bytes() if repository else b"",
        )
        machines = [
            Machine(host=host, number=number, address=subnet[FIRST_ADDRESS + number], folder=self.folder / host.name)
            for number, host in enumerate(wish.hosts)
        ]
        self._start(machines, around)
        systems = {
            family: sources.os_release((layers.get(family, root) / "etc/os-release").read_text())
            for family in {host.family for host in wish.hosts}
        }
        inventory.write(self.inventory, inventory.document(machines, private_key=self.private_key, systems=systems))
        placed = [{"host": asdict(m.host), "number": m.number, "address": str(m.address)} for m in machines]
        self._state_file().write_text(json.dumps({"wish": wish.digest(), "machines": placed}, indent=1))
        return machines

    def _start(self, machines: list[Machine], around: Surroundings) -> None:
        # Those of a large lab would starve one another if all booted at once.
        for first in range(0, len(machines), _AT_ONCE):
            some = machines[first : first + _AT_ONCE]
            started = [(machine, machine.start(around)) for machine in some]
            for machine, process in started:
                machine.await_ssh(process)
                process.returncode = 0  # it goes on without us
            with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(self._await_boot, some))

    def _await_boot(self, machine: Machine, patience: float = 90) -> None:
        """Return once all services of a host have started, failed ones included."""
        command = [*self.ssh(machine), "systemctl", "is-system-running", "--wait"]
        deadline = time.monotonic() + patience
        while True:  # the first answers of a host may be that its bus, or a login, isn't there yet
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if done.stdout.strip() in ("running", "degraded"):
                return
            if time.monotonic() > deadline:
                answer = done.stdout.strip() or done.stderr.strip()
                raise HostsError(f"{machine.host.name} hasn't finished booting after {patience:.0f} s: {answer}")
            time.sleep(0.2)

    def _serve(self, repository: Path, gateway: IPv4Address) -> str:
        """Serve the toy repository to the hosts; the server belongs to the lab's cgroups and ends with it."""
        with socket.socket() as probe:
            probe.bind((str(gateway), 0))
            port = probe.getsockname()[1]
        join = "".join(f"echo $$ > {path}/cgroup.procs; " for path in cgroups.create(self.bridge, REPOSITORY))
        server = [
            sys.executable,
            "-m",
            "http.server",
            "--bind",
            str(gateway),
            "--directory",
            str(repository),
            str(port),
        ]
        with (self.folder / "repository.log").open("wb") as log:
            process = subprocess.Popen(
                ["sh", "-c", f'{join}exec "$@"', "sh", *server],
                env={**os.environ, "PATCHTIDE_LAB": self.bridge},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _attempt in range(100):
            with contextlib.suppress(OSError), socket.create_connection((str(gateway), port), timeout=1):
                process.returncode = 0  # it goes on without us
                return f"http://{gateway}:{port}/"
            time.sleep(0.1)
        raise HostsError(f"the toy repository's server doesn't answer; see {self.folder / 'repository.log'}")

    def _take_down(self, *, keep_consoles: bool = False) -> None:
        for member in cgroups.members(self.bridge):
            cgroups.kill(self.bridge, member)
        cgroups.remove(self.bridge)
        if shutil.which("iptables") and shutil.which("ip"):
            network.remove(self.bridge)
        if keep_consoles:
            self._state_file().unlink(missing_ok=True)
            self.private_key.unlink(missing_ok=True)
            self.private_key.with_suffix(".pub").unlink(missing_ok=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _look_at(self, machine: Machine) -> dict[str, str]:
        row = {"name": machine.host.name, "address": str(machine.address), "state": "down"}
        if not cgroups.processes(self.bridge, machine.host.name):
            return row
        done = subprocess.run(
            [*self.ssh(machine), PROBE], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        words = done.stdout.split()
        if len(words) != 4:
            return {**row, "state": "unreachable"}
        return {**row, "state": words[0], "boot_id": words[1], "pending": words[2], "free_mib": words[3]}

    def _all_answer(self, machines: list[Machine]) -> bool:
        return all(answers_ssh(machine.address) for machine in machines)

    def _state_file(self) -> Path:
        return self.folder / "state.json"

    def _state(self) -> dict[str, Any]:
        """What the last `up` wrote when it was done; empty if it never was."""
        try:
            state: dict[str, Any] = json.loads(self._state_file().read_text())
        except (OSError, ValueError):
            return {}
        return state

    @contextlib.contextmanager
    def _lock(self, what: str) -> Iterator[None]:
        self.build.mkdir(parents=True, exist_ok=True)
        with (self.build / f".{what}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
