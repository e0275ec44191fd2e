# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout needs next: at every point of its life, and never before its night."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Decision,
    Event,
    GateJudged,
    Intent,
    Outcome,
    Prepared,
    Resumed,
    RolloutFinished,
    WaveFinished,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.next_words import (
    Commands,
    after_approval,
    after_draft,
    after_plan,
    after_run,
    after_scan,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.agenda import Need, agenda
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.decisions import (
    Choice,
    DecisionRefused,
    affected_by,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import apply
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import Rollout, initial
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time

from tests.fakes.driving import night, planned
from tests.fakes.events import started
from tests.fakes.fleet_port import START

DAY = 24 * 60


def plan() -> dict[str, Any]:
    """Two waves: one with two nights and a day of soak, one whose night is a week later."""
    nights = [[night(1, 60, 30), night(2, DAY, 30)], [night(1, 7 * DAY, 30)]]
    members = [[{**planned("a", 1), "night": 1}, {**planned("b", 2), "night": 2}], [{**planned("c", 1), "night": 1}]]
    waves = [
        {"name": name, "nodes": nodes, "nights": rows, "soak_minutes": soak, "turns": len(nodes)}
        for name, nodes, rows, soak in zip(("dev", "prod"), members, nights, (DAY, 0), strict=True)
    ]
    windows = [{"name": "w", "occurrences": [row for rows in nights for row in rows]}]
    return {"digest": "d" * 64, "rollout": "d" * 12, "waves": waves, "windows": windows}


def at(minutes: float, *events: Event) -> tuple[Rollout, Any]:
    """Return the state after these events, which came a minute before, and its agenda after so many minutes."""
    state = initial(plan())
    for event in events:
        apply(state, event, to_time(START + timedelta(minutes=minutes - 1)))
    return state, agenda(state, START + timedelta(minutes=minutes), timedelta(minutes=30))


BEGUN = (started("d" * 64), WaveStarted(wave="dev"), Claimed(wave="dev", nodes=("a", "b")))


def done(*nodes: str, wave: str = "dev") -> Outcome:
    results = tuple({"node_id": node, "status": "succeeded"} for node in nodes)
    return Outcome(wave=wave, stage="verify", results=results)


INTENT = Intent(wave="dev", stage="precheck", attempt=1, nodes=("a",), token="t")
PATCHED = Outcome(wave="dev", stage="patch", results=({"node_id": "a", "status": "succeeded"},))
CHECKED = Outcome(wave="dev", stage="precheck", results=({"node_id": "a", "outcome": "pass"},))
PAUSED = GateJudged(wave="dev", verdict="pause")
FAILED = Outcome(wave="dev", stage="verify", results=({"node_id": "a", "status": "failed"},))
RETRY = Decision(by="x", action="retry", wave="dev", reason="y", nodes=("a",))
PROMOTED = GateJudged(wave="dev", verdict="promote")


@pytest.mark.parametrize(
    ("minutes", "events", "need", "words"),
    [
        (0, (), Need.WAITING, "which opens Mon 2026-06-01 23:00 CEST to Tue 2026-06-02 03:00 CEST"),
        (30, (), Need.DUE, "window w of wave dev"),
        (61, BEGUN, Need.DUE, "window w of wave dev"),
        (400, (*BEGUN, INTENT), Need.DUE, "the outcome of 1 pieces of work is not known yet"),
        (400, (*BEGUN, CHECKED, PATCHED), Need.DUE, "1 nodes were begun and are not done"),
        (100, (*BEGUN, done("a")), Need.WAITING, "which opens Tue 2026-06-02 22:00 CEST"),
        (DAY - 30, (*BEGUN, done("a")), Need.DUE, "window w of wave dev"),
        (DAY + 40, (*BEGUN, done("a"), done("b")), Need.WAITING, "soaks until 2026-06-03 20:39 UTC"),
        (3 * DAY, (*BEGUN, done("a"), done("b"), PAUSED), Need.HELD, "the gate of wave dev paused"),
        (100, (*BEGUN, FAILED, done("b"), PAUSED, RETRY), Need.DUE, "window w of wave dev"),
        (DAY - 31, (*BEGUN, FAILED, done("b"), PAUSED, RETRY), Need.WAITING, "which opens Tue 2026-06-02 22:00 CEST"),
        (9 * DAY, (*BEGUN, FAILED, done("b"), PAUSED, RETRY), Need.OVER, "plan and approve"),
        (3 * DAY, (*BEGUN, done("a"), done("b"), PROMOTED), Need.DUE, "the rollout goes on"),
        (3 * DAY, (*BEGUN, done("a"), done("b"), PROMOTED, WaveFinished(wave="dev")), Need.WAITING, "wave prod waits"),
        (9 * DAY, (*BEGUN, done("a"), done("b"), PROMOTED, WaveFinished(wave="dev")), Need.OVER, "plan and approve"),
        (9 * DAY, (*BEGUN, done("a")), Need.DUE, "no night is left for the last nodes of wave dev"),
        (9 * DAY, (*BEGUN, Decision(by="x", action="abort", reason="y")), Need.DUE, "aborted and is not closed"),
        (
            9 * DAY,
            (
                *BEGUN,
                Decision(by="x", action="abort", reason="y"),
                RolloutFinished(status="aborted", reason="y"),
            ),
            Need.FINISHED,
            "aborted",
        ),
        (100, (*BEGUN, done("a"), Prepared(wave="dev", what="drained", nodes=("a",))), Need.DUE, "must be restored"),
    ],
)
def test_what_comes_next(minutes: int, events: tuple[Event, ...], need: Need, words: str) -> None:
    _state, found = at(minutes, *events)
    assert found.need is need and words in found.text, found


def test_a_paused_rollout_restores_and_waits_for_its_person() -> None:
    hook = Prepared(wave="dev", what="wave_hook", nodes=("*",))
    _state, found = at(3 * DAY, *BEGUN, hook, done("a"), done("b"), PAUSED)
    assert found.need is Need.SETTLE
    _state, found = at(3 * DAY, *BEGUN, done("a"), done("b"), PAUSED, Resumed(operator="x", controller="y"))
    assert found.need is Need.WAITING and "soaks" in found.text, "a person resumed it"


def test_a_gate_is_due_after_the_soak_time() -> None:
    state, _found = at(DAY, *BEGUN, done("a"), done("b"))
    assert agenda(state, START + timedelta(minutes=2 * DAY - 2)).need is Need.WAITING
    assert agenda(state, START + timedelta(minutes=2 * DAY - 1)).text == "the gate of wave dev is due"


COMMANDS = Commands(
    folder="/d", again="/d-2", missed="/d/catch_up.json", policy_file="/my policy.yml", inventory=("inv",)
)
GIVEN = "-i inv -e '{patchtide_policy_file: /my policy.yml}'"
ROLL_OUT = f"ansible-playbook patchtide.hybrid.rollout_patches {GIVEN} -e patchtide_dir=/d"
PLAN = (
    f"ansible-playbook patchtide.hybrid.scan_compliance {GIVEN} -e patchtide_dir=/d-2 && ansible-playbook "
    f"patchtide.hybrid.plan_rollout {GIVEN} -e patchtide_dir=/d-2 -e patchtide_catch_up=/d/catch_up.json"
)
ABORTED = Decision(by="x", action="abort", reason="y")


@pytest.mark.parametrize(
    ("minutes", "events", "command"),
    [
        (0, (), ROLL_OUT),
        (61, BEGUN, ROLL_OUT),
        (3 * DAY, (*BEGUN, done("a"), done("b"), PAUSED), ROLL_OUT),
        (9 * DAY, (), PLAN),
        (9 * DAY, (*BEGUN, ABORTED), ROLL_OUT),  # it still holds its nodes
        (9 * DAY, (*BEGUN, ABORTED, RolloutFinished(status="aborted", reason="y")), PLAN),
    ],
)
def test_every_run_ends_with_the_next_command(minutes: int, events: tuple[Event, ...], command: str) -> None:
    state, found = at(minutes, *events)
    text = after_run(state, found, COMMANDS)
    assert re.search(rf"[Nn]ext( at 2026-06-01 20:30 UTC)?: {re.escape(command)}$", text), text


def test_a_paused_rollout_names_its_wave_and_the_command_that_decides() -> None:
    state, found = at(3 * DAY, *BEGUN, done("a"), done("b"), PAUSED)
    steer = "steer_rollout -i inv -e patchtide_dir=/d -e patchtide_wave=dev -e patchtide_decision=retry"
    assert steer in after_run(state, found, COMMANDS)


@pytest.mark.parametrize("signed", [True, False])
def test_a_plan_says_how_it_starts(signed: bool) -> None:
    """A digest that somebody types counts only where no signatures are demanded."""
    text = after_plan({**plan(), "waves": [{"nights": [{"local": "Tue"}]}]}, COMMANDS, signed=signed)
    assert "Its first night is Tue; run_due begins it then." in text and ROLL_OUT in text
    assert (f"-e patchtide_approved_digest={'d' * 64}" in text) != signed
    assert ("patchtide.hybrid.approve_plan -i inv -e patchtide_dir=/d shows how" in text) == signed


def test_a_draft_is_followed_by_its_check() -> None:
    check = "ansible-playbook patchtide.hybrid.apply_policy -e patchtide_policy_file=first/policy.yml --check --diff"
    assert after_draft("first") == f"Read first/policy.yml. Next: {check}"


def test_a_scan_is_followed_by_a_plan_and_an_approval_by_the_rollout() -> None:
    digest = f"-e patchtide_approved_digest={'d' * 64}"
    plan = {"digest": "d" * 64}
    assert after_approval(plan, COMMANDS, approved=True) == f"Next: {ROLL_OUT}"
    assert after_approval(plan, COMMANDS, approved=None) == f"Next: {ROLL_OUT} {digest}"
    again = after_approval(plan, COMMANDS, approved=False)
    assert again.endswith("next: ansible-playbook patchtide.hybrid.approve_plan -i inv -e patchtide_dir=/d")
    assert after_scan(COMMANDS) == f"Next: ansible-playbook patchtide.hybrid.plan_rollout {GIVEN} -e patchtide_dir=/d"


RUN_NOW = Decision(by="dana", action="run_now", wave="dev", reason="zero-day")


def test_run_now_opens_a_wave_outside_its_window_for_the_length_of_a_night() -> None:
    state, found = at(5, started("d" * 64), RUN_NOW)
    assert found.need is Need.DUE and state.waves["dev"].run_now == (
        to_time(START + timedelta(minutes=4)),
        to_time(START + timedelta(minutes=244)),
    )
    later = agenda(state, START + timedelta(minutes=245))
    assert later.need is Need.WAITING and "opens Tue 2026-06-02 22:00 CEST" in later.text


@pytest.mark.parametrize(
    ("wave", "events", "words"),
    [
        ("prod", (started("d" * 64),), "wave dev comes first, and it is waiting"),
        ("dev", (*BEGUN, done("a"), done("b"), PROMOTED, WaveFinished(wave="dev")), "wave dev is finished"),
        ("dev", (), "has not started"),
    ],
)
def test_run_now_passes_no_gate(wave: str, events: tuple[Event, ...], words: str) -> None:
    state, _found = at(5, *events)
    with pytest.raises(DecisionRefused, match=words):
        affected_by(state, Choice("run_now", wave))


def test_run_now_is_refused_after_the_end_of_the_plan_and_without_a_window() -> None:
    state = initial({**plan(), "valid_until": to_time(START)})
    apply(state, started("d" * 64), to_time(START))
    with pytest.raises(JournalError, match="the plan ended on"):
        apply(state, RUN_NOW, to_time(START + timedelta(minutes=1)))
    free = initial({"digest": "d" * 64, "waves": [{"name": "dev", "nodes": [planned("a", 1)]}]})
    apply(free, started("d" * 64), to_time(START))
    with pytest.raises(DecisionRefused, match="may run at any time"):
        affected_by(free, Choice("run_now", "dev"))
