# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of one command go on together: full chunks at once, others after a moment, and nobody waits for nobody."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.gathering import (
    FULL,
    WAIT_SECONDS,
    Gathering,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import Rollout, initial

NOW = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)


def rollout(stages: dict[str, str], **more: dict[str, Any]) -> Rollout:
    """One wave of nodes at these stages, all of one account, Region and platform unless ``more`` says else."""
    usual = {"executor": "ssm", "account": "1", "region": "r", "platform": "linux"}
    nodes = [{"node_id": name, **usual, **more.get(name, {})} for name in stages]
    state = initial({"digest": "d1", "waves": [{"name": "w", "nodes": nodes}]})
    for name, stage in stages.items():
        state.nodes[name].stage = stage
    return state


def choose(state: Rollout, due: list[str], gathering: Gathering, seconds: float = 0) -> tuple[list[str], float]:
    return gathering.choose(state, "w", "reboot", due, NOW + timedelta(seconds=seconds))


def test_the_first_nodes_wait_while_others_may_come() -> None:
    state, gathering = rollout({"a": "reboot", "b": "patch"}), Gathering()
    assert choose(state, ["a"], gathering) == ([], WAIT_SECONDS)
    assert choose(state, ["a"], gathering, 15) == ([], WAIT_SECONDS - 15)
    assert choose(state, ["a"], gathering, WAIT_SECONDS) == (["a"], 0)


def test_nobody_waits_where_nobody_else_can_come() -> None:
    for other in ("scan", "done"):
        assert choose(rollout({"a": "reboot", "b": other}), ["a"], Gathering()) == (["a"], 0)
    elsewhere = rollout({"a": "reboot", "b": "patch", "c": "patch"}, b={"region": "s"}, c={"platform": "windows"})
    assert choose(elsewhere, ["a"], Gathering()) == (["a"], 0)
    later = rollout({"a": "reboot", "b": "patch"})
    later.nodes["b"].turn = 2
    assert choose(later, ["a"], Gathering()) == (["a"], 0)


def test_a_full_chunk_begins_at_once_and_the_rest_waits_on() -> None:
    names = [f"n{number:02}" for number in range(60)]
    state, gathering = rollout({**dict.fromkeys(names, "reboot"), "last": "patch"}), Gathering()
    assert choose(state, names[:45], gathering) == ([], WAIT_SECONDS)
    assert choose(state, names, gathering, 5) == (names[:50], WAIT_SECONDS)
    assert choose(state, names[50:], gathering, 5 + WAIT_SECONDS) == (names[50:], 0)


def test_a_node_that_is_being_prepared_may_come() -> None:
    state = rollout({"a": "reboot", "b": "reboot"})
    assert choose(state, ["a"], Gathering()) == ([], WAIT_SECONDS)
    state.nodes["b"].token = "sent"
    assert choose(state, ["a"], Gathering()) == (["a"], 0)


def test_nobody_waits_for_nodes_that_wait_for_it() -> None:
    """The first node of an account-Region installs alone; its mates do not begin before it has ended."""
    state = rollout({"a": "patch", "b": "patch", "c": "precheck"})
    due = state, "w", "patch", ["a"], NOW
    assert Gathering().choose(*due) == ([], WAIT_SECONDS)
    assert Gathering().choose(*due, held={"b"}) == ([], WAIT_SECONDS), "c may come"
    state.nodes["c"].stage = "patch"
    assert Gathering().choose(*due, held={"b", "c"}) == (["a"], 0)


def test_a_direct_host_never_waits() -> None:
    state = rollout({"a": "reboot", "b": "patch", "c": "reboot"}, a={"executor": "linux"}, b={"executor": "linux"})
    assert choose(state, ["a", "c"], Gathering()) == (["a", "c"], 0)


def test_a_further_attempt_waits_anew() -> None:
    state, gathering = rollout({"a": "reboot", "b": "patch"}), Gathering()
    choose(state, ["a"], gathering)
    assert choose(state, ["a"], gathering, WAIT_SECONDS)[0] == ["a"]
    assert choose(state, ["a"], gathering, 100) == ([], WAIT_SECONDS)


def restores(state: Rollout, due: list[str], gathering: Gathering, seconds: float = 0) -> tuple[list[str], float]:
    state.prepared["w", "drained"] = {name: {} for name in state.nodes}
    return gathering.choose_restores(state, "w", "drained", due, NOW + timedelta(seconds=seconds))


def test_nodes_that_end_one_by_one_are_restored_together() -> None:
    state, gathering = rollout({"a": "done", "b": "done", "c": "scan"}), Gathering()
    state.status = "running"
    assert restores(state, ["a"], gathering) == ([], WAIT_SECONDS)
    assert restores(state, ["a", "b"], gathering, 15) == ([], WAIT_SECONDS - 15)
    assert restores(state, ["a", "b"], gathering, WAIT_SECONDS) == (["a", "b"], 0)
    assert restores(state, ["b"], gathering, WAIT_SECONDS + 1) == ([], WAIT_SECONDS)


def test_a_restore_waits_for_nobody_where_nobody_comes_enough_have_come_or_the_rollout_stopped() -> None:
    names = [f"n{number:02}" for number in range(FULL)]
    for status, last, due in (
        ("running", "done", names[:1]),
        ("paused", "scan", names[:1]),
        ("running", "scan", names),
    ):
        state = rollout({**dict.fromkeys(names, "done"), "last": last})
        state.status = status
        assert restores(state, due, Gathering()) == (due, 0)
