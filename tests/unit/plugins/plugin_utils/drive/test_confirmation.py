# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between an intent and its command a controller may sleep: what was true before is confirmed right before the send."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import TakenOver
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Decision, Event, Resumed
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Result, Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.claim_file import ClaimFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import choose_stores

from tests.fakes.driving import Driving
from tests.fakes.fleet_port import START

ELSEWHERE = Resumed(operator="dana", controller="elsewhere/1/2")
ABORT = Decision(by="dana", action="abort", reason="stop")
WINDOW = {name: to_time(START + timedelta(hours=hours)) for name, hours in (("start", 0), ("cutoff_at", 3), ("end", 4))}


def sleep_before(driving: Driving, stage: str, do: Callable[[], None]) -> None:
    """Let the controller sleep once, between the intent of a stage and its command, while something happens."""
    begin, slept = driving.executor.begin, []

    def late(work: Any) -> str:
        if work.stage == stage and not slept:
            slept.append(work.token)
            do()
        return begin(work)

    driving.executor.begin = late


def another(driving: Driving, event: Event, minutes: float = 0) -> Callable[[], None]:
    def happen() -> None:
        driving.clock.moment += timedelta(minutes=minutes)
        driving.record(event)

    return happen


@pytest.mark.parametrize("stage", ["precheck", "patch", "reboot", "scan"])
def test_one_that_was_succeeded_sends_nothing(tmp_path: Path, stage: str) -> None:
    driving = Driving(tmp_path, {"a": 1})
    sleep_before(driving, stage, another(driving, ELSEWHERE))
    with pytest.raises(TakenOver):
        driving.run()
    assert driving.begun(stage) == 0
    before = len(driving.journal())
    driving.run()
    assert driving.statuses() == {"a": "succeeded"} and driving.begun(stage) == 1
    assert len(driving.journal()) > before


def test_what_was_only_announced_when_a_person_aborted_never_begins(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1})
    sleep_before(driving, "patch", another(driving, ABORT))
    driving.run()
    assert driving.begun("patch") == 0
    assert driving.rollout.state.status == "aborted" and driving.rollout.state.intents == {}


def test_a_window_that_closed_meanwhile_is_seen(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, window={"name": "night", **WINDOW})
    sleep_before(driving, "patch", lambda: driving.clock.sleep(4 * 3600))
    driving.run()
    assert driving.begun("patch") == 0
    assert driving.statuses() == {"a": "skipped"} and driving.error("a")["code"] == "missed_out_of_time"


def test_a_freeze_that_began_meanwhile_is_seen(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1})
    driving.watch.freezes_at = START + timedelta(minutes=30)
    sleep_before(driving, "patch", lambda: driving.clock.sleep(3600))
    driving.run()
    assert driving.begun("patch") == 0 and driving.error("a")["code"] == "freeze"


def test_slow_and_still_allowed_it_begins(tmp_path: Path) -> None:
    """An executor that lists packages for minutes before it begins must not start all over each time."""
    driving = Driving(tmp_path, {"a": 1})
    sleep_before(driving, "patch", lambda: driving.clock.sleep(600))
    driving.run()
    assert driving.begun("patch") == 1 and driving.statuses() == {"a": "succeeded"}
    assert len([row for row in driving.journal("intent") if row["data"]["stage"] == "patch"]) == 1


def test_a_node_that_another_rollout_claimed_meanwhile_is_its(tmp_path: Path) -> None:
    """Without a window a claim lasts a day: who sleeps longer has lost it."""
    claims = tmp_path / "claims.json"
    choose_stores(tmp_path, None, f"file:{claims}", write=True)
    driving = Driving(tmp_path, {"a": 1, "b": 1})

    def other_takes_a() -> None:
        driving.clock.moment += timedelta(hours=30)
        until = driving.clock.now() + timedelta(hours=4)
        ClaimFile(claims).claim(["a"], owner="rollout other", window="night", until=until, now=driving.clock.now())

    sleep_before(driving, "patch", other_takes_a)
    driving.run()
    assert driving.statuses() == {"a": "skipped", "b": "succeeded"}
    assert driving.error("a")["code"] == "claimed_elsewhere" and driving.begun("patch") == 1


def test_one_that_comes_back_days_later_claims_again_first(tmp_path: Path) -> None:
    claims = tmp_path / "claims.json"
    choose_stores(tmp_path, None, f"file:{claims}", write=True)
    driving = Driving(tmp_path, {"a": 1})
    until = START + timedelta(hours=4)
    ClaimFile(claims).claim(["a"], owner="rollout other", window="night", until=until, now=START)
    driving.run()
    assert driving.begun("patch") == 0 and driving.error("a")["code"] == "claimed_elsewhere"


def test_one_that_was_succeeded_stops_nothing(tmp_path: Path) -> None:
    """It slept past the deadline of an install, which another controller has taken up and gives more time."""
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["hangs"]})
    poll, slept = driving.executor.poll, list[str]()

    def late(work: Work) -> list[Result]:
        if work.stage == "patch" and not slept:
            slept.append(work.token)
            another(driving, ELSEWHERE, minutes=24 * 60)()
        return poll(work)

    driving.executor.poll = late
    with pytest.raises(TakenOver):
        driving.run()
    assert slept and not [call for call in driving.executor.calls if call[0] == "stop"]
