# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host: the files that make it different from the base, its start, and when it can be reached."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from lab.hosts import cgroups, toy
from lab.hosts.estate import Host
from lab.hosts.running import HostsError, run

LAUNCHER = Path(__file__).with_name("machine.sh")
GONE_MIRROR = "old-mirror.invalid"
# Less than any policy asks for, and enough for Ansible and for apt to look for updates if apt keeps no caches.
DISK_MIB, DISK_FREE_MIB = 96, 24
# They take apt's locks at a time of their own, so a host has them only if it is asked for.
APT_TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")
# What Debian's cloud images and desktops come with ("1" there: once a day), at a moment a test can wait for: Debian's
# timer is persistent, so a host that was down or is new runs it after its boot (docker/docker-install#366).
APT_DAILY_CONF = 'APT::Periodic::Update-Package-Lists "always";\n'
APT_DAILY_TIMER = "[Timer]\nOnBootSec=5s\nRandomizedDelaySec=0\nAccuracySec=1s\n"
FULL_DISK_APT = 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all hosts of a lab share.

    `sources` is deb822 text, `keyring` the toy repository's key if it is used, `layers` are those of the look-alikes.
    """

    lab: str
    bridge: str
    gateway: IPv4Address
    prefix_length: int
    base: Path
    layers: Mapping[str, Path]
    public_key: str
    apt_conf: str
    sources: str
    keyring: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A host that is placed: its number in the lab, its address, and its folder."""

    host: Host
    number: int
    address: IPv4Address
    folder: Path

    def start(self, around: Surroundings) -> subprocess.Popen[bytes]:
        """Lay out the files of a new host and start it; returns at once."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lay_out(around)
        environment = {
            "PATH": os.environ["PATH"],
            "MACHINE": self.host.name,
            "HOST_DIR": str(self.folder),
            "BASE": ":".join(map(str, [*filter(None, [around.layers.get(self.host.family)]), around.base])),
            "CGROUPS": " ".join(map(str, cgroups.create(around.lab, self.host.name))),
            "VETH": f"{around.bridge}-{self.number}",
            "BRIDGE": around.bridge,
            "MAC": "02:70:" + ":".join(f"{octet:02x}" for octet in self.address.packed),
            "ADDRESS": f"{self.address}/{around.prefix_length}",
            "GATEWAY": str(around.gateway),
            "DISK_MIB": str(DISK_MIB if self.host.full_disk else ""),
            "DISK_FREE_MIB": str(DISK_FREE_MIB),
        }
        with (self.folder / "console.log").open("wb") as log:
            return subprocess.Popen(
                [LAUNCHER], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def await_ssh(self, process: subprocess.Popen[bytes], patience: float = 90) -> None:
        """Return once the SSH server answers; `HostsError` with the end of the console if it never does."""
        deadline = time.monotonic() + patience
        while not answers_ssh(self.address):
            ended = process.poll() is not None
            if ended or time.monotonic() > deadline:
                console = (self.folder / "console.log").read_text(errors="replace").strip().splitlines()[-8:]
                what = "ended" if ended else f"doesn't answer on SSH after {patience:.0f} s"
                raise HostsError(f"{self.host.name} {what}; its console says:\n  " + "\n  ".join(console))
            time.sleep(0.1)

    def _lay_out(self, around: Surroundings) -> None:
        names = {"127.0.0.1": "localhost", str(self.address): self.host.name}
        sources = around.sources
        if self.host.wrong_repository:
            # Refused at once, where a name that can't be resolved would take apt half a minute on some networks.
            names["127.0.0.2"] = GONE_MIRROR
            sources = "".join(
                f"URIs: http://{GONE_MIRROR}/debian\n" if line.startswith("URIs:") else line
                for line in sources.splitlines(keepends=True)
            )
        self._write("etc/hosts", "".join(f"{address} {name}\n" for address, name in names.items()))
        self._write("etc/resolv.conf", _resolv_conf())
        self._write("etc/machine-id", f"{uuid.uuid4().hex}\n")
        self._write("root/.ssh/authorized_keys", around.public_key)
        for private in ("root", "root/.ssh"):
            (self.folder / "upper" / private).chmod(0o700)
        apt_conf = around.apt_conf + (FULL_DISK_APT if self.host.full_disk else "")
        self._write("etc/apt/apt.conf.d/90patchtide-lab", apt_conf)
        self._write("etc/apt/sources.list.d/debian.sources", sources)
        self._lay_out_timers()
        self._write(toy.KEY_IN_GUEST.lstrip("/"), around.keyring)
        key = self.folder / "upper/etc/ssh/ssh_host_ed25519_key"
        key.parent.mkdir()
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.host.name, "-f", str(key)])

    def _lay_out_timers(self) -> None:
        units = self.folder / "upper/etc/systemd/system"
        if self.host.apt_daily:
            self._write("etc/apt/apt.conf.d/20auto-upgrades", APT_DAILY_CONF)
            self._write("etc/systemd/system/apt-daily.timer.d/lab.conf", APT_DAILY_TIMER)
            return
        units.mkdir(parents=True, exist_ok=True)
        for unit in APT_TIMERS:
            (units / unit).symlink_to("/dev/null")

    def _write(self, name: str, content: str | bytes) -> None:
        path = self.folder / "upper" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def answers_ssh(address: IPv4Address) -> bool:
    try:
        with socket.create_connection((str(address), 22), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _resolv_conf() -> str:
    """This machine's name servers, without those on its loopback, where systemd-resolved's list stands for them."""
    own = Path("/etc/resolv.conf").read_text()
    upstream = Path("/run/systemd/resolve/resolv.conf")
    if re.search(r"^nameserver\s+127\.", own, re.MULTILINE) and upstream.is_file():
        own = upstream.read_text()
    return own
