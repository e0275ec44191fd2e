# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions that are computed once for each object. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class PerObject(Generic[T]):
    """A function that is computed once for each object: thousands of nodes share the list of their missing patches.

    Objects are told apart by identity; they are kept, and must not change meanwhile.
    """

    def __init__(self, compute: Callable[..., T]) -> None:
        self._compute = compute
        self._known: dict[tuple[Any, ...], tuple[Any, T]] = {}

    def __call__(self, item: Any, *more: Any) -> T:
        """Return the value. :param more: further arguments, which can be keys."""
        key = (id(item), *more)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (item, self._compute(item, *more))
        return found[1]
