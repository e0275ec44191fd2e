# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Effort: steps that people took, what the rollout waited for, and what is not known (TCS-28)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Approved,
    Decision,
    Event,
    GateJudged,
    Resumed,
    RolloutStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.effort import to_effort

PLAN: dict[str, Any] = {
    "created_at": "2026-06-01T08:00:00Z",
    "planner": {"login": "dana", "awx_user": "", "awx_job": 0},
}
APPROVAL = {"by": "robin", "at": "2026-06-01T10:00:00Z", "source": "approval_file"}
PAUSE = GateJudged(wave="dev", verdict="pause")


def at(hour: int) -> str:
    return f"2026-06-02T{hour:02}:00:00Z"


def started(*, scheduled: bool, **more: Any) -> RolloutStarted:
    given: dict[str, Any] = {"rollout": "r", "plan_digest": "d", "policy_digest": "", "controller": "", **more}
    return RolloutStarted(operator="dana", waves=(), node_count=0, scheduled=scheduled, **given)


def steps(*acts: tuple[str, Event], plan: dict[str, Any] | None = None) -> list[tuple[str, str, float | None]]:
    return [(row["what"], row["by"], row["waited_minutes"]) for row in to_effort(plan or PLAN, acts)["steps"]]


def test_a_cycle_by_schedule_is_planned_and_approved_by_people_and_nothing_else() -> None:
    begun, again = started(scheduled=True, approval=APPROVAL), Resumed(operator="cron", controller="", scheduled=True)
    found = to_effort(PLAN, [(at(1), begun), (at(2), again)])
    assert [(row["what"], row["by"]) for row in found["steps"]] == [("plan", "dana"), ("approve", "robin")]
    assert (found["hands_on_steps"], found["waiting_minutes"], found["by_schedule"]) == (2, 120, 2)
    assert found["hands_on_minutes"] is None and "how long people worked on their steps" in found["not_known"]


def test_runs_and_decisions_of_people_are_steps_and_a_pause_waits_for_the_first_of_them() -> None:
    decision = Decision(by="robin", action="retry", wave="dev", reason="x")
    again = Resumed(operator="dana", controller="")
    assert steps((at(1), started(scheduled=False)), (at(2), PAUSE), (at(5), decision), (at(6), again)) == [
        ("plan", "dana", None),
        ("start", "dana", None),
        ("retry", "robin", 180),
        ("continue", "dana", None),
    ]
    assert steps((at(2), PAUSE), (at(3), again))[-1] == ("continue", "dana", 60)
    promote = GateJudged(wave="dev", verdict="promote")
    assert steps((at(2), PAUSE), (at(3), promote), (at(4), again))[-1] == ("continue", "dana", None)


def test_a_signed_statement_is_one_step_however_many_waves_it_is_for() -> None:
    proofs = ({"principal": "ana", "statement": "s1"}, {"principal": "ben", "statement": "s2"})
    waves = [Approved(wave=wave, bundle_version=1, bundle_digest="b", proofs=proofs) for wave in ("dev", "prod")]
    begun = started(scheduled=True, approval={"source": "trust"})
    rows = steps((at(0), begun), (at(1), waves[0]), (at(9), waves[1]))
    assert rows == [("plan", "dana", None), ("approve", "ana", 17 * 60), ("approve", "ben", 17 * 60)]


@pytest.mark.parametrize(
    ("planner", "by"),
    [
        ({"login": "awx", "awx_user": "", "awx_job": 7}, []),
        ({"login": "awx", "awx_user": "dana", "awx_job": 7}, ["dana"]),
        (None, []),
    ],
)
def test_a_plan_that_no_person_made_is_no_step(planner: dict[str, Any] | None, by: list[str]) -> None:
    assert [who for _what, who, _waited in steps(plan={**PLAN, "planner": planner})] == by


def test_times_that_disagree_are_unknown() -> None:
    early = {**APPROVAL, "at": "2026-05-01T00:00:00Z"}
    found = to_effort(PLAN, [(at(1), started(scheduled=True, approval=early))])
    assert found["steps"][-1]["waited_minutes"] is None and found["waiting_minutes"] is None
