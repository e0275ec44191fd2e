# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions and freezes in the plan: who is left out, which wave takes them later, what is only noted."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.guard import ExceptionGuard
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.records import (
    ExceptionRecord,
    ExceptionStatus,
    to_period,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate, Select
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan, check_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.text import plan_to_text
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.calendars import Calendar, Interval

FIRST = datetime(2026, 11, 17, 22, tzinfo=timezone.utc)
SECOND = FIRST + timedelta(days=7)
LINUX = {"platforms": ["linux"]}
POLICY: dict[str, Any] = {
    "name": "p",
    "baselines": [{"name": "b", "operating_system": "DEBIAN", "default": True}],
    "windows": [
        {"name": name, "schedule": f"at({at:%Y-%m-%dT%H:%M:%S})", "duration_hours": 4, "cutoff_hours": 1}
        for name, at in (("first", FIRST), ("second", SECOND))
    ],
    "waves": [{"name": "canary", "size": 2, "window": "first"}, {"name": "rest", "select": LINUX, "window": "second"}],
    "gates": {},
    "reboot": {"rule": "if_required"},
    "patching": {"pin": "baseline", "expected_minutes": {"linux": 15}},
}
NODES = [
    Candidate(node_id=f"i-{number}", host=f"web-{number}", executor="ssm", platform="linux", ping_status="Online")
    for number in range(4)
]
SCAN = {
    "nodes": {node.node_id: {"status": "succeeded", "missing": [{"id": "curl"}]} for node in NODES},
    "failed_places": [],
}


def plan_of(*records: ExceptionRecord, events: tuple[Interval, ...] = ()) -> dict[str, Any]:
    calendars = [Calendar(name="contoso", events=events)] if events else []
    given = {
        "policy_digest": "d",
        "rollout": "5eed" * 8,
        "created_at": "2026-11-10T12:00:00Z",
        "calendars": calendars,
    }
    plan = build_plan(NODES, to_policy(POLICY), SCAN, **given, guard=ExceptionGuard(records=records))  # type: ignore[arg-type]  # by name
    check_plan(plan)
    return plan


def approved(node: str, start: str, end: str) -> ExceptionRecord:
    given = {
        "select": Select(nodes=(node,)),
        "period": to_period(start, end),
        "reason": "Audit",
        "requested_by": "dana",
    }
    return ExceptionRecord(exception_id="E1", **given, status=ExceptionStatus.APPROVED, decided_by="robin")  # type: ignore[arg-type]  # by name


def waves(plan: dict[str, Any]) -> list[set[str]]:
    return [{node["node_id"] for node in wave["nodes"]} for wave in plan["waves"]]


def test_without_guards_the_plan_is_as_ever() -> None:
    given = {"policy_digest": "d", "rollout": "5eed" * 8, "created_at": "2026-11-10T12:00:00Z"}
    bare = build_plan(NODES, to_policy(POLICY), SCAN, **given)  # type: ignore[arg-type]  # by name
    assert plan_of() == bare and "notes" not in bare["waves"][0]


def test_a_node_with_an_exception_in_both_windows_is_left_out_and_says_why() -> None:
    plan = plan_of(approved("web-0", "2026-11-17", "2026-11-30"))
    assert [len(wave) for wave in waves(plan)] == [2, 1] and not any("i-0" in wave for wave in waves(plan))
    assert [row["code"] for row in plan["excluded"]] == ["exception"]
    assert plan["excluded"][0]["reason"] == "exception E1 until 2026-11-30, approved by robin: Audit"


def test_a_node_whose_exception_is_over_by_then_comes_with_a_later_wave() -> None:
    canary = sorted(waves(plan_of())[0])[0]
    later = waves(plan_of(approved(canary, "2026-11-17", "2026-11-20")))
    assert canary not in later[0] and canary in later[1] and len(later[0]) == 2


def test_a_window_that_is_frozen_as_a_whole_loses_its_nodes() -> None:
    week = Interval(start=FIRST - timedelta(days=1), end=FIRST + timedelta(days=1), name="Quarter end")
    plan = plan_of(events=(week,))
    assert [len(wave) for wave in waves(plan)] == [0, 2] and plan["totals"]["excluded"] == 2
    assert {row["code"] for row in plan["excluded"]} == {"freeze"}
    assert "Quarter end" in plan["excluded"][0]["reason"] and "Quarter end" in plan_to_text(plan)


def test_a_window_that_is_frozen_in_part_keeps_them_with_a_note() -> None:
    hour = Interval(start=FIRST + timedelta(hours=1), end=FIRST + timedelta(hours=2), name="Deployment")
    plan = plan_of(events=(hour,))
    assert [len(wave) for wave in waves(plan)] == [2, 2]
    assert plan["waves"][0]["notes"][0].startswith("partly frozen: Deployment") and "notes" not in plan["waves"][1]
    assert "Wave canary: partly frozen" in plan_to_text(plan)


def test_a_canary_that_loses_all_its_nodes_is_said_to_be_empty() -> None:
    plan = plan_of(*(approved(node.host, "2026-11-17", "2026-11-18") for node in NODES))
    assert [len(wave) for wave in waves(plan)] == [0, 4]
    assert plan["waves"][0]["emptied"] == "all nodes that it selects have an exception"
    frozen = plan_of(events=(Interval(start=FIRST, end=FIRST + timedelta(hours=4), name="Sale"),))
    assert frozen["waves"][0]["emptied"].startswith("completely frozen")
    assert frozen["warnings"] == [f"Wave canary has no nodes, so its gate will pause: {frozen['waves'][0]['emptied']}."]
