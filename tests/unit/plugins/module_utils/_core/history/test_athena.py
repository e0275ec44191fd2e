# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text and the values of queries on Athena."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.athena import (
    QueryFailed,
    billed,
    to_value,
    to_views,
    with_views,
)

VIEWS = to_views(
    [
        "-- c; not this\nCREATE OR REPLACE VIEW all_nodes AS\nSELECT t.a FROM nodes AS t;\n"
        "CREATE OR REPLACE VIEW all_limits AS\nSELECT t.a FROM limits AS t;\n",
        "-- what\nCREATE OR REPLACE VIEW now AS\nSELECT 'all_limits' AS a FROM all_nodes -- all_limits\n;\n",
    ]
)


def test_a_query_has_the_views_that_it_needs_and_those_they_need() -> None:
    assert list(VIEWS) == ["all_nodes", "all_limits", "now"]
    sql = with_views("SELECT * FROM now", VIEWS)
    assert sql.startswith("WITH all_nodes AS (\nSELECT t.a FROM nodes AS t\n), now AS (") and "limits AS" not in sql
    assert with_views("SELECT 'now' AS a;", VIEWS) == "SELECT 'now' AS a"
    mine = with_views("-- mine\nWITH x AS (SELECT * FROM NOW) SELECT 'with' FROM x", VIEWS)
    assert mine.index("now AS (") < mine.index("x AS (SELECT * FROM NOW) SELECT 'with'") and mine.count("WITH") == 1


def test_rows_from_before_a_day_are_left_out_where_they_are_read() -> None:
    sql = with_views("SELECT * FROM now, all_limits", VIEWS, "2026-11-01")
    assert "FROM nodes AS t\nWHERE t.dt >= '2026-11-01'" in sql and "FROM limits AS t\n)" in sql


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE nodes",
        "SELECT 1; DROP TABLE nodes",
        "INSERT INTO nodes SELECT 1",
        "WITH RECURSIVE x AS (SELECT 1) SELECT 1",
        "",
        f"SELECT '{'x' * 262_144}'",
    ],
)
def test_what_is_not_one_query_is_refused(sql: str) -> None:
    with pytest.raises(BadInput, match=r"^sql: "):
        with_views(sql, VIEWS)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        *[
            ("varchar", "1", "1"),
            ("varchar", "", ""),
            ("bigint", "-7", -7),
            ("integer", "7", 7),
            ("double", "1.5E3", 1500.0),
        ],
        *[("boolean", "true", True), ("boolean", "FALSE", False), ("date", "2026-11-28", "2026-11-28")],
        *[
            ("decimal(10,2)", "1.50", 1.5),
            ("double", "NaN", None),
            ("double", "-Infinity", None),
            ("bigint", None, None),
        ],
    ],
)
def test_a_text_becomes_a_value_of_its_column(kind: str, text: str | None, value: Any) -> None:
    found = to_value(kind, text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(("kind", "text"), [("bigint", ""), ("bigint", "1.5"), ("boolean", "yes"), ("double", "x")])
def test_a_text_that_is_no_value_is_refused(kind: str, text: str) -> None:
    with pytest.raises(QueryFailed, match=kind):
        to_value(kind, text)


@pytest.mark.parametrize(("scanned", "megabytes"), [(0, 10), (10 * 2**20, 10), (10 * 2**20 + 1, 11), (2**40, 2**20)])
def test_what_is_billed(scanned: int, megabytes: int) -> None:
    assert billed(scanned) == megabytes * 2**20
