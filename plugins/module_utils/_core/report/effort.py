# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a patch cycle cost people: the steps that they took, and how long the rollout waited for each. Pure.

Steps are counted from plan and journal. Waiting is measured between two of their times. How long a person worked on a
step is recorded nowhere, so it is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..events import Approved, Decision, Event, GateJudged, Resumed, RolloutStarted
from .rows import minutes_between

#: What neither plan nor journal records.
NOT_KNOWN = (
    "how long people worked on their steps",
    "whether a person or a job used an account outside of AWX",
    "steps outside of plan and journal: scans, exceptions, choices of windows, tickets, reading",
)


def to_effort(plan: Mapping[str, Any], acts: Sequence[tuple[str, Event]]) -> dict[str, Any]:
    """Return ``hands_on_steps``, ``waiting_minutes`` and the ``steps`` behind them, in order.

    ``hands_on_minutes`` is ``None``: unknown. A step's ``waited_minutes`` is the time from what asked for it to the
    step, ``None`` if nothing asked for it or a time is missing. ``by_schedule``: runs that no person started.

    :param acts: time and event of each start, approval, pause and decision, in the order of the journal.
    """
    steps = [*_plan_step(plan), *_journal_steps(plan, acts)]
    waits = [step["waited_minutes"] for step in steps if step["waited_minutes"] is not None]
    scheduled = sum(isinstance(event, RolloutStarted | Resumed) and event.scheduled for _at, event in acts)
    return {
        "hands_on_steps": len(steps),
        "hands_on_minutes": None,
        "waiting_minutes": round(sum(waits), 1) if waits else None,
        "by_schedule": scheduled,
        "steps": steps,
        "not_known": list(NOT_KNOWN),
    }


def _plan_step(plan: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan itself, unless a job of AWX made it for which AWX names no person."""
    planner = plan.get("planner") or {}
    if plan.get("created_at") and planner and (planner.get("awx_user") or not planner.get("awx_job")):
        yield _step("plan", planner.get("awx_user") or planner.get("login"), plan["created_at"], None)


def _journal_steps(plan: Mapping[str, Any], acts: Sequence[tuple[str, Event]]) -> Iterator[dict[str, Any]]:
    proposed, paused = str(plan.get("created_at") or ""), ""
    seen: set[str] = set()
    for at, event in acts:
        if isinstance(event, GateJudged):
            paused = at if event.verdict == "pause" else ""
        elif isinstance(event, Approved):
            yield from _approvals(event, at, proposed, seen)
        elif isinstance(event, Decision):
            yield _step(event.action, event.by, at, minutes_between(paused, at) if paused else None)
            paused = ""
        elif isinstance(event, RolloutStarted):
            if (approval := event.approval) and approval.get("source") != "trust":
                when = str(approval.get("at") or at)
                yield _step("approve", approval.get("by") or event.operator, when, minutes_between(proposed, when))
            if not event.scheduled:
                yield _step("start", event.operator, at, None)
        elif isinstance(event, Resumed) and not event.scheduled:
            yield _step("continue", event.operator, at, minutes_between(paused, at) if paused else None)
            paused = ""


def _approvals(event: Approved, at: str, proposed: str, seen: set[str]) -> Iterator[dict[str, Any]]:
    """One step for each statement, which may count for several waves. It was signed before the wave that it is for."""
    for proof in event.proofs:
        statement = str(proof.get("statement") or "")
        if statement not in seen:
            seen.add(statement)
            yield _step("approve", proof.get("principal"), at, minutes_between(proposed, at))


def _step(what: str, by: Any, at: Any, waited: float | None) -> dict[str, Any]:
    """``waited`` below zero comes from clocks or files that disagree, and is unknown."""
    known = waited if waited is not None and waited >= 0 else None
    return {"what": what, "by": str(by or ""), "at": str(at), "waited_minutes": known}
