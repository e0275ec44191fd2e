# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cgroup per host: where systemd in the guest keeps its units, and how all processes of a host are found again."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from lab.hosts.running import HostsError

PARENT = "patchtide-lab"


def roots() -> list[Path]:
    """Mount points that systemd uses: cgroup v2, and on machines with v1 the named hierarchy beside it."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        file_system, _, options = kind.partition(" ")
        if file_system == "cgroup2" or (file_system == "cgroup" and "name=systemd" in options):
            found.append(Path(fields.split()[4]))
    return [path for path in found if os.access(path, os.W_OK)]


def create(lab: str, member: str) -> list[Path]:
    """The cgroups that a process has to join to belong to this member of the lab."""
    paths = [root / PARENT / lab / member for root in roots()]
    for path in paths:
        path.mkdir(parents=True, exist_ok=True)
    return paths


def claim(lab: str) -> None:
    """Show other labs on this machine that this one is there, or will be in a moment."""
    for root in roots():
        (root / PARENT / lab).mkdir(parents=True, exist_ok=True)


def others(lab: str) -> set[str]:
    """Labs on this machine besides this one."""
    return {path.name for root in roots() for path in (root / PARENT).glob("*/")} - {lab}


def members(lab: str) -> list[str]:
    """Members of the lab that have a cgroup, running or not."""
    return sorted({path.name for root in roots() for path in (root / PARENT / lab).glob("*/")})


def processes(lab: str, member: str) -> set[int]:
    """Process ids of a member of the lab, guests' included."""
    found: set[int] = set()
    for root in roots():
        for path in (root / PARENT / lab / member).rglob("cgroup.procs"):
            try:
                found.update(int(pid) for pid in path.read_text().split())
            except OSError:  # a unit of the guest that has just ended
                continue
    return found - {0}


def kill(lab: str, member: str, *, patience: float = 20) -> None:
    """End every process of a member and remove its cgroups."""
    deadline = time.monotonic() + patience
    while alive := processes(lab, member):
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            raise HostsError(f"{member}: processes {sorted(alive)} survive SIGKILL")
        time.sleep(0.02)
    for root in roots():
        _remove(root / PARENT / lab / member, deadline)


def remove(lab: str) -> None:
    """Remove the lab's own cgroup, and the parent if no other lab uses it."""
    for root in roots():
        for path in (root / PARENT / lab, root / PARENT):
            try:
                path.rmdir()
            except OSError:
                break


def _remove(top: Path, deadline: float) -> None:
    """Remove a tree of empty cgroups; a process that is being reaped keeps one busy for a moment."""
    while top.exists():
        for path in sorted(top.rglob("*/"), reverse=True):
            _rmdir(path)
        if _rmdir(top):
            return
        if time.monotonic() > deadline:
            raise HostsError(f"{top} can't be removed")
        time.sleep(0.02)


def _rmdir(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
