# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The required form of a file's data, stated once; an error names the first invalid place and the expected value.

A digest proves that a file was not changed after it was sealed, not that the collection wrote it. Therefore the form
is checked once, when a file is read, and other code can rely on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .errors import BadInput
from .stamp import from_time

LARGEST = 10**15
_LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Rule:
    """A single value: the test, and the description of valid values."""

    fits: Callable[[Any], bool]
    expected: str


@dataclass(frozen=True, slots=True)
class Each:
    """A list of values of one shape."""

    item: Shape
    least: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of values of one shape, each of which may be the number of one in a table of the file."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Values:
    """An object with arbitrary names and values of one shape."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Object:
    """An object with these members; others are ignored. ``maybe``: optional members."""

    members: Mapping[str, Shape]
    maybe: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrNull:
    """A value of the shape, or null."""

    item: Shape


Shape: TypeAlias = "Rule | Each | Listed | Values | Object | OrNull"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and len(value) <= 40 and from_time(value).tzinfo is not None
    except ValueError:
        return False


def is_name(value: object) -> bool:
    """Return whether a text is suitable for comments, keys and messages."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()


TEXT = Rule(lambda value: isinstance(value, str), "text")
NAME = Rule(is_name, f"text of 1 to {_LONGEST_NAME} printable characters")
FLAG = Rule(lambda value: isinstance(value, bool), "true or false")
NUMBER = Rule(_is_number, "a number")
COUNT = Rule(lambda value: _is_number(value) and isinstance(value, int) and value >= 0, "a whole number, 0 or more")
TIME = Rule(_is_time, "a time such as 2026-12-01T22:00:00.000Z")


def check_shape(value: object, shape: Shape, where: str) -> None:
    """Check that data has the shape.

    :param where: the file, and the place in it.
    :raises BadInput: it does not; names the first invalid place.
    """
    _Check().look(value, shape, where)


class _Check:
    """Checks each object once: equal parts of a large file are the same object."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def look(self, value: Any, shape: Shape, where: str) -> None:
        if isinstance(shape, Rule):
            if not shape.fits(value):
                raise BadInput(where, value, shape.expected)
        elif isinstance(shape, OrNull):
            if value is not None:
                self.look(value, shape.item, where)
        elif isinstance(shape, Object):
            self._object(value, shape, where)
        elif isinstance(shape, Values):
            if not isinstance(value, dict):
                raise BadInput(where, value, "an object")
            for name, item in value.items():
                self.look(item, shape.item, f"{where}.{name}")
        elif not isinstance(value, list):
            raise BadInput(where, value, "a list")
        elif isinstance(shape, Listed):
            for index in [at for at, item in enumerate(value) if item.__class__ is not int or item < 0]:
                self.look(value[index], shape.item, f"{where}[{index}]")
        elif len(value) < shape.least:
            raise BadInput(where, value, f"a list of at least {shape.least}")
        else:
            for index, item in enumerate(value):
                self.look(item, shape.item, f"{where}[{index}]")

    def _object(self, value: Any, shape: Object, where: str) -> None:
        if not isinstance(value, dict):
            raise BadInput(where, value, "an object")
        key = (id(value), id(shape))
        if key in self._seen:
            return
        self._seen.add(key)
        for name, member in shape.members.items():
            if name not in value:
                raise BadInput(where, sorted(value)[:20], f"an object with the member {name}")
            self.look(value[name], member, f"{where}.{name}")
        for name, member in shape.maybe.items():
            if name in value:
                self.look(value[name], member, f"{where}.{name}")
