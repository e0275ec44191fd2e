# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a worker whose playbook is gone.

Since ansible-core 2.19 a worker leads a session of its own (``WorkerProcess._detach`` calls ``os.setsid``). SIGKILL,
SIGHUP and a closed terminal then end the playbook's process only, and a worker that runs on would send, reboot and
record although the operator believes everything stopped.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import threading
import time
from contextlib import suppress
from typing import NoReturn

from .process_tree import children, kill_trees

#: Seconds between two checks for the parent, on kernels that do not report its end.
INTERVAL = 0.5


def watch_parent(interval: float = INTERVAL) -> threading.Thread:
    """Kill this process and all that it started as soon as its parent is gone; a worker calls it once, at its start.

    Shared SSH connections (``ControlPersist``) are not children and end by themselves. ``prctl(PR_SET_PDEATHSIG)`` is
    not used: it would end this process before its children and leave them running.
    """
    parent = _parent()
    thread = threading.Thread(target=_watch, args=(parent, interval), name="patchtide parent watch", daemon=True)
    thread.start()
    return thread


def _parent() -> int:
    """Return the parent at the time of the fork: if it is gone, ``getppid`` returns the process that adopted us."""
    forked_by = multiprocessing.parent_process()
    return forked_by.pid if forked_by and forked_by.pid else os.getppid()


def _watch(parent: int, interval: float) -> None:
    if (descriptor := _pidfd(parent)) is not None:
        while os.getppid() == parent and not select.select([descriptor], [], [], 30)[0]:
            pass
    while os.getppid() == parent:
        time.sleep(interval)
    _end()


def _pidfd(pid: int) -> int | None:
    """Return a descriptor that becomes readable when the process ends, if the kernel has pidfd_open(2)."""
    with suppress(AttributeError, OSError):
        return os.pidfd_open(pid)
    return None


def _end() -> NoReturn:
    try:
        kill_trees(children())
    finally:
        os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
