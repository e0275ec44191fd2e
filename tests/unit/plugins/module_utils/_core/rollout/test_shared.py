# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controllers of a split plan share: claims with tokens, budgets over all children, decisions made once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import Conflict, TakenOver
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.claims import SKEW
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.shared import (
    ABORT,
    LEASE,
    PAUSE,
    PROMOTE,
    Answer,
    ChildIsRun,
    Judgement,
    Request,
    Shared,
    WaveReport,
    Writer,
    aborting,
    check_free,
    entered,
    judged,
    lacking,
    left,
    reported,
    reserved,
    update,
    without_controller,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.shared import SharedInMemory

NOW = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)
UNTIL = NOW + LEASE
A, B, C = (Writer(name, 1, f"host-{name}/1/1") for name in "abc")
SIZES = {"a": {"w": 2}, "b": {"w": 1}, "c": {"w": 0}}


def with_all(*writers: Writer) -> Shared:
    shared = Shared()
    for writer in writers or (A, B, C):
        shared = entered(shared, writer, UNTIL)
    return shared


def report(total: int, *, complete: bool = True) -> WaveReport:
    return WaveReport(complete=complete, tally={"total": total, "good": total, "failed": 0})


def ask(
    shared: Shared, me: Writer, *nodes: str, limit: int = 2, now: datetime = NOW, **used: Any
) -> tuple[Shared, Answer]:
    wanted = {node: ["rollout"] for node in nodes}
    return reserved(shared, me, Request(wanted=wanted, used=used, limits={"rollout": limit}), now)


def test_it_is_written_and_read_the_same() -> None:
    shared = reported(ask(with_all(), A, "n1")[0], A, "w", report(2))
    shared = judged(aborting(shared, "b", "why"), "w", Judgement(number=1, verdict=PAUSE, reasons=["a"], by="ana"))
    assert Shared.from_data(json.loads(json.dumps(shared.to_data()))) == shared


def test_a_claim_is_free_when_it_expired_by_every_clock() -> None:
    shared = with_all()
    check_free(shared, "a", A.holder, NOW)
    check_free(Shared(), "a", B.holder, NOW)
    with pytest.raises(ChildIsRun, match="run by host-a/1/1, whose claim lasts until 2026-06-01T20:15"):
        check_free(shared, "a", B.holder, UNTIL + SKEW - timedelta(seconds=1))
    check_free(shared, "a", B.holder, UNTIL + SKEW)
    check_free(left(shared, A), "a", B.holder, NOW)


def test_a_controller_that_was_taken_over_can_change_nothing() -> None:
    taken = entered(with_all(), Writer("a", 2, "host-z/1/1"), UNTIL)
    with pytest.raises(TakenOver, match="Child plan a is run by host-z/1/1 now"):
        entered(taken, A, UNTIL)
    with pytest.raises(TakenOver):
        entered(taken, Writer("a", 2, "host-y/1/1"), UNTIL)
    assert left(taken, A) == taken, "its end does not end the other's claim"
    assert entered(taken, Writer("a", 2, "host-z/1/1"), UNTIL) == taken
    assert entered(taken, Writer("a", 3, A.holder), UNTIL).parts["a"].token == 3


def test_budgets_are_those_of_all_children() -> None:
    shared, answer = ask(with_all(), A, "n1", "n2", "n3")
    assert answer.granted == ["n1", "n2"] and shared.parts["a"].used == {"rollout": [2, 0]}
    assert answer.waiting == {"n3": "rollout: 2 nodes of all child plans are out of service, the limit is 2"}
    shared, answer = ask(shared, B, "n4")
    assert not answer.granted and list(answer.waiting) == ["n4"]
    shared, _unused = ask(shared, A, rollout=[1, 0])
    assert ask(shared, B, "n4", "n5")[1].granted == ["n4"], "one came back"


def test_asked_again_it_takes_no_more() -> None:
    """The answer to a write may be lost: the same change is made once more."""
    once, answer = ask(with_all(), A, "n1", rollout=[1, 0])
    again, same = ask(once, A, "n1", rollout=[1, 0])
    assert (again, same) == (once, answer) and again.parts["a"].used == {"rollout": [2, 0]}


def test_what_only_failed_nodes_block_is_refused_and_a_budget_without_a_limit_blocks_nobody() -> None:
    shared, _unused = ask(with_all(), A, rollout=[2, 1])
    assert list(ask(shared, B, "n1")[1].waiting) == ["n1"]
    shared, _unused = ask(shared, A, rollout=[2, 2])
    assert list(ask(shared, B, "n1")[1].refused) == ["n1"]
    free = reserved(shared, B, Request(wanted={"n1": ["rollout"]}, used={}, limits={"zone z": 1}), NOW)[1]
    assert free.granted == ["n1"]


def test_a_child_that_died_goes_on_using_its_budgets() -> None:
    shared, _unused = ask(with_all(), A, "n1", "n2")
    assert list(ask(shared, B, "n3")[1].waiting) == ["n3"]
    late = UNTIL + SKEW
    alive = entered(shared, B, late + LEASE)
    assert list(ask(alive, B, "n3", now=late)[1].refused) == ["n3"]


def test_a_gate_waits_for_every_child_with_nodes_in_the_wave() -> None:
    shared = with_all()
    assert lacking(shared, "w", SIZES) == ["a", "b"]
    shared = reported(shared, A, "w", report(2))
    assert lacking(shared, "w", SIZES) == ["b"]
    assert lacking(reported(shared, B, "w", report(1, complete=False)), "w", SIZES) == ["b"]
    assert lacking(reported(shared, B, "w", report(0)), "w", SIZES) == ["b"], "of another number of nodes"
    assert lacking(reported(shared, B, "w", report(1)), "w", SIZES) == []
    assert without_controller(shared, ["a", "x"], NOW) == ["x"]
    assert without_controller(shared, ["a", "x"], UNTIL + SKEW) == ["a", "x"]


def test_a_decision_is_made_once_and_only_a_pause_is_replaced() -> None:
    shared = judged(Shared(), "w", Judgement(number=1, verdict=PAUSE))
    late = judged(shared, "w", Judgement(number=1, verdict=PROMOTE))
    assert late == shared, "another controller was first"
    again = judged(shared, "w", Judgement(number=2, verdict=PROMOTE))
    assert again.is_promoted("w") and not shared.is_promoted("w") and not again.is_promoted("x")
    assert judged(again, "w", Judgement(number=2 + 1, verdict=ABORT)) == again


def test_one_abort_aborts_all() -> None:
    assert Shared().aborted == ""
    once = aborting(with_all(), "b", "ana: wrong kernel")
    assert once.aborted == "child plan b was aborted: ana: wrong kernel" and aborting(once, "b", "later") == once
    gate = judged(Shared(), "w", Judgement(number=1, verdict=ABORT, reasons=["All failed."]))
    assert gate.aborted == "the gate of wave w aborted all child plans: All failed."


def test_of_several_writers_each_change_is_made() -> None:
    store = SharedInMemory()
    calls: list[int] = []

    def change(shared: Shared) -> Shared:
        calls.append(1)
        if len(calls) == 1:  # another controller is faster
            update(store, lambda other: entered(other, B, UNTIL))
        return entered(shared, A, UNTIL)

    assert set(update(store, change).parts) == {"a", "b"} and len(calls) == 2
    assert store.read()[0] == 2
    update(store, lambda shared: shared)
    assert store.read()[0] == 2, "nothing changed, nothing is written"


def test_it_gives_up_against_writers_that_never_rest() -> None:
    store = SharedInMemory()

    def change(shared: Shared) -> Shared:
        store.write(shared, store.read()[0])
        return aborting(shared, "a", "why")

    with pytest.raises(Conflict, match="50 times"):
        update(store, change)


STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ask", "back", "fail", "die"])), max_size=40)


@given(steps=STEPS, limit=st.integers(1, 3))
def test_no_budget_is_ever_exceeded_whoever_dies(steps: list[tuple[str, str]], limit: int) -> None:
    shared, writers = with_all(), {"a": A, "b": B, "c": C}
    down = dict.fromkeys("abc", 0)
    failed = dict.fromkeys("abc", 0)
    for number, (name, step) in enumerate(steps):
        if step == "die":  # another run takes the child over
            writers[name] = replace(writers[name], token=writers[name].token + 1, holder=f"other-{number}")
            shared = entered(shared, writers[name], UNTIL)
        elif down[name] and step in ("back", "fail"):
            down[name] -= 1
            failed[name] += step == "fail"
        used = {"rollout": [down[name] + failed[name], failed[name]]}
        nodes = ("n",) if step == "ask" else ()
        shared, answer = ask(entered(shared, writers[name], UNTIL), writers[name], *nodes, limit=limit, **used)
        down[name] += len(answer.granted)
        assert sum(down.values()) + sum(failed.values()) <= limit
        assert len(answer.granted) + len(answer.waiting) + len(answer.refused) == len(nodes)
