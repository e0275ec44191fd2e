# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a wave has ended: of one rollout, and of all child plans together, where nothing unreported counts as good."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Claimed, Outcome, WaveStarted
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import GateRules, Verdict, decide
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.split import split_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import apply
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.shared import (
    Shared,
    Writer,
    entered,
    reported,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import Rollout, initial
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.wave_report import (
    ended,
    report_of,
    together,
)

from tests.fakes.events import gate, started
from tests.fakes.plans import completed

UNTIL = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)


def children() -> list[Rollout]:
    """Two children; of the three nodes of the first wave, the first child has two."""
    canary = [{"node_id": f"i-{name}", "account": name[0], "region": "r"} for name in ("a1", "a2", "b1")]
    rest = [{"node_id": f"i-{name}", "account": name[0], "region": "r"} for name in ("a3", "b2", "b3")]
    plan = completed([{"name": "canary", "nodes": canary}, {"name": "all", "nodes": rest}])
    return [begun(child) for child in split_plan(plan, "account")]


def begun(plan: dict[str, Any]) -> Rollout:
    state = initial(plan)
    apply(state, started(plan["digest"]), "2026-06-01T10:00:00Z")
    return state


def work(state: Rollout, wave: str, minute: int = 0, **statuses: str) -> None:
    """Give nodes of a wave their final records."""
    if state.waves[wave].status == "waiting":
        apply(state, Claimed(wave=wave, nodes=state.waves[wave].nodes), "2026-06-01T10:00:00Z")
        apply(state, WaveStarted(wave=wave), "2026-06-01T10:00:00Z")
    rows = tuple(
        {"node_id": f"i-{node}", "status": status, "differences": DIFFERS} for node, status in statuses.items()
    )
    apply(state, Outcome(wave=wave, stage="verify", results=rows), f"2026-06-01T11:{minute:02}:00Z")


DIFFERS = [{"code": "unplanned", "id": "vim", "title": "vim", "text": "new"}]


def board(*states: Rollout, wave: str = "canary") -> Shared:
    shared = Shared()
    for state in states:
        me = Writer(state.plan["part"]["name"], 1, "h")
        shared = reported(entered(shared, me, UNTIL), me, wave, report_of(state, wave))
    return shared


def test_the_report_of_a_child_is_complete_when_each_node_has_its_final_record() -> None:
    one, _two = children()
    work(one, "canary", a1="succeeded")
    assert not report_of(one, "canary").complete
    work(one, "canary", a2="failed")
    found = report_of(one, "canary")
    assert found.complete and (found.tally["good"], found.tally["failed"], found.tally["total"]) == (1, 1, 2)
    assert found.differences["unplanned"]["nodes"] == 2 and found.worked_at == "2026-06-01T11:00:00Z"


def test_the_gate_sees_the_nodes_of_all_children() -> None:
    one, two = children()
    work(one, "canary", 5, a1="succeeded", a2="failed")
    work(two, "canary", 9, b1="unknown")
    found = together(board(one, two), one, "canary")
    tally = asdict(found.tally)
    assert tally == {
        "total": 3, "good": 1, "failed": 1, "skipped": 0, "unknown": 1, "reboot_pending": 0,
        "earlier_failed": 0, "rollout_total": 6,
    }  # fmt: skip
    assert found.worked_at == "2026-06-01T11:09:00Z"
    assert found.differences["unplanned"].nodes == 3 and found.differences["unplanned"].patches == {"vim": 3}


def test_what_a_child_has_not_reported_has_no_outcome_and_never_passes() -> None:
    one, two = children()
    work(one, "canary", a1="succeeded", a2="succeeded")
    found = together(board(one), two, "canary")
    assert found.tally.missing == 1
    decision = decide(GateRules(), found.tally)
    assert decision.verdict is Verdict.PAUSE and "1 node of 3 has no outcome." in decision.reasons


def test_the_failure_budget_counts_earlier_waves_of_all_children() -> None:
    one, two = children()
    work(one, "canary", a1="failed", a2="failed")
    work(two, "canary", b1="failed")
    shared = board(one, two)
    apply(two, gate("promote"), "2026-06-01T12:00:00Z")
    assert together(shared, two, "all").tally.earlier_failed == 3
    assert decide(GateRules(budget=2), together(shared, two, "all", partial=True).tally).verdict is Verdict.ABORT


def test_in_the_middle_of_a_wave_only_ended_nodes_count() -> None:
    one, two = children()
    work(one, "canary", a1="succeeded")
    assert (ended(one, "canary").tally.missing, ended(one, "canary", partial=True).tally.missing) == (1, 0)
    found = together(board(one, two), one, "canary", partial=True)
    assert (found.tally.total, found.tally.missing, found.differences) == (1, 0, {})


def test_a_report_names_only_the_most_frequent_patches() -> None:
    one, _two = children()
    rows = [{"code": "unplanned", "id": f"p{number:02}", "title": "", "text": "new"} for number in range(30)]
    more = [{**rows[29]}]
    work(one, "canary")
    for node, differences in (("i-a1", rows), ("i-a2", more)):
        result = {"node_id": node, "status": "succeeded", "differences": differences}
        apply(one, Outcome(wave="canary", stage="verify", results=(result,)), "2026-06-01T11:00:00Z")
    found = report_of(one, "canary").differences["unplanned"]
    assert len(found["patches"]) == len(found["texts"]) == 20 and next(iter(found["patches"])) == "p29"
