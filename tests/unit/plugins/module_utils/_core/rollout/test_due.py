# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is due: it leads through the whole rollout, node by node, and after an abort only to its end."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Decision,
    Event,
    Prepared,
    Restored,
    RolloutFinished,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import Effect, Preparations, due
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import apply
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import STAGES, Rollout, initial

from tests.fakes.events import closing, gate, intent, outcome, resumed, started

PLAN: dict[str, Any] = {
    "digest": "d1",
    "waves": [
        {"name": "canary", "nodes": [{"node_id": "a"}, {"node_id": "b"}]},
        {"name": "production", "nodes": [{"node_id": "c"}]},
    ],
}
CANARY: list[Event] = [started("d1"), WaveStarted(wave="canary"), Claimed(wave="canary", nodes=("a", "b"))]
ABORT = Decision(action="abort", by="x", reason="stop")
PROMOTE = Decision(action="promote", wave="canary", by="x", reason="y")
COMPLETED, ABORTED = (RolloutFinished(status=status, reason="") for status in ("completed", "aborted"))


def play(*events: Event, state: Rollout | None = None) -> Rollout:
    state = initial(PLAN) if state is None else state
    for event in events:
        apply(state, event, "now")
    return state


def answer(effect: Effect) -> list[Event]:
    """What a driver would write for an effect, if all goes well."""
    made: dict[str, list[Event]] = {
        "start_wave": [WaveStarted(wave=effect.wave)],
        "claim": [Claimed(wave=effect.wave, nodes=effect.nodes)],
    }
    if effect.kind in made:
        return made[effect.kind]
    token = f"{effect.wave}/{effect.stage}"
    return [
        intent(effect.stage, *effect.nodes, wave=effect.wave, token=token),
        outcome(effect.stage, *effect.nodes, wave=effect.wave),
    ]


def test_what_is_due_leads_through_the_rollout() -> None:
    state, seen = play(started("d1")), []
    for _round in range(99):
        if effects := due(state):
            seen.append((effects[0].kind, effects[0].wave, effects[0].stage))
        play(*(answer(effects[0]) if effects else closing(state)), state=state)
    assert state.status == "completed"
    stages = [("run", "canary", stage) for stage in STAGES]
    assert seen[:3] == [("start_wave", "canary", ""), ("claim", "canary", ""), stages[0]]
    assert [row for row in seen if row[:2] == ("run", "canary")] == stages
    assert seen[-1] == ("run", "production", STAGES[-1])


def test_nothing_is_due_before_the_start_after_the_end_and_while_paused() -> None:
    assert due(initial(PLAN)) == []
    assert due(play(*CANARY, ABORT, ABORTED)) == []
    assert due(play(*CANARY, gate("pause"))) == []
    done = play(*CANARY, outcome("verify", "a", "b"))
    assert due(done) == due(play(gate("promote"), state=done)) == []


def test_every_node_is_due_by_itself_whatever_the_others_do() -> None:
    state = play(*CANARY, intent("precheck", "a", "b"))
    assert due(state) == [Effect("reconcile", "canary", "precheck", ("a", "b"), "t")]
    play(outcome("precheck", "a"), state=state)
    assert due(state) == [
        Effect("reconcile", "canary", "precheck", ("b",), "t"),
        Effect("run", "canary", "patch", ("a",)),
    ]


def test_a_node_is_prepared_in_order_and_then_due_for_its_install() -> None:
    state, preparations = play(*CANARY, outcome("precheck", "a")), Preparations(["drained", "patch_now"])
    for what in ("drained", "patch_now"):
        assert Effect("prepare", "canary", what, ("a",)) in due(state, preparations)
        preparations.settled[what].add("a")
    assert due(state, preparations) == [
        Effect("run", "canary", "precheck", ("b",)),
        Effect("run", "canary", "patch", ("a",)),
    ]


def test_a_node_is_stopped_only_after_its_load_balancers_have_it_back() -> None:
    """A target that is not running is refused (RegisterTargets, InvalidTarget), and the node would stay drained."""
    both = [Prepared(wave="canary", what=what, nodes=("a",), details={}) for what in ("started", "drained")]
    only_started = Prepared(wave="canary", what="started", nodes=("b",), details={})
    state = play(*CANARY, *both, only_started, ABORT)
    assert due(state) == [
        Effect("restore", "canary", "drained", ("a",)),
        Effect("restore", "canary", "started", ("b",)),
    ]
    apply(state, Restored(wave="canary", what="drained", nodes=("a",), problems={}), "now")
    assert due(state) == [Effect("restore", "canary", "started", ("a", "b"))]


def test_after_an_abort_only_outcomes_and_restores_are_due() -> None:
    drained = Prepared(wave="canary", what="drained", nodes=("a", "b"))
    state = play(*CANARY, drained, intent("precheck", "a"), ABORT)
    assert due(state) == [
        Effect("reconcile", "canary", "precheck", ("a",), "t"),
        Effect("restore", "canary", "drained", ("b",)),
    ]
    play(outcome("precheck", "a"), state=state)
    assert due(state) == [Effect("restore", "canary", "drained", ("a", "b"))]


def test_an_aborted_rollout_with_nothing_open_is_finished() -> None:
    state = play(*CANARY, ABORT)
    assert due(state) == []
    play(*closing(state), state=state)
    assert state.finished and due(state) == []


@pytest.mark.parametrize(("ended", "status"), [(resumed(), "running"), (PROMOTE, "promoted")])
def test_a_pause_ends_by_a_resume_or_by_a_person(ended: Event, status: str) -> None:
    paused = play(*CANARY, outcome("verify", "a", "b"), gate("pause"))
    assert paused.status == paused.waves["canary"].status == "paused"
    again = play(ended, state=deepcopy(paused))
    assert (again.status, again.waves["canary"].status, due(again)) == ("running", status, [])
