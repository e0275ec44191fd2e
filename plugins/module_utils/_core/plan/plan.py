# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: a frozen list of what will happen, known by its digest. Nothing runs that is not in the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..canonical import to_digest, without
from ..errors import BadInput
from ..exceptions.guard import ExceptionGuard
from ..model import place_label
from ..nodes import NAMED, TAGGED, Candidate
from ..policy.values import Policy, Wave
from ..schema import check_schema
from ..shape import check_shape
from ..stamp import from_time
from ..tags import TagKeys
from ..times.calendars import Calendar, freeze_during, open_part
from ..times.schedule import Occurrence
from .covered import Coverage
from .exclude import exclusion
from .pinning import NOT_PINNED, bind, not_pinned, pin_warnings
from .quotas import quota_warnings
from .rules import PlanRules
from .selection import empty_waves, whole_account_warnings
from .shape import PLAN
from .turns import Turns
from .warnings import ledger_warnings, place_warnings, trouble_warnings, uncovered_warnings
from .wave import plan_wave
from .waves import assign

SCHEMA = "patchtide/plan/2"
#: What a plan says of a node that it leaves out, beside its names.
_EXCLUDED = ("executor", "platform", "os", "account", "region", "patch_group")


def build_plan(
    nodes: Sequence[Candidate],
    policy: Policy,
    scan: Mapping[str, Any],
    *,
    policy_digest: str,
    windows: Mapping[str, Mapping[str, str] | None],
    created_at: str,
    rehearsal: bool = False,
    guard: ExceptionGuard | None = None,
    calendars: Sequence[Calendar] = (),
) -> dict[str, Any]:
    """Freeze what will happen.

    :param scan: the content of ``scan.json``.
    :param windows: by window name the occurrence ``{"name", "start", "end", "cutoff_at"}`` that the rollout uses.
    :param guard: exceptions. A node with one in force in a wave's window may be in a later wave, else it is left out.
    :param calendars: freezes. A wave whose window is frozen as a whole loses its nodes, in part it gets a note.
    :returns: the plan (docs/formats.md). Its digest leaves out ``created_at``, so the same world gives the same plan.
    """
    records = scan["nodes"]
    spans = _spans(policy.waves, windows, created_at) if guard or calendars else []
    draft = _Draft(policy.tags)
    eligible = _sort_out(draft, nodes, policy, scan)
    _fill_waves(draft, eligible, policy, [guard.during(start, end) for start, end in spans] if guard else [])
    _freeze(draft, calendars, spans)
    idle = _note_empty_waves(draft, policy, nodes)
    rules = PlanRules.of_policy(policy)
    members = [node for wave in draft.waves for node in wave]
    turns, coverage = Turns(members, rules.budgets, policy.tags.cluster), Coverage(policy)
    waves = [
        {
            **plan_wave(order, wave, found, policy, records, windows.get(wave.window or ""), turns, coverage),
            **({"notes": [draft.notes[order]]} if order in draft.notes else {}),
            **({"emptied": draft.emptied[order]} if order in draft.emptied and not found else {}),
        }
        for order, (wave, found) in enumerate(zip(policy.waves, draft.waves, strict=True), 1)
    ]
    lists = bind(waves, draft.waves, policy, records)
    return seal(
        {
            "schema": SCHEMA,
            "created_at": created_at,
            "rehearsal": rehearsal,
            "policy": {"name": policy.name, "digest": policy_digest},
            "scan": {"at": str(scan.get("at") or ""), "digest": str(scan.get("digest") or "")},
            "failed_places": [dict(item) for item in scan["failed_places"]],
            "tags": {name: getattr(policy.tags, name) for name in TAGGED},
            "exceptions": {"ledger": policy.exceptions.ledger, "tag": policy.exceptions.tag},
            "approval": {"required": policy.approval.required},
            "rules": rules.to_dict(),
            "patching": {"pin": policy.patching.pin},
            "lists": lists,
            "waves": waves,
            "excluded": sorted(draft.excluded, key=lambda item: (item["code"], item["node_id"])),
            "totals": _totals(waves, draft.excluded),
            "warnings": [
                *_warnings(waves),
                *pin_warnings(policy, lists),
                *idle,
                *whole_account_warnings(policy, draft.waves),
                *uncovered_warnings(coverage, draft.waves),
                *trouble_warnings(draft.excluded),
                *place_warnings(scan["failed_places"]),
                *ledger_warnings(policy.exceptions, nodes),
                *quota_warnings(waves),
            ],
        }
    )


@dataclass(slots=True)
class _Draft:
    """Waves while they are filled. ``notes`` and ``emptied`` go by the wave's order, counted from 1."""

    tags: TagKeys
    waves: list[list[Candidate]] = field(default_factory=list)
    excluded: list[dict[str, str]] = field(default_factory=list)
    notes: dict[int, str] = field(default_factory=dict)
    emptied: dict[int, str] = field(default_factory=dict)

    def leave_out(self, node: Candidate, code: str, reason: str) -> None:
        """Note a node that is in no wave, with what reports group it by."""
        known = {name: getattr(node, name) for name in _EXCLUDED}
        known |= {name: node.tags.get(getattr(self.tags, name), "") for name in TAGGED}
        names = {name: getattr(node, name) for name in NAMED}
        given = {name: value for name, value in known.items() if value}
        self.excluded.append({**names, **given, "code": code, "reason": reason})


def _sort_out(draft: _Draft, nodes: Sequence[Candidate], policy: Policy, scan: Mapping[str, Any]) -> list[Candidate]:
    """Return the nodes that may be in a wave; the others are excluded with their reasons."""
    records = scan["nodes"]
    lost = {item["place"]: item["error"]["message"] for item in scan["failed_places"]}
    eligible = []
    for node in sorted(nodes, key=lambda item: item.node_id):
        record = records.get(node.node_id)
        why = exclusion(node, record, policy, lost.get(place_label(node.account, node.region)))
        if why:
            draft.leave_out(node, *why)
        elif unpinned := not_pinned(node, record, policy):
            draft.leave_out(node, NOT_PINNED, unpinned)
        else:
            eligible.append(node)
    return eligible


def _fill_waves(
    draft: _Draft,
    eligible: Sequence[Candidate],
    policy: Policy,
    questions: Sequence[Callable[[Candidate], str | None]],
) -> None:
    """Give nodes to waves; one with an exception in force in a wave's window may be in a later wave.

    :param questions: for each wave why it may not have a node; none without exceptions.
    """
    held: dict[str, str] = {}

    def allowed(node: Candidate, index: int) -> bool:
        why = questions[index](node) if questions else None
        if why:
            held.setdefault(node.node_id, why)
            draft.emptied[index + 1] = "all nodes that it selects have an exception"
        return why is None

    draft.waves, left = assign(eligible, policy.waves, policy.name, allowed)
    for node in left:
        why = held.get(node.node_id)
        draft.leave_out(node, *(("exception", why) if why else ("no_wave", "no wave selects the node")))


def _freeze(draft: _Draft, calendars: Sequence[Calendar], spans: Sequence[tuple[datetime, datetime]]) -> None:
    """Take the nodes out of waves whose window is frozen as a whole, and note freezes of a part."""
    for order, (start, end) in enumerate(spans, 1):
        note, closed = freeze_note(calendars, start, end)
        if closed:
            for node in draft.waves[order - 1]:
                draft.leave_out(node, "freeze", note)
            if draft.waves[order - 1]:
                draft.emptied[order] = note
            draft.waves[order - 1] = []
        if note:
            draft.notes[order] = note


def _note_empty_waves(draft: _Draft, policy: Policy, nodes: Sequence[Candidate]) -> list[str]:
    """Note why waves are empty whose gates pause for it, and return a sentence about each other one."""
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
            yield f"Wave {wave['name']} does not fit its window: {wave['capacity']['text']}."


def _spans(
    waves: Sequence[Wave], windows: Mapping[str, Mapping[str, str] | None], at: str
) -> list[tuple[datetime, datetime]]:
    return [wave_span(windows.get(wave.window or ""), from_time(at)) for wave in waves]


def wave_span(window: Mapping[str, str] | None, now: datetime) -> tuple[datetime, datetime]:
    """Return the window's time, or this moment where a wave has none."""
    return (from_time(window["start"]), from_time(window["end"])) if window else (now, now + timedelta(minutes=1))


def freeze_note(calendars: Sequence[Calendar], start: datetime, end: datetime) -> tuple[str, bool]:
    """Return what freezes do to ``[start, end)`` ("" if nothing), and whether they take all of it."""
    if not calendars or not (freeze := freeze_during(calendars, start, end)).frozen:
        return "", False
    closed = open_part(calendars, Occurrence(start=start, end=end, cutoff_at=end)) is None
    return f"{'completely' if closed else 'partly'} frozen: {'; '.join(freeze.reasons)}", closed


def seal(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan with its digest and the rollout's name that follows from it."""
    digest = to_digest(without(plan, "digest", "rollout", "created_at"))
    return {**plan, "digest": digest, "rollout": digest[:12]}


def check_plan(plan: Any, where: str = "plan") -> None:
    """Check that a plan read from a file is whole and unchanged, its name included: that names its journal and files.

    :param where: the file. :raises OtherSchema: another version made it.
    :raises BadInput: it is not a plan, or was edited after its digest was made.
    """
    check_plan_shape(plan, where)
    sealed = seal(plan)
    if sealed["digest"] != plan.get("digest"):
        raise BadInput(where, plan.get("digest"), "the digest of its content; the plan was changed after it was made")
    if sealed["rollout"] != plan.get("rollout"):
        expected = f"{sealed['rollout']}, the first characters of its digest; the plan was changed after it was made"
        raise BadInput(f"{where}.rollout", plan.get("rollout"), expected)


def check_plan_shape(plan: Any, where: str = "plan") -> None:
    """Check that a plan read from a file can be worked with, whoever changed it.

    :raises OtherSchema: another version made it. :raises BadInput: it is not a plan.
    """
    found = plan.get("schema") if isinstance(plan, dict) else type(plan).__name__
    check_schema("plan", found, SCHEMA, f"{where}: schema")
    check_shape(plan, PLAN, where)
    _check_names(plan, where)


def _check_names(plan: Mapping[str, Any], where: str) -> None:
    """Check that each wave and each node is in the plan once."""
    waves = [wave["name"] for wave in plan["waves"]]
    nodes = [node["node_id"] for wave in plan["waves"] for node in wave["nodes"]]
    for names, what in ((waves, "wave"), (nodes, "node")):
        if len(set(names)) != len(names):
            twice = next(name for name, count in Counter(names).items() if count > 1)
            raise BadInput(f"{where}.waves", twice, f"each {what} once")


def _totals(waves: Sequence[Mapping[str, Any]], excluded: Sequence[object]) -> dict[str, int]:
    nodes = [node for wave in waves for node in wave["nodes"]]
    return {
        "nodes": len(nodes),
        "patches": sum(node["patch_count"] for node in nodes),
        "reboots": sum(node["reboot"] == "yes" for node in nodes),
        "excluded": len(excluded),
    }
