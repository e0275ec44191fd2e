# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window is a wall: nothing is left running after its end, and an install leaves room for the reboot."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.capacity import REBOOT_MINUTES
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time

from tests.fakes.driving import Driving
from tests.fakes.fleet_port import START

#: Minutes: the executor's own limit is an hour.
END = 40


def in_a_window(folder: Path, hangs: str) -> Driving:
    times = {"start": START, "cutoff_at": START + timedelta(minutes=END - 5), "end": START + timedelta(minutes=END)}
    window = {"name": "night", **{name: to_time(at) for name, at in times.items()}}
    return Driving(folder, {"a": 1}, {(hangs, "a"): ["hangs"]}, window=window)


@pytest.mark.parametrize(("stage", "reserve"), [("patch", REBOOT_MINUTES), ("reboot", 0)])
def test_what_hangs_is_stopped_before_the_window_ends(tmp_path: Path, stage: str, reserve: int) -> None:
    driving = in_a_window(tmp_path, stage)
    driving.run()
    assert ("stop", stage, ("a",)) in driving.executor.calls
    assert END - reserve <= driving.minute("a", stage) < END - reserve + 1


def test_a_stage_that_only_reads_may_end_later(tmp_path: Path) -> None:
    driving = in_a_window(tmp_path, "scan")
    driving.run()
    assert driving.minute("a", "scan") > END
