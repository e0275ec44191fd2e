# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and ending the processes below this one."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.process_tree import (
    children,
    command_line,
    descendants,
    kill_trees,
)

GENEROUS_SECONDS = 20


@pytest.fixture
def tree() -> Iterator[subprocess.Popen[str]]:
    """A shell (with a parenthesis in its name) whose child is a shell whose child sleeps and prints its id."""
    script = "sh -c 'sleep 300 & echo $!; wait; : inner'; : outer"
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
    yield process
    kill_trees([process.pid])
    process.wait()


def gone(pid: int) -> bool:
    """Tell whether a process has ended: no entry, or a zombie that nobody has fetched yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return command_line(pid) == ""


def wait_until_gone(pid: int) -> bool:
    until = time.monotonic() + GENEROUS_SECONDS
    while not gone(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return gone(pid)


def test_a_tree_holds_the_children_of_children(tree: subprocess.Popen[str]) -> None:
    assert tree.stdout
    sleeper = int(tree.stdout.readline())
    assert tree.pid in children()
    assert sleeper not in children()
    assert {tree.pid, sleeper} < descendants([tree.pid])
    assert command_line(sleeper) == "sleep 300"


def test_killing_a_tree_leaves_no_grandchild(tree: subprocess.Popen[str]) -> None:
    assert tree.stdout
    sleeper = int(tree.stdout.readline())
    kill_trees([tree.pid])
    assert tree.wait(GENEROUS_SECONDS) == -9
    assert wait_until_gone(sleeper)


def test_killing_what_has_ended_is_harmless() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    kill_trees([process.pid])
    assert command_line(process.pid) == ""
