# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits a node's answers before anything else uses them. Pure.

A node may be broken or compromised. Its answers must not affect anything else: impossible numbers, endless texts,
terminal control characters and deep nesting are removed here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from sys import intern
from typing import Any

from ..errors import PatchtideError
from ..text import plain

#: Characters of a text, entries of a list or object, levels of nesting, and the size of a number that are kept.
LONGEST, MOST, DEEPEST, LARGEST = 2_000, 20_000, 8, 10**15
#: Characters of an answer that are read, and of the name of a member.
SIZE, NAME = 4_000_000, 200
_DIGITS = 18


class BadAnswer(PatchtideError):
    """A node's answer is invalid; asking again would not help."""

    code = "BadAnswer"


def not_understood(why: Exception) -> PatchtideError:
    """Return the text of a node's result for an answer that caused an error."""
    if isinstance(why, PatchtideError):
        return why
    return BadAnswer(f"its answer can't be understood ({type(why).__name__}: {words(why, 200)})")


def words(value: object, longest: int = LONGEST) -> str:
    """Return text that is safe to keep and to show: one line, without control characters, of bounded length."""
    if isinstance(value, str) and value.__class__ is str and len(value) <= longest and value.isprintable():
        return value  # most texts are; there are millions of them
    text = plain(str(value)[: longest + 1])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def bounded(value: Any, levels: int = DEEPEST) -> Any:
    """Return plain data within bounds; values outside them become ``None``, texts are cut."""
    if value.__class__ is str and len(value) <= NAME and value.isprintable():  # most values are; there are millions
        return intern(value)  # thousands of nodes answer the same names and versions
    if isinstance(value, str):
        text = words(value)
        return intern(text) if len(text) <= NAME else text
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if -LARGEST <= value <= LARGEST else None  # NaN is within no range
    if levels and isinstance(value, (dict, Mapping)):  # checking for dict first is much cheaper
        return {_name(key): bounded(value[key], levels - 1) for key in list(value)[:MOST]}
    if levels and isinstance(value, (list, tuple)):
        return [bounded(item, levels - 1) for item in value[:MOST]]
    return None


@lru_cache(maxsize=2_000, typed=True)
def _name(key: object) -> str:
    """Return the name of a member. Nodes use the same few, and Ansible makes ``intern`` a function in Python."""
    return intern(words(key, NAME))


def read_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a line of an answer holds, within bounds; ``None`` if it holds none."""
    try:
        found = json.loads(text, parse_int=_whole, parse_float=_number, parse_constant=lambda _name: None)
    except (ValueError, RecursionError):
        return None
    return bounded(found) if isinstance(found, dict) else None


def _whole(text: str) -> int | None:
    return int(text) if len(text) <= _DIGITS else None


def _number(text: str) -> float | None:
    found = float(text)
    return found if math.isfinite(found) else None
