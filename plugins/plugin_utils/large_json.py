# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans and scans of a hundred thousand nodes: equal patches become one object."""

from __future__ import annotations

import gc
import json
import math
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: New objects between two garbage collections in a worker. Its nodes' results are no garbage, and at Python's 700 a
#: collection visits the young ones thousands of times.
_COLLECTED_EVERY = 20_000


def parse_shared(text: str) -> Any:
    """Parse JSON; equal patches (objects with ``id`` and ``title``) become one object, so don't modify them.

    All nodes together have a few hundred different patches a month; as separate objects they take ten times the memory.
    """
    with collector_paused():
        return json.loads(text, object_pairs_hook=_sharing(), parse_float=_number, parse_constant=_number)


def _number(text: str) -> float:
    """:raises ValueError: other readers would not accept it, such as NaN or 1e999."""
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"the number {text[:40]} is not valid in JSON")
    return found


def _sharing() -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    known: dict[tuple[Any, ...], dict[str, Any]] = {}

    def share(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError(f"duplicate members: {', '.join(sorted(found))[:80]}")
        if "id" not in found or "title" not in found:
            return found
        values = (tuple(value) if isinstance(value, list) else value for value in found.values())
        try:
            return known.setdefault((*found, *values), found)
        except TypeError:  # it contains other objects
            return found

    return share


def leave_parent_alone() -> None:
    """Exclude the parent's objects from garbage collection in a forked worker: visiting one copies its page.

    Otherwise an inventory of ten thousand hosts would be in memory twice.
    """
    if multiprocessing.parent_process() is not None:
        gc.freeze()
        gc.set_threshold(_COLLECTED_EVERY)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Suspend garbage collection while a large object is built: collection would take longer than the building."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
