# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run adds to the history: its rows by dataset, and its identity. Pure.

All executors' nodes have the same rows. What is not known is null or ``unknown``; nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..canonical import to_canonical, to_digest
from ..exceptions.records import ExceptionRecord, ExceptionStatus
from ..lists.per_object import PerObject
from ..nodes import TAGGED, Candidate
from ..report.model import build_report
from ..report.patch_view import STATES, Line
from ..report.rows import Row, severity_of
from ..tags import TagKeys
from ..vulnerability.compare import identity
from .datasets import DATASETS, SCHEMA_VERSION, Part

#: A row of a dataset with the part that it belongs to.
Placed = tuple[Part, Mapping[str, Any]]
_STATES_OF_SCAN = {"missing": "missing", "failed": "failed", "held": "held", "rejected": "rejected"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A node of the inventory. ``problems``: what keeps it from being patched, as the inventory says."""

    node: Candidate
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is published at once and replaced at once.

    ``as_of``: time of the newest input; an earlier one never replaces a later one.
    ``observed_at``: when the rows were true; its day is their partition.
    """

    run_id: str
    kind: str
    observed_at: str
    as_of: str
    rows: Iterable[Placed]


def scan_run(
    scan: Mapping[str, Any],
    seen: Mapping[str, Seen],
    tags: TagKeys,
    baselines: Sequence[Mapping[str, Any]] = (),
) -> Run:
    """Return the nodes and patches of a scan, and which nodes of the inventory could not be scanned.

    :param seen: the inventory's nodes by ID. :param baselines: as in ``patch_view``.
    """
    at = str(scan["at"])
    return Run(
        run_id=f"scan-{scan['digest']}",
        kind="scan",
        observed_at=at,
        as_of=at,
        rows=_scan_rows(scan, seen, tags, baselines, at[:10]),
    )


def _scan_rows(
    scan: Mapping[str, Any],
    seen: Mapping[str, Seen],
    tags: TagKeys,
    baselines: Sequence[Mapping[str, Any]],
    dt: str,
) -> Iterator[Placed]:
    report = build_report(None, (), {**scan, "nodes": _described(scan["nodes"], seen)}, tags=tags, baselines=baselines)
    one = PerObject(_patch)
    parts = {(row.account, row.region): Part("patches", row.account, row.region, dt) for row in report.rows}
    for row in sorted(report.rows, key=lambda found: found.node_id):
        part = parts[row.account, row.region]
        yield _at(part, "nodes"), _node_row(row)
        record = scan["nodes"][row.node_id]
        known = _by_id(record.get("missing"))
        for name, state in _STATES_OF_SCAN.items():
            for patch_id, item in (known if name == "missing" else _by_id(record.get(name))).items():
                patch = item if isinstance(item, Mapping) else known.get(patch_id)
                columns = one(patch) if patch is not None else _patch({"id": patch_id})
                yield part, {"node_id": row.node_id, **columns, "state": state}
    for line in report.view.lines:
        yield Part("patch_states", "", "", dt), _state_row(line)
    yield from _coverage(scan, seen, tags, dt)


def _described(nodes: Mapping[str, Mapping[str, Any]], seen: Mapping[str, Seen]) -> dict[str, dict[str, Any]]:
    """Return the records of a scan with the tags and the operating system that the inventory knows."""
    found = {}
    for node_id, record in nodes.items():
        known = seen.get(node_id)
        more = {"tags": dict(known.node.tags), "os": known.node.os} if known else {}
        found[node_id] = {**more, **record}
    return found


def _by_id(items: Any) -> dict[str, Any]:
    """Return patches, or their IDs, by ID: each is named once for each node and state."""
    return {str(item.get("id") if isinstance(item, Mapping) else item): item for item in items or ()}


def _node_row(row: Row) -> dict[str, Any]:
    return {
        **_names(row, "nodes", missing=row.missing_before, compliance=row.compliance_before, kernel=row.kernel_before),
    }


def _names(row: Row, dataset: str, **more: Any) -> dict[str, Any]:
    """Return the columns of a dataset: those that are given, the others from the members of the same names."""
    return {name: more[name] if name in more else getattr(row, name) for name in DATASETS[dataset].columns}


def _patch(patch: Mapping[str, Any]) -> dict[str, str]:
    return {
        "patch_id": str(patch["id"]),
        "title": str(patch.get("title") or ""),
        "classification": str(patch.get("classification") or ""),
        "severity": severity_of(patch),
        "cve_ids": " ".join(map(str, patch.get("cve_ids") or ())),
    }


def _state_row(line: Line) -> dict[str, Any]:
    return {
        **{name: getattr(line, name) for name in ("os", "patch_group", "title", "classification", "released")},
        "patch_id": line.id,
        "severity": line.severity or "unspecified",
        "cve_ids": " ".join(line.cve_ids),
        "approval": line.approval,
        **{f"nodes_{state}": getattr(line, state) for state in STATES},
    }


def _coverage(scan: Mapping[str, Any], seen: Mapping[str, Seen], tags: TagKeys, dt: str) -> Iterator[Placed]:
    for node_id in sorted(seen):
        node, problems = seen[node_id].node, list(seen[node_id].problems)
        if not node.executor:
            problems.append("no_executor")
        elif node_id not in scan["nodes"]:
            problems.append("not_scanned")
        for problem in dict.fromkeys(problems or [""]):
            row = {**_of_candidate(node, tags), "state": node.state, "problem": problem, "text": ""}
            yield Part("coverage", node.account, node.region, dt), {**row, "managed": node.managed}
    for place in scan["failed_places"]:
        row = dict.fromkeys(DATASETS["coverage"].columns, "")
        error = place.get("error") or {}
        text = f"{error.get('code') or ''}: {error.get('message') or ''}"
        row |= {"problem": "place_failed", "name": str(place.get("place") or ""), "text": text, "managed": None}
        yield Part("coverage", str(place.get("account") or ""), str(place.get("region") or ""), dt), row


def _of_candidate(node: Candidate, tags: TagKeys) -> dict[str, Any]:
    names = ("node_id", "host", "name", "executor", "platform", "os", "patch_group")
    return {**{name: getattr(node, name) for name in names}, **_owned(node, tags)}


def _owned(node: Candidate | None, tags: TagKeys) -> dict[str, str]:
    return {name: node.tags.get(getattr(tags, name), "") if node else "" for name in TAGGED}


def exception_run(
    ledger: str, records: Sequence[ExceptionRecord], seen: Mapping[str, Seen], tags: TagKeys, at: str
) -> Run:
    """Return the records of a ledger on a day. Later publications of the day replace earlier ones.

    :param ledger: path or name of the ledger; the history identifies it by that text.
    """
    return Run(
        run_id=f"exceptions-{at[:10]}-{to_digest(ledger)}",
        kind="exceptions",
        observed_at=f"{at[:10]}T00:00:00.000Z",
        as_of=at,
        rows=_exception_rows(ledger, records, seen, tags, at[:10]),
    )


def _exception_rows(
    ledger: str, records: Sequence[ExceptionRecord], seen: Mapping[str, Seen], tags: TagKeys, dt: str
) -> Iterator[Placed]:
    counts: dict[str, int] = {}
    for record in records:
        nodes = [item.node for item in seen.values() if record.applies_to(item.node)]
        counts[record.exception_id] = len(nodes)
        if record.status in (ExceptionStatus.APPROVED, ExceptionStatus.REQUESTED):
            for node in nodes:
                named = {"ledger": ledger, "exception_id": record.exception_id, "node_id": node.node_id}
                named |= {"name": node.name or node.host, **_owned(node, tags)}
                yield Part("exception_nodes", node.account, node.region, dt), named
    same = ("reason", "requested_by", "decided_by", "decided_at", "note")
    for record in records:
        row: dict[str, Any] = {
            "ledger": ledger,
            "exception_id": record.exception_id,
            "selects": to_canonical(record.select.to_dict()),
            "valid_from": record.period.start.isoformat(),
            "valid_until": record.period.end.isoformat(),
            **{name: getattr(record, name) for name in same},
            "status": record.status.value,
            "nodes": counts[record.exception_id],
        }
        yield Part("exceptions", "", "", dt), row


def finding_run(
    digest: str, at: str, findings: Iterable[Mapping[str, Any]], seen: Mapping[str, Seen], tags: TagKeys
) -> Run:
    """Return the findings of an import of scanners' files. :param digest: that of the import."""
    rows = _finding_rows(findings, seen, tags, at[:10])
    return Run(run_id=f"findings-{digest}", kind="findings", observed_at=at, as_of=at, rows=rows)


def _finding_rows(
    findings: Iterable[Mapping[str, Any]], seen: Mapping[str, Seen], tags: TagKeys, dt: str
) -> Iterator[Placed]:
    same = ("source", "finding_id", "place", "title", "node_id", "severity", "status", "remediation", "why")
    for item in findings:
        known = seen.get(item["node_id"])
        node = known.node if known else None
        asset = item["asset"]
        machine = next(iter([*asset["names"], *asset["ids"], *asset["addresses"]]), "")
        yield (
            Part("findings", node.account if node else "", node.region if node else "", dt),
            {
                **{name: item[name] for name in same},
                "finding_key": f"{identity(item):016x}",
                "machine": machine,
                "patched_by": " ".join(item["patches"]),
                "cves": " ".join(item["cves"]),
                "kev_due": item.get("kev") or "",
                **{name: item[name] for name in ("first_seen", "last_seen", "cvss")},
                "epss": item.get("epss"),
                **_owned(node, tags),
            },
        )


def limit_run(limits: Mapping[str, float], at: str) -> Run:
    """Return the limits that views compare with, see the dataset ``limits``."""
    part = Part("limits", "", "", at[:10])
    rows = [(part, {"name": name, "value": float(limits[name])}) for name in sorted(limits)]
    return Run(run_id="limits", kind="limits", observed_at=at, as_of=at, rows=rows)


def _at(part: Part, dataset: str) -> Part:
    return Part(dataset, part.account, part.region, part.dt)


def common(run: Run) -> dict[str, Any]:
    """Return the columns that all rows of a run have, without ``publication``."""
    return {"run_id": run.run_id, "observed_at": run.observed_at, "schema_version": SCHEMA_VERSION}
