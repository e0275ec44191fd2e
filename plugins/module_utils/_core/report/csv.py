# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``nodes.csv``: one line per node, the same columns in every report, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..canonical import to_canonical
from ..text import plain
from ..work.proof import CODES
from .rows import Row

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def _differences(code: str) -> Callable[[Row], str]:
    """Return what lists the differences of one code."""
    return lambda row: "; ".join(item.get("title") or item["id"] for item in row.differences if item["code"] == code)


COLUMNS: Mapping[str, Callable[[Row], Any]] = {
    "node_id": lambda row: row.node_id,
    "host": lambda row: row.host,
    "name": lambda row: row.name,
    "wave": lambda row: row.wave,
    "executor": lambda row: row.executor,
    "account": lambda row: row.account,
    "region": lambda row: row.region,
    "platform": lambda row: row.platform,
    "os": lambda row: row.os,
    "patch_group": lambda row: row.patch_group,
    "application": lambda row: row.application,
    "owner": lambda row: row.owner,
    "environment": lambda row: row.environment,
    "status": lambda row: row.status,
    "code": lambda row: row.code,
    "reason": lambda row: row.reason,
    "planned_count": lambda row: row.planned,
    "installed_count": lambda row: len(row.installed),
    "failed_count": lambda row: len(row.failed),
    "missing_before": lambda row: row.missing_before,
    "missing_after": lambda row: row.missing_after,
    "compliance_before": lambda row: row.compliance_before,
    "compliance_after": lambda row: row.compliance_after,
    "open_points": lambda row: row.open_points,
    "rebooted": lambda row: row.rebooted,
    "pending_reboot": lambda row: row.pending_reboot,
    "boot_id_changed": lambda row: row.boot_id_changed,
    "kernel_before": lambda row: row.kernel_before,
    "kernel_after": lambda row: row.kernel_after,
    "started_at": lambda row: row.started_at,
    "ended_at": lambda row: row.ended_at,
    "minutes": lambda row: row.minutes,
    "installed": lambda row: "; ".join(row.installed),
    "failed": lambda row: "; ".join(row.failed),
    "missing": lambda row: "; ".join(row.missing),
    "proof": lambda row: row.proof,
    "changes": lambda row: "; ".join(
        f"{item['id']} {item['old'] or 'none'} → {item['new'] or 'none'}" for item in row.changes
    ),
    **{code: _differences(code) for code in CODES},
    "evidence": lambda row: to_canonical(row.evidence) if row.evidence else "",
}


def to_csv(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of ``nodes.csv``, header first, each with its newline."""
    yield to_line(COLUMNS)
    for row in rows:
        yield to_line(to_cell(get(row)) for get in COLUMNS.values())


def to_cell(value: object) -> str:
    """Return a cell: yes, no or nothing, numbers as they are, and text that no spreadsheet takes for a formula.

    A text that starts with one of ``= + - @``, a tab or a carriage return, after blanks too, gets an apostrophe in
    front (OWASP: CSV injection). Control characters become blanks, so that a node stays on its line.
    """
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return str(value)
    raw = str(value)
    text = plain(raw)
    dangerous = raw.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if dangerous else text


def to_line(cells: Iterable[str]) -> str:
    """Return a line of CSV with its newline."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(list(cells))
    return buffer.getvalue()
