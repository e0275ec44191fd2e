# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the few records of a journal that cause notices, without parsing the others.

Nothing is sent by them alone: whoever sends reads the journal whole and verified.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...module_utils._core.errors import JournalError
from ...module_utils._core.notice.rollouts import MOMENTS, Moments
from ...module_utils._core.rollout.journal import Record, from_line

#: As a canonical line of the journal has the kind; in texts of a record, quotes are escaped.
_MARKS = tuple(f'"kind":"{kind}"'.encode() for kind in MOMENTS)


def read_moments(path: Path) -> Moments:
    """Return the moments of a journal's file; none if there is no file. Lines that are no records are left out."""
    found = Moments()
    deque(found.passing(_records(path)), maxlen=0)
    return found


def _records(path: Path) -> Iterator[Record]:
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n") and any(mark in line for mark in _MARKS):
                with suppress(JournalError):
                    yield from_line(line[:-1])
