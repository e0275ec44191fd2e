# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canonical JSON and digests: the same data has the same bytes, whoever writes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
#: So many levels are hashed piece by piece: a plan's nodes are at the fourth.
_LEVELS = 4


def to_canonical(data: Any) -> str:
    """Return JSON with sorted keys, no spaces, and UTF-8 text as it is."""
    return _ENCODER.encode(data)


def to_digest(data: Any) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal. The JSON of large data is never there as a whole."""
    found = hashlib.sha256()
    for piece in _pieces(data, _LEVELS):
        found.update(piece.encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def to_lines(data: Any, levels: int = _LEVELS) -> Iterator[str]:
    """Yield the same JSON for a file that people look into: each member of the upper levels begins a line."""
    yield from _pieces(data, levels, "\n")
    yield "\n"


def _pieces(data: Any, levels: int, between: str = "") -> Iterator[str]:
    """Yield the canonical JSON in pieces; joined, they are what ``to_canonical`` returns.

    :param between: white space before each member of the upper levels.
    """
    if levels and data and isinstance(data, dict) and all(isinstance(key, str) for key in data):
        for number, key in enumerate(sorted(data)):
            yield f"{',' if number else '{'}{between}{_ENCODER.encode(key)}:"
            yield from _pieces(data[key], levels - 1, between)
        yield "}"
    elif levels and data and isinstance(data, (list, tuple)):
        for number, item in enumerate(data):
            yield f"{',' if number else '['}{between}"
            yield from _pieces(item, levels - 1, between)
        yield "]"
    else:
        yield _ENCODER.encode(data)


def without(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return a copy of ``data`` without some members."""
    return {key: value for key, value in data.items() if key not in names}
