# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A checkpoint holds every member of the state, and belongs to one plan and one code."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import GateJudged
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.checkpoint import (
    Checkpoint,
    from_text,
    to_text,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal_head import Head
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import (
    NodeState,
    OpenIntent,
    Rollout,
    initial,
)

from tests.fakes.driving import planned

PLAN: dict[str, Any] = {
    "digest": "d" * 64,
    "waves": [{"name": "w", "turns": 2, "nodes": [{**planned("a", 1), "turn": 2}, planned("b", 1)]}],
}
CODE = "c" * 64


def full_state() -> Rollout:
    """A state in which every member has another value than at the start."""
    state = initial(PLAN)
    wave = state.waves["w"]
    wave.status, wave.worked_at, wave.promoted_by = "running", "2026-12-01T22:00:00Z", "ann"
    wave.claimed, wave.problems, wave.run_now = frozenset("ab"), {"a": "unused"}, ("from", "until")
    wave.gate = GateJudged(wave="w", verdict="pause", numbers={"n": 1}, reasons=("one",), health_checks=({"x": 1},))
    state.nodes["a"] = NodeState(
        "w", 2, "patch", "t", {"patch": 1}, {"patch/delivery": 1}, {"precheck": {"x": []}}, {"status": "failed"}
    )
    state.intents["t"] = OpenIntent("w", "patch", 1, "t", ("a",), "at", ("place", "command"), "later", "guid")
    state.announced, state.prepared = {"w/patch": 3}, {("w", "drained"): {"a": {"targets": []}}}
    state.status, state.finished, state.controller, state.epoch = "running", True, "c1", 2
    state.bundle_version, state.approved, state.policy_digest = 4, {"w"}, "p" * 64
    return state


def checkpoint() -> Checkpoint:
    return Checkpoint(state=full_state(), head=Head(9, "h" * 64, 80, 100), digest="e" * 64, origin="o", last_at="l")


def test_what_is_read_is_what_was_written() -> None:
    assert from_text(to_text(checkpoint(), CODE), PLAN, CODE) == checkpoint()


def test_every_member_of_the_state_takes_part_in_that() -> None:
    state = full_state()
    parts = (state, state.waves["w"], state.nodes["a"], state.intents["t"])
    for part in parts:
        for item in fields(part):
            default = item.default if item.default_factory is MISSING else item.default_factory()
            assert getattr(part, item.name) != default, f"{type(part).__name__}.{item.name} is not tried"


@pytest.mark.parametrize("what", ["code", "plan", "state", "cut", "head", "empty", "a list"])
def test_what_does_not_fit_is_no_checkpoint(what: str) -> None:
    text, code, plan = to_text(checkpoint(), CODE), CODE, PLAN
    first, state, _end = text.split("\n")
    code = "x" if what == "code" else code
    plan = {**PLAN, "digest": "x" * 64} if what == "plan" else plan
    changed = {
        "state": text.replace('"status":"failed"', '"status":"succee"'),
        "cut": text[:-9],
        "head": "\n".join([json.dumps({**json.loads(first), "head": {"seq": 1, "x": 2}}), state, ""]),
        "empty": "",
        "a list": "[]\n[]\n",
    }
    assert from_text(changed.get(what, text), plan, code) is None


def test_another_state_has_another_text() -> None:
    found = checkpoint()
    other = replace(found, state=initial(PLAN))
    assert to_text(found, CODE) != to_text(other, CODE)
    assert from_text(to_text(other, CODE), PLAN, CODE) == other
