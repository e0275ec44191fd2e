# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: plan, journal and scan folded into one model. It has no clock: same inputs, same report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..executors import NOT_SERVED
from ..rollout.journal import Record
from ..tags import TagKeys
from .alike import NOT_COMPLIANT, group_alike
from .approvers import approvers
from .conclusion import closed_because, to_conclusion, wave_state
from .effort import to_effort
from .patch_view import PatchView, patch_view
from .rows import EXCLUDED, NOT_STARTED, SCANNED, Row, minutes_between, to_row
from .story import Story, read_story
from .totals import count_compliance, count_status, count_tones, group_rows, sum_differences, sum_patches, sum_reboots

SCHEMA = "patchtide/report/1"
_NO_PLAN: Mapping[str, Any] = {
    "waves": (),
    "excluded": (),
    "warnings": (),
    "totals": {},
    "policy": {"name": "", "digest": ""},
}
_NO_SCAN: Mapping[str, Any] = {"nodes": {}, "failed_places": ()}
_TONE_ORDER = ("bad", "unknown", "pending", "held", "good", "idle")


@dataclass(frozen=True, slots=True)
class Report:
    """``summary`` is plain JSON data; ``rows`` are all nodes, those that need attention first; ``view`` is by patch."""

    summary: Mapping[str, Any]
    rows: Sequence[Row]
    view: PatchView


def build_report(
    plan: Mapping[str, Any] | None = None,
    records: Iterable[Record] = (),
    scan: Mapping[str, Any] | None = None,
    *,
    tags: TagKeys | None = None,
    remarks: Sequence[str] = (),
    baselines: Sequence[Mapping[str, Any]] = (),
    vulnerabilities: Mapping[str, Any] | None = None,
) -> Report:
    """Fold what a run left behind into a report. Every part may be missing; so may everything.

    :param plan: ``plan.json``.
    :param records: the journal, in order; read once, never held.
    :param scan: ``scan.json``, the state before.
    :param baselines: with their effective patches, see ``patch_view``.
    :param vulnerabilities: of ``to_vulnerabilities``.
    :param remarks: what its reader must know about the inputs, such as a plan that was edited.
    """
    has_plan, plan, scan = bool(plan), {**_NO_PLAN, **(plan or {})}, {**_NO_SCAN, **(scan or {})}
    story, damage = read_story(records)
    begun = story.started
    rows = _rows(plan, story, scan, tags or TagKeys(), has_plan)
    waves = _waves(plan, story, rows)
    _explain_not_started(rows, waves, story)
    planned = [row for row in rows if row.in_rollout]
    attention = [_attention(row) for row in rows if row.needs_attention and (row.in_rollout or row.tone == "unknown")]
    view = patch_view(rows, plan, scan, baselines)
    summary = {
        "schema": SCHEMA,
        "rollout": str(plan.get("rollout") or (begun.rollout if begun else "")),
        "digest": str(plan.get("digest") or (begun.plan_digest if begun else "")),
        "rehearsal": bool(plan.get("rehearsal") or (begun and begun.rehearsal)),
        "policy": _policy(plan, story),
        "operator": begun.operator if begun else "",
        "approvals": approvers(story),
        "conclusion": to_conclusion(plan, story, scan, rows, waves),
        "times": _times(plan, story, scan),
        "totals": _totals(rows, planned),
        "compliance": {"rollout": count_compliance(planned), "estate": count_compliance(rows)},
        "patches": sum_patches(planned, plan, scan),
        "patch_groups": view.groups,
        "reboots": sum_reboots(planned or rows),
        "differences": sum_differences(planned),
        "waves": waves,
        "attention": attention,
        "causes": group_alike(attention),
        "excluded": [_left_out(item) for item in plan["excluded"]],
        "failed_places": [failed_place(item) for item in scan["failed_places"]],
        "decisions": story.decisions,
        "vulnerabilities": vulnerabilities,
        "effort": to_effort(plan, story.acts),
        "evidence": {"records": story.records, "head": story.head, "resumed": story.resumed, "chain_error": damage},
        "warnings": [*remarks, *_warnings(plan, story, damage)],
    }
    return Report(summary=summary, rows=rows, view=view)


def to_json(summary: Mapping[str, Any]) -> str:
    """Return ``summary.json``: sorted keys, two spaces, one newline at the end, always valid UTF-8."""
    text = json.dumps(summary, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "replace").decode("utf-8")


def _rows(plan: Mapping[str, Any], story: Story, scan: Mapping[str, Any], tags: TagKeys, has_plan: bool) -> list[Row]:
    scanned: Mapping[str, Any] = scan["nodes"]
    rows: dict[str, Row] = {}
    for order, wave in enumerate(plan["waves"], 1):
        for node in wave["nodes"]:
            node_id = str(node["node_id"])
            row = to_row(node_id, node, story.nodes.get(node_id), scanned.get(node_id), tags)
            row.wave, row.wave_order = str(wave["name"]), order
            rows[node_id] = row
    orders = {name: order for order, name in enumerate(_wave_names(plan, story), 1)}
    for node_id in [name for name in story.nodes if name not in rows]:
        rows[node_id] = to_row(node_id, {}, story.nodes[node_id], scanned.get(node_id), tags)
        rows[node_id].wave_order = orders.get(rows[node_id].wave, 0)
    left_out = {str(item["node_id"]): item for item in plan["excluded"]}
    for node_id in [*left_out, *(name for name in scanned if name not in left_out)]:
        if node_id not in rows:
            rows[node_id] = _outside(node_id, left_out.get(node_id), scanned.get(node_id), has_plan, tags)
    return sorted(rows.values(), key=_row_order)


def _outside(
    node_id: str,
    exclusion: Mapping[str, Any] | None,
    scan: Mapping[str, Any] | None,
    planned: bool,
    tags: TagKeys,
) -> Row:
    """Return the row of a node that is in no wave."""
    row = to_row(node_id, exclusion or {}, None, scan, tags)
    row.status = EXCLUDED if planned or exclusion else SCANNED
    if row.status == SCANNED:
        row.missing = [str(patch.get("id")) for patch in (scan or {}).get("missing") or ()]
    if exclusion:
        row.code, row.reason = str(exclusion.get("code") or ""), str(exclusion.get("reason") or "")
    elif planned:
        row.code, row.reason = "not_in_plan", "scanned, but not in the plan"
    elif error := (scan or {}).get("error"):
        row.code, row.reason = str(error.get("code") or ""), str(error.get("text") or "")
    if row.code == NOT_SERVED:
        row.status = NOT_SERVED
    return row


def _totals(rows: Sequence[Row], planned: Sequence[Row]) -> dict[str, Any]:
    return {
        "nodes": len(planned),
        "estate": len(rows),
        "by_status": count_status(rows),
        "tones": count_tones(planned),
        "groups": group_rows(rows),
    }


def _row_order(row: Row) -> tuple[int, bool, int, int, str, str]:
    """What needs attention comes first, nodes outside the rollout last; of a scan those that miss most."""
    missing = -(row.missing_before or 0) if row.status == SCANNED else 0
    tone = "held" if row.needs_attention and row.tone == "good" else row.tone
    return (_TONE_ORDER.index(tone), not row.in_rollout, row.wave_order, missing, row.title, row.node_id)


def _wave_names(plan: Mapping[str, Any], story: Story) -> list[str]:
    """Return the waves in order: the plan's, or where there is none the journal's."""
    names = [str(wave["name"]) for wave in plan["waves"]]
    started = story.started.waves if story.started else ()
    return list(dict.fromkeys([*names, *started, *story.waves]))


def _waves(plan: Mapping[str, Any], story: Story, rows: Sequence[Row]) -> list[dict[str, Any]]:
    planned = {str(wave["name"]): wave for wave in plan["waves"]}
    members: dict[str, list[Row]] = {}
    for row in rows:
        if row.in_rollout:
            members.setdefault(row.wave, []).append(row)
    return [
        _wave(order, name, planned.get(name, {}), story, members.get(name, []))
        for order, name in enumerate(_wave_names(plan, story), 1)
    ]


def _wave(order: int, name: str, planned: Mapping[str, Any], story: Story, members: Sequence[Row]) -> dict[str, Any]:
    told = story.waves.get(name)
    start, end = (told.started_at or "", told.ended_at or "") if told else ("", "")
    gates = told.gates if told else []
    end = end or (str(gates[-1]["at"]) if gates else "")
    return {
        "name": name,
        "order": order,
        "state": wave_state(told),
        "window": planned.get("window"),
        "nodes": len(members),
        "by_status": count_status(members),
        "tones": count_tones(members),
        "installed": sum(len(row.installed) for row in members),
        "rebooted": sum(bool(row.rebooted) for row in members),
        "started_at": start,
        "ended_at": end,
        "minutes": minutes_between(start, end),
        "thresholds": dict(planned.get("gate") or {}),
        "gates": gates,
        "decisions": told.decisions if told else [],
    }


def _explain_not_started(rows: Iterable[Row], waves: Sequence[Mapping[str, Any]], story: Story) -> None:
    why = closed_because(waves, story)
    for row in rows:
        if row.status == NOT_STARTED:
            row.reason = why


def _policy(plan: Mapping[str, Any], story: Story) -> dict[str, str]:
    policy = plan["policy"]
    digest = policy["digest"] or (story.started.policy_digest if story.started else "")
    return {"name": str(policy["name"]), "digest": str(digest)}


def _times(plan: Mapping[str, Any], story: Story, scan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the times of the run. ``as_of`` is the newest of its inputs: a report has no clock of its own."""
    scanned, planned = str(scan.get("at") or ""), str(plan.get("created_at") or "")
    started, ended = story.started_at or "", story.finished_at or ""
    as_of = story.last_at or planned or scanned
    times = {"scanned_at": scanned, "planned_at": planned, "started_at": started, "ended_at": ended, "as_of": as_of}
    return {**times, "minutes": minutes_between(started, ended or story.last_at or "")}


def _attention(row: Row) -> dict[str, Any]:
    names = ("node_id", "host", "name", "wave", "executor", "account", "region", "os", "status", "code", "reason")
    told = {name: getattr(row, name) for name in names}
    if row.tone == "good":
        why = f"patched, but not compliant: {row.open_points}" if row.open_points else "patched, compliance not known"
        told |= {"code": NOT_COMPLIANT, "reason": why}
    return {**told, "tone": "held" if row.tone == "good" else row.tone, "failed": list(row.failed)}


def _left_out(item: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(item.get(name) or "") for name in ("node_id", "host", "name", "code", "reason")}


def failed_place(item: Mapping[str, Any]) -> dict[str, str]:
    """Return an account-Region that did not answer as ``place, code, message``."""
    error = item.get("error") or {}
    return {"place": str(item.get("place") or ""), **{name: str(error.get(name) or "") for name in ("code", "message")}}


def _warnings(plan: Mapping[str, Any], story: Story, damage: str) -> list[str]:
    warnings = []
    if damage:
        warnings.append(f"The journal cannot be trusted: {damage}.")
    journalled = story.started.plan_digest if story.started else ""
    if "digest" in plan and journalled and journalled != plan["digest"]:
        warnings.append(
            f"The journal belongs to plan {journalled[:12]}, plan.json is {str(plan['digest'])[:12]}: "
            "data of nodes can be wrong."
        )
    if story.prepared:
        kept = sorted(f"{node} ({what.replace('_', ' ')})" for what, node in story.prepared)
        more = f" and {len(kept) - 5} more" if len(kept) > 5 else ""
        warnings.append(f"Not restored yet: {', '.join(kept[:5])}{more}. Run rollout_patches again to restore them.")
    return warnings
