# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of nodes in a page: complete rows while they are few, otherwise data that the page searches.

A browser needs more than a second for 10,000 plain rows and never finishes 100,000. Above ``STATIC_ROWS``, the rows are
therefore a JSON data block, which needs no permission of the Content-Security-Policy, and a script shows the first
matches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from .formats import clean

#: Maximum number of static rows in a page; each is about 40 elements with its details.
STATIC_ROWS = 200
#: Maximum number of rows that a page holds as data. Beyond it, the page names the file that has all rows.
DATA_ROWS = 20_000
#: Number of entries that a list in a row's details shows.
LIST_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``kind`` is its class (``num`` aligns right), ``label`` its heading."""

    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell: text, a subdued second line, and a sort key if the text does not sort well. ``tone`` highlights it."""

    text: str
    sub: str = ""
    tone: str = ""
    sort: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """A node: its cells, and the details that open below them. ``lists``: (heading, ids)."""

    cells: Sequence[Cell]
    status: str = ""
    text: str = ""
    facts: Sequence[tuple[str, str]] = ()
    lists: Sequence[tuple[str, Sequence[str]]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTable:
    """Values for the template. ``data`` is the JSON block; ``None`` if ``rows`` has all rows."""

    columns: Sequence[Column]
    rows: Sequence[NodeRow]
    total: int
    statuses: Mapping[str, int] = field(default_factory=dict)
    data: Markup | None = None

    @property
    def cut(self) -> bool:
        """Whether even the data lacks nodes."""
        return self.total > DATA_ROWS


def node_table(columns: Sequence[Column], rows: Sequence[NodeRow]) -> NodeTable:
    """Return the table of these rows, the ones that need attention first."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.status] = counts.get(row.status, 0) + 1
    if len(rows) <= STATIC_ROWS:
        return NodeTable(columns=columns, rows=rows, total=len(rows), statuses=counts)
    return NodeTable(
        columns=columns, rows=(), total=len(rows), statuses=counts, data=to_block(columns, rows[:DATA_ROWS])
    )


def to_block(columns: Sequence[Column], rows: Iterable[NodeRow]) -> Markup:
    """Return the rows as JSON that cannot end its script element, whatever the texts are.

    IDs are written once and referred to by number: thousands of nodes have the same patches.
    """
    ids: dict[str, int] = {}
    found = [_row(row, ids) for row in rows]
    heads = [[column.label, column.kind] for column in columns]
    data = {"columns": heads, "rows": found, "ids": [clean(item) for item in ids]}
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    for mark in "<>&":  # none can end the element
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)


def _row(row: NodeRow, ids: dict[str, int]) -> list[Any]:
    cells: list[list[Any]] = [[clean(cell.text), clean(cell.sub), cell.tone, cell.sort] for cell in row.cells]
    for cell in cells:
        while cell[-1] in ("", None) and len(cell) > 1:
            cell.pop()
    lists = [
        [heading, [ids.setdefault(item, len(ids)) for item in found[:LIST_LIMIT]], len(found)]
        for heading, found in row.lists
    ]
    return [cells, row.status, clean(row.text), [[clean(name), clean(text)] for name, text in row.facts], lists]
