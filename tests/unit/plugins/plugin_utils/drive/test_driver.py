# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver: node by node and without barriers, each piece of work once, guarded right before it begins."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError, PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Decision, Outcome
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import EXECUTORS
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout import due as due_module
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import Effect, due
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.gathering import Gathering
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.driver import Driver

from tests.fakes.driving import WAVE, Driving
from tests.fakes.executor import ROW
from tests.fakes.fleet_port import START

ABORT = Decision(by="dana", action="abort", reason="stop")


def test_a_wave_is_worked_through_and_judged_by_somebody_else(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1})
    driving.run()
    assert driving.statuses() == {"a": "succeeded", "b": "succeeded"}
    assert due(driving.rollout.state) == [] and driving.rollout.state.waves[WAVE].status == "running"
    assert [row["data"]["stage"] for row in driving.journal("intent")] == [
        "precheck",
        "patch",
        "reboot",
        "scan",
        "verify",
    ]


def test_every_effect_that_can_be_due_is_carried_out() -> None:
    kinds = set(re.findall(r"^(\w+)  +", str(due_module.__doc__), re.MULTILINE)) - {"effect"}
    assert kinds == set(Driver._HANDLERS)


def test_a_hung_node_holds_nobody_in_the_same_chunk(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"web-a": 1, "web-hung": 1}, {("patch", "web-hung"): ["hangs"]}, drain=True)
    driving.run()
    assert driving.statuses()["web-a"] == "succeeded"
    assert driving.minute("web-a", "verify") < 15 < 60 <= driving.minute("web-hung", "patch") < 62
    restores = [nodes for what, _stage, nodes in driving.executor.calls if what == "restore"]
    assert restores[0] == ("web-a",)
    restored = driving.journal("restored")[0]["at"]
    assert restored < (START + timedelta(minutes=15)).isoformat()


def test_a_hung_node_beside_49_others_delays_no_reboot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They end within ten minutes of each other; each is rebooted as soon as others that can share its command came."""
    monkeypatch.setitem(EXECUTORS, ROW.name, ROW)  # type: ignore[arg-type] # else no nodes would share a command
    nodes = {f"web-{number:02}": 1 for number in range(49)} | {"web-hung": 1}
    takes = {("patch", node): 60.0 + 12 * number for number, node in enumerate(nodes)}
    driving = Driving(tmp_path, nodes, {("patch", "web-hung"): ["hangs"]}, executor_options={"takes": takes})
    driving.run()
    reboots = {
        node: datetime.fromisoformat(row["at"].replace("Z", "+00:00"))
        for row in driving.journal("intent")
        if row["data"]["stage"] == "reboot"
        for node in row["data"]["nodes"]
    }
    ended = {node: START + timedelta(minutes=driving.minute(node, "patch")) for node in reboots}
    waited = [(reboots[node] - ended[node]).total_seconds() for node in reboots]
    assert len(waited) == 49 and median(waited) <= 45 and max(waited) <= 60, sorted(waited)
    assert driving.minute("web-hung", "patch") > 60


def test_chunks_of_one_place_do_not_wait_for_each_other(tmp_path: Path) -> None:
    nodes = {f"n{number}": 1 for number in range(9)}
    driving = Driving(tmp_path, nodes, {("precheck", "n0"): ["hangs"]}, executor_options={"size": 1})
    driving.run()
    assert max(driving.minute(node, "verify") for node in nodes if node != "n0") < 15


def test_the_intent_is_in_the_journal_before_anything_begins(tmp_path: Path) -> None:
    driving, seen = Driving(tmp_path, {"a": 1, "b": 1}, executor_options={"size": 1}), []

    def look(work: Any) -> None:
        seen.append(work.token in [row["data"]["token"] for row in driving.journal("intent")])

    driving.executor.on_begin = look
    driving.run()
    assert len(seen) == 10 and all(seen)
    assert len(driving.executor.tokens) == len(set(driving.executor.tokens))


@pytest.mark.parametrize("word", ["lost", "refused", "swallowed", "unreadable", "bug at begin", "bug at poll"])
def test_whatever_happens_to_one_node_the_others_go_on(tmp_path: Path, word: str) -> None:
    script = {("patch", "bad"): [word]}
    driving = Driving(tmp_path, {"bad": 1, "good": 1}, script, executor_options={"size": 1})
    driving.run()
    assert driving.statuses()["good"] == "succeeded" and driving.rollout.state.intents == {}
    assert driving.minute("good", "verify") < 15


def test_a_lost_answer_is_looked_up_and_the_work_is_not_done_twice(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["lost"]})
    driving.run()
    assert len(driving.begun_at("patch")) == 1 and driving.statuses() == {"a": "succeeded"}


def test_what_never_began_begins_under_the_token_that_was_announced(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["swallowed", "ok"]})
    driving.run()
    assert driving.statuses() == {"a": "succeeded"}
    tokens = [token for token in driving.executor.tokens if "/patch/" in token]
    assert [token.rpartition("/")[2] for token in tokens] == ["1.1", "1.1"]
    assert len([row for row in driving.journal("intent") if row["data"]["stage"] == "patch"]) == 1


def test_a_place_that_swallows_everything_ends_as_its_nodes_failure(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["swallowed"]})
    driving.run()
    assert len(driving.begun_at("patch")) == 3
    assert driving.statuses() == {"a": "unreachable"} and "no answer (3 times)" in driving.error("a")["text"]


@pytest.mark.parametrize(("stage", "status"), [("precheck", "skipped"), ("verify", "unknown")])
@pytest.mark.parametrize("word", ["bug at poll", "bug at begin", "unreadable"])
def test_a_fault_of_the_executor_is_the_nodes_reason(tmp_path: Path, stage: str, status: str, word: str) -> None:
    """A node whose pre-check broke was not touched; after the work, nobody knows."""
    driving = Driving(tmp_path, {"a": 1}, {(stage, "a"): [word]})
    driving.run()
    assert driving.statuses() == {"a": status} and driving.error("a")["code"] == "executor_fault"


def test_after_a_fault_in_the_install_nothing_is_rebooted_and_the_scan_tells(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("patch", "a"): ["bug at poll"]})
    driving.run()
    assert driving.begun_at("reboot") == [] and driving.begun_at("scan") == [("a",)]


def test_a_place_that_is_away_for_a_while_loses_nothing(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1}, {"a": ["away"]}, executor_options={"size": 1})
    driving.run()
    assert driving.statuses() == {"a": "succeeded", "b": "succeeded"}
    assert driving.minute("b", "verify") < 15


def test_one_that_never_comes_back_ends_at_its_deadline(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, {("reboot", "a"): ["hangs"]})
    driving.run()
    assert ("stop", "reboot", ("a",)) in driving.executor.calls
    assert 60 <= driving.minute("a", "reboot") - driving.minute("a", "patch") < 62


def test_retries_wait_a_minute_and_hold_no_first_attempt(tmp_path: Path) -> None:
    script = {("patch", "a"): ["failed", "ok"], ("precheck", "b"): ["ok"]}
    driving = Driving(tmp_path, {"a": 1, "b": 1}, script, rules={"retries": {"execution": 1}})
    driving.executor.size = 1
    driving.run()
    assert driving.statuses() == {"a": "succeeded", "b": "succeeded"} and len(driving.begun_at("patch")) == 3
    intents = [row for row in driving.journal("intent") if row["data"]["stage"] == "patch"]
    assert intents[-1]["data"]["attempt"] == 2
    first = driving.minute("a", "patch")
    assert intents[-1]["at"] >= (START + timedelta(minutes=first + 1)).isoformat()[:19]


def test_guards_are_asked_right_before_the_install_and_the_reboot(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1})
    driving.watch.no = {"a": ("exception", "the month's end")}
    driving.run()
    assert driving.statuses() == {"a": "skipped", "b": "succeeded"}
    assert driving.begun_at("patch") == [("b",)] and driving.error("a")["text"] == "the month's end"


def test_a_freeze_that_begins_after_the_install_keeps_nodes_from_rebooting(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1})
    driving.executor.on_begin = lambda work: setattr(
        driving.watch, "freezes_at", START if work.stage == "patch" else None
    )
    driving.run()
    assert driving.begun_at("patch") == [("a",)] and driving.begun_at("reboot") == []
    patched = next(row for row in driving.journal("outcome") if row["data"]["stage"] == "reboot")
    assert patched["data"]["results"][0]["error"] == {"code": "freeze", "text": "frozen"}


def test_guards_are_asked_again_where_work_begins_late(tmp_path: Path, monkeypatch: Any) -> None:
    """Chunks wait for their place; what was allowed an hour ago need not be allowed now."""
    driving = Driving(tmp_path, {f"n{number}": 1 for number in range(6)}, executor_options={"size": 1})
    driving.executor.on_begin = lambda work: driving.clock.sleep(40) if work.stage == "patch" else None
    driving.run()
    asked = [nodes for nodes in driving.watch.asked if len(nodes) == 1]
    assert len(asked) >= 2 and len(driving.begun_at("patch")) == 6


def test_budgets_count_who_may_begin_and_waits_for_its_place(tmp_path: Path) -> None:
    """The journal does not say yet that b is taken down when a becomes due."""
    driving = Driving(tmp_path, {"a": 1, "b": 1}, rules={"budgets": {"rollout": 1}})
    driver = driving.driver()

    async def due_and_asked(node: str) -> list[str]:
        await driver.notes.outcome(WAVE, "precheck", [{"node_id": node, "outcome": "pass"}])
        beside = asyncio.create_task(driver.tempo.pass_time())
        try:
            return await driver.permits.allowed("patch", [node])
        finally:
            beside.cancel()

    assert asyncio.run(due_and_asked("b")) == ["b"] and asyncio.run(due_and_asked("a")) == []
    assert driving.rollout.state.nodes["a"].results["patch"]["error"]["code"] == "missed_budget"


def test_budgets_hold_and_who_was_refused_takes_no_room(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1, "c": 1, "d": 1}, rules={"budgets": {"rollout": 1}})
    driving.watch.no, driving.watch.no_quorum = {"a": ("exception", "no")}, {"b": ("missed_quorum", "2 of 3")}
    driving.run()
    assert driving.begun_at("patch") == [("c",)]
    assert (driving.error("b")["code"], driving.error("d")["code"]) == ("missed_quorum", "missed_budget")


def test_nothing_begins_that_would_end_after_the_window(tmp_path: Path) -> None:
    end = (START + timedelta(minutes=6)).isoformat()
    driving = Driving(tmp_path, {"a": 1}, window={"start": START.isoformat(), "end": end, "cutoff_at": end})
    driving.run()
    assert driving.begun_at("precheck") and driving.begun_at("patch") == []
    assert driving.error("a")["code"] == "missed_out_of_time"


def test_drained_before_the_install_and_restored_when_the_node_is_done(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"web-a": 1, "db": 1}, drain=True)
    driving.run()
    order = [(what, stage) for what, stage, nodes in driving.executor.calls if "web-a" in nodes]
    assert order.index(("drain", "")) < order.index(("begin", "patch"))
    assert order[-1] == ("restore", "") and order[-2] == ("begin", "verify")
    assert not any("db" in nodes for what, _stage, nodes in driving.executor.calls if what == "drain")
    assert driving.statuses() == {"web-a": "succeeded", "db": "succeeded"}


def test_a_node_that_drains_slowly_holds_no_other(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"web-a": 1, "web-b": 1, "db": 1}, drain=True, slow={"web-a"})
    driving.run()
    assert set(driving.statuses().values()) == {"succeeded"}
    assert max(driving.minute(node, "verify") for node in ("web-b", "db")) < 45 < 50 < driving.minute("web-a", "patch")


def test_one_that_does_not_drain_is_missed_and_what_stays_drained_is_told_once(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"web-a": 1, "web-b": 1}, drain=True, stuck={"web-a"})
    driving.run()
    assert driving.error("web-a")["code"] == "missed_not_drained" and driving.statuses()["web-b"] == "succeeded"
    restores = [nodes for what, _stage, nodes in driving.executor.calls if what == "restore" and "web-a" in nodes]
    assert len(restores) == 1 and set(driving.rollout.state.prepared[WAVE, "drained"]) == {"web-a"}


def test_turns_are_not_mixed(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 2})
    driving.run()
    assert driving.statuses() == {"a": "succeeded", "b": "precheck"}
    driving.run(turn=2)
    assert driving.statuses() == {"a": "succeeded", "b": "succeeded"}


def test_started_only_starts(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, is_begun=False)
    driving.run("started")
    assert [row["kind"] for row in driving.journal()] == ["rollout_started", "claimed", "wave_started"]
    assert driving.executor.calls == []


def test_checked_ends_with_the_guards(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1, "c": 1}, {("precheck", "c"): ["refused"]}, is_begun=False)
    driving.executor.size = 1
    driving.watch.no = {"a": ("exception", "not now")}
    driving.run("checked")
    state = driving.rollout.state
    assert (state.nodes["b"].stage, state.nodes["c"].stage) == ("patch", "done")
    assert state.nodes["a"].results["patch"]["status"] == "skipped" and driving.begun_at("patch") == []


def test_an_error_of_the_journal_stops_everything(tmp_path: Path, monkeypatch: Any) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1}, executor_options={"size": 1})
    driver = driving.driver()
    record = driving.rollout.record

    def full(event: Any) -> Any:
        if isinstance(event, Outcome):
            raise JournalError("the disk is full")
        return record(event)

    monkeypatch.setattr(driving.rollout, "record", full)
    with pytest.raises(JournalError, match="the disk is full"):
        driver.run("worked")
    assert {stage for what, stage, _nodes in driving.executor.calls if what == "begin"} == {"precheck"}


def unreadable_for(driving: Driving, monkeypatch: Any, node: str, times: int, stage: str) -> None:
    """Let the guards be unreadable where they are asked for a node, so many times, from a stage on."""
    asked, left = driving.watch.objections, [times]

    def down(nodes: Any, now: Any) -> Any:
        if node in nodes and left[0] and (stage == "patch" or driving.begun_at("patch")):
            left[0] -= 1
            raise PatchtideError("the calendar can not be read")
        return asked(nodes, now)

    monkeypatch.setattr(driving.watch, "objections", down)


def test_guards_that_cannot_be_read_are_asked_again(tmp_path: Path, monkeypatch: Any) -> None:
    driving = Driving(tmp_path, {"a": 1})
    unreadable_for(driving, monkeypatch, "a", 2, "patch")
    driving.run()
    assert driving.statuses() == {"a": "succeeded"} and driving.minute("a", "patch") > 3
    assert "1 nodes wait, asked again in 60 seconds" in driving.lines[0]


def test_a_node_whose_guards_cannot_be_read_is_missed_and_the_others_go_on(tmp_path: Path, monkeypatch: Any) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1}, {("precheck", "b"): ["away"]}, executor_options={"size": 1})
    unreadable_for(driving, monkeypatch, "a", 99, "patch")
    driving.run()
    assert driving.statuses() == {"a": "skipped", "b": "succeeded"} and driving.begun_at("patch") == [("b",)]
    assert driving.error("a")["code"] == "missed_guards_unread" and "the calendar" in driving.error("a")["text"]


def test_without_guards_nothing_reboots(tmp_path: Path, monkeypatch: Any) -> None:
    driving = Driving(tmp_path, {"a": 1})
    unreadable_for(driving, monkeypatch, "a", 99, "reboot")
    driving.run()
    (refused,) = [row for row in driving.journal("outcome") if row["data"]["stage"] == "reboot"]
    assert refused["data"]["results"][0]["error"]["code"] == "guards_unread" and driving.begun_at("reboot") == []


def test_a_person_aborts_while_it_runs(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"web-a": 1, "web-b": 1}, executor_options={"size": 1}, drain=True)
    driving.executor.on_begin = lambda work: (
        driving.record(ABORT) if work.stage == "patch" and not driving.begun_at("patch")[1:] else None
    )
    driving.run()
    assert driving.rollout.state.status == "aborted" and driving.rollout.state.intents == {}
    assert driving.rollout.state.prepared == {} and driving.begun_at("reboot") == []


def test_a_person_skips_a_node_while_its_guards_are_asked(tmp_path: Path, monkeypatch: Any) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1})
    skipped = Outcome(wave=WAVE, stage="verify", results=({"node_id": "a", "status": "skipped"},))

    def objections(nodes: Any, now: Any) -> Any:
        if "a" in nodes:
            driving.record(Decision(by="dana", action="skip", wave=WAVE, reason="not this one", nodes=("a",)))
            driving.record(skipped)
        return {}

    monkeypatch.setattr(driving.watch, "objections", objections)
    driving.run()
    assert driving.statuses() == {"a": "skipped", "b": "succeeded"} and driving.begun_at("patch") == [("b",)]


def test_only_an_install_waits_for_nobody_that_waits_for_it(tmp_path: Path) -> None:
    driver = Driving(tmp_path, {"a": 1, "b": 1}).driver()
    driver._waiting = {"b"}
    held = []

    class Chooser(Gathering):
        def choose(self, *asked: Any) -> tuple[list[str], float]:
            held.append(set(asked[-1]))
            return ["a"], 0

    driver.gathering = Chooser()
    for stage in ("patch", "reboot"):
        assert driver._gathered(Effect("run", WAVE, stage), ["a"]) == ["a"]
    assert held == [{"b"}, set()]
