# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A living controller keeps its directory, a dead one with living tasks too; one that was succeeded stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import TakenOver
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Decision, Resumed, RolloutFinished
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.controller_lock import (
    LOCK,
    NAME,
    AnotherController,
    _began,
    at_work,
    controller_name,
    taking_over,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.events import started
from tests.fakes.fleet_port import FakeClock
from tests.fakes.plans import completed


def note(folder: Path, pid: int, **changes: str) -> None:
    row = {"host": os.uname().nodename, "pid": pid, "began": _began(pid), **changes}
    (folder / NAME).write_text(json.dumps(row))


def take_over(folder: Path, patience: float = 0.3) -> str:
    with taking_over(folder, patience) as name:
        return name


def test_taken_again_by_the_same_controller(tmp_path: Path) -> None:
    assert take_over(tmp_path) == take_over(tmp_path) == controller_name()
    assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getppid()


def test_refused_while_another_one_lives_and_taken_over_from_the_dead(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        note(tmp_path, other.pid)
        with pytest.raises(AnotherController, match=f"process {other.pid} on"):
            take_over(tmp_path)
        other.kill()
        other.wait()
    take_over(tmp_path)


@pytest.mark.parametrize("change", [{"began": "1"}, {"host": "elsewhere"}], ids=["number-used-again", "other-machine"])
def test_another_process_of_that_number_is_not_it(tmp_path: Path, change: dict[str, str]) -> None:
    note(tmp_path, os.getpid(), **change)
    take_over(tmp_path)


def test_a_torn_note_is_replaced(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"host": "')
    take_over(tmp_path)
    assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getppid()


HOLDER = """
import fcntl, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_SH)
print("held", flush=True)
input()
"""


@contextmanager
def task_left_behind(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A task whose playbook is gone, and that holds the directory."""
    command = [sys.executable, "-c", HOLDER, str(folder / LOCK)]
    # A stopped member of the tests' own process group would have the kernel hang up all of them (setpgid(2)).
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as task:
        assert task.stdout and task.stdout.readline() == "held\n"
        try:
            yield task
        finally:
            task.kill()


def test_a_task_that_outlives_its_playbook_is_waited_for(tmp_path: Path) -> None:
    """Stopped, it would send what its successor sends as well, once somebody wakes it."""
    with task_left_behind(tmp_path) as task:
        task.send_signal(signal.SIGSTOP)
        with pytest.raises(AnotherController, match="still holds"):
            take_over(tmp_path)
        threading.Timer(0.5, task.kill).start()
        assert take_over(tmp_path, patience=60) == controller_name()


@pytest.fixture
def rollout(tmp_path: Path) -> RolloutDir:
    plan = completed([])
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    found = RolloutDir(tmp_path, FakeClock())
    found.record(started(plan["digest"], controller=controller_name()))
    return found


def another_controller(rollout: RolloutDir) -> None:
    RolloutDir(rollout.path, FakeClock()).record(Resumed(operator="dana", controller="elsewhere/1/2"))


def test_nobody_takes_over_while_a_task_is_at_work(rollout: RolloutDir) -> None:
    both = at_work(rollout), at_work(RolloutDir(rollout.path, FakeClock()))
    with both[0], both[1], pytest.raises(AnotherController, match="still holds"):
        take_over(rollout.path)
    take_over(rollout.path)


def test_a_task_of_a_controller_that_was_succeeded_does_nothing(rollout: RolloutDir) -> None:
    another_controller(rollout)
    with pytest.raises(TakenOver, match="elsewhere/1/2"), at_work(rollout):
        raise AssertionError


@pytest.mark.parametrize("do", ["confirm", "record"])
def test_one_that_is_succeeded_while_at_work_can_neither_go_on_nor_write(rollout: RolloutDir, do: str) -> None:
    with at_work(rollout):
        another_controller(rollout)
        before = len(rollout.stores.open_journal("r").read())
        with pytest.raises(TakenOver, match="Nothing more is done"):
            if do == "record":
                rollout.record(Decision(by="d", action="abort", reason="x"))
            else:
                rollout.confirm()
    assert len(rollout.stores.open_journal("r").read()) == before


def test_the_same_controller_in_a_later_epoch_is_another_one(rollout: RolloutDir) -> None:
    """A name can come again, such as in containers that are alike; the epoch can not."""
    with at_work(rollout):
        RolloutDir(rollout.path, FakeClock()).record(Resumed(operator="dana", controller=controller_name()))
        with pytest.raises(TakenOver):
            rollout.confirm()


def test_an_aborted_rollout_is_taken_over_as_well(rollout: RolloutDir) -> None:
    """What is still open or prepared of it is settled by one controller alone."""
    with at_work(rollout):
        other = RolloutDir(rollout.path, FakeClock())
        other.record(Decision(by="d", action="abort", reason="x"))
        rollout.confirm()
        other.record(Resumed(operator="dana", controller="elsewhere/1/2"))
        assert other.state.status == "aborted"
        with pytest.raises(TakenOver):
            rollout.confirm()


def test_a_finished_rollout_belongs_to_nobody(rollout: RolloutDir) -> None:
    rollout.record(RolloutFinished(status="completed", reason="x"))
    rollout = RolloutDir(rollout.path, FakeClock())
    with at_work(rollout):
        pass
