# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal as a file of JSON lines: locked, fsync'ed, and whole after a kill at any moment."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from ...module_utils._core.errors import JournalError
from ...module_utils._core.rollout.journal import Record, check_next, from_line, next_record

#: Sees the records that others wrote since we last looked, and may refuse what is about to be written.
Guard = Callable[[Sequence[Record]], None]


class JournalFile:
    """A ``JournalStore`` on a local file system that honours flock. Reads only what it has not seen yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._last: Record | None = None

    def read(self) -> list[Record]:
        return list(self.stream())

    def stream(self) -> Iterator[Record]:
        """Yield what ``read`` returns, one by one: a long journal is never in memory as a whole."""
        if self._path.exists():
            with self._path.open("rb") as file:
                yield from self._news(file)

    def append(self, kind: str, data: Mapping[str, Any], at: datetime, guard: Guard | None = None) -> Record:
        with self._locked() as file:
            news = list(self._news(file))
            if guard:
                guard(news)
            if file.seek(0, os.SEEK_END) > self._offset:  # half a line of a writer that was killed: it never counted
                file.truncate(self._offset)
            record = next_record(self._last, kind, data, at)
            line = record.to_line().encode("utf-8", "surrogatepass") + b"\n"
            file.seek(0, os.SEEK_END)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
            self._offset, self._last = self._offset + len(line), record
        return record

    def _news(self, file: IO[bytes]) -> Iterator[Record]:
        """Yield the whole records not seen before."""
        file.seek(self._offset)
        for raw in file:  # as bytes: the last line may be torn in the middle of a character
            if not raw.endswith(b"\n"):
                return
            record = from_line(_decode(raw)) if raw != b"\n" else None
            if record:
                check_next(self._last, record)
                self._last = record
            self._offset += len(raw)
            if record:
                yield record

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = not self._path.exists()
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if new:
                _sync_directory(self._path.parent)
            yield file


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise JournalError(f"the journal is damaged: {error}") from error


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
