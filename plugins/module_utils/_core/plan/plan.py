# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: a frozen list of what will happen, identified by its digest. Nothing runs that is not in the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..canonical import to_digest, without
from ..errors import BadInput
from ..exceptions.guard import ExceptionGuard
from ..model import place_label
from ..nodes import NAMED, TAGGED, Candidate
from ..policy.values import Policy, Wave
from ..read import to_document
from ..schema import check_schema
from ..shape import check_shape
from ..stamp import from_time, to_time
from ..tags import TagKeys
from ..times.calendars import Calendar
from ..trust.operator import Operator
from .azure_warnings import assessment_warnings, auto_patching_warnings, maintenance_warnings
from .covered import Coverage
from .emergency import Urgent, late_warnings, narrow
from .exclude import exclusion
from .node_windows import NO_WINDOW, NoWindow
from .pinning import NOT_PINNED, Pins, pin_warnings
from .quotas import quota_warnings
from .rules import PlanRules
from .selection import empty_waves, whole_account_warnings
from .shape import PLAN
from .timeline import Timeline, WaveTime
from .turns import Turns
from .warnings import (
    ledger_warnings,
    patch_policy_warnings,
    place_warnings,
    preference_warnings,
    trouble_warnings,
    uncovered_warnings,
)
from .wave import plan_wave
from .waves import spread, take

SCHEMA = "patchtide/plan/3"
#: Members that distinguish a plan from another one of the same estate.
_IDENTITY = ("rollout", "created_at", "planner", "scan", "part")
_WORDS = {"digest": "digest", "content_digest": "content digest"}
_CHANGED = "the plan was changed after it was made; run plan_rollout again"
#: Members of an excluded node besides its names.
_EXCLUDED = ("executor", "platform", "os", "account", "region", "patch_group")


def build_plan(
    nodes: Sequence[Candidate],
    policy: Policy,
    scan: Mapping[str, Any],
    *,
    policy_digest: str,
    created_at: str,
    rollout: str = "",
    planner: Operator | None = None,
    rehearsal: bool = False,
    guard: ExceptionGuard | None = None,
    calendars: Sequence[Calendar] = (),
    urgent: Urgent | None = None,
) -> dict[str, Any]:
    """Make a plan.

    :param scan: the content of ``scan.json``.
    :param rollout: the rollout's ID, 32 random hexadecimal digits, see ``ROLLOUT``.
    :param planner: who makes the plan; they can't approve it.
    :param guard: exceptions. A node with one in force in a wave's window may be in a later wave, else it is excluded.
    :param calendars: freezes. Nodes get no night in frozen time, but another one, or none before the plan's end.
    :param urgent: makes it an emergency plan, with what is in it alone.
    :returns: the plan (docs/formats.md). The same input gives the same ``content_digest``, but never the same digest.
    """
    scan = narrow(scan, urgent) if urgent else scan
    pins = Pins(policy, by_baseline=urgent is None)
    draft = _fill(nodes, nodes, policy, scan, pins, from_time(created_at), guard, calendars, urgent)
    for _again in range(2):  # budgets in percent refer to the nodes of the plan
        if len(members := draft.members) != draft.counted:
            draft = _fill(nodes, members, policy, scan, pins, from_time(created_at), guard, calendars, urgent)
    # The waves of an emergency are those that have urgent nodes.
    idle, coverage = [] if urgent else _note_empty_waves(draft, policy, nodes), Coverage(policy)
    waves = [
        {
            **plan_wave(wave, found, policy, scan["nodes"], time, draft.timeline, draft.turns.cluster, coverage),
            **({"notes": list(time.notes)} if time.notes else {}),
            **({"emptied": draft.emptied[time.order]} if time.order in draft.emptied and not found else {}),
        }
        for wave, found, time in zip(policy.waves, draft.waves, draft.times, strict=True)
    ]
    if urgent:
        for node in (node for wave in waves for node in wave["nodes"]):
            node["urgent"] = urgent.node_data(node["node_id"])
    lists = pins.bind(waves, draft.waves, scan["nodes"])
    windows = draft.timeline.windows_data()
    return seal(
        {
            "schema": SCHEMA,
            "rollout": rollout,
            "created_at": created_at,
            "planner": planner.to_dict() if planner else None,
            "valid_until": to_time(draft.timeline.until) if windows else None,
            "rehearsal": rehearsal,
            "policy": {"name": policy.name, "digest": policy_digest},
            "scan": {"at": str(scan.get("at") or ""), "digest": str(scan.get("digest") or "")},
            "failed_places": [dict(item) for item in scan["failed_places"]],
            "tags": {name: getattr(policy.tags, name) for name in TAGGED},
            "exceptions": {"ledger": policy.exceptions.ledger, "tag": policy.exceptions.tag},
            "approval": to_document(policy.approval),
            **({"emergency": urgent.to_data()} if urgent else {}),
            "rules": PlanRules.of_policy(policy).to_dict(),
            "patching": {"pin": policy.patching.pin},
            "lists": lists,
            "windows": windows,
            "waves": waves,
            "excluded": sorted(draft.excluded, key=lambda item: (item["code"], item["node_id"])),
            "totals": totals_of(waves, draft.excluded),
            "warnings": [
                *_warnings(waves),
                *pin_warnings(policy, lists, waves),
                *idle,
                *whole_account_warnings(policy, draft.waves),
                *uncovered_warnings(coverage, draft.waves),
                *patch_policy_warnings(draft.waves),
                *assessment_warnings(scan["nodes"], str(scan.get("at") or ""), draft.waves),
                *auto_patching_warnings(draft.waves),
                *preference_warnings(draft.waves, policy.estate.executor_order),
                *maintenance_warnings(waves, scan["nodes"]),
                *trouble_warnings(draft.excluded),
                *place_warnings(scan["failed_places"]),
                *ledger_warnings(policy.exceptions, nodes),
                *quota_warnings(waves),
                *(late_warnings(waves) if urgent else ()),
            ],
        }
    )


@dataclass(slots=True)
class _Draft:
    """Waves while they are filled. ``emptied`` is keyed by the wave's order, counted from 1.

    ``counted``: the number of nodes to which budgets in percent refer. ``held``: why a wave could not take a node.
    """

    tags: TagKeys
    timeline: Timeline
    turns: Turns
    counted: int
    waves: list[list[Candidate]] = field(default_factory=list)
    times: list[WaveTime] = field(default_factory=list)
    excluded: list[dict[str, str]] = field(default_factory=list)
    emptied: dict[int, str] = field(default_factory=dict)
    held: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def members(self) -> list[Candidate]:
        return [node for wave in self.waves for node in wave]

    def leave_out(self, node: Candidate, code: str, reason: str) -> None:
        """Note a node that is in no wave, with the values by which reports group it."""
        known = {name: getattr(node, name) for name in _EXCLUDED}
        known |= {name: node.tags.get(getattr(self.tags, name), "") for name in TAGGED}
        names = {name: getattr(node, name) for name in NAMED}
        given = {name: value for name, value in known.items() if value}
        self.excluded.append({**names, **given, "code": code, "reason": reason})


def _sort_out(
    draft: _Draft,
    nodes: Sequence[Candidate],
    policy: Policy,
    scan: Mapping[str, Any],
    pins: Pins,
    urgent: Urgent | None,
) -> list[Candidate]:
    """Return the nodes that may be in a wave; the others are excluded with their reasons."""
    records = scan["nodes"]
    lost = {item["place"]: item["error"]["message"] for item in scan["failed_places"]}
    eligible = []
    for node in sorted(nodes, key=lambda item: item.node_id):
        record = records.get(node.node_id)
        idle = urgent.left_out(node.node_id) if urgent else None
        why = idle or exclusion(node, record, policy, lost.get(place_label(node.account, node.region)))
        if why:
            draft.leave_out(node, *why)
        elif unpinned := pins.why_not(node, record):
            draft.leave_out(node, NOT_PINNED, unpinned)
        else:
            eligible.append(node)
    return eligible


def _fill(
    nodes: Sequence[Candidate],
    counted: Sequence[Candidate],
    policy: Policy,
    scan: Mapping[str, Any],
    pins: Pins,
    now: datetime,
    guard: ExceptionGuard | None,
    calendars: Sequence[Calendar],
    urgent: Urgent | None,
) -> _Draft:
    """Assign nodes to waves, and nights to waves. A node that a wave can't take may be in a later one.

    :param counted: the nodes to which budgets in percent refer.
    """
    turns = Turns(counted, PlanRules.of_policy(policy).budgets, policy.tags.cluster)
    draft = _Draft(policy.tags, Timeline(policy, now, calendars), turns, len(counted))
    left: Sequence[Candidate] = spread(_sort_out(draft, nodes, policy, scan, pins, urgent), policy.name)
    for order, wave in enumerate(policy.waves, 1):
        chosen, left = take(left, wave, order - 1, _Allowed(draft, wave, order, guard))
        time = draft.timeline.place(order, wave, chosen, turns.assign)
        lost = {**time.left_out, **_excepted(chosen, time, guard)}
        for node in chosen:
            if node.node_id in lost:
                draft.leave_out(node, *lost[node.node_id])
        draft.waves.append([node for node in chosen if node.node_id not in lost])
        draft.times.append(time)
        if lost and not draft.waves[-1]:
            draft.emptied[order] = next(iter(lost.values()))[1]
    for node in sorted(left, key=lambda item: item.node_id):
        draft.leave_out(node, *draft.held.get(node.node_id, ("no_wave", "no wave selects the node")))
    return draft


class _Allowed:
    """Whether a wave may take a node: it has a window, and no exception in force in the first occurrence."""

    def __init__(self, draft: _Draft, wave: Wave, order: int, guard: ExceptionGuard | None) -> None:
        self._draft, self._wave, self._order, self._guard = draft, wave, order, guard
        self._questions: dict[tuple[datetime, datetime], Callable[[Candidate], str | None]] = {}

    def __call__(self, node: Candidate, _index: int) -> bool:
        choice = self._draft.timeline.choice(node, self._wave)
        if isinstance(choice, NoWindow):
            self._draft.held.setdefault(node.node_id, (NO_WINDOW, choice.why))
            self._draft.emptied[self._order] = "no node that it selects has a window that can be read"
            return False
        if self._guard is None:
            return True
        span = self._draft.timeline.first_span(node, self._wave)
        if span not in self._questions:
            self._questions[span] = self._guard.during(*span)
        if why := self._questions[span](node):
            self._draft.held.setdefault(node.node_id, ("exception", why))
            self._draft.emptied[self._order] = "all nodes that it selects have an exception"
        return why is None


def _excepted(nodes: Sequence[Candidate], time: WaveTime, guard: ExceptionGuard | None) -> dict[str, tuple[str, str]]:
    """Return the nodes with an exception in force in their assigned night, if it is not the first one."""
    found: dict[str, tuple[str, str]] = {}
    for night in time.nights if guard else ():
        question = guard.during(night.occurrence.start, night.occurrence.end) if guard else None
        for node in nodes:
            if question and node.node_id in night.turns and (why := question(node)):
                found[node.node_id] = ("exception", why)
    return found


def _note_empty_waves(draft: _Draft, policy: Policy, nodes: Sequence[Candidate]) -> list[str]:
    """Note why waves are empty if their gates pause for it, and return a sentence about each other empty wave."""
    idle = []
    for order, why, pauses in empty_waves(policy, draft.waves, nodes):
        if pauses:
            draft.emptied.setdefault(order, why)
        elif order not in draft.emptied:
            idle.append(f"Wave {policy.waves[order - 1].name} has no nodes: {why}.")
    return idle


def _warnings(waves: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for wave in waves:
        if "emptied" in wave:
            yield f"Wave {wave['name']} has no nodes, so its gate will pause: {wave['emptied']}."
        if not wave["capacity"]["fits"]:
            yield f"Wave {wave['name']} does not fit its windows: {wave['capacity']['text']}."


def seal(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan with its digests.

    ``content_digest`` does not cover the identity of the plan: two plans of an unchanged estate have the same one.
    People approve ``digest``. It covers the content and the rollout's ID, so that an approval counts for one plan only.
    """
    identity = {name: plan[name] for name in _IDENTITY if name in plan}
    content = to_digest(without(plan, "digest", "content_digest", *_IDENTITY))
    return {**plan, "content_digest": content, "digest": to_digest({**identity, "content_digest": content})}


def check_plan(plan: Any, where: str = "plan") -> None:
    """Check that a plan read from a file is complete and unchanged.

    :param where: the file. :raises OtherSchema: another version made it.
    :raises BadInput: it is not a plan, or was edited after its digest was made.
    """
    check_plan_shape(plan, where)
    sealed = seal(plan)
    for name in ("content_digest", "digest"):
        if sealed[name] != plan.get(name):
            raise BadInput(where, plan.get(name), f"the {_WORDS[name]} of its content; {_CHANGED}")


def check_plan_shape(plan: Any, where: str = "plan") -> None:
    """Check that a plan read from a file is usable, even if it was changed.

    :raises OtherSchema: another version made it. :raises BadInput: it is not a plan.
    """
    found = plan.get("schema") if isinstance(plan, dict) else type(plan).__name__
    check_schema("plan", found, SCHEMA, f"{where}: schema")
    check_shape(plan, PLAN, where)
    _check_names(plan, where)


def _check_names(plan: Mapping[str, Any], where: str) -> None:
    """Check that each wave and each node is in the plan only once."""
    waves = [wave["name"] for wave in plan["waves"]]
    nodes = [node["node_id"] for wave in plan["waves"] for node in wave["nodes"]]
    for names, what in ((waves, "wave"), (nodes, "node")):
        if len(set(names)) != len(names):
            twice = next(name for name, count in Counter(names).items() if count > 1)
            raise BadInput(f"{where}.waves", twice, f"each {what} once")


def totals_of(waves: Sequence[Mapping[str, Any]], excluded: Sequence[object]) -> dict[str, int]:
    """Return the plan's member ``totals``."""
    nodes = [node for wave in waves for node in wave["nodes"]]
    return {
        "nodes": len(nodes),
        "patches": sum(node["patch_count"] for node in nodes),
        "reboots": sum(node["reboot"] == "yes" for node in nodes),
        "excluded": len(excluded),
    }
