# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nodes.csv: one line per node, the same columns always, no formulas (OWASP: CSV injection)."""

from __future__ import annotations

import csv
import io

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.csv import COLUMNS, to_cell, to_csv
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import build_report
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.rows import Row
from hypothesis import given
from hypothesis import strategies as st

from tests.report import samples

ANY_TEXT = st.text(st.characters(codec=None), max_size=40)


@pytest.mark.parametrize("name", ["completed", "aborted", "hostile", "unfinished"])
def test_every_node_is_one_line_with_the_same_columns(name: str) -> None:
    run = samples.RUNS[name]()
    report = build_report(run.plan, run.records, run.scan)
    lines = list(to_csv(report.rows))
    assert len(lines) == 1 + len(report.rows)
    assert all(line.count("\n") == 1 for line in lines)
    parsed = list(csv.DictReader(io.StringIO("".join(lines))))
    assert [tuple(item) for item in parsed] == [tuple(COLUMNS)] * len(report.rows)
    assert [item["node_id"] for item in parsed] == [row.node_id for row in report.rows]


def test_a_report_of_nothing_has_its_columns() -> None:
    assert list(to_csv([])) == [",".join(COLUMNS) + "\n"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\uff1d1", "\n@x"])
def test_formulas_are_text(text: str) -> None:
    assert to_cell(text).startswith("'")


@pytest.mark.parametrize(
    ("value", "cell"), [(None, ""), (True, "yes"), (False, "no"), (0, "0"), (-1, "-1"), ("a-b", "a-b")]
)
def test_values_are_readable(value: object, cell: str) -> None:
    assert to_cell(value) == cell


@given(ANY_TEXT)
def test_no_text_starts_a_formula_or_a_new_line(text: str) -> None:
    cell = to_cell(text)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@"))
    assert not set(cell) & {"\n", "\r", "\t", "\0", "\x1b"}
    cell.encode("utf-8")


@given(
    st.lists(
        st.builds(lambda name, why: Row(node_id=name, name=why, reason=name + why), ANY_TEXT, ANY_TEXT), max_size=5
    )
)
def test_whatever_names_hold_the_file_stays_whole(rows: list[Row]) -> None:
    parsed = list(csv.reader(io.StringIO("".join(to_csv(rows)))))
    assert {len(line) for line in parsed} == {len(COLUMNS)}
    assert len(parsed) == len(rows) + 1
