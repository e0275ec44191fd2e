# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which findings cannot wait for the next window of their nodes, and what an emergency plan has of a scan. Pure.

The next window of a node is its night in a plan of the same estate without emergency: behind earlier waves, outside of
freezes, as far as there is room. A day of a limit has passed when it ends in UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from ..policy.values import Emergency
from ..stamp import from_time, to_time
from ..text import counted

#: Codes of nodes that an emergency plan leaves out.
CAN_WAIT, NOT_URGENT = "can_wait", "not_urgent"
#: Why findings are not in the plan, in words that follow their number.
WAITING: Mapping[str, str] = {
    CAN_WAIT: "can wait for the next window",
    "no_limit": "without a limit in the policy",
    "other": "that no missing patch closes",
    "unknown": "on machines that are no node, or whose missing patches are not known",
}
_OPEN = ("open", "unknown")
#: When a limit ended that has no day: that of ``cves``, and of a finding whose first day is not known.
_PASSED = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NAMED = 3


@dataclass(slots=True)
class Urgent:
    """What an emergency plan is for.

    ``patches``: the patches of each node that close urgent findings; none where only a reboot is missing. ``due``: the
    first limit of each such node, and ``why`` the finding that it is of. ``waits``: why other nodes are left out.
    """

    patches: dict[str, set[str]] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    findings: Counter[str] = field(default_factory=Counter)
    waits: dict[str, str] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)

    def left_out(self, node_id: str) -> tuple[str, str] | None:
        """Return (code, reason) of a node that the plan leaves out because nothing on it is urgent."""
        if node_id in self.patches:
            return None
        if why := self.waits.get(node_id):
            return CAN_WAIT, why
        return NOT_URGENT, "it has no finding with a limit in the policy that a missing patch closes"

    def node_data(self, node_id: str) -> dict[str, Any]:
        """Return the member ``urgent`` of a planned node."""
        due = self.due[node_id]
        return {
            "due": "" if due == _PASSED else to_time(due),
            "why": self.why[node_id],
            "findings": self.findings[node_id],
        }

    def to_data(self) -> dict[str, Any]:
        """Return the member ``emergency`` of the plan."""
        return {"findings": self.findings.total(), "left_out": dict(sorted(self.left.items()))}


def choose(
    findings: Iterable[Mapping[str, Any]], rules: Emergency, ordinary: Mapping[str, Any], end: datetime
) -> Urgent:
    """Return the findings whose limit ends before their node's next window does.

    A node that the ordinary plan has no night for waits until that plan's end. One without a window has its next
    window now, so that only limits that have passed are urgent there.

    :param findings: rows of ``vulnerabilities.jsonl``. :param ordinary: the plan without emergency.
    :param end: when the ordinary plan ends.
    """
    nights, now, found = dict(_nights(ordinary)), from_time(ordinary["created_at"]), Urgent()
    first: dict[str, datetime] = {}
    for row in findings:
        limit = _limit(row, rules)
        if row["status"] not in _OPEN:
            continue
        if row["remediation"] not in ("patch", "reboot"):
            found.left["other" if row["remediation"] == "other" else "unknown"] += 1
            continue
        if limit is None:
            found.left["no_limit"] += 1
            continue
        node = row["node_id"]
        night = nights.get(node, end) or now
        if night <= limit:
            found.left[CAN_WAIT] += 1
            first[node] = min(limit, first.get(node, limit))
            continue
        found.findings[node] += 1
        found.patches.setdefault(node, set()).update(row["patches"] if row["remediation"] == "patch" else ())
        if node not in found.due or limit < found.due[node]:
            found.due[node], found.why[node] = limit, _named(row, limit)
    found.waits = {node: _why_waits(nights.get(node, end), limit) for node, limit in first.items()}
    return found


def _nights(plan: Mapping[str, Any]) -> Iterator[tuple[str, datetime | None]]:
    """Yield each planned node with the end of its window, ``None`` for any time."""
    for wave in plan["waves"]:
        ends = [from_time(night["end"]) for night in wave["nights"]]
        for node in wave["nodes"]:
            yield node["node_id"], ends[node["night"] - 1] if "night" in node else None


def _limit(row: Mapping[str, Any], rules: Emergency) -> datetime | None:
    """Return when a finding's first limit has passed; ``None`` if the policy has none for it."""
    limits = []
    if not set(rules.cves).isdisjoint(row["cves"]):
        return _PASSED
    if rules.kev and (day := row.get("kev")) is not None:
        limits.append(_end_of(day, 0))
    if (days := rules.severity_sla.get(row["severity"])) is not None:
        limits.append(_end_of(row["first_seen"], days))
    return min(limits, default=None)


def _end_of(day: str, days: int) -> datetime:
    """Return the end of the day so many days after another one; a day that is not known has passed."""
    if not day:
        return _PASSED
    return datetime.combine(date.fromisoformat(day), time(), timezone.utc) + timedelta(days=days + 1)


def _named(row: Mapping[str, Any], limit: datetime) -> str:
    cves = ", ".join(row["cves"][:_NAMED]) or row["finding_id"]
    until = "limit has passed" if limit == _PASSED else f"limit {_day(limit)}"
    return f"{cves} ({row['severity']}, {until})"


def _day(limit: datetime) -> str:
    return f"{limit - timedelta(days=1):%Y-%m-%d}"


def _why_waits(night: datetime | None, limit: datetime) -> str:
    window = f"its next window ends at {night:%Y-%m-%d %H:%M} UTC" if night else "it can be patched at any time"
    return f"{window}, and the first limit of its findings is {_day(limit)}"


def narrow(scan: Mapping[str, Any], urgent: Urgent) -> dict[str, Any]:
    """Return the scan with the urgent patches alone; ``deferred`` has the IDs of the others of those nodes."""
    records = {
        node: _narrowed(record, urgent.patches[node]) if node in urgent.patches else record
        for node, record in scan["nodes"].items()
    }
    return {**scan, "nodes": records}


def _narrowed(record: Mapping[str, Any], patches: set[str]) -> dict[str, Any]:
    missing = list(record.get("missing") or ())
    kept = [patch for patch in missing if patch["id"] in patches]
    counts = {**(record.get("counts") or {}), "missing_count": len(kept), "failed_count": 0}
    return {
        **record,
        "missing": kept,
        "counts": counts,
        "deferred": sorted({patch["id"] for patch in missing} - patches),
    }


def late_warnings(waves: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence if nodes are planned after a limit that has not passed yet."""
    late = [
        node["name"] or node["host"] or node["node_id"]
        for wave in waves
        for night in wave["nights"]
        for node in wave["nodes"]
        if node.get("night") == night["number"] and "" < node["urgent"]["due"] < night["end"]
    ]
    if late:
        more = f" and {len(late) - _NAMED:,} more" if len(late) > _NAMED else ""
        names = ", ".join(late[:_NAMED])
        yield f"The window of {counted(len(late))} ends after the first limit of their findings: {names}{more}."
