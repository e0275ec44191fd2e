# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller is killed at every journal record in turn and started again: no node is patched twice or forgotten.

``PATCHTIDE_KILL=short`` keeps a few records and the one rollout that dies at each of its records; CI runs that.
"""

from __future__ import annotations

import os
import signal

import pytest

from tests.kill.conftest import Night
from tests.kill.controller import MOMENTS, Death, controller

SHORT = os.environ.get("PATCHTIDE_KILL") == "short"
#: Records of an undisturbed rollout; a few more or less, because nodes that end together share a record.
RECORDS = 120
#: Among the first wave's Installs, in the middle, at the end.
CHOSEN = [(11, "torn"), (30, "before"), (70, "after")]
EVERY = [(number, MOMENTS[number % len(MOMENTS)]) for number in range(1, RECORDS + 1)]


@pytest.mark.parametrize(("number", "moment"), CHOSEN if SHORT else EVERY)
def test_killed_once_and_resumed(night: Night, number: int, moment: str) -> None:
    night.lose(1 + number % 7, 9 + number % 5)
    died = controller(night.folder, night.environment, Death(number, moment))
    if died == 0:
        assert len(night.records()) < number, "it lived, so there was no such record"
    else:
        assert died == -signal.SIGKILL
        assert controller(night.folder, night.environment) == 0
    night.check()


@pytest.mark.parametrize("moment", MOMENTS[:1] if SHORT else MOMENTS)
def test_killed_at_every_record_of_one_rollout(night: Night, moment: str) -> None:
    """Nobody gets further than one record before dying, until the rollout is done."""
    night.lose(2, 5, 9, 14)
    lives = 0
    while controller(night.folder, night.environment, Death(1 if moment == "after" else 2, moment)) != 0:
        lives += 1
        assert lives < 4 * RECORDS, "it makes no progress"
    night.check()
    assert lives > 60
