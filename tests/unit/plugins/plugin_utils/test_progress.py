# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An operator sees a line at least every 30 seconds, and none that says nothing."""

from __future__ import annotations

import itertools
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils import controller_action, progress
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.controller_action import ControllerAction
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.progress import SignOfLife, Throttle

RUNNING = "canary patch: {} done, 0 failing, {} running, 1 left of 11"
LAST = "canary patch: 9 done, 2 failing, 0 running, 0 left of 11"


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def shown(lines: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return (second, line) as shown when these lines were given at these seconds."""
    clock, found = Clock(), list[tuple[float, str]]()
    throttle = Throttle(lambda line: found.append((clock.at, line)), clock)
    for at, line in lines:
        clock.at = at
        throttle(line)
    return found


def test_looking_every_second_for_an_hour_there_is_a_line_every_25_seconds() -> None:
    line = RUNNING.format(0, 10)
    times = [at for at, _line in shown([(float(at), line) for at in range(3600)])]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) <= progress.LIFE_SECONDS and len(times) == 144


def test_a_new_line_is_shown_at_once_but_not_more_than_one_a_second() -> None:
    given = [(0.1 * number, RUNNING.format(number, 10 - number)) for number in range(10)]
    assert shown([*given, (5.0, RUNNING.format(9, 1))]) == [given[0], (5.0, RUNNING.format(9, 1))]


def test_the_last_line_is_always_shown_and_only_once() -> None:
    first = RUNNING.format(9, 1)
    assert shown([(0.0, first), (0.1, LAST), (0.2, LAST), (0.3, LAST)]) == [(0.0, first), (0.1, LAST)]


def test_ten_running_are_not_none() -> None:
    line = "canary patch: 0 done, 0 failing, 10 running, 0 left of 10"
    assert len(shown([(0.0, RUNNING.format(0, 10)), (0.1, line)])) == 1


def test_a_sign_of_life_comes_when_nothing_else_was_said() -> None:
    clock, lines = Clock(), list[str]()
    life = SignOfLife(lines.append, "canary Judge the wave", clock)
    clock.at += 20
    life.said()
    clock.at += 20
    assert life.beat() <= 10 and lines == []
    clock.at += 9
    assert life.beat() <= 30 and lines == ["canary Judge the wave: still working after 49 seconds"]
    life.beat()
    assert len(lines) == 1


def test_an_action_that_shows_its_own_line_in_time_needs_no_sign_of_life() -> None:
    clock, lines = Clock(), list[str]()
    life = SignOfLife(lines.append, "canary", clock)
    for _line in range(20):
        clock.at += progress.LIFE_SECONDS + 1
        life.beat()
        life.said()
    assert lines == []


class Slow(ControllerAction):
    """Works for a while and says nothing."""

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        time.sleep(0.5)
        return {"changed": False}


def slow(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is displayed while an action works and says nothing for several times of its patience."""
    monkeypatch.setattr(progress, "LIFE_SECONDS", 0.05)
    monkeypatch.setattr(progress, "GRACE_SECONDS", 0.05)
    lines: list[str] = []
    monkeypatch.setattr(controller_action.display, "display", lambda line, **_more: lines.append(line))
    task = Mock(args={}, check_mode=False, diff=False, async_val=0, environment=[])
    task.get_name.return_value = "Wait for it"
    action = Slow(task, *[Mock()] * 4, None)
    assert action.run(task_vars={"inventory_hostname": "db-01"})["changed"] is False
    return lines


def test_every_action_gives_signs_of_life_that_do_not_nest(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = slow(monkeypatch)
    assert 2 <= len(lines) <= 6
    assert not [
        line for line in lines if not re.fullmatch(r" {4}db-01 Wait for it: still working after \d+ seconds", line)
    ]


def test_a_banner_that_comes_late_is_shown_before_the_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller_action, "banner_comes_late", lambda: True)
    lines = slow(monkeypatch)
    assert lines[0].startswith("\nTASK [Wait for it] *") and "TASK" not in "".join(lines[1:])


def test_no_action_watches_for_the_end_of_a_parent_that_is_not_ansible(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Mock()
    monkeypatch.setattr(controller_action, "watch_parent", watched)
    slow(monkeypatch)
    assert not watched.called


def test_lines_are_shown_at_once_in_a_pipe() -> None:
    program = "import sys, time; from {} import show_lines_at_once; show_lines_at_once(); print('now'); time.sleep(60)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    with subprocess.Popen(
        [sys.executable, "-c", program.format(progress.__name__)], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout
        shown_at_once = select.select([process.stdout], [], [], 45)[0]
        process.kill()
    assert shown_at_once
