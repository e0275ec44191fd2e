# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every decision in every kind of state: what it comes to, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    DECISIONS,
    Claimed,
    Decision,
    Event,
    GateJudged,
    Intent,
    Outcome,
    Prepared,
    RolloutFinished,
    WaveFinished,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.decisions import (
    _RULES,
    SKIPPED,
    Choice,
    DecisionRefused,
    affected_by,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import apply
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import Rollout, initial

from tests.fakes.events import started

PLAN = {
    "rollout": "r",
    "digest": "d1",
    "waves": [
        {"name": "w", "nodes": [{"node_id": "a"}, {"node_id": "b"}, {"node_id": "c"}]},
        {"name": "next", "nodes": [{"node_id": "z"}]},
    ],
}
BEGUN: list[Event] = [
    started("d1"),
    WaveStarted(wave="w"),
    Claimed(wave="w", nodes=("a", "b", "c")),
]
WORK = Intent(wave="w", stage="precheck", attempt=1, nodes=("c",), token="t")
DRAINED = Prepared(wave="w", what="drained", nodes=("a", "b"))
FINISH_WAVE = WaveFinished(wave="w")
ABORTED, ENDED = (RolloutFinished(status=status, reason="") for status in ("aborted", "completed"))


def final(status: str, *nodes: str, code: str = "") -> Event:
    rows = tuple({"node_id": node, "status": status, "error": {"code": code}} for node in nodes)
    return Outcome(wave="w", stage="verify", results=rows)


def gate(verdict: str) -> Event:
    return GateJudged(wave="w", verdict=verdict)


def decided(action: str, **more: Any) -> Event:
    return Decision(by="x", action=action, wave="w", reason="y", **more)


BAD = [*BEGUN, final("failed", "a"), final("succeeded", "b"), final("skipped", "c", code="missed_offline")]
PAUSED = [*BAD, gate("pause")]
SKIP_C = final("skipped", "c", code=SKIPPED)


def state_after(*events: Event) -> Rollout:
    state = initial(PLAN)
    for event in events:
        apply(state, event, "now")
    return state


TAKEN: list[tuple[str, list[Event], Choice, tuple[str, ...]]] = [
    ("promote a paused wave", PAUSED, Choice("promote", "w"), ()),
    ("retry what failed or was missed", PAUSED, Choice("retry", "w"), ("a", "c")),
    ("retry a named node", PAUSED, Choice("retry", "w", ("c",)), ("c",)),
    ("retry in a running wave", BAD, Choice("retry", "w"), ("a", "c")),
    ("retry a skipped node by name", [*BEGUN, SKIP_C], Choice("retry", "w", ("c",)), ("c",)),
    ("skip what is left", [*BEGUN, final("failed", "a")], Choice("skip", "w"), ("b", "c")),
    ("skip what is not being worked on", [*BEGUN, WORK], Choice("skip", "w"), ("a", "b")),
    ("skip a wave ahead", BEGUN, Choice("skip", "next"), ("z",)),
    ("skip the rest of the named", [*BEGUN, SKIP_C], Choice("skip", "w", ("b", "c")), ("b",)),
    ("write off everything", [*BEGUN, DRAINED], Choice("write_off", "w", what="drained"), ("a", "b")),
    ("write off a named node", [*BEGUN, DRAINED], Choice("write_off", "w", ("b",), "drained"), ("b",)),
    (
        "write off after an abort",
        [*BEGUN, DRAINED, decided("abort")],
        Choice("write_off", "w", what="drained"),
        ("a", "b"),
    ),
    ("abort", BEGUN, Choice("abort"), ()),
    ("abort a paused rollout", PAUSED, Choice("abort", "w"), ()),
]


def test_every_decision_has_its_rule() -> None:
    assert tuple(_RULES) == DECISIONS


@pytest.mark.parametrize(("before", "choice", "nodes"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN])
def test_what_it_comes_to_is_what_the_machine_takes(
    before: list[Event], choice: Choice, nodes: tuple[str, ...]
) -> None:
    state = state_after(*before)
    assert affected_by(state, choice) == nodes
    taken = Decision(by="x", action=choice.action, reason="y", wave=choice.wave, nodes=nodes, what=choice.what)
    apply(state, taken, "now")


MADE: list[tuple[list[Event], Choice, str]] = [
    ([*PAUSED, decided("promote")], Choice("promote", "w"), "x has promoted it already"),
    ([*PAUSED, decided("promote"), FINISH_WAVE], Choice("promote", "w"), "x has promoted it already"),
    ([*BEGUN, SKIP_C], Choice("skip", "w", ("c",)), "already skipped: c"),
    ([*BEGUN, final("succeeded", "a", "b"), SKIP_C], Choice("skip", "w"), "all its nodes have final records"),
    ([*BEGUN, decided("abort")], Choice("abort"), "the rollout is aborted already"),
    ([*BEGUN, decided("abort"), ABORTED], Choice("abort"), "the rollout is aborted already"),
    ([*BEGUN, decided("accept_policy", what="f" * 64)], Choice("accept_policy", what="f" * 64), "runs with this"),
]
PROMOTED = [*BEGUN, final("succeeded", "a", "b", "c"), gate("promote")]
COMPLETED = [
    *PROMOTED,
    FINISH_WAVE,
    WaveStarted(wave="next"),
    Outcome(wave="next", stage="verify", results=({"node_id": "z", "status": "succeeded"},)),
    GateJudged(wave="next", verdict="promote"),
    WaveFinished(wave="next"),
    ENDED,
]
GATE_ABORTED = [*BEGUN, final("failed", "a"), gate("abort")]
REFUSED: list[tuple[list[Event], Choice, str]] = [
    ([], Choice("abort"), "has not started"),
    ([], Choice("skip", "w"), "has not started"),
    (GATE_ABORTED, Choice("promote", "w"), "the rollout is aborted, and that is final"),
    (GATE_ABORTED, Choice("retry", "w"), "the rollout is aborted"),
    (GATE_ABORTED, Choice("skip", "w"), "the rollout is aborted"),
    (GATE_ABORTED, Choice("abort"), "the gate of wave w has aborted the rollout"),
    ([*GATE_ABORTED, ABORTED], Choice("write_off", "w", what="drained"), "the rollout is aborted"),
    (COMPLETED, Choice("abort"), "the rollout is completed"),
    (COMPLETED, Choice("retry", "w"), "the rollout is completed"),
    (COMPLETED, Choice("skip", "w"), "all its nodes have final records"),
    (BEGUN, Choice("promote", "w"), "wave w is running, not paused"),
    (BEGUN, Choice("promote", "next"), "wave next is waiting, not paused"),
    (PROMOTED, Choice("promote", "w"), "the gate of wave w has promoted it already"),
    ([*BEGUN, final("failed", "a"), gate("pause")], Choice("promote", "w"), "without a final record: b, c"),
    (BEGUN, Choice("retry", "w"), "no node of wave w has failed or was missed"),
    (BEGUN, Choice("retry", "next"), "wave next is waiting"),
    (PAUSED, Choice("retry", "w", ("a", "b")), "b has succeeded"),
    ([*PAUSED, decided("retry", nodes=("a",))], Choice("retry", "w", ("a",)), "a has no final record"),
    ([*BEGUN, SKIP_C], Choice("retry", "w"), "no node of wave w has failed"),
    ([*BEGUN, WORK], Choice("skip", "w", ("c",)), "c is being worked on"),
    ([*BEGUN, WORK, final("failed", "a", "b")], Choice("skip", "w"), "what is left of it is being worked on"),
    ([*BEGUN, final("failed", "a")], Choice("skip", "w", ("a", "b")), "a has its final record: failed"),
    (BEGUN, Choice("write_off", "w", what="drained"), "wave w has nothing drained"),
    ([*BEGUN, DRAINED], Choice("write_off", "w", ("a", "c"), "drained"), "c is not drained"),
]
ALL = [*REFUSED, *MADE]


@pytest.mark.parametrize(("before", "choice", "message"), ALL, ids=[f"{row[1].action}: {row[2]}" for row in ALL])
def test_refused_for_having_no_effect(before: list[Event], choice: Choice, message: str) -> None:
    with pytest.raises(DecisionRefused, match=message):
        affected_by(state_after(*before), choice)


@pytest.mark.parametrize(
    "choice", [Choice("promote", "x"), Choice("abort", "x"), Choice("retry", "w", ("z",)), Choice("skip", "w", ("y",))]
)
def test_a_wave_or_a_node_that_the_plan_does_not_have(choice: Choice) -> None:
    with pytest.raises(BadInput, match=r"a wave of the plan: w, next|ids of nodes of wave w"):
        affected_by(state_after(*BEGUN), choice)


def test_a_long_list_of_nodes_is_cut() -> None:
    names = [f"n{number}" for number in range(20)]
    plan = {**PLAN, "waves": [{"name": "w", "nodes": [{"node_id": name} for name in names]}]}
    state = initial(plan)
    for event in (started("d1"), WaveStarted(wave="w"), gate("pause")):
        apply(state, event, "now")
    with pytest.raises(DecisionRefused, match=r"n11 and 8 more\. Skip them first"):
        affected_by(state, Choice("promote", "w"))
