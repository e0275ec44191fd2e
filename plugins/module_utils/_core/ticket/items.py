# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which configuration items are the nodes of a plan. Pure.

Names and tags of machines are written by whoever controls them, so only plain values go into a query, in which ``^``
begins another condition ("Encoded query strings", ServiceNow's platform documentation); and every answer is compared
again, because a condition that the instance doesn't know is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .gate import value_of

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/ -]{0,254}")
#: Values in one query: the module of servicenow.itsm needs a detour for addresses of more than 2,048 characters.
_TOGETHER = 25
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """How items are found: rows of ``table`` whose ``column`` is the member ``by`` of a node."""

    table: str
    column: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """``linked``: sys_ids of items. ``missing``: nodes that no item is. ``several``: nodes with more than one."""

    linked: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    several: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, list[str]]:
        return {name: list(getattr(self, name)) for name in self.__slots__}


def item_queries(nodes: Sequence[Node], lookups: Sequence[Lookup]) -> Iterator[dict[str, str]]:
    """Yield the queries, with the table and column of each."""
    for lookup in lookups:
        values = sorted(
            {str(node.get(lookup.by)) for node in nodes if _PLAIN.fullmatch(str(node.get(lookup.by) or ""))}
        )
        for first in range(0, len(values), _TOGETHER):
            query = f"{lookup.column}IN{','.join(values[first : first + _TOGETHER])}"
            yield {"table": lookup.table, "column": lookup.column, "query": query}


def match_items(
    nodes: Sequence[Node], lookups: Sequence[Lookup], found: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Items:
    """Return the item of each node, by the first lookup that finds one.

    :param found: by table, the rows that were read.
    """
    linked: list[str] = []
    missing: list[str] = []
    several: list[str] = []
    for node in nodes:
        hits = next(filter(None, (_hits(node, lookup, found) for lookup in lookups)), ())
        if len(hits) == 1:
            linked += hits
        else:
            (several if hits else missing).append(str(node.get("name") or node["node_id"]))
    return Items(linked=tuple(dict.fromkeys(linked)), missing=tuple(missing), several=tuple(several))


def _hits(node: Node, lookup: Lookup, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[str, ...]:
    wanted = str(node.get(lookup.by) or "")
    rows = [row for row in found.get(lookup.table, ()) if wanted and value_of(row, lookup.column) == wanted]
    return tuple(dict.fromkeys(str(value_of(row, "sys_id")) for row in rows))
