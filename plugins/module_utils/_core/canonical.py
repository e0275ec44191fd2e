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
#: So many texts are kept, of which that of a list has a few kB.
_KNOWN = 5_000
#: So many levels are hashed piece by piece: a plan's nodes are at the fourth.
_LEVELS = 4


def to_canonical(data: Any) -> str:
    """Return JSON with sorted keys, no spaces, and UTF-8 text as it is."""
    return _ENCODER.encode(data)


def to_digest(data: Any, levels: int = _LEVELS) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal. The JSON of large data is never there as a whole.

    :param levels: so many of them are hashed piece by piece.
    """
    found = hashlib.sha256()
    for piece in _pieces(data, levels):
        found.update(piece.encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def to_lines(data: Any, levels: int = _LEVELS) -> Iterator[str]:
    """Yield the same JSON for a file that people look into: each member of the upper levels begins a line."""
    yield from _pieces(data, levels, "\n")
    yield "\n"


def _pieces(data: Any, levels: int, between: str = "", known: dict[int, str] | None = None) -> Iterator[str]:
    """Yield the canonical JSON in pieces; joined, they are what ``to_canonical`` returns.

    :param between: white space before each member of the upper levels. :param known: see ``_piece``.
    """
    known = {} if known is None else known
    if levels and data and isinstance(data, dict) and all(isinstance(key, str) for key in data):
        for number, key in enumerate(sorted(data)):
            yield f"{',' if number else '{'}{between}{_ENCODER.encode(key)}:"
            yield from _pieces(data[key], levels - 1, between, known)
        yield "}"
    elif levels and data and isinstance(data, (list, tuple)):
        for number, item in enumerate(data):
            yield f"{',' if number else '['}{between}"
            yield from _pieces(item, levels - 1, between, known)
        yield "]"
    else:
        yield _piece(data, known)


def _piece(data: Any, known: dict[int, str]) -> str:
    """Return canonical JSON. The list of a node's patches, or the patches in it, are the same on thousands of nodes.

    :param known: their JSON, by the identity of what is in memory as long as the whole is.
    """
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        return _ENCODER.encode(data)
    lists = [key for key, value in data.items() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if not lists:
        return _ENCODER.encode(data)
    parts = []
    rest = dict(data)
    for key in sorted(lists):
        before = {name: rest.pop(name) for name in list(rest) if name < key}
        parts += [_ENCODER.encode(before)[1:-1]] if before else []
        parts.append(f"{_ENCODER.encode(key)}:{_repeated(rest.pop(key), known)}")
    parts += [_ENCODER.encode(rest)[1:-1]] if rest else []
    return f"{{{','.join(parts)}}}"


def _repeated(data: Any, known: dict[int, str]) -> str:
    """Return the JSON of a list, or of an object in it."""
    found = known.get(id(data))
    if found is None:
        is_list = isinstance(data, list)
        found = f"[{','.join([_repeated(item, known) for item in data])}]" if is_list else _ENCODER.encode(data)
        if len(known) >= _KNOWN:
            known.clear()
        known[id(data)] = found
    return found


def without(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return a copy of ``data`` without some members."""
    return {key: value for key, value in data.items() if key not in names}
