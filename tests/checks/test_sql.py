# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views use only the SQL that means the same on DuckDB and on Athena; docs/history.md has the rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.checks.source import ROOT

FILES = sorted((ROOT / "reports" / "sql").glob("*.sql"))
#: Functions with the same result in both, also for null, on the types that the views give them.
FUNCTIONS = frozenset(
    (
        *("avg", "cast", "coalesce", "count", "count_if", "date_diff", "dense_rank", "lead", "max", "min", "nullif"),
        *("rank", "row_number", "split", "substr", "sum", "unnest"),
    )
)
#: Words before a parenthesis that call nothing. ``t`` names the columns of UNNEST.
WORDS = frozenset(("and", "as", "case", "from", "in", "join", "not", "on", "or", "over", "t", "then", "when", "where"))
#: What both parse and understand differently, or one of them refuses.
DIFFERENT = {
    r"/": "divide by cast(x AS double) / nullif(y, 0) only",
    r"%": "the sign of a remainder differs in edge cases",
    r"::": "Athena does not know ::",
    r"\[": "an index outside of an array is null or an error",
    r"`|\$|\?": "quoting and parameters differ",
    r'"': "no quoted identifiers",
    r"\b(qualify|ilike|interval|extract|limit|offset|pivot|lateral|asof|sample|current_date|now)\b": "not in both",
    r"\bdistinct\s+on\b": "Athena does not know it",
    r"\bgroup\s+by\s+(all|\d)": "columns by name",
    r"\bjoin\b[^;]*?\busing\b": "USING merges columns differently in SELECT *",
    r"\btimestamp\b": "times are text in ISO 8601",
    r"\bsubstr\([^()]*,\s*(0|-\d+)\s*[,)]": "characters count from 1: substr(x, 0) is empty on Athena",
    r"\b\w*day\s*(=|<>|<|>|<=|>=)\s*''|''\s*(=|<>|<|>|<=|>=)\s*\w+\.\w*day\b": "Athena compares days with days only",
    r"\|\|\s*\d|\d\s*\|\|": "Athena joins texts only",
}
DIVISION = re.compile(r"cast\([^()]+ as double\) / nullif\(", re.IGNORECASE)


def without_texts(sql: str) -> str:
    return re.sub(r"'[^']*'", "''", re.sub(r"--[^\n]*", "", sql))


def problems(sql: str) -> list[str]:
    """Return what in a text is not in the subset."""
    code = without_texts(sql)
    rest = DIVISION.sub("", code)
    found = [why for pattern, why in DIFFERENT.items() if re.search(pattern, rest, re.IGNORECASE)]
    called = {name.lower() for name in re.findall(r"\b([a-z_][a-z0-9_]*)\s*\(", code, re.IGNORECASE)}
    found += [f"{name} is not allowed" for name in sorted(called - FUNCTIONS - WORDS)]
    for unit in re.findall(r"date_diff\('(\w+)'", sql):
        if unit != "day":
            found.append("date_diff of days only: others count boundaries or whole units")
    for kind in casts(code):
        if kind.lower() not in ("date", "double", "bigint", "varchar", "boolean"):
            found.append(f"no cast to {kind}")
    if re.search(r"\bcast\((?!null as)[^()]* as varchar\)", code, re.IGNORECASE):
        found.append("numbers become different texts")
    return found


def casts(code: str) -> list[str]:
    """Return the types of all casts: the last word before the parenthesis that closes each."""
    found = []
    for match in re.finditer(r"\bcast\s*\(", code, re.IGNORECASE):
        depth, end = 1, match.end()
        while depth and end < len(code):
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        found.append(code[match.end() : end - 1].split()[-1])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_view_is_in_the_subset(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not problems(text)
    assert text.startswith("-- ")
    if path.stem != "00_counted":
        assert re.findall(r"CREATE OR REPLACE VIEW (\w+) AS", text) == [path.stem.partition("_")[2]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a / b",
        "SELECT 7 % 2",
        "SELECT a::date",
        "SELECT a[1]",
        "SELECT median(a)",
        "SELECT date_diff('hour', a, b)",
        "SELECT cast(a AS timestamp)",
        "SELECT cast(a AS integer)",
        "SELECT DISTINCT ON (a) b",
        "SELECT a FROM b QUALIFY c",
        "SELECT current_date",
        "SELECT a GROUP BY 1",
        "SELECT a + INTERVAL '1' DAY",
        "SELECT substr(a, 0, 3)",
        "SELECT substr(a, -3)",
        "SELECT a FROM b WHERE b.seen_day >= '2026-11-01'",
        "SELECT a FROM b WHERE '2026-11-01' < b.day",
        "SELECT 'a' || 1",
        "SELECT cast(a.minutes AS varchar)",
        "SELECT json_extract_scalar(a, '$.b')",
    ],
)
def test_what_differs_is_found(sql: str) -> None:
    assert problems(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT cast(a AS double) / nullif(b, 0)",
        "SELECT date_diff('day', a, b) -- 1/2",
        "SELECT '50 %' FROM x AS t (c)",
        "SELECT substr(a, 10), cast(NULL AS varchar), 'a' || b.c FROM b WHERE b.day < cast('2026-11-01' AS date)",
    ],
)
def test_what_is_the_same_passes(sql: str) -> None:
    assert not problems(sql)
