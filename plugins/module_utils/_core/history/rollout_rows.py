# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout adds to the history, from its plan on: waves, gates, decisions, nodes before and after. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..canonical import to_canonical
from ..report.model import Report
from ..report.rows import Row, severity_of
from .datasets import DATASETS, Part
from .runs import Placed, Run

_TONES = ("good", "bad", "unknown", "held", "pending")


def rollout_run(plan: Mapping[str, Any], report: Report, released: Mapping[str, str] | None = None) -> Run:
    """Return the rows of a rollout. A plan that has not begun is a rollout with the status ``planned``.

    :param report: of the same plan and its journal. :param released: release dates by patch, where known.
    """
    times = report.summary["times"]
    observed = str(times["started_at"] or times["planned_at"])
    return Run(
        run_id=f"rollout-{plan['rollout']}",
        kind="rollout",
        observed_at=observed,
        as_of=str(times["as_of"] or observed),
        rows=_rows(plan, report, released or {}, observed[:10]),
    )


def _rows(plan: Mapping[str, Any], report: Report, released: Mapping[str, str], dt: str) -> Iterator[Placed]:
    rollout = str(plan["rollout"])
    yield Part("rollouts", "", "", dt), _rollout(rollout, report.summary)
    for wave in report.summary["waves"]:
        yield Part("waves", "", "", dt), _wave(rollout, wave)
        for gate in wave["gates"]:
            yield Part("gates", "", "", dt), _gate(rollout, wave["name"], gate)
    for row in sorted(_decisions(rollout, report.summary), key=lambda item: (item["decided_at"], item["act"])):
        yield Part("decisions", "", "", dt), row
    patches = _patches_of(plan)
    for node in sorted(report.rows, key=lambda item: item.node_id):
        place = (node.account, node.region, dt)
        yield Part("rollout_nodes", *place), _node(rollout, node)
        for row in _results(rollout, node, patches, released):
            yield Part("rollout_patches", *place), row


def _rollout(rollout: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    times, effort = summary["times"], summary["effort"]
    return {
        "rollout": rollout,
        "digest": summary["digest"],
        "policy": summary["policy"]["name"],
        "operator": summary["operator"],
        "status": summary["conclusion"]["code"],
        "headline": summary["conclusion"]["headline"],
        **{name: times[name] for name in ("planned_at", "started_at", "ended_at", "as_of")},
        "journal_head": summary["evidence"]["head"],
        "nodes": summary["totals"]["nodes"],
        "excluded": len(summary["excluded"]),
        **{name: effort[name] for name in ("hands_on_steps", "by_schedule", "waiting_minutes")},
        "warnings": len(summary["warnings"]),
        "minutes": times["minutes"],
        "rehearsal": summary["rehearsal"],
    }


def _wave(rollout: str, wave: Mapping[str, Any]) -> dict[str, Any]:
    window = wave["window"] or {}
    return {
        "rollout": rollout,
        "wave": wave["name"],
        "wave_order": wave["order"],
        **{name: wave[name] for name in ("state", "started_at", "ended_at", "nodes", "minutes")},
        "window_start": str(window.get("start") or ""),
        "window_end": str(window.get("end") or ""),
        **{tone: wave["tones"][tone] for tone in _TONES},
    }


def _gate(rollout: str, wave: str, gate: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rollout": rollout,
        "wave": wave,
        "judged_at": gate["at"],
        "verdict": gate["verdict"],
        "reasons": " ".join(gate["reasons"]),
        "numbers": to_canonical(gate["numbers"]),
    }


def _decisions(rollout: str, summary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Approvals with their source and reason, decisions, and the other steps that people took."""
    for item in summary["approvals"]:
        row = _decision(rollout, "approve", item.get("by"), item.get("at"))
        yield {
            **row,
            "source": str(item.get("source") or ""),
            "reason": str(item.get("reason") or ""),
            "wave": " ".join(map(str, item.get("waves") or ())),
        }
    for item in summary["decisions"]:
        row = _decision(rollout, item["action"], item["by"], item["at"])
        yield {**row, "wave": item["wave"], "reason": item["reason"]}
    for step in summary["effort"]["steps"]:
        if step["what"] in ("plan", "start", "continue"):
            yield _decision(rollout, step["what"], step["by"], step["at"])


def _decision(rollout: str, act: str, by: Any, at: Any) -> dict[str, Any]:
    row = dict.fromkeys(DATASETS["decisions"].columns, "")
    return {**row, "rollout": rollout, "act": act, "decided_by": str(by or ""), "decided_at": str(at or "")}


def _node(rollout: str, node: Row) -> dict[str, Any]:
    given = {"rollout": rollout, "installed": len(node.installed), "failed": len(node.failed)}
    columns = DATASETS["rollout_nodes"].columns
    return {name: given[name] if name in given else getattr(node, name) for name in columns}


def _patches_of(plan: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what the plan says of each patch."""
    return {str(patch["id"]): patch for wave in plan["waves"] for node in wave["nodes"] for patch in node["patches"]}


def _results(
    rollout: str, node: Row, patches: Mapping[str, Mapping[str, Any]], released: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    named = {"installed": node.installed, "failed": node.failed, "missing": node.missing}
    for result, ids in named.items():
        for patch_id in dict.fromkeys(ids):
            patch = patches.get(patch_id) or {}
            yield {
                "rollout": rollout,
                "node_id": node.node_id,
                "patch_id": patch_id,
                "title": str(patch.get("title") or ""),
                "severity": severity_of(patch),
                "result": result,
                "old_version": "",
                "new_version": "",
                "released": released.get(patch_id, ""),
            }
    for change in {str(item["id"]): item for item in node.changes}.values():
        row = dict.fromkeys(DATASETS["rollout_patches"].columns, "")
        row |= {"rollout": rollout, "node_id": node.node_id, "patch_id": str(change["id"]), "result": "changed"}
        yield {**row, "old_version": str(change["old"] or ""), "new_version": str(change["new"] or "")}
