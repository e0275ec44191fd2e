# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One controller works on a rollout's directory at a time. One that is dead is succeeded at once."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path
from typing import IO

from ...module_utils._core.errors import PatchtideError
from ..files import FileError
from ..private_file import disk_errors, open_private

NAME = "controller.json"
_LONGEST = 4_000


class AnotherController(PatchtideError):
    """A rollout can't be run twice at the same time: each would take the other's work for unfinished."""

    code = "AnotherController"


def take_over(folder: Path) -> str:
    """Note this controller, the parent of the process that runs the task, in the rollout's directory.

    :returns: its name, ``<host>/<process>/<when it began>``, for the journal.
    :raises AnotherController: one that still runs on this machine works on it. Of other machines nothing is known.
    """
    pid = os.getppid()
    path = folder / NAME
    with disk_errors(path, "write", FileError), _open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        host, other, began = _read(file.read(_LONGEST))
        if host == socket.gethostname() and other != pid and began and _began(other) == began:
            raise AnotherController(f"The rollout is being carried out by process {other} on {host}; wait for its end.")
        file.seek(0)
        file.truncate(0)
        file.write(json.dumps({"host": socket.gethostname(), "pid": pid, "began": _began(pid)}) + "\n")
    return controller_name()


def controller_name() -> str:
    """Return the name of the controller that this task belongs to: ``<host>/<process>/<when it began>``."""
    pid = os.getppid()
    return f"{socket.gethostname()}/{pid}/{_began(pid)}"


def _open(path: Path) -> IO[str]:
    handle = open_private(path, os.O_RDWR | os.O_CREAT)
    return os.fdopen(handle, "r+", encoding="utf-8", errors="replace")


def _read(text: str) -> tuple[str, int, str]:
    try:
        data = json.loads(text)
        return str(data["host"]), int(data["pid"]), str(data["began"])
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        # new, or of a controller that died while it wrote
        return "", 0, ""


def _began(pid: int) -> str:
    """Return what tells a process from a later one of the same number; empty if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return _alive(pid)
    return "" if fields[0] in ("Z", "X") else fields[19]


def _alive(pid: int) -> str:
    """Where there is no /proc: whether such a process exists."""
    if Path("/proc/self").exists():
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"
