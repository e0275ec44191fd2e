# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver and the nights of a wave: nothing begins before its night, and a night that is late fits or waits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.opening import OutsideWindow

from tests.fakes.driving import Driving, night
from tests.fakes.fleet_port import START

DAY = 24 * 60


def test_what_does_not_fit_goes_on_in_the_next_night_without_a_failed_node(tmp_path: Path) -> None:
    nights = [night(1, 0, 30), night(2, DAY, 30)]
    driving = Driving(tmp_path, {"a": 1, "b": 2}, nights={"a": 1, "b": 2}, occurrences=nights)
    driving.run()
    assert driving.statuses() == {"a": "succeeded", "b": "precheck"}
    with pytest.raises(OutsideWindow, match="opens Tue 2026-06-02 22:00 CEST to Wed 2026-06-03 02:00 CEST"):
        driving.run(turn=2)
    assert driving.statuses()["b"] == "precheck", "nothing was begun"
    driving.clock.moment = START + timedelta(minutes=DAY - 10)
    driving.run(turn=2)
    assert driving.statuses() == {"a": "succeeded", "b": "succeeded"}
    assert driving.minute("b", "precheck") >= DAY


def test_sub_waves_of_one_turn_begin_as_their_windows_open(tmp_path: Path) -> None:
    nights = [night(1, 0, 30, window="berlin"), night(2, 50, 30, window="london")]
    driving = Driving(tmp_path, {"b": 1, "l": 1}, nights={"b": 1, "l": 2}, occurrences=nights)
    driving.run()
    assert set(driving.statuses().values()) == {"succeeded"}
    assert driving.minute("b", "verify") < 50 <= driving.minute("l", "precheck") < 60


@pytest.mark.parametrize(("late", "begins"), [(14, True), (140, True), (141, False), (179, False)])
def test_a_night_that_begins_late_begins_only_if_all_its_work_fits(tmp_path: Path, late: int, begins: bool) -> None:
    """Thirty minutes of work and ten for reboots before the cutoff after three hours."""
    driving = Driving(tmp_path, {"a": 1}, occurrences=[night(1, 0, 30)])
    driving.clock.moment = START + timedelta(minutes=late)
    driving.run()
    if begins:
        assert driving.statuses() == {"a": "succeeded"}
    else:
        assert driving.statuses() == {"a": "skipped"} and driving.begun_at("patch") == []
        told = {"code": "missed_out_of_time", "text": "its night is past, and none is left before the plan ends"}
        assert driving.error("a") == told


def test_a_night_that_does_not_fit_any_more_moves_to_the_next_occurrence_of_the_plan(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, occurrences=[night(1, 0, 30), night(2, DAY, 30)])
    driving.clock.moment = START + timedelta(minutes=141)
    with pytest.raises(OutsideWindow, match="opens Tue 2026-06-02 22:00 CEST"):
        driving.run()
    driving.clock.moment = START + timedelta(minutes=DAY)
    driving.run()
    assert driving.statuses() == {"a": "succeeded"}


def test_a_night_that_was_begun_goes_on_with_the_nodes_that_fit(tmp_path: Path) -> None:
    script = {("patch", "a"): ["lost"]}
    driving = Driving(tmp_path, {"a": 1, "b": 1}, script, occurrences=[night(1, 0, 150)])
    driver = driving.driver()

    def die(work: Any) -> None:
        if work.stage == "patch":
            raise KeyboardInterrupt

    driving.executor.on_begin = die
    with pytest.raises(BaseException):  # noqa: B017 - the controller dies, whatever that looks like
        driver.run("worked")
    driving.executor.on_begin = None
    driving.clock.moment = START + timedelta(minutes=100)
    driving.run()
    assert set(driving.statuses().values()) == {"succeeded"}
