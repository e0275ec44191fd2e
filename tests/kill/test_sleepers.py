# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller is stopped, another one takes over and finishes, and the first one wakes up: it does nothing more."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.kill.conftest import Night
from tests.kill.controller import STOPPED, Death, begin, controller, ended
from tests.kill.test_stores import table

#: Records after which a controller sleeps: what they announce is still to be done, by whoever has taken over.
PARTS = (
    "wave_started",
    "prepared started",
    "intent precheck",
    "prepared drained",
    "prepared patch_now",
    "intent patch",
    "sent patch",
    "outcome patch",
    "intent reboot",
    "intent scan",
    "outcome verify",
    "restored drained",
    "gate",
)
SHORT = os.environ.get("PATCHTIDE_KILL") == "short"
CHOSEN = ("intent patch",) if SHORT else PARTS


@contextmanager
def asleep(folder: Path, night: Night, death: Death, **stores: str) -> Iterator[int]:
    """Begin a controller that falls asleep; yield its process, which does not outlive the test."""
    sleeper = begin(folder, night.environment, death, **stores)
    try:
        assert ended(sleeper) == STOPPED
        assert os.getpgid(sleeper) != os.getpgrp(), "the kernel may hang up a process group with a stopped member"
        yield sleeper
    finally:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(sleeper, signal.SIGKILL)
            os.waitpid(sleeper, 0)


def wake(sleeper: int) -> int:
    """Let a controller go on; return how it ended."""
    os.kill(sleeper, signal.SIGCONT)
    return ended(sleeper)


@pytest.mark.parametrize("part", CHOSEN)
def test_one_that_wakes_up_after_another_took_over_does_nothing(night: Night, tmp_path: Path, part: str) -> None:
    """The journal is in DynamoDB: the controllers share no file system and see no lock of each other."""
    stores = {"journal": table(night.aws, "journal", rollout="S", seq="N")}
    stores["claims"] = table(night.aws, "claims", node_id="S")
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(night.folder / "plan.json", first)
    with asleep(first, night, Death(1, "asleep", part), **stores) as sleeper:
        second = begin(night.folder, night.environment, machine="elsewhere", **stores)
        assert ended(second) == 0
        finished = night.records()
        assert wake(sleeper) == 1
    assert night.records() == finished
    night.check()


@pytest.mark.parametrize("part", CHOSEN)
def test_while_a_task_sleeps_nobody_takes_over_on_a_shared_file_system(night: Night, part: str) -> None:
    with asleep(night.folder, night, Death(1, "asleep", part)) as sleeper:
        assert ended(begin(night.folder, night.environment, machine="elsewhere")) == 1
        assert wake(sleeper) == 0
    night.check()


@pytest.mark.parametrize("number", (2,) if SHORT else (1, 2, 3, 4, 5))
def test_one_that_sleeps_between_two_tasks_is_taken_over_and_does_nothing(night: Night, number: int) -> None:
    """It sees no lock, and the rollout is not finished: the controller that took over has died as well."""
    with asleep(night.folder, night, Death(number, "between")) as sleeper:
        second = begin(night.folder, night.environment, Death(1, "after", "gate"), machine="elsewhere")
        assert ended(second) == -signal.SIGKILL
        so_far = night.records()
        assert wake(sleeper) == 1
        assert night.records() == so_far
    assert controller(night.folder, night.environment) == 0
    night.check()
