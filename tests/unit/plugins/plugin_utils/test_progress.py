# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An operator sees a line at least every 30 seconds, and none that says nothing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stagerun import PROGRESS_SECONDS
from ansible_collections.patchtide.hybrid.plugins.plugin_utils import progress
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


def test_looking_every_second_for_an_hour_there_is_a_line_every_30_seconds_at_least() -> None:
    line = RUNNING.format(0, 10)
    times = [at for at, _line in shown([(float(at), line) for at in range(3600)])]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) <= PROGRESS_SECONDS and len(times) == 120


def test_a_new_line_is_shown_at_once_but_not_more_than_one_a_second() -> None:
    given = [(0.1 * number, RUNNING.format(number, 10 - number)) for number in range(10)]
    assert shown([*given, (5.0, RUNNING.format(9, 1))]) == [given[0], (5.0, RUNNING.format(9, 1))]


def test_the_last_line_is_always_shown_and_only_once() -> None:
    first = RUNNING.format(9, 1)
    assert shown([(0.0, first), (0.1, LAST), (0.2, LAST), (0.3, LAST)]) == [(0.0, first), (0.1, LAST)]


def test_ten_running_are_not_none() -> None:
    line = "canary patch: 0 done, 0 failing, 10 running, 0 left of 10"
    assert len(shown([(0.0, RUNNING.format(0, 10)), (0.1, line)])) == 1


def test_a_sign_of_life_comes_when_nothing_else_was_said_and_repeats_the_last_line() -> None:
    clock, lines = Clock(), list[str]()
    life = SignOfLife(lines.append, clock)
    clock.at += 20
    life.said(RUNNING.format(3, 7))
    clock.at += 20
    assert life.beat() <= 10 and lines == []
    clock.at += 9
    life.beat()
    assert lines == [f"still at work after 49 seconds: {RUNNING.format(3, 7)}"]
    assert life.beat() <= PROGRESS_SECONDS and len(lines) == 1


def test_a_host_says_whose_sign_of_life_it_is() -> None:
    clock, lines = Clock(), list[str]()
    life = SignOfLife(lines.append, clock, title="db: ")
    clock.at += 26
    life.beat()
    assert lines == ["db: still at work after 26 seconds"]


class Slow(ControllerAction):
    """Works for a while and says nothing."""

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        time.sleep(0.5)
        return {"changed": False}


def test_every_action_of_ours_gives_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LIFE_SECONDS", 0.1)
    action = Slow(Mock(args={}, check_mode=False, diff=False, async_val=0, environment=[]), *[Mock()] * 4, None)
    lines: list[str] = []
    monkeypatch.setattr(action, "say", lines.append)
    assert action.run(task_vars={})["changed"] is False
    assert 2 <= len(lines) <= 6 and all(line.startswith("still at work after ") for line in lines)
