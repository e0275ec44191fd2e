# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns, retries, what is prepared and restored, and a person's decisions, as the state machine keeps them."""

from __future__ import annotations

from collections import Counter
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
    Restored,
    RolloutFinished,
    WaveFinished,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import Effect, due
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import apply
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import (
    DONE,
    PREPARATIONS,
    STAGES,
    WHOLE_WAVE,
    Rollout,
    current_turn,
    due_nodes,
    initial,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.events import closing, resumed, started

RETRIES = {"delivery": 1, "execution": 2}
PLAN: dict[str, Any] = {
    "digest": "d1",
    "rules": {"retries": RETRIES},
    "waves": [
        {
            "name": "w",
            "turns": 2,
            "nodes": [{"node_id": "a", "turn": 1}, {"node_id": "b", "turn": 1}, {"node_id": "c", "turn": 2}],
        }
    ],
}
BEGUN: list[Event] = [
    started("d1"),
    Claimed(wave="w", nodes=("a", "b", "c")),
    WaveStarted(wave="w"),
]
ABORTED = RolloutFinished(status="aborted", reason="")


def intent(stage: str, *nodes: str, token: str) -> Event:
    return Intent(wave="w", stage=stage, attempt=1, nodes=nodes, token=token)


def outcome(stage: str, *nodes: str, status: str = "succeeded", **more: Any) -> Event:
    rows = tuple({"node_id": node, "status": status, **more} for node in nodes)
    return Outcome(wave="w", stage=stage, results=rows)


def final(*nodes: str, status: str = "succeeded") -> Event:
    return outcome("verify", *nodes, status=status)


def prepared(what: str, *nodes: str, **details: Any) -> Event:
    return Prepared(wave="w", what=what, nodes=nodes, details=details)


def restored(what: str, *nodes: str, **problems: str) -> Event:
    return Restored(wave="w", what=what, nodes=nodes, problems=problems)


def decision(action: str, *nodes: str, **more: Any) -> Event:
    return Decision(by="x", action=action, wave="w", reason="y", nodes=nodes, **more)


def gate(verdict: str) -> Event:
    return GateJudged(wave="w", verdict=verdict)


def play(*events: Event, state: Rollout | None = None) -> Rollout:
    state = initial(PLAN) if state is None else state
    for event in events:
        apply(state, event, "now")
    return state


def test_the_second_turn_waits_for_the_first() -> None:
    state = play(*BEGUN)
    assert (current_turn(state, "w"), due_nodes(state, "w", "precheck")) == (1, ["a", "b"])
    with pytest.raises(JournalError, match="c is due for precheck, not for precheck in turn 2"):
        play(intent("precheck", "c", token="t"), state=state)
    play(final("a", "b"), state=state)
    assert (current_turn(state, "w"), due_nodes(state, "w", "precheck")) == (2, ["c"])
    play(final("c"), state=state)
    assert current_turn(state, "w") == 2 and due(state) == []


@pytest.mark.parametrize(
    ("stage", "result", "attempts"),
    [
        ("precheck", {"status": "unreachable", "outcome": "skip"}, 2),
        ("precheck", {"outcome": "skip"}, 1),
        ("patch", {"status": "unreachable"}, 2),
        ("patch", {"status": "failed"}, 3),
        ("patch", {"status": "failed", "no_retry": "the window closes"}, 1),
        ("patch", {"status": "timed_out"}, 1),  # a hang is looked into, not tried again
        ("scan", {"status": "failed"}, 1),
        ("reboot", {"status": "unreachable"}, 2),
    ],
)
def test_attempts_by_class_of_failure(stage: str, result: dict[str, Any], attempts: int) -> None:
    state = play(*BEGUN)
    for name in STAGES[: STAGES.index(stage)]:
        play(outcome(name, "a"), state=state)
    made = 0
    while state.nodes["a"].stage == stage:
        play(Outcome(wave="w", stage=stage, results=({**result, "node_id": "a"},)), state=state)
        made += 1
    assert made == attempts


def test_both_classes_have_a_budget_of_their_own() -> None:
    state = play(*BEGUN, outcome("precheck", "a"))
    for status in ("failed", "unreachable", "failed"):
        play(outcome("patch", "a", status=status), state=state)
        assert state.nodes["a"].stage == "patch"
    play(outcome("patch", "a", status="unreachable"), state=state)
    assert state.nodes["a"].stage == "verify"


REFUSED: list[tuple[str, list[Event], Event, str]] = [
    ("unknown kind", BEGUN, prepared("lunch", "a"), "unknown 'lunch'"),
    ("unclaimed", BEGUN[:1], prepared("started", "a"), "a is not a claimed node"),
    ("twice", [*BEGUN, prepared("started", "a")], prepared("started", "a"), "a is started already"),
    ("while paused", [*BEGUN, gate("pause")], prepared("started", "a"), "is paused"),
    ("restore of nothing", BEGUN, restored("started", "a"), "nothing is started of a"),
    (
        "restore twice",
        [*BEGUN, prepared("started", "a"), restored("started", "a")],
        restored("started", "a"),
        "nothing",
    ),
    ("retry of an open node", BEGUN, decision("retry", "a"), "a did not end badly: open"),
    ("retry of a good node", [*BEGUN, final("a")], decision("retry", "a"), "a did not end badly: succeeded"),
    ("retry of a stranger", BEGUN, decision("retry", "z"), "z is not in wave w"),
    ("skip of a done node", [*BEGUN, final("a")], decision("skip", "a"), "a is done"),
    ("decision after abort", [*BEGUN, gate("abort")], decision("retry", "a"), "is aborted, and that is final"),
    ("write-off of nothing", BEGUN, decision("write_off", "a", what="started"), "nothing is started of a"),
]


@pytest.mark.parametrize(("before", "event", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(before: list[Event], event: Event, message: str) -> None:
    with pytest.raises(JournalError, match=message):
        play(event, state=play(*before))


def test_prepared_before_the_wave_and_restored_when_its_node_is_through() -> None:
    state = play(*BEGUN[:2], prepared("started", "a"), BEGUN[2], prepared("drained", "a", "b"))
    assert not [item for item in due(state) if item.kind == "restore"]
    play(final("a"), state=state)
    assert [item for item in due(state) if item.kind == "restore"] == [Effect("restore", "w", "drained", ("a",))]
    play(restored("drained", "a"), state=state)
    assert [item for item in due(state) if item.kind == "restore"] == [Effect("restore", "w", "started", ("a",))]


def test_a_wave_hook_is_closed_after_the_last_turn() -> None:
    state = play(*BEGUN, prepared("wave_hook", WHOLE_WAVE), final("a", "b"))
    assert not [item for item in due(state) if item.kind == "restore"]
    play(final("c"), state=state)
    assert due(state) == [Effect("restore", "w", "wave_hook", (WHOLE_WAVE,))]


def test_nothing_is_finished_before_everything_is_restored() -> None:
    state = play(*BEGUN, prepared("started", "a"), gate("abort"))
    assert due(state) == [Effect("restore", "w", "started", ("a",))]
    with pytest.raises(JournalError, match=r"not restored yet: a \(started\)"):
        play(ABORTED, state=state)
    play(restored("started", "a"), ABORTED, state=state)
    assert state.finished


def test_a_pause_restores_too() -> None:
    state = play(*BEGUN, prepared("drained", "a"), gate("pause"))
    assert due(state) == [Effect("restore", "w", "drained", ("a",))]


def test_what_is_not_in_service_is_a_problem_until_it_is_tried_again() -> None:
    state = play(*BEGUN, prepared("drained", "a"), final("a", status="failed"), restored("drained", "a", a="unhealthy"))
    assert state.waves["w"].problems == {"a": "unhealthy"}
    play(decision("retry", "a"), state=state)
    assert (state.waves["w"].problems, state.nodes["a"].stage, state.nodes["a"].results) == ({}, "precheck", {})


def test_a_person_writes_off_what_was_restored_by_hand() -> None:
    state = play(*BEGUN, prepared("drained", "a"), final("a"), decision("write_off", "a", what="drained"))
    assert state.prepared == {}


def test_an_aborted_rollout_is_finished_once_the_rest_is_written_off() -> None:
    state = play(*BEGUN, prepared("drained", "a"), gate("abort"), decision("write_off", "a", what="drained"))
    assert due(state) == []
    play(RolloutFinished(status="aborted", reason=""), state=state)


NODES = ("a", "b", "c")
STATUSES = ("succeeded", "failed", "unreachable", "timed_out", "skipped")
LENT = st.sampled_from((*NODES, WHOLE_WAVE))
EVENTS = st.one_of(
    st.tuples(st.sampled_from(PREPARATIONS), LENT).map(lambda given: prepared(*given)),
    st.tuples(st.sampled_from(PREPARATIONS), LENT).map(lambda given: restored(*given)),
    st.builds(
        lambda stage, node, number: intent(stage, node, token=f"{node}{stage}{number}"),
        st.sampled_from(STAGES),
        st.sampled_from(NODES),
        st.integers(0, 9),
    ),
    st.builds(
        lambda stage, node, status: outcome(stage, node, status=status),
        st.sampled_from(STAGES),
        st.sampled_from(NODES),
        st.sampled_from(STATUSES),
    ),
    st.builds(lambda node: decision("retry", node), st.sampled_from(NODES)),
    st.sampled_from(
        [gate("promote"), gate("pause"), gate("abort"), resumed(), WaveFinished(wave="w")]
        + [RolloutFinished(status=status, reason="") for status in ("completed", "aborted")]
    ),
)


@settings(max_examples=200, deadline=None)
@given(events=st.lists(EVENTS, max_size=60), ways=st.lists(st.booleans(), max_size=60))
def test_no_sequence_leaves_something_prepared_or_tries_too_often(events: list[Event], ways: list[bool]) -> None:
    """Events at random, mixed with what is due; the promises are read off the journal alone."""
    state, journal = play(*BEGUN), list(BEGUN)
    for number, event in enumerate(events):
        effects = due(state)
        following = answer(effects[0], number) if effects else closing(state)
        wanted = following if following and number < len(ways) and ways[number] else [event]
        for found in wanted:
            try:
                apply(state, found, "now")
            except JournalError:
                continue
            journal.append(found)
    assert state == play(*journal)
    check_preparations(state, journal)
    check_attempts(journal)
    check_turns(journal)


def answer(effect: Effect, number: int) -> list[Event]:
    """What a driver would write; installs fail, so that there is something to try again."""
    if effect.kind == "run":
        begun = intent(effect.stage, *effect.nodes, token=f"{effect.stage}/{number}")
        status = "failed" if effect.stage == "patch" else "succeeded"
        return [begun, outcome(effect.stage, *effect.nodes, status=status)]
    made: dict[str, Event] = {
        "reconcile": outcome(effect.stage, *effect.nodes),
        "restore": restored(effect.stage, *effect.nodes),
    }
    return [made[effect.kind]]


def check_preparations(state: Rollout, journal: list[Event]) -> None:
    open_preparations: Counter[tuple[str, str]] = Counter()
    for event in journal:
        for node in event.nodes if isinstance(event, Prepared | Restored) else ():
            open_preparations[event.what, node] += 1 if isinstance(event, Prepared) else -1
            assert open_preparations[event.what, node] in (0, 1), "prepared or restored twice"
        if isinstance(event, RolloutFinished):
            assert not +open_preparations, "finished with something prepared"
    kept = {(what, node) for (_wave, what), nodes in state.prepared.items() for node in nodes}
    assert kept == set(+open_preparations)


def check_attempts(journal: list[Event]) -> None:
    installs: Counter[str] = Counter()
    retried: Counter[str] = Counter()
    for event in journal:
        if isinstance(event, Intent) and event.stage == "patch":
            installs.update(event.nodes)
        if isinstance(event, Decision):
            retried.update(event.nodes)
    for node, count in installs.items():
        assert count <= (1 + sum(RETRIES.values())) * (1 + retried[node]), "an install too many"


def check_turns(journal: list[Event]) -> None:
    stages = dict.fromkeys(NODES, "")
    for event in journal:
        if isinstance(event, Intent) and "c" in event.nodes:
            assert stages["a"] == stages["b"] == DONE, "the second turn before the first was through"
        if isinstance(event, Outcome) and event.stage == "verify":
            stages.update({row["node_id"]: DONE for row in event.results})
        if isinstance(event, Decision):
            stages.update(dict.fromkeys(event.nodes, ""))
