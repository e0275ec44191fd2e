# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as lines of canonical JSON, a million of them: what rows have in common is worked out once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..canonical import to_canonical
from .datasets import check_row

#: So many texts are kept with their JSON.
_KEPT = 50_000
_PLAIN = {None: "null", True: "true", False: "false"}


class Lines:
    """Rows with the same columns and types are checked once, and texts that many rows have become JSON once."""

    def __init__(self) -> None:
        self._orders: dict[tuple[Any, ...], list[tuple[str, str]]] = {}
        self._texts: dict[str, str] = {}

    def to_line(self, dataset: str, row: Mapping[str, Any]) -> str:
        """Return a row as ``to_canonical`` does. :raises ValueError: it does not fit its dataset."""
        kind = (dataset, *row, *map(type, row.values()))
        order = self._orders.get(kind)
        if order is None:
            check_row(dataset, row)
            order = self._orders[kind] = [(name, f"{to_canonical(name)}:") for name in sorted(row)]
        known = self._texts
        parts = []
        for name, start in order:
            value = row[name]
            if value.__class__ is str:
                text = known.get(value)
                parts.append(start + (self._text(value) if text is None else text))
            else:
                plain = value is None or value.__class__ is bool
                parts.append(start + (_PLAIN[value] if plain else to_canonical(value)))
        return f"{{{','.join(parts)}}}"

    def _text(self, value: str) -> str:
        if len(self._texts) >= _KEPT:
            self._texts.clear()
        found = self._texts[value] = to_canonical(value)
        return found
