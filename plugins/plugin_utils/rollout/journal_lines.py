# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of a rollout record by record, for reports; it is not followed and not locked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...module_utils._core.errors import BadInput
from ...module_utils._core.rollout.journal import Record, from_line
from ...module_utils._core.rollout.journal_head import against
from .stores import JOURNAL, read_head


def read_journal(folder: Path) -> Iterator[Record]:
    """Yield the records one by one. A torn last line, left by a writer that was killed, never counted."""
    yield from against(_read_lines(folder / JOURNAL), read_head(folder))


def _read_lines(path: Path) -> Iterator[Record]:
    if not path.exists():
        return
    try:
        with path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield from_line(line[:-1])
    except OSError as error:
        raise BadInput("dir", str(path), f"a readable journal ({error})") from error
