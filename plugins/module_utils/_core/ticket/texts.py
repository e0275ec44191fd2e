# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tickets say about a plan, its outcome, and the waves that failed. Pure.

A ticket is found again by its correlation ID, which follows from the plan, so that none is opened twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..canonical import to_digest
from ..report.conclusion import to_sentences
from ..report.model import Report
from ..report.rows import Row
from ..text import counted, plain

#: Nodes that a text lists; the attached files have all.
LISTED = 100
#: How a finished rollout closes its change, by the code of its conclusion; everything else was unsuccessful.
#: The close codes are those of change_request.close_code.
CLOSE_CODES: Mapping[str, str] = {"completed": "successful", "completed_with_failures": "successful_issues"}


def correlation_id(plan: Mapping[str, Any]) -> str:
    """Return the ID by which the change of exactly this plan is found: 74 characters, of which fields allow 100."""
    return f"patchtide:{plan['digest']}"


def page_name(plan: Mapping[str, Any]) -> str:
    """Return the name of the attached page of the plan; it names the plan that the approver could read."""
    return f"plan-{plan['digest']}.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeText:
    """A change. ``start`` and ``end``: the planned window in UTC as ``2026-12-01 22:00:00``, empty without windows.

    ``type``: standard, normal or emergency.
    """

    correlation_id: str
    short_description: str
    description: str
    start: str
    end: str
    type: str

    def to_dict(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}


def to_change(plan: Mapping[str, Any]) -> ChangeText:
    """Return what the change of a plan says. Names of nodes come from outside and are kept on their lines."""
    nights = [night for wave in plan["waves"] for night in wave["nights"]]
    totals = plan["totals"]
    size = f"{counted(totals['nodes'])}, {counted(totals['patches'], 'patch')}, {counted(len(plan['waves']), 'wave')}"
    lines = [
        f"Rollout {plan['rollout']}",
        f"Plan digest {plan['digest']}",
        f"Policy {plain(plan['policy']['name'])}: {size}, {counted(totals['reboots'], 'expected reboot')}",
        "",
    ]
    for wave in plan["waves"]:
        when = "; ".join(plain(night["local"]) for night in wave["nights"]) or "no window"
        lines.append(f"Wave {plain(wave['name'])}: {counted(len(wave['nodes']))}, {when}")
    lines += ["", *(f"Warning: {plain(text)}" for text in plan["warnings"])]
    return ChangeText(
        correlation_id=correlation_id(plan),
        short_description=f"OS patching: {plain(plan['policy']['name'])[:80]}, {size}",
        description="\n".join(lines).strip(),
        start=_utc(min((night["start"] for night in nights), default="")),
        end=_utc(max((night["end"] for night in nights), default="")),
        type=str(plan["approval"]["change_type"]),
    )


def _utc(time: str) -> str:
    """Return a time of a plan as ServiceNow stores it: in UTC, to the second."""
    return time[:19].replace("T", " ")


def to_outcome(report: Report, *, finished: bool) -> dict[str, str]:
    """Return ``close_code`` and ``close_notes`` of a rollout's change; empty while it can still go on."""
    if not finished:
        return {}
    told = report.summary["conclusion"]
    return {
        "close_code": CLOSE_CODES.get(str(told["code"]), "unsuccessful"),
        "close_notes": f"{told['title']}. {told['headline']} {told['reason']}".strip(),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """The incident of one wave that a gate has judged. ``nodes``: those that still need somebody, with the reason.

    ``recovered``: none is left, so that an incident of the wave is resolved.
    """

    wave: str
    correlation_id: str
    short_description: str
    description: str
    nodes: tuple[Mapping[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in self.__slots__}
        return {**found, "nodes": [dict(node) for node in self.nodes], "recovered": not self.nodes}


def to_incidents(plan: Mapping[str, Any], report: Report, compliant: Collection[str] = ()) -> list[Incident]:
    """Return an incident for each wave that a gate has judged.

    :param compliant: nodes that a scan after the rollout has found compliant; they have recovered.
    """
    judged = [wave for wave in report.summary["waves"] if wave["gates"]]
    return [_incident(plan, wave, _open_rows(report.rows, wave["name"], compliant)) for wave in judged]


def _open_rows(rows: Sequence[Row], wave: str, compliant: Collection[str]) -> list[Row]:
    """Return the nodes of a wave that are not patched, or patched and not compliant."""
    return [
        row
        for row in rows
        if row.wave == wave and row.in_rollout and row.needs_attention and row.node_id not in compliant
    ]


def _incident(plan: Mapping[str, Any], wave: Mapping[str, Any], rows: Sequence[Row]) -> Incident:
    gate = wave["gates"][-1]
    reasons = to_sentences([str(reason) for reason in gate["reasons"]])
    nodes = tuple(
        {
            "node_id": row.node_id,
            "name": plain(row.title),
            "status": row.label,
            "compliance": row.compliance_after,
            "reason": plain(row.reason if row.tone != "good" else row.open_points) or "no reason is known",
        }
        for row in rows
    )
    lines = [
        f"Rollout {plan['rollout']}, wave {plain(wave['name'])}: the gate decided {gate['verdict']}. {reasons}".strip(),
        f"Nodes to look at: {len(nodes):,}",
        *(
            f"- {node['name']} ({node['node_id']}): {node['status']}, {node['compliance']}, {node['reason']}"
            for node in nodes[:LISTED]
        ),
    ]
    if len(nodes) > LISTED:
        lines.append(f"and {len(nodes) - LISTED:,} more")
    return Incident(
        wave=str(wave["name"]),
        correlation_id=f"patchtide:{to_digest([plan['rollout'], wave['name']])}",
        short_description=f"OS patching: {counted(len(nodes))} to look at in wave {plain(wave['name'])[:60]}",
        description="\n".join(lines),
        nodes=nodes,
    )
