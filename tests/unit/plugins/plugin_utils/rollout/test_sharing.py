# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A child plan's controller: what it may do follows from the other child plans, and from who runs its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, TakenOver
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Decision,
    GateJudged,
    Outcome,
    WaveFinished,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.agenda import Need
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.shared import (
    LEASE,
    ChildIsRun,
    Judgement,
    judged,
    update,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.sharing import (
    NUMBER,
    NotPromoted,
    agenda_of,
    open_sharing,
)

from tests.fakes.split import CANARY, REST, Split, end

PROMOTE = GateJudged(wave=CANARY, verdict="promote", reasons=("all good",))
PAUSED = GateJudged(wave=CANARY, verdict="pause")


def decided(by: str = "ana", action: str = "promote") -> Decision:
    return Decision(by=by, action=action, wave=CANARY if action == "promote" else "", reason="looked at it")


def promote(split: Split, number: int = 1) -> None:
    """Let the gate have promoted the first wave of all children."""
    update(split.store, lambda shared: judged(shared, CANARY, Judgement(number=number, verdict="promote")))


def test_a_plan_that_is_no_child_shares_nothing(tmp_path: Path) -> None:
    split = Split(tmp_path)
    assert open_sharing(RolloutDir(tmp_path, split.clock)) is None
    with pytest.raises(BadInput, match="for a child plan dynamodb:<table>"):
        open_sharing(split.open("a"))


def test_another_run_takes_a_child_over_when_its_claim_expired_and_the_first_one_wakes_as_a_stranger(
    tmp_path: Path,
) -> None:
    split = Split(tmp_path, rules={"budgets": {"rollout": 2}})
    asleep, sharing = split.run("a")
    with pytest.raises(ChildIsRun):
        sharing.check_free("host-z/1/1")
    split.clock.sleep(LEASE.total_seconds() + 300)
    sharing.check_free("host-z/1/1")
    split.run("a", "host-z/1/1")
    for late in (
        lambda: sharing.reserve(sharing.request(["a1"])),
        lambda: sharing.report(CANARY),
        lambda: sharing.decide(PAUSED, 0),
        sharing.claim,
        asleep.confirm,
        lambda: end(asleep, a1="succeeded"),
    ):
        with pytest.raises(TakenOver):
            late()
    assert not split.store.read()[1].parts[sharing.name].waves and not split.store.read()[1].gates


def test_the_end_of_a_run_frees_its_child_at_once(tmp_path: Path) -> None:
    split = Split(tmp_path)
    _rollout, sharing = split.run("a")
    sharing.leave()
    sharing.check_free("host-z/1/1")


def test_room_in_the_budgets_is_that_of_all_children_and_comes_back(tmp_path: Path) -> None:
    split = Split(tmp_path, rules={"budgets": {"rollout": 2}})
    (one, mine), (_two, other) = split.run("a"), split.run("b")
    for name, rollout in (("a1", one), ("a2", one), ("b1", _two)):
        end(rollout)
        rollout.record(Outcome(wave=CANARY, stage="precheck", results=({"node_id": name, "outcome": "pass"},)))
    assert mine.reserve(mine.request(["a1", "a2"])).granted == ["a1", "a2"]
    answer = other.reserve(other.request(["b1"]))
    assert not answer.granted and list(answer.waiting) == ["b1"]
    end(one, a1="succeeded")
    mine.reserve(mine.request((), {"a2"}))  # as the driver states every minute
    assert other.reserve(other.request(["b1"])).granted == ["b1"]


def test_a_node_that_failed_or_is_unknown_uses_its_budget_for_good(tmp_path: Path) -> None:
    split = Split(tmp_path, rules={"budgets": {"rollout": 1}})
    (one, mine), (_two, other) = split.run("a"), split.run("b")
    end(one, a1="unknown")
    mine.claim()
    assert other.reserve(other.request(["b1"])).refused == {
        "b1": "rollout: 1 nodes of all child plans are out of service, the limit is 1"
    }


def test_a_wave_begins_only_after_the_promotion_of_the_one_before_over_all_children(tmp_path: Path) -> None:
    split = Split(tmp_path)
    (one, mine), _other = split.run("a"), split.run("b")
    mine.check_start(CANARY)
    with pytest.raises(NotPromoted, match="wave canary of all child plans is not promoted"):
        mine.check_start(REST)
    end(one, a1="succeeded", a2="succeeded")
    mine.report(CANARY)
    assert mine.lacking(CANARY) == (["02-b"], []), "its controller is alive"
    with pytest.raises(NotPromoted, match="02-b did not report"):
        mine.check_promotable(CANARY)
    promote(split)
    mine.check_start(REST)
    found = mine.decision(CANARY)
    assert found and found.verdict == "promote" and found.numbers[NUMBER] == 1


def test_a_gate_waits_half_an_hour_for_a_child_that_nobody_runs(tmp_path: Path) -> None:
    split = Split(tmp_path)
    one, mine = split.run("a")
    end(one, a1="succeeded", a2="succeeded")
    mine.report(CANARY)
    assert mine.lacking(CANARY) == (["02-b"], [])
    split.clock.sleep(30 * 60)
    assert mine.lacking(CANARY) == (["02-b"], ["02-b"])


def test_of_two_decisions_the_first_one_counts_for_all(tmp_path: Path) -> None:
    split = Split(tmp_path)
    (one, mine), (two, other) = split.run("a"), split.run("b")
    end(one, a1="succeeded", a2="succeeded")
    end(two, b1="succeeded")
    mine.report(CANARY)
    other.report(CANARY)
    first, second = mine.decide(PAUSED, 0), other.decide(PROMOTE, 0)
    assert first and second and (first.verdict, second.verdict) == ("pause", "pause")
    again = other.decide(PROMOTE, 1)
    assert again and (again.verdict, again.numbers[NUMBER]) == ("promote", 2)


def test_no_wave_is_promoted_whose_report_was_taken_back_meanwhile(tmp_path: Path) -> None:
    split = Split(tmp_path)
    (one, mine), (two, other) = split.run("a"), split.run("b")
    end(one, a1="failed", a2="succeeded")
    end(two, b1="succeeded")
    mine.report(CANARY)
    other.report(CANARY)
    assert other.lacking(CANARY) == ([], [])
    mine.reopen(CANARY)  # a person lets a1 be tried again
    assert other.decide(PROMOTE, 0) is None and not split.store.read()[1].gates


def test_a_pause_that_was_recorded_is_evaluated_again_and_another_one_is_not(tmp_path: Path) -> None:
    split = Split(tmp_path)
    (one, mine), (_two, other) = split.run("a"), split.run("b")
    end(one, a1="succeeded", a2="succeeded")
    other.decide(PAUSED, 0)
    found = mine.decision(CANARY)
    assert found
    one.record(found)
    assert mine.decision(CANARY) is None
    promote(split, 2)
    assert mine.decision(CANARY)


def test_a_persons_promotion_counts_for_all_even_after_a_crash_in_between(tmp_path: Path) -> None:
    split = Split(tmp_path)
    one, mine = split.run("a")
    end(one, a1="failed", a2="succeeded")
    paused = mine.decide(PAUSED, 0)
    assert paused
    one.record(paused)
    one.record(decided())
    again, sharing = split.run("a")  # the controller that recorded it died before it told the others
    sharing.follow()
    sharing.follow()
    found = sharing.read().gates[CANARY]
    assert (found.verdict, found.by, found.number) == ("promote", "ana", 2)
    again.record(WaveFinished(wave=CANARY))
    sharing.check_start(REST)


def test_nodes_are_not_worked_on_again_once_the_wave_of_all_is_promoted(tmp_path: Path) -> None:
    split = Split(tmp_path)
    (one, mine), _other = split.run("a"), split.run("b")
    end(one, a1="failed", a2="succeeded")
    mine.report(CANARY)
    assert mine.lacking(CANARY)[0] == ["02-b"]
    mine.reopen(CANARY)
    assert mine.lacking(CANARY)[0] == ["01-a", "02-b"]
    promote(split)
    with pytest.raises(NotPromoted, match="Wave canary of all child plans is promoted"):
        mine.reopen(CANARY)


def test_an_abort_of_one_child_aborts_all(tmp_path: Path) -> None:
    split = Split(tmp_path)
    (one, mine), (two, other) = split.run("a"), split.run("b")
    one.record(decided(action="abort"))
    mine.follow()
    assert list(other.reserve(other.request(["b1"])).waiting) == ["b1"]
    assert other.adopt_abort() and not other.adopt_abort() and not mine.adopt_abort()
    assert two.state.status == "aborted"
    with pytest.raises(NotPromoted, match="child plan 01-a was aborted"):
        mine.check_start(CANARY)


def test_what_run_due_does_with_a_child_that_waits_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = Split(tmp_path).share(monkeypatch)
    now = split.clock.now()
    assert agenda_of(split.open("a"), now).need is Need.DUE, "it has not begun"
    (one, mine), (_two, other) = split.run("a"), split.run("b")
    assert agenda_of(one, now).need is Need.DUE
    end(one, a1="succeeded", a2="succeeded")
    assert agenda_of(one, now).need is Need.DUE, "its own report is due"
    mine.report(CANARY)
    found = agenda_of(one, now)
    assert (found.need, found.text) == (Need.WAITING, "the gate of wave canary waits for the child plans 02-b")
    other.decide(PAUSED, 0)
    assert agenda_of(one, now).need is Need.DUE
    decision = mine.decision(CANARY)
    assert decision
    one.record(decision)
    assert agenda_of(one, now).need is Need.HELD
    promote(split, 2)
    assert agenda_of(one, now).need is Need.DUE


def test_the_state_keeps_what_the_gate_measured(tmp_path: Path) -> None:
    split = Split(tmp_path)
    _one, mine = split.run("a")
    check = {"name": "shop", "health": "ok", "text": ""}
    gate = GateJudged(wave=CANARY, verdict="pause", numbers={"failed": 1}, reasons=("r",), health_checks=(check,))
    mine.decide(gate, 0)
    assert mine.read().gates[CANARY] == Judgement(
        number=1, verdict="pause", numbers={"failed": 1}, reasons=["r"], health_checks=[check]
    )
