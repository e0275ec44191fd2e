# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkpoint of a journal's file, in the user's state directory: whoever may write the rollout's directory, such as
a share, can't change the state that is read from it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ...module_utils._core import events
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.rollout.checkpoint import Checkpoint, from_text, to_text
from ..files import write_text
from ..private_file import open_private

#: A shorter part of a journal is folded again instead, which takes less than 0.1 s.
LEAST_BYTES = 2**20


class CheckpointFile:
    """Reads and writes one rollout's checkpoint. It is a cache, so that what can't be read or written is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0

    def read(self, plan: Mapping[str, Any]) -> Checkpoint | None:
        """Return the checkpoint, if there is one of this plan by this code; its reader compares the journal."""
        try:
            with os.fdopen(open_private(self._path, os.O_RDONLY), "rb") as file:
                found = from_text(file.read().decode(), plan, _code())
        except (OSError, ValueError, PatchtideError):
            return None
        self._size = found.head.size if found else 0
        return found

    def write(self, found: Checkpoint) -> None:
        """Keep a checkpoint if it spares enough work."""
        if found.head.size - self._size >= LEAST_BYTES:
            with suppress(OSError, PatchtideError):
                write_text(self._path, to_text(found, _code()))
                self._size = found.head.size

    def remove(self) -> None:
        """Remove it."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


@cache
def _code() -> str:
    """Return a digest of the code that folds a journal."""
    folder = Path(events.__file__).parent
    files = [folder / "events.py", *sorted((folder / "rollout").glob("*.py"))]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
