# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries of the history on Athena: their text, their states, and the values of their answers. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import BadInput, PatchtideError

#: Characters of a query (Athena API reference, StartQueryExecution, QueryString).
LONGEST = 262_144
#: Bytes that a query is billed for: full megabytes, at least 10 of them (Amazon Athena pricing, "SQL queries").
_MEGABYTE, _LEAST = 1024 * 1024, 10
#: States in which a query has ended (API reference, QueryExecutionStatus).
SUCCEEDED, ENDED = "SUCCEEDED", ("SUCCEEDED", "FAILED", "CANCELLED")
_WORD = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)
_TEXTS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
#: Comments before a query, and how one begins.
_BEFORE = re.compile(r"\A(?:\s|--[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
_START = re.compile(r"select\b|with\b(?!\s+recursive\b)", re.IGNORECASE)
_VIEW = re.compile(r"CREATE OR REPLACE VIEW (\w+) AS\n(.*?);", re.DOTALL)
_NUMBERS = {
    "integer": int,
    "bigint": int,
    "smallint": int,
    "tinyint": int,
    "double": float,
    "float": float,
    "real": float,
}


class QueryFailed(PatchtideError):
    """Athena did not answer a query."""

    code = "QueryFailed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A query as Athena shows it. ``scanned``: bytes so far."""

    query_id: str
    state: str
    reason: str = ""
    scanned: int = 0


class QueryPort(Protocol):
    """Athena, in one workgroup and database."""

    def cutoff(self) -> int | None:
        """Return after how many bytes the workgroup cancels a query; ``None`` if it never does."""

    def start(self, sql: str) -> str:
        """Start a query; return its ID."""

    def look(self, query_id: str) -> Execution:
        """Return a query's state."""

    def stop(self, query_id: str) -> None:
        """Cancel a query."""

    def rows(self, query_id: str) -> Iterator[tuple[Sequence[tuple[str, str]], list[str | None]]]:
        """Yield (names and types of the columns, texts) of each row, without the one that names the columns; at least
        once the columns, with an empty row, if there are no rows."""


def billed(scanned: int) -> int:
    """Return the bytes that a query is billed for."""
    return max(_LEAST, -(-scanned // _MEGABYTE)) * _MEGABYTE


def to_views(texts: Sequence[str]) -> dict[str, str]:
    """Return the query of each view, in the order in which they are created. :param texts: of ``reports/sql``."""
    return {name: query for text in texts for name, query in _VIEW.findall(text)}


def with_views(sql: str, views: Mapping[str, str], since: str = "") -> str:
    """Return one query that has all views in it that it needs, so that none has to exist on Athena.

    :param sql: one query. :param views: of ``to_views``. :param since: first day of the rows; their partitions are the
        only ones that are read.
    :raises BadInput: it is no query, several ones, or too long.
    """
    code = _TEXTS.sub(" ", sql).strip().rstrip(";")
    text = _BEFORE.sub("", sql).strip().rstrip(";")
    start = _START.match(text)
    if start is None or ";" in code:
        raise BadInput("sql", sql[:300], "one query that begins with SELECT or WITH")
    needed = _needed(code, views)
    parts = [f"{name} AS (\n{_since(name, views[name], since)}\n)" for name in views if name in needed]
    if parts:
        has_own = start[0].lower() == "with"
        text = f"WITH {', '.join(parts)}{',' if has_own else ''}\n{text[4:].lstrip() if has_own else text}"
    found = text
    if len(found) > LONGEST:
        raise BadInput("sql", f"{len(found):,} characters", f"at most {LONGEST:,} together with the views in it")
    return found


def _needed(code: str, views: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    open_texts = [code]
    while open_texts:
        words = {word.lower() for word in _WORD.findall(open_texts.pop())}
        fresh = words & views.keys() - found
        found |= fresh
        open_texts += [_TEXTS.sub(" ", views[name]) for name in fresh]
    return found


def _since(name: str, query: str, since: str) -> str:
    """Rows before a day are left out where they are read first; limits count whenever they were published."""
    if not since or not name.startswith("all_") or name == "all_limits":
        return query
    return f"{query}\nWHERE t.dt >= '{since}'"


def to_value(kind: str, text: str | None) -> Any:
    """Return a value of an answer, all of which are texts (API reference, Datum); dates and times stay texts.

    :param kind: type of its column. :raises QueryFailed: it is no value of the type.
    """
    if text is None:
        return None
    try:
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if kind.startswith("decimal"):
            return float(text) if "." in text else int(text)
        found = _NUMBERS[kind](text) if kind in _NUMBERS else text
    except (ValueError, KeyError):
        raise QueryFailed(f"Athena answered {text[:40]!r} in a column of the type {kind}") from None
    return None if isinstance(found, float) and not math.isfinite(found) else found
