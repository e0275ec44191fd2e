# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which wave takes patches from which snapshot: a later wave never from a later date. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ...errors import BadInput
from ...text import nearest
from .expected import ExpectedRepository

#: Dates that can be compared: ``20260601``, ``2026-06-01``, and ``20260601T000000Z`` of the snapshot archives of Debian
#: and Ubuntu. Content views are names, of which none is later than another.
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:T(\d{6})Z)?")


def wave_mistakes(items: Sequence[ExpectedRepository], waves: Sequence[str], prefix: str) -> Iterator[BadInput]:
    """Yield what is wrong with the snapshots of waves, each with the option's path.

    :param waves: the names of the policy's waves, in order.
    """
    for index, item in enumerate(items):
        for name, word in item.snapshots.items():
            if name not in waves:
                near = nearest(name, waves)
                expected = f"a wave of this policy{f' (did you mean {near!r}?)' if near else ''}"
                yield BadInput(f"{prefix}[{index}].snapshots.{name}", word, expected)
        if item.snapshots:
            yield from _order(item, waves, f"{prefix}[{index}].snapshots")


def _order(item: ExpectedRepository, waves: Sequence[str], path: str) -> Iterator[BadInput]:
    earlier: list[tuple[str, str]] = []
    for wave in waves:
        word = item.in_wave(wave).snapshot
        if not word:
            yield BadInput(f"{path}.{wave}", word, "a snapshot for each wave, here or as snapshot")
        for name, before in earlier:
            if (mine := _date(word)) and (first := _date(before)) and mine > first:
                expected = f"{before} or an earlier date: wave {name} has to try a snapshot first"
                yield BadInput(f"{path}.{wave}", word, expected)
                break
        earlier.append((wave, word))


def _date(word: str) -> str:
    """Return a date in a form that can be compared, ``""`` if it is none. A day without a time is its beginning."""
    match = _DATE.fullmatch(word)
    return f"{match[1]}{match[2]}{match[3]}{match[4] or '000000'}" if match else ""
