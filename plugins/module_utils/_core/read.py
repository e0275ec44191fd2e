# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converts plain data to dataclass values by their annotations, so that each member is defined once."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from .change import to_data

T = TypeVar("T")

#: Field metadata: a fraction that may also be written as "5%".
share = {"share": True}
_EMPTY: dict[Any, Any] = {str: "", int: 0, bool: False, float: 0.0, tuple: (), Mapping: {}}


def read(cls: type[T], data: Mapping[str, Any]) -> T:
    """Return ``cls`` filled from ``data``. A missing member gets its default, or an empty value if it has none; so does
    ``None``, unless the member may be ``None``.
    """
    hints = _hints(cls)  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for item in fields(cls):  # type: ignore[arg-type]
        given = data.get(item.name)
        if given is not None:
            found = _convert(hints[item.name], given)
            values[item.name] = to_share(found) if item.metadata.get("share") else found
        elif item.name in data and type(None) in get_args(hints[item.name]):
            values[item.name] = None
        elif item.default is MISSING and item.default_factory is MISSING:
            values[item.name] = _empty(hints[item.name])
    return cls(**values)


def to_document(value: Any) -> dict[str, Any]:
    """Return a value as plain data with every member: what ``read`` reads."""
    return {name: to_data(item) for name, item in asdict(value).items()}


def to_share(value: Any) -> float:
    """``"5%"`` to 0.05; a number stays as it is."""
    return round(float(value[:-1]) / 100, 6) if isinstance(value, str) else float(value)


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


def _convert(hint: Any, value: Any) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kinds = [kind for kind in args if kind is not type(None)]
        return _convert(kinds[0], value) if len(kinds) == 1 else value
    if origin is tuple:
        listed = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_convert(args[0], item) for item in listed)
    if origin is Mapping:
        return {str(key): _convert(args[1], item) for key, item in value.items()}
    if is_dataclass(hint):
        return read(hint, value if isinstance(value, Mapping) else {})  # type: ignore[arg-type]
    return float(value) if hint is float and not isinstance(value, str) else value


def _empty(hint: Any) -> Any:
    return read(hint, {}) if is_dataclass(hint) else _EMPTY[get_origin(hint) or hint]  # type: ignore[arg-type]
