# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a report as rows of its page's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...module_utils._core.report.difference_words import label
from ...module_utils._core.report.host_words import host_lists
from ...module_utils._core.report.rows import SCANNED, Row
from .formats import evidence_lines, number, span
from .node_table import STATIC_ROWS, Cell, Column, NodeRow, NodeTable, node_table

_COMPLIANCE: Mapping[str, tuple[str, str]] = {
    "compliant": ("compliant", "good"),
    "non_compliant": ("not compliant", "bad"),
    "unknown": ("not known", "unknown"),
}
_COLUMNS = (
    Column("Node"),
    Column("Wave", "c-wave"),
    Column("Where", "c-where"),
    Column("Status"),
    Column("Installed", "num"),
    Column("Missing", "num"),
    Column("Reboot"),
    Column("Minutes", "num"),
)
_SCAN_COLUMNS = (
    Column("Node"),
    Column("Where", "c-where"),
    Column("State"),
    Column("Missing", "num"),
    Column("Reboot"),
    Column("System"),
)


def report_table(rows: Sequence[Row], scan_only: bool) -> NodeTable:
    """Return the table; it has API IDs as details only if it is small: nodes.csv has them all."""
    with_evidence = len(rows) <= STATIC_ROWS
    found = [_row(index, row, scan_only, with_evidence) for index, row in enumerate(rows)]
    return node_table(_SCAN_COLUMNS if scan_only else _COLUMNS, found)


def _row(index: int, row: Row, scan_only: bool, with_evidence: bool) -> NodeRow:
    return NodeRow(
        cells=_scan_cells(index, row) if scan_only else _cells(index, row),
        status=row.status,
        text=f"{row.reason} ({row.code})" if row.reason and row.code else row.reason or row.code,
        facts=[*_facts(row, scan_only), *(evidence_lines(row) if with_evidence else ())],
        lists=list(_lists(row, scan_only)),
    )


def _cells(index: int, row: Row) -> Sequence[Cell]:
    before, after = row.missing_before, row.missing_after
    return (
        _node(row),
        Cell(text=row.wave or "\u2013", sort=row.wave_order),
        _where(row),
        Cell(text=row.label, tone=row.tone, sort=index),
        Cell(text=number(len(row.installed)), sort=len(row.installed)),
        Cell(text=f"{number(before)} \u2192 {number(after)}", sort=before or 0),
        _reboot(row),
        Cell(text=number(row.minutes), sort=row.minutes or 0),
    )


def _scan_cells(index: int, row: Row) -> Sequence[Cell]:
    label, tone = _COMPLIANCE[row.compliance_before] if row.status == SCANNED else (row.label, row.tone)
    return (
        _node(row),
        _where(row),
        Cell(text=label, tone=tone, sort=index),
        Cell(text=number(row.missing_before), sort=row.missing_before or 0),
        _reboot(row),
        Cell(text=row.os or row.platform or "\u2013"),
    )


def _node(row: Row) -> Cell:
    return Cell(text=row.title, sub=row.node_id if row.node_id != row.title else "")


def _where(row: Row) -> Cell:
    return Cell(text=row.executor or "\u2013", sub=" ".join(part for part in (row.account, row.region) if part))


def _reboot(row: Row) -> Cell:
    """Return the state of the node's reboot; a pending one takes precedence over a completed one."""
    if row.pending_reboot:
        return Cell(text="pending", tone="pending")
    return Cell(text="rebooted" if row.rebooted else "\u2013")


def _facts(row: Row, scan_only: bool) -> Iterator[tuple[str, str]]:
    if row.os:
        yield "System", row.os
    if row.kernel_before or row.kernel_after:
        same = row.kernel_before == row.kernel_after
        yield (
            "Kernel",
            f"{row.kernel_before or '?'} {'(unchanged)' if same else chr(0x2192) + ' ' + (row.kernel_after or '?')}",
        )
    if row.boot_id_changed is not None:
        yield "Boot id", "changed" if row.boot_id_changed else "unchanged"
    if row.started_at:
        yield "Worked on", span(row.started_at, row.ended_at)
    for name, value in (("Patch group", row.patch_group), ("Application", row.application), ("Owner", row.owner)):
        if value:
            yield name, value
    before, after = (text.replace("_", " ") for text in (row.compliance_before, row.compliance_after))
    points = f" ({row.open_points})" if row.open_points else ""
    yield "Compliance", (before if scan_only else f"{before} \u2192 {after}") + points


def _lists(row: Row, scan_only: bool) -> Iterator[tuple[str, Sequence[str]]]:
    named = (
        ("Installed", row.installed),
        ("Failed", row.failed),
        ("Missing" if scan_only else "Still missing", row.missing),
        ("Differs from the plan", [_difference(item) for item in row.differences]),
        ("Changed", [f"{item['id']} {item['old'] or 'none'} \u2192 {item['new'] or 'none'}" for item in row.changes]),
        *host_lists(row.evidence),
        ("Pre-check", row.findings if row.reason != "; ".join(row.findings) else ()),
    )
    return ((heading, found) for heading, found in named if found)


def _difference(item: Mapping[str, str]) -> str:
    text = f": {item['text']}" if item.get("text") else ""
    return f"{label(item['code'])}: {item.get('title') or item['id']}{text}"
