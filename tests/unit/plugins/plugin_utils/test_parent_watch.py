# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker whose parent is killed ends with all it started: real processes, as Ansible forks them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils import parent_watch
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.process_tree import command_line

# 2 seconds are promised; a loaded machine gets more before the test calls it a fault.
LIMIT_SECONDS = 15

PARENT = """
import multiprocessing, os, subprocess, sys, time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils import parent_watch

def work(leads_session, late, without_pidfd):
    if leads_session:
        os.setsid()
    if without_pidfd:
        parent_watch._pidfd = lambda pid: None
    child = subprocess.Popen(["sh", "-c", "sleep 301 & wait; : ssh"])
    print(os.getpid(), child.pid, flush=True)
    while late and os.getppid() == multiprocessing.parent_process().pid:
        time.sleep(0.01)
    if sys.argv[1] != "unwatched":
        parent_watch.watch_parent()
    child.wait()

flags = [word in sys.argv[2:] for word in ("session", "late", "poll")]
worker = multiprocessing.get_context("fork").Process(target=work, args=flags)
worker.start()
worker.join()
"""


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return command_line(pid) == ""


def kill_the_parent(*words: str) -> tuple[list[int], subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, *words], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout
    pids = [int(word) for word in process.stdout.readline().split()]
    time.sleep(0.5)  # the watch is up; in the case "late" it is not, and must notice all the same
    assert [ended(pid) for pid in pids] == [False, False]
    process.send_signal(signal.SIGKILL)
    process.wait()
    return pids, process


@pytest.mark.parametrize("words", [(), ("session",), ("session", "poll"), ("late",)], ids=" ".join)
def test_worker_and_its_children_end_with_the_parent(words: tuple[str, ...]) -> None:
    pids, _process = kill_the_parent("watched", *words)
    started = time.monotonic()
    while not all(ended(pid) for pid in pids) and time.monotonic() - started < LIMIT_SECONDS:
        time.sleep(0.05)
    assert all(ended(pid) for pid in pids)


def test_without_the_watch_they_run_on() -> None:
    """What the watch is for; if this fails, the tests above prove nothing."""
    pids, _process = kill_the_parent("unwatched", "session")
    time.sleep(1)
    survived = [pid for pid in pids if not ended(pid)]
    os.killpg(pids[0], signal.SIGKILL)
    assert survived == pids


def test_the_parent_is_who_forked_not_its_heir() -> None:
    assert parent_watch._parent() == os.getppid()
