# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``junit.xml``: every wave a test suite and every node a test case, so that CI servers show a rollout as tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..text import plain
from .model import Report
from .rows import COMPLIANT, NON_COMPLIANT, SCANNED, Row

_LEFT_OUT = "left out"


def to_junit(report: Report) -> str:
    """Return the report as JUnit XML.

    Failed nodes are failures. Nodes whose state nobody knows are errors, those left out because of trouble too.
    Skipped, not started and left-out ones are skipped. Of a mere scan, nodes that miss patches are failures and those
    of which nothing is known are errors.
    """
    suites: dict[str, list[Row]] = {str(wave["name"]): [] for wave in report.summary["waves"]}
    for row in report.rows:
        suites.setdefault(SCANNED if row.status == SCANNED else row.wave if row.in_rollout else _LEFT_OUT, []).append(
            row
        )
    root = Element("testsuites", {"name": plain(report.summary["rollout"] or "compliance")})
    starts = {str(wave["name"]): str(wave["started_at"]) for wave in report.summary["waves"]}
    for name, rows in suites.items():
        _suite(root, name, rows, starts)
    _count(root, report.rows)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, name: str, rows: Sequence[Row], starts: Mapping[str, str]) -> None:
    suite = SubElement(root, "testsuite", {"name": plain(name)})
    if starts.get(name):
        suite.set("timestamp", plain(starts[name]))
    _count(suite, rows)
    for row in rows:
        where = ".".join(plain(part) for part in (row.executor, row.account, row.region) if part)
        case = SubElement(suite, "testcase", {"classname": where or "node", "name": plain(row.title)})
        case.set("time", f"{60 * (row.minutes or 0):.0f}")
        kind = _kind(row)
        if kind:
            SubElement(case, kind, {"message": plain(_message(row)), "type": plain(row.code or row.status)})


def _count(element: Element, rows: Sequence[Row]) -> None:
    kinds = [_kind(row) for row in rows]
    counts = {"tests": len(rows), "failures": kinds.count("failure"), "errors": kinds.count("error")}
    for name, count in {**counts, "skipped": kinds.count("skipped")}.items():
        element.set(name, str(count))
    element.set("time", f"{60 * sum(row.minutes or 0 for row in rows):.0f}")


def _kind(row: Row) -> str:
    if row.status == SCANNED:
        return {COMPLIANT: "", NON_COMPLIANT: "failure"}.get(row.compliance_before, "error")
    return {"good": "", "bad": "failure", "unknown": "error"}.get(row.tone, "skipped")


def _message(row: Row) -> str:
    if row.reason or row.status != SCANNED:
        return row.reason or row.label
    return f"{row.missing_before} patches are missing" if row.missing_before else "compliance is unknown"
