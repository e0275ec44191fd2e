# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and answers as they are after somebody, or something, was at them: seeded, so that a failure comes again."""

from __future__ import annotations

import copy
import os
import random
from typing import Any

#: How many of each kind, and the first of them; the slow target asks for thousands.
COUNT = int(os.environ.get("PATCHTIDE_MUTATIONS", "40"))
FIRST = int(os.environ.get("PATCHTIDE_FIRST_MUTATION", "0"))
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**400, -(10**30), 0.5, 1e308, float("inf"), float("nan"),
    "", "x", "\0", "\ud800", "\x9b31m\u202e", "../../../x", "i-0000000000000000f", "a" * 5000, "1e999", "9" * 5000,
    [], {}, [[]], {"": None}, [None], {"node_id": "other"}, [1] * 300, "2026-12-01T22:00:00", "2026-13-41T99:00:00Z",
)  # fmt: skip
PIECES = (
    "\0", "\t", '"', "{", "}", "[", "]", ":", ",", "&a ", "*a", "<<: *a", "!!python/object:os.system ", "\u2028",
    "\x85", "\x9b", "\u202e", "9" * 5000, "1e999", "NaN", "-Infinity", "\\ud800", "\ufeff", "- " * 200, "[" * 3000,
    '{"a":' * 3000, "\n", "---\n", "? ", "|\n", "%", "@end\n", "Inst ", "null",
)  # fmt: skip


def seeds() -> range:
    """Return the seeds of this run."""
    return range(FIRST, FIRST + COUNT)


def mutate_data(data: Any, seed: int) -> Any:
    """Return a copy of plain data in which one to three places are other than they were."""
    chance = random.Random(seed)
    changed = copy.deepcopy(data)
    for _time in range(chance.randint(1, 3)):
        places = list(_places(changed))
        if not places:
            break
        holder, key = chance.choice(places)
        action = chance.randrange(4)
        if action == 0:
            del holder[key]
        elif action == 1 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif action == 1:
            holder[chance.choice(["\x9b", "", "node_id", "a" * 3000])] = holder[key]
        else:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
    return changed


def _places(data: Any) -> Any:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in list(items):
        yield data, key
        yield from _places(value)


def mutate_text(text: str, seed: int) -> str:
    """Return a text with a few pieces put in, taken out, doubled or moved."""
    chance = random.Random(seed)
    for _time in range(chance.randint(1, 4)):
        at, until = sorted(chance.randrange(len(text) + 1) for _end in range(2))
        until = min(until, at + chance.choice([1, 5, 60, 4000]))
        piece = chance.choice([*PIECES, "", text[at:until] * 2])
        text = text[:at] + piece + text[chance.choice([at, until]) :]
    return text
