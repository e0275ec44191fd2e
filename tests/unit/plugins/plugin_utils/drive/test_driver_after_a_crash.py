# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller does about the intents of one that died: it finds out, awaits, or begins again, never twice."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Decision
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import Reach
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.courses import NoAnswer

from tests.fakes.driving import Driving
from tests.fakes.executor import ROW

STAGES = ("precheck", "patch", "reboot", "scan", "verify")
ABORT = Decision(by="dana", action="abort", reason="stop")


class Died(BaseException):
    """The controller's end."""


def die(driving: Driving, stage: str, *, sent: bool, began: bool) -> None:
    """Let a controller die at the beginning of a stage: before or after it began, before or after that was recorded."""
    driver = driving.driver()
    begin = driving.executor.begin

    def last(work: Any) -> str:
        if work.stage != stage:
            return begin(work)
        if began:
            begin(work)
        if sent:
            work.handle = f"handle of {work.token}"
            driver.tempo.in_loop(lambda: asyncio.create_task(driver.notes.sent("w", work)))
            time.sleep(0.1)
        raise Died

    driving.executor.begin = last
    with pytest.raises(Died):
        driver.run("worked")
    driving.executor.begin = begin


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("sent", "began"), [(True, True), (False, True), (False, False)])
def test_it_is_taken_up_and_begun_once(tmp_path: Path, stage: str, sent: bool, began: bool) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1})
    die(driving, stage, sent=sent, began=began)
    driving.run()
    assert driving.statuses() == {"a": "succeeded", "b": "succeeded"}
    assert len(driving.begun_at(stage)) == 1
    assert (("look up", stage, ("a", "b")) in driving.executor.calls) is not sent


def test_one_that_dies_after_every_record_gets_to_the_end(tmp_path: Path) -> None:
    """Several pieces of work are announced beside one another; what was announced begins in the next life."""
    driving, lives = Driving(tmp_path, {f"web-{number}": 1 for number in range(4)}, drain=True), 0
    driving.executor.size = 1
    while True:
        driver = driving.driver()
        died: list[Any] = []
        record, begin = driving.rollout.record, driving.executor.begin

        def last(record: Any, died: list[Any], event: Any) -> Any:
            if not died:
                record(event)
            died.append(event)
            raise Died

        def dead(begin: Any, died: list[Any], work: Any) -> str:
            if died:
                raise Died
            return str(begin(work))

        driving.executor.begin = partial(dead, begin, died)
        driving.rollout.record = partial(last, record, died)
        try:
            driver.run("worked")
            break
        except Died:
            lives += 1
            assert lives < 200, "it makes no progress"
        finally:
            driving.executor.begin = begin
    assert set(driving.statuses().values()) == {"succeeded"} and lives > 40
    assert len(driving.begun_at("patch")) == 4 == len(driving.begun_at("reboot"))


def test_what_begins_late_has_its_whole_time(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1})
    die(driving, "patch", sent=False, began=False)
    driving.clock.sleep(5 * 3600)
    driving.run()
    assert driving.statuses() == {"a": "succeeded"} and not [call for call in driving.executor.calls if "stop" in call]
    (sent,) = [row["data"] for row in driving.journal("sent") if row["data"]["stage"] == "patch"]
    (intent,) = [row for row in driving.journal("intent") if row["data"]["stage"] == "patch"]
    assert sent["begun_at"] > intent["at"]


@pytest.mark.parametrize("sent", [True, False])
def test_its_time_counts_from_when_it_began_also_for_the_next_controller(tmp_path: Path, sent: bool) -> None:
    driving = Driving(tmp_path, {"a": 1})
    die(driving, "patch", sent=False, began=False)
    driving.clock.sleep(5 * 3600)
    die(driving, "patch", sent=sent, began=True)
    driving.run()
    assert driving.statuses() == {"a": "succeeded"} and len(driving.begun_at("patch")) == 1
    assert not [call for call in driving.executor.calls if "stop" in call]


def test_a_node_that_does_not_drain_again_is_missed_and_the_rest_begins(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"web-a": 1, "web-b": 1}, drain=True)
    die(driving, "patch", sent=False, began=False)
    driving.stuck.add("web-a")
    driving.run()
    assert driving.error("web-a")["code"] == "missed_not_drained" and driving.statuses()["web-b"] == "succeeded"
    assert driving.begun_at("patch") == [("web-b",)]


def test_of_what_never_began_the_refused_nodes_are_missed_and_the_rest_begins(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1})
    die(driving, "patch", sent=False, began=False)
    driving.watch.no = {"a": ("exception", "since yesterday")}
    driving.run()
    assert driving.begun_at("patch") == [("b",)] and driving.statuses() == {"a": "skipped", "b": "succeeded"}


def test_what_never_began_passes_the_guards_again(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1})
    die(driving, "patch", sent=False, began=False)
    driving.watch.no = {"a": ("exception", "since yesterday")}
    driving.run()
    assert driving.begun_at("patch") == [] and driving.statuses() == {"a": "skipped"}


def test_it_is_looked_up_until_the_answer_is_clear(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["away"]})
    die(driving, "patch", sent=False, began=True)
    driving.run()
    assert len(driving.begun_at("patch")) == 1 and driving.statuses() == {"a": "succeeded"}
    assert driving.executor.calls.count(("look up", "patch", ("a",))) > 10


@pytest.mark.parametrize("began", [True, False])
@pytest.mark.parametrize("stage", ["patch", "reboot"])
def test_a_service_that_refuses_look_ups_decides_nothing_about_nodes(tmp_path: Path, stage: str, began: bool) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1}, {(stage, "a"): ["silent"]})
    driving.executor.size = 1
    die(driving, stage, sent=False, began=began)
    with pytest.raises(NoAnswer, match=f"here did not say whether the {stage} announced on 1 node has begun"):
        driving.run()
    assert driving.statuses() == {"a": stage, "b": "succeeded"}
    driving.executor.script.clear()
    driving.run()
    assert driving.statuses() == {"a": "succeeded", "b": "succeeded"} and driving.begun_at(stage).count(("a",)) == 1


def test_after_a_day_without_an_answer_the_outcome_is_unknown(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["silent"]})
    die(driving, "patch", sent=False, began=True)
    driving.clock.sleep(23 * 3600)
    with pytest.raises(NoAnswer):
        driving.run()
    driving.clock.sleep(3600)
    driving.run()
    assert ("stop", "patch", ("a",)) in driving.executor.calls and driving.rollout.state.nodes["a"].final


def test_a_host_that_does_not_answer_is_not_waited_for_beyond_its_time(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["silent"]})
    driving.executor.row, driving.executor.poll_seconds = replace(ROW, reach=Reach.DIRECT), 0.01
    driving.executor.takes = {(stage, "a"): 0 for stage in STAGES}  # hosts take real time
    die(driving, "patch", sent=False, began=True)
    driving.clock.sleep(2 * 3600)
    driving.run()
    assert ("stop", "patch", ("a",)) in driving.executor.calls and driving.rollout.state.nodes["a"].final


def test_a_pre_check_of_which_nobody_tells_was_refused(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("precheck", "a"): ["silent"]})
    die(driving, "precheck", sent=False, began=False)
    driving.run()
    assert ("give up", "precheck", ("a",)) in driving.executor.calls
    assert driving.error("a")["text"] == "the token has expired"


def test_long_after_its_deadline_its_outcome_is_still_asked_for(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1})
    die(driving, "patch", sent=False, began=True)
    driving.clock.sleep(5 * 3600)
    driving.run()
    assert driving.statuses() == {"a": "succeeded"}


def test_after_an_abort_what_began_is_awaited_and_nothing_else_begins(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"web-a": 1, "web-b": 1}, drain=True)
    die(driving, "patch", sent=False, began=True)
    driving.record(ABORT)
    driving.run()
    assert len(driving.begun_at("patch")) == 1 and driving.begun_at("reboot") == []
    assert driving.rollout.state.nodes["web-a"].results["patch"]["status"] == "succeeded"
    assert driving.rollout.state.prepared == {} and driving.rollout.state.intents == {}


def test_after_an_abort_nothing_that_was_only_announced_begins(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1})
    die(driving, "patch", sent=False, began=False)
    driving.record(ABORT)
    driving.run()
    assert driving.begun_at("patch") == [] and driving.rollout.state.intents == {}
    assert "never begun" in driving.rollout.state.nodes["a"].results["patch"]["error"]["text"]


def test_what_was_drained_is_drained_again_and_restored(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"web-a": 1}, drain=True)
    die(driving, "patch", sent=False, began=False)
    driving.run()
    drains = [nodes for what, _stage, nodes in driving.executor.calls if what == "drain"]
    assert drains == [("web-a",), ("web-a",)] and driving.rollout.state.prepared == {}
    assert len(driving.journal("prepared")) == 1
