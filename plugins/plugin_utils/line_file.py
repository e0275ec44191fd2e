# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of JSON lines on the controller, to which several processes append and whose last line a crash may cut."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..module_utils._core.errors import PatchtideError
from .private_file import disk_errors, make_directory, open_private, write_all


class LineFileError(PatchtideError):
    """The file can't be read or written."""

    code = "LineFileError"


@dataclass(frozen=True, slots=True)
class LineFile:
    """``path``: the file, made with its first record, mode 0600. ``writer``: what writes it."""

    path: Path
    writer: str

    def read(self) -> list[dict[str, Any]]:
        """Return the records, oldest first. :raises LineFileError: a line is none."""
        with disk_errors(self.path, "read", LineFileError):
            try:
                handle = open_private(self.path, os.O_RDONLY)
            except FileNotFoundError:
                return []
            with os.fdopen(handle, encoding="utf-8", errors="replace") as file:
                text = file.read()
        whole, _newline, _torn = text.rpartition("\n")  # a crash may leave the last line incomplete
        return [self._record(number, line) for number, line in enumerate(whole.splitlines(), 1) if line]

    def append(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Add records durably. :raises LineFileError: they could not be written."""
        data = "".join(json.dumps(record, sort_keys=True) + "\n" for record in records).encode()
        if not data:
            return
        with disk_errors(self.path, "write", LineFileError):
            make_directory(self.path.parent)
            handle = open_private(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                end = os.lseek(handle, 0, os.SEEK_END)
                if end and os.pread(handle, 1, end - 1) != b"\n":
                    os.ftruncate(handle, self._last_whole(handle, end))
                write_all(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)

    def _last_whole(self, handle: int, end: int) -> int:
        return os.pread(handle, end, 0).rfind(b"\n") + 1

    def _record(self, number: int, line: str) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise LineFileError(f"{self.path}, line {number} is not a record, expected a file written by {self.writer}")
        return found
