# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds and kills the descendants of this process."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def children() -> set[int]:
    """Return the direct children of this process."""
    here = os.getpid()
    return {pid for pid, parent in _parents() if parent == here}


def command_line(pid: int) -> str:
    """Return a process's command and arguments; empty if it has ended."""
    if PROC.is_dir():
        with suppress(OSError):
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return ""
    return _ps("-p", str(pid), "-o", "args=").strip()


def descendants(roots: Collection[int]) -> set[int]:
    """Return the given processes and all their descendants."""
    below: dict[int, list[int]] = {}
    for pid, parent in _parents():
        below.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += below.get(pid, [])
    return found


def kill_trees(roots: Collection[int]) -> None:
    """Kill processes with all their descendants.

    They are stopped first, so that none starts another one before it is killed. A process of another user (a command
    under ``sudo`` on the controller) can't be signalled and remains.
    """
    stopped: set[int] = set()
    while fresh := descendants(roots) - stopped:
        _signal(fresh, signal.SIGSTOP)
        stopped |= fresh
    _signal(stopped, signal.SIGKILL)


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, number)


def _parents() -> Iterator[tuple[int, int]]:
    """Yield every process with its parent: from /proc, or from ``ps`` on systems without it."""
    if not PROC.is_dir():
        for line in _ps("-A", "-o", "pid=,ppid=").splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)
        return
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # proc(5): pid (comm) state ppid; the command may hold spaces and parentheses.
                stat = (entry / "stat").read_bytes()
                yield int(entry.name), int(stat.rpartition(b")")[2].split()[1])


def _ps(*options: str) -> str:
    return subprocess.run(["ps", *options], capture_output=True, text=True, check=False).stdout
