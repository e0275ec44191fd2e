# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One controller works on a rollout's directory at a time. A dead controller is replaced immediately.

A task holds a lock on the directory while it acts. The lock belongs to the task, not to its playbook: a task may
outlive its playbook by seconds, or for ever if it is suspended, and until it is gone no other controller takes over.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ...module_utils._core.errors import PatchtideError
from ..files import FileError
from ..private_file import disk_errors, open_private
from .folder import RolloutDir

NAME, LOCK = "controller.json", "controller.lock"
#: A task whose playbook is gone ends within seconds; a controller that takes over waits this long for it.
PATIENCE_SECONDS = 30.0
_LONGEST = 4_000
_LOOK_SECONDS = 0.1


class AnotherController(PatchtideError):
    """A rollout can't be run twice at the same time: each run would see the other's work as unfinished."""

    code = "AnotherController"


@contextmanager
def taking_over(folder: Path, patience: float = PATIENCE_SECONDS) -> Iterator[str]:
    """Note this controller, the parent of the process that runs the task, in the rollout's directory.

    No task of any controller works in the directory during this call, so that the run is recorded before anything
    else happens. Controllers on other machines are not visible here; the journal's epoch stops them.

    :returns: its name, ``<host>/<process>/<when it began>``, for the journal.
    :raises AnotherController: another one on this machine works on it, or a task that it left behind.
    """
    pid, path = _controller(), folder / NAME
    with _locked(folder, fcntl.LOCK_EX, patience):
        with disk_errors(path, "write", FileError), _open(path) as file:
            host, other, began = _read(file.read(_LONGEST))
            if host == socket.gethostname() and other != pid and began and _began(other) == began:
                raise AnotherController(
                    f"The rollout is being carried out by process {other} on {host}; wait for its end."
                )
            file.seek(0)
            file.truncate(0)
            file.write(json.dumps({"host": socket.gethostname(), "pid": pid, "began": _began(pid)}) + "\n")
        yield controller_name()


@contextmanager
def at_work(rollout: RolloutDir) -> Iterator[None]:
    """Hold the directory for a task that acts for its controller. The lock ends with this process.

    A rollout that is finished, or was never started, belongs to nobody.

    :raises TakenOver: another controller has continued the rollout. :raises AnotherController: it is about to.
    """
    if rollout.state.finished or rollout.state.status == "new":
        yield
        return
    with _locked(rollout.path, fcntl.LOCK_SH, PATIENCE_SECONDS):
        rollout.confirm()
        rollout.act_as(controller_name())
        yield


@contextmanager
def _locked(folder: Path, kind: int, patience: float) -> Iterator[None]:
    path, until = folder / LOCK, time.monotonic() + patience
    with disk_errors(path, "lock", FileError):
        handle = open_private(path, os.O_RDWR | os.O_CREAT)
    try:
        while not _got(handle, kind, path):
            if time.monotonic() >= until:
                raise AnotherController(
                    f"A task of another controller still holds {path}, although its playbook may be gone; "
                    "end the process (fuser names it) and run it again."
                )
            time.sleep(_LOOK_SECONDS)
        yield
    finally:
        os.close(handle)


def _got(handle: int, kind: int, path: Path) -> bool:
    with disk_errors(path, "lock", FileError):
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def running_controller(folder: Path) -> int:
    """Return the process that runs the rollout on this machine; 0 if there is none, or if it is our own parent."""
    path = folder / NAME
    if not path.exists():
        return 0
    with disk_errors(path, "read", FileError), _open(path) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        host, pid, began = _read(file.read(_LONGEST))
    runs = host == this_host() and pid != _controller() and began and _began(pid) == began
    return pid if runs else 0


def this_host() -> str:
    """Return this machine's name as used in ``controller_name``."""
    return socket.gethostname()


def controller_name() -> str:
    """Return the name of the controller that this task belongs to: ``<host>/<process>/<when it began>``."""
    pid = _controller()
    return f"{socket.gethostname()}/{pid}/{_began(pid)}"


def _controller() -> int:
    """Return the playbook's process, which forks a worker for each task."""
    return os.getppid()


def _open(path: Path) -> IO[str]:
    handle = open_private(path, os.O_RDWR | os.O_CREAT)
    return os.fdopen(handle, "r+", encoding="utf-8", errors="replace")


def _read(text: str) -> tuple[str, int, str]:
    try:
        data = json.loads(text)
        return str(data["host"]), int(data["pid"]), str(data["began"])
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        # new, or left by a controller that died while writing
        return "", 0, ""


def _began(pid: int) -> str:
    """Return what distinguishes a process from a later one with the same number; empty if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return _alive(pid)
    return "" if fields[0] in ("Z", "X") else fields[19]


def _alive(pid: int) -> str:
    """Return whether such a process exists, on systems without /proc."""
    if Path("/proc/self").exists():
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"
