# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout's state machine: what it refuses, and what no sequence of events can bring about."""

from __future__ import annotations

from copy import deepcopy
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
    Resumed,
    RolloutFinished,
    Sent,
    WaveFinished,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Status
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import Effect, due
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import Record
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import apply, fold
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import (
    STAGES,
    Rollout,
    due_nodes,
    final_results,
    initial,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.events import closing, gate, intent, outcome, resumed, started

PLAN: dict[str, Any] = {
    "digest": "d1",
    "waves": [
        {"name": "canary", "nodes": [{"node_id": "a"}, {"node_id": "b"}]},
        {"name": "production", "nodes": [{"node_id": "c"}]},
    ],
}
START = started("d1")
SENT = Sent(wave="canary", stage="precheck", token="t", place="p", command_id="c", nodes=("a",))
PROMOTE = Decision(action="promote", wave="canary", by="x", reason="y")
COMPLETED, ABORTED = (RolloutFinished(status=status, reason="") for status in ("completed", "aborted"))
CANARY: list[Event] = [
    START,
    WaveStarted(wave="canary"),
    Claimed(wave="canary", nodes=("a", "b")),
]


def through(*nodes: str, wave: str = "canary") -> list[Event]:
    """Every stage of these nodes, with an intent for each."""
    found: list[Event] = []
    for stage in STAGES:
        found += [intent(stage, *nodes, wave=wave, token=f"{wave}/{stage}"), outcome(stage, *nodes, wave=wave)]
    return found


def play(*events: Event, state: Rollout | None = None) -> Rollout:
    state = initial(PLAN) if state is None else state
    for number, event in enumerate(events):
        apply(state, event, f"at {number}")
    return state


PROMOTED: list[Event] = [*CANARY, *through("a", "b"), gate("promote"), WaveFinished(wave="canary")]
PRODUCTION: list[Event] = [
    WaveStarted(wave="production"),
    Claimed(wave="production", nodes=("c",)),
    *through("c", wave="production"),
    gate("promote", "production"),
    WaveFinished(wave="production"),
    COMPLETED,
]
ABORT = Decision(action="abort", wave="canary", by="x", reason="stop")

REFUSED: list[tuple[str, list[Event], Event, str]] = [
    ("not started", [], WaveStarted(wave="canary"), "was not started"),
    ("started twice", [START], START, "started before"),
    ("another plan", [], started("d2"), "journal is of plan d2, not d1"),
    ("wave too early", [START], WaveStarted(wave="production"), "must wait for canary"),
    ("wave twice", CANARY, WaveStarted(wave="canary"), "canary is running"),
    ("no such wave", [START], WaveStarted(wave="x"), "must wait for canary"),
    ("claim in no wave", [START], Claimed(wave="x", nodes=()), "no wave 'x'"),
    ("claim of a stranger", CANARY, Claimed(wave="canary", nodes=("c",)), "not in wave canary: c"),
    ("intent before the wave", [START], intent("precheck", "a"), "wave canary is waiting"),
    ("intent without claim", CANARY[:2], intent("precheck", "a"), "a is not a claimed node"),
    ("intent for another wave's node", CANARY, intent("precheck", "c"), "c is not a claimed node"),
    ("intent out of turn", CANARY, intent("patch", "a"), "a is due for precheck, not for patch"),
    ("token twice", [*CANARY, intent("precheck", "a")], intent("precheck", "b"), "t is open already"),
    ("under way", [*CANARY, intent("precheck", "a")], intent("precheck", "a", token="u"), "is open"),
    (
        "sent without intent",
        CANARY,
        SENT,
        "no open intent t",
    ),
    ("outcome of a stranger", CANARY, outcome("precheck", "c"), "c is not in wave canary"),
    ("outcome out of turn", CANARY, outcome("patch", "a"), "a is at precheck, not at patch"),
    ("final twice", [*CANARY, *through("a")], outcome("verify", "a"), "a is at done"),
    ("promoted too early", [*CANARY, *through("a")], gate("promote"), "1 nodes of wave canary have no final record"),
    ("gate of a waiting wave", CANARY, gate("pause", "production"), "production is waiting"),
    ("finished before promotion", CANARY, WaveFinished(wave="canary"), "canary is running"),
    ("completed too early", PROMOTED, COMPLETED, "not every wave"),
    ("anything after the end", [*PROMOTED, *PRODUCTION], resumed(), "nothing can follow"),
    ("wave after an abort that was resumed", [*PROMOTED, ABORT, resumed()], WaveStarted(wave="production"), "aborted"),
    ("wave after abort", [*PROMOTED, ABORT], WaveStarted(wave="production"), "is aborted"),
    ("claim after abort", [*CANARY, ABORT], CANARY[2], "is aborted"),
    ("intent after abort", [*CANARY, ABORT], intent("precheck", "a"), "is aborted"),
    ("intent while paused", [*CANARY, gate("pause")], intent("precheck", "a"), "is paused"),
    ("gate after abort", [*CANARY, *through("a", "b"), ABORT], gate("promote"), "is aborted, and that is final"),
    (
        "promotion after abort",
        [*CANARY, *through("a", "b"), ABORT],
        PROMOTE,
        "is aborted, and that is final",
    ),
    (
        "completed after abort",
        [*PROMOTED, *PRODUCTION[:-1], ABORT],
        COMPLETED,
        "so it can't be completed",
    ),
    (
        "closed with open work",
        [*CANARY, intent("precheck", "a"), ABORT],
        ABORTED,
        "outcomes are still open: t",
    ),
]


@pytest.mark.parametrize(("before", "event", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused_and_left_as_it_was(before: list[Event], event: Event, message: str) -> None:
    state = play(*before)
    copy = deepcopy(state)
    with pytest.raises(JournalError, match=message):
        apply(state, event, "now")
    assert state == copy


def test_the_whole_way() -> None:
    state = play(*PROMOTED, *PRODUCTION)
    assert (state.status, state.finished, state.intents) == ("completed", True, {})
    assert {row["node_id"] for row in final_results(state)} == {"a", "b", "c"}
    assert [row["node_id"] for row in final_results(state, ["production"])] == ["c"]


def play_at(*events: Event) -> Rollout:
    state = initial(PLAN)
    for event in events:
        apply(state, event, "now")
    return state


def test_to_resume_is_to_fold_the_journal() -> None:
    events = [*PROMOTED, *PRODUCTION]
    for length in range(len(events) + 1):
        records = [Record(n, "now", item.kind, item.to_data(), "", "") for n, item in enumerate(events[:length], 1)]
        assert fold(PLAN, records) == play_at(*events[:length])


def answer(effect: Effect) -> list[Event]:
    """What a driver would write for an effect, if all goes well."""
    made: dict[str, list[Event]] = {
        "start_wave": [WaveStarted(wave=effect.wave)],
        "claim": [Claimed(wave=effect.wave, nodes=effect.nodes)],
    }
    if effect.kind in made:
        return made[effect.kind]
    work = outcome(effect.stage, *effect.nodes, wave=effect.wave)
    if effect.kind == "reconcile":
        return [work]
    return [intent(effect.stage, *effect.nodes, wave=effect.wave, token=f"{effect.wave}/{effect.stage}"), work]


@pytest.mark.parametrize(
    ("stage", "result", "following"),
    [
        ("precheck", {"outcome": "pass"}, "patch"),
        ("precheck", {"outcome": "skip"}, "verify"),
        ("patch", {"status": "succeeded"}, "reboot"),
        ("patch", {"status": "failed"}, "reboot"),  # a needed reboot happens though a patch failed
        ("patch", {"status": "timed_out"}, "scan"),
        ("patch", {"status": "unknown"}, "scan"),  # nobody knows whether anything was done: the scan tells
        ("patch", {"status": "unreachable"}, "verify"),
        ("patch", {"status": "cancelled"}, "verify"),
        ("patch", {"status": "skipped"}, "verify"),
        ("reboot", {"status": "timed_out"}, "scan"),
        ("reboot", {"status": "unknown"}, "scan"),
        ("reboot", {"status": "reboot_pending"}, "scan"),
        ("reboot", {"status": "no_op"}, "scan"),
        ("scan", {"status": "succeeded", "next_round": ["KB5990102"]}, "patch"),  # it could not be installed before
        ("scan", {"status": "succeeded", "next_round": []}, "verify"),
        ("scan", {"status": "unreachable", "next_round": ["KB5990102"]}, "verify"),
        ("scan", {"status": "failed"}, "verify"),
        ("scan", {"status": "timed_out"}, "verify"),
        ("scan", {"status": "unknown"}, "verify"),
        ("verify", {"status": "failed"}, "done"),
        ("verify", {"status": "unknown"}, "done"),
    ],
)
def test_what_follows_a_stage(stage: str, result: dict[str, Any], following: str) -> None:
    state = play(*CANARY)
    for name in STAGES[: STAGES.index(stage)]:
        play(outcome(name, "a"), state=state)
    play(Outcome(wave="canary", stage=stage, results=({**result, "node_id": "a"},)), state=state)
    assert state.nodes["a"].stage == following


def test_a_final_record_may_come_at_any_stage_and_settles_the_intent() -> None:
    state = play(*CANARY, intent("precheck", "a", "b"), outcome("verify", "a", status="unreachable"))
    assert state.nodes["a"].final is not None and state.nodes["a"].token is None
    assert state.intents["t"].nodes == ("b",)
    assert due_nodes(state, "canary", "precheck") == []


def test_intents_are_counted_so_that_no_token_repeats() -> None:
    state = play(*CANARY, intent("precheck", "a", token="1"), intent("precheck", "b", token="2"))
    assert state.announced == {"canary/precheck": 2}


NODES = ("a", "b", "c")
WAVES = ("canary", "production")
EVENTS = st.one_of(
    st.sampled_from(
        [
            START,
            resumed(),
            ABORT,
            COMPLETED,
            ABORTED,
        ]
    ),
    st.sampled_from(WAVES).map(lambda wave: WaveStarted(wave=wave)),
    st.sampled_from(WAVES).map(lambda wave: WaveFinished(wave=wave)),
    st.builds(
        lambda wave, nodes: Claimed(wave=wave, nodes=tuple(sorted(nodes))),
        st.sampled_from(WAVES),
        st.sets(st.sampled_from(NODES)),
    ),
    st.builds(
        lambda wave, stage, nodes, token: intent(stage, *sorted(nodes), wave=wave, token=token),
        st.sampled_from(WAVES),
        st.sampled_from(STAGES),
        st.sets(st.sampled_from(NODES), min_size=1),
        st.sampled_from("tuvw"),
    ),
    st.builds(
        lambda wave, stage, node, status: outcome(stage, node, wave=wave, status=status),
        st.sampled_from(WAVES),
        st.sampled_from(STAGES),
        st.sampled_from(NODES),
        st.sampled_from([status.value for status in Status if status is not Status.CANCELLED]),
    ),
    st.builds(gate, st.sampled_from(["promote", "pause", "abort"]), st.sampled_from(WAVES)),
    st.just(PROMOTE),
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_sequence_of_events_crashes_and_repeats_breaks_the_promises(data: st.DataObject) -> None:
    """Events at random, mixed with what is really due; a refused one is dropped, a crash folds the journal again."""
    journal: list[Event] = []
    state = initial(PLAN)
    for _number in range(data.draw(st.integers(0, 90), label="events")):
        effects = due(state)
        way = data.draw(st.integers(0, 9), label="way")
        following = answer(effects[0]) if effects else closing(state)
        batch = following if following and way < 6 else [data.draw(EVENTS)] if way < 9 else journal[-1:]
        for event in batch:
            try:
                apply(state, event, "now")
            except JournalError:
                continue
            journal.append(event)
        if way == 9:
            state = play_at(*journal)
    assert state == play_at(*journal)
    check_promises(journal)
    assert state.status == "aborted" or not any(is_abort(event) for event in journal), "an abort that did not last"


def check_promises(journal: list[Event]) -> None:
    intents = [event for event in journal if isinstance(event, Intent)]
    patched = [node for event in intents if event.stage == "patch" for node in event.nodes]
    assert len(patched) == len(set(patched)), "a second patch intent for a node"
    if (production := WaveStarted(wave="production")) in journal:
        before = journal[: journal.index(production)]
        assert any(is_promotion(event) for event in before), "a wave before its predecessor's promotion"
    aborted = [index for index, event in enumerate(journal) if is_abort(event)]
    after = {type(event) for event in journal[aborted[0] + 1 :]} if aborted else set()
    settling = {Outcome, Sent, Decision, WaveFinished, RolloutFinished, Resumed}
    assert after <= settling, "something after an abort but outcomes"
    assert not any(is_promotion(event) for event in journal[aborted[0] :]) if aborted else True


def is_promotion(event: Event) -> bool:
    return (isinstance(event, GateJudged) and event.verdict == "promote") or (
        isinstance(event, Decision) and event.action == "promote"
    )


def is_abort(event: Event) -> bool:
    return (isinstance(event, GateJudged) and event.verdict == "abort") or (
        isinstance(event, Decision) and event.action == "abort"
    )
