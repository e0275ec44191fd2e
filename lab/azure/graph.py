# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small part of the query language of Azure Resource Graph; anything else is refused, never guessed.

``table | where type in~ ('a', 'b') | where type endswith '…' | project a, b = c.d | order by id asc``.
Source: Microsoft Learn, "Understanding the Azure Resource Graph query language", and the Kusto reference for in~, =~,
endswith, project and order by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PATH = rf"{_NAME}(?:\.{_NAME})*"
_TEXT = r"'[^'\\]*'"
_LIST = re.compile(rf"({_PATH})\s+(in~|!in~)\s*\(\s*({_TEXT}(?:\s*,\s*{_TEXT})*)\s*\)")
_ONE = re.compile(rf"({_PATH})\s*(=~|!~|==|!=|endswith|startswith|contains)\s*({_TEXT})")
_ASSIGN = re.compile(rf"(?:({_NAME})\s*=\s*)?({_PATH})")
_ORDER = re.compile(rf"(?:order|sort)\s+by\s+({_NAME})(?:\s+(asc|desc))?")


class BadQuery(ValueError):
    """The service would answer BadRequest, or the lab does not know this part of the language."""


def run(query: str, tables: Mapping[str, Callable[[], Iterable[Row]]]) -> tuple[list[dict[str, Any]], bool]:
    """Return the rows, and whether the query keeps ``id``, without which the service gives no token for pages."""
    table, *stages = [part.strip() for part in _split(query)]
    if table.lower() not in tables:
        raise BadQuery(f"the table {table!r} is unknown")
    rows: list[dict[str, Any]] = [dict(row) for row in tables[table.lower()]()]
    has_id = True
    for stage in stages:
        verb, _, rest = stage.partition(" ")
        if verb == "where":
            test = _test(rest.strip())
            rows = [row for row in rows if test(row)]
        elif verb == "project":
            columns = [_column(part.strip()) for part in rest.split(",")]
            has_id = any(name == "id" for name, _path in columns)
            rows = [{name: _inside(row, path) for name, path in columns} for row in rows]
        elif found := _ORDER.fullmatch(stage):
            name, way = found.groups()
            # Kusto sorts descending unless told otherwise.
            rows.sort(key=lambda row: str(_inside(row, name) or ""), reverse=way != "asc")
        else:
            raise BadQuery(f"the lab does not know {stage!r}")
    return rows, has_id


def _split(query: str) -> list[str]:
    parts, text, quoted = [], "", False
    for char in query:
        quoted = quoted != (char == "'")
        if char == "|" and not quoted:
            parts.append(text)
            text = ""
        else:
            text += char
    return [*parts, text]


def _column(text: str) -> tuple[str, str]:
    found = _ASSIGN.fullmatch(text)
    if not found:
        raise BadQuery(f"the lab does not know the column {text!r}")
    name, path = found.groups()
    if not name and "." in path:
        raise BadQuery(f"{path!r}: give the column a name")
    return name or path, path


def _test(text: str) -> Callable[[Row], bool]:
    if " and " in text:
        tests = [_test(part.strip()) for part in text.split(" and ")]
        return lambda row: all(test(row) for test in tests)
    if found := _LIST.fullmatch(text):
        path, verb, listed = found.groups()
        values = {item.strip()[1:-1].lower() for item in re.findall(_TEXT, listed)}
        return lambda row: (_text(row, path).lower() in values) == (verb == "in~")
    if found := _ONE.fullmatch(text):
        path, verb, quoted = found.groups()
        value = quoted[1:-1]
        compare: dict[str, Callable[[str], bool]] = {
            "=~": lambda item: item.lower() == value.lower(),
            "!~": lambda item: item.lower() != value.lower(),
            "==": lambda item: item == value,
            "!=": lambda item: item != value,
            "endswith": lambda item: item.lower().endswith(value.lower()),
            "startswith": lambda item: item.lower().startswith(value.lower()),
            "contains": lambda item: value.lower() in item.lower(),
        }
        return lambda row: compare[verb](_text(row, path))
    raise BadQuery(f"the lab does not know {text!r}")


def _text(row: Row, path: str) -> str:
    value = _inside(row, path)
    return "" if value is None else str(value)


def _inside(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row
