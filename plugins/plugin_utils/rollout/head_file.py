# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``journal.head``: the last record's number and hash in a separate file, so that a truncated journal is noticed.

The file never changes its size and is written in place, after the record is durable and under the journal's lock. It
therefore needs no space on a full disk and no fsync: after a power failure it holds this line or an older one, which is
behind the journal and harmless. Only its creation is synced.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ...module_utils._core.errors import JournalError
from ...module_utils._core.rollout.journal_head import Head, from_text
from ..private_file import disk_errors, make_directory, open_private, sync_directory, write_all

#: Less than a sector, so that a disk writes it completely or not.
WIDTH = 256


class HeadFile:
    """A ``HeadStore``: the head of a journal in a separate file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Head:
        """Return the head; that of an empty journal if the file is missing.

        :raises JournalError: it can't be read, or is not a head.
        """
        with disk_errors(self._path, "read"):
            try:
                handle = open_private(self._path, os.O_RDONLY)
            except FileNotFoundError:
                return Head()
            try:
                data, again = b"", os.pread(handle, WIDTH + 1, 0)
                while data != again:  # readers take no lock, so a writer may be in the middle of it
                    data, again = again, os.pread(handle, WIDTH + 1, 0)
            finally:
                os.close(handle)
        try:
            return from_text(data.decode(errors="backslashreplace").strip())
        except JournalError as error:
            raise JournalError(f"{self._path}: {error}") from error

    def write(self, head: Head) -> None:
        """Note the head of a journal whose last record is durable."""
        line = head.to_text().ljust(WIDTH - 1).encode() + b"\n"
        with disk_errors(self._path, "write"):
            try:
                handle = open_private(self._path, os.O_WRONLY)
            except FileNotFoundError:
                self._create(line)
                return
            try:
                os.pwrite(handle, line, 0)
            finally:
                os.close(handle)

    def _create(self, line: bytes) -> None:
        make_directory(self._path.parent)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            try:
                write_all(handle, line)
                os.fsync(handle)
            finally:
                os.close(handle)
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_directory(self._path.parent)
