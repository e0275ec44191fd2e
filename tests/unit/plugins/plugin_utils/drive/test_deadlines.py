# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window is a wall: nothing is left running after its end, and an install leaves room for the reboot."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ClockSkew
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.capacity import REBOOT_MINUTES
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.service_clock import ServiceClock
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Result, Work

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


def step(driving: Driving, minutes: float) -> list[Work]:
    """Step the controller's clock at the first poll of an install; return the polls of it from then on."""
    polled, poll = list[Work](), driving.executor.poll

    def late(work: Work) -> list[Result]:
        if work.stage == "patch" and not polled:
            driving.clock.moment += timedelta(minutes=minutes)
            driving.executor.behind = timedelta(minutes=minutes)
        polled.extend([work] if work.stage == "patch" else [])
        return poll(work)

    driving.executor.poll = late
    return polled


def put_right(driving: Driving) -> None:
    driving.clock.moment -= driving.executor.behind or timedelta()
    driving.executor.behind = timedelta()


def test_a_clock_that_is_stepped_ahead_stops_no_running_install(tmp_path: Path) -> None:
    """A poll past the deadline stops an install of Run Command, so there is none until the clock is right again."""
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["hangs"]})
    polled = step(driving, 24 * 60)
    with pytest.raises(ClockSkew, match="1440 minutes ahead of"):
        driving.run()
    assert len(polled) == 1 and not [call for call in driving.executor.calls if call[0] == "stop"]
    driving.script[("patch", "a")] = ["ok"]
    put_right(driving)
    driving.run()
    assert driving.begun("patch") == 1 and driving.statuses() == {"a": "succeeded"}


def test_a_controller_that_takes_up_work_with_a_wrong_clock_stops_nothing(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["hangs", "away"]})
    step(driving, 24 * 60)
    for _run in range(2):
        with pytest.raises(ClockSkew):
            driving.run()
    assert not [call for call in driving.executor.calls if call[0] == "stop"]


def test_nothing_begins_by_a_clock_that_was_stepped_back(tmp_path: Path) -> None:
    """By its own clock the window would be open for a day more."""
    driving = Driving(tmp_path, {"a": 1})
    step(driving, -24 * 60)
    with pytest.raises(ClockSkew, match="1440 minutes behind"):
        driving.run()
    assert driving.begun("patch") == 1 and driving.begun("reboot") == 0
    put_right(driving)
    driving.run()
    assert driving.begun("patch") == 1 and driving.statuses() == {"a": "succeeded"}


def test_a_clock_that_is_stepped_while_an_executor_prepares_begins_nothing(tmp_path: Path) -> None:
    """It lists packages, for example, between the guards and the beginning."""
    driving = Driving(tmp_path, {"a": 1})
    begin = driving.executor.begin

    def late(work: Work) -> str:
        if work.stage == "patch":
            driving.clock.moment += timedelta(hours=24)
            driving.executor.behind = timedelta(hours=24)
        return begin(work)

    driving.executor.begin = late
    with pytest.raises(ClockSkew):
        driving.run()
    assert driving.begun("patch") == 0


def test_what_was_announced_does_not_begin_by_a_wrong_clock(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1})

    def die(work: Work) -> None:
        if work.stage == "patch":
            raise KeyboardInterrupt

    driving.executor.on_begin = die
    with pytest.raises(BaseException):  # noqa: B017 - the controller dies, whatever that looks like
        driving.run()
    driving.executor.on_begin = None
    driving.executor.behind = timedelta(minutes=-3)
    with pytest.raises(ClockSkew):
        driving.run()
    assert driving.begun("patch") == 0


def test_the_services_time_is_asked_for_once_a_minute(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1})
    asked: list[str] = []
    clock = ServiceClock(driving.clock, [driving.executor])
    driving.executor.service_time = lambda: asked.append("time")  # type: ignore[assignment,func-returns-value] # only noted
    for seconds, count in ((0, 1), (59, 1), (2, 2), (-600, 3)):
        driving.clock.moment += timedelta(seconds=seconds)
        clock.check()
        assert len(asked) == count
