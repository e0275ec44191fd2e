# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal as a file of JSON lines: locked, fsync'ed, and intact after a kill at any moment."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from ...module_utils._core.errors import JournalError
from ...module_utils._core.rollout.journal import Record, check_next, from_line, next_record, seal
from ...module_utils._core.rollout.journal_head import WAY_OUT, Head, check_noted, check_reached
from ..private_file import disk_errors, make_directory, open_private, sync_directory, write_all
from .head_file import HeadFile

#: Receives the records that others wrote since the last read, and may refuse the next one.
Guard = Callable[[Sequence[Record]], None]
#: Bytes that are read at once, and more than the end of a line that names its record.
_PIECE, _LONGEST_END = 2**20, 256


class JournalFile:
    """A ``JournalStore`` on a local file system that honours flock.

    It is read once and then followed: the store knows its position, and that the records before it are still there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = Head()
        self._inode: tuple[int, int] | None = None
        self._head = HeadFile(path.with_suffix(".head"))
        self._noted: Head | None = None
        self._grouping = False
        self._own = 0

    def read(self) -> list[Record]:
        return list(self.stream())

    def stream(self) -> Iterator[Record]:
        """Yield what ``read`` returns, one by one: a long journal is never completely in memory."""
        with disk_errors(self._path, "read"):
            handle = self._open_existing()
            if handle is not None:
                with os.fdopen(handle, "rb") as file:
                    yield from self._news(file)

    def position(self) -> tuple[Head, str]:
        """Return the last record read or written, and the SHA-256 of the file's bytes up to its end."""
        with disk_errors(self._path, "read"), self._path.open("rb") as file:
            return self._at, _digest(file, self._at.size)[0]

    def continue_from(self, at: Head, digest: str, *noted: Head) -> bool:
        """Follow the journal from an earlier reader's position; return whether it still begins with the same bytes.

        :param noted: heads that were noted elsewhere; those before the position must be among its records.
        """
        with disk_errors(self._path, "read"):
            handle = self._open_existing()
            if handle is None:
                return False
            with os.fdopen(handle, "rb") as file:
                heads = [head for head in (self._head.read(), *noted) if 0 < head.seq <= at.seq]
                found, ends = _digest(file, at.size, *(_end_of(head) for head in (at, *heads)))
                if found != digest or not all(ends):
                    return False
                self._at, status = at, os.fstat(file.fileno())
                self._inode = status.st_dev, status.st_ino
                return True

    def append(self, kind: str, data: Mapping[str, Any], at: datetime, guard: Guard | None = None) -> Record:
        with disk_errors(self._path, "write"), self._locked() as file:
            news, before = list(self._news(file)), self._at
            record = self._add(file, news, kind, data, at, guard)
            if not self._grouping:
                self._make_durable(file, before)
        self._own += 1
        return record

    @contextmanager
    def grouped(self) -> Iterator[None]:
        before, self._grouping, self._own = self._at, True, 0
        try:
            yield
        finally:
            self._grouping = False
            if self._own:
                with disk_errors(self._path, "write"), self._locked() as file:
                    self._make_durable(file, before)

    def _add(
        self,
        file: IO[bytes],
        news: Sequence[Record],
        kind: str,
        data: Mapping[str, Any],
        at: datetime,
        guard: Guard | None,
    ) -> Record:
        """Write a record's line, without making it durable."""
        if guard:
            guard(news)
        handle = file.fileno()
        if os.fstat(handle).st_size > self._at.size:  # half a line of a writer that was killed: it was never recorded
            os.ftruncate(handle, self._at.size)
        record = next_record(self._at, kind, data, at)
        line = record.to_line().encode() + b"\n"
        try:
            write_all(handle, line)
        except OSError:  # it is not recorded, so it must not be readable
            with suppress(OSError):
                os.ftruncate(handle, self._at.size)
            raise
        self._at = self._at.then(record, len(line))
        return record

    def _make_durable(self, file: IO[bytes], before: Head) -> None:
        """Make everything written since ``before`` durable, or remove it."""
        try:
            os.fsync(file.fileno())
        except OSError:
            alone = self._at.seq - before.seq <= max(self._own, 1) and os.fstat(file.fileno()).st_size == self._at.size
            if alone:  # records of others are not ours to remove
                with suppress(OSError):
                    os.ftruncate(file.fileno(), before.size)
                self._at = before
            raise
        self._head.write(self._at)

    def _news(self, file: IO[bytes]) -> Iterator[Record]:
        """Yield the whole records not seen before."""
        noted = self._noted = self._noted or self._head.read()  # read before the records, so it can't be ahead of them
        try:
            self._check_place(file)
            file.seek(self._at.size)
            for raw in file:
                if not raw.endswith(b"\n"):  # incomplete, perhaps within a character
                    break
                record = from_line(raw[:-1])
                check_next(self._at, record)
                check_noted(noted, record)
                self._at = self._at.then(record, len(raw))
                yield record
            check_reached(noted, self._at)
        except JournalError as error:
            raise JournalError(f"{self._path}: {error}") from error

    def _check_place(self, file: IO[bytes]) -> None:
        """Check that the file is still the one that was read, with the same content."""
        found = os.fstat(file.fileno())
        if self._inode not in (None, (found.st_dev, found.st_ino)):
            raise JournalError(f"the journal was replaced while it was in use. {WAY_OUT}")
        self._inode = found.st_dev, found.st_ino
        if found.st_size < self._at.size:
            raise JournalError(
                f"the journal was cut back while it was in use: it has {found.st_size} bytes, expected {self._at.size} "
                f"with record {self._at.seq}, hash {self._at.hash}. {WAY_OUT}"
            )
        end = f"{seal(self._at.hash)}\n".encode()
        if self._at.seq and os.pread(file.fileno(), len(end), self._at.size - len(end)) != end:
            raise JournalError(
                f"the journal was changed while it was in use: record {self._at.seq}, hash {self._at.hash}, is not "
                f"where it was read. {WAY_OUT}"
            )

    def _open_existing(self) -> int | None:
        """Open the file for reading; ``None`` if it does not exist and never did."""
        known = self._at
        for _look in range(2):  # another controller may create the journal, and note its head, between the two checks
            with suppress(FileNotFoundError):
                return open_private(self._path, os.O_RDONLY)
            known = self._at if self._at.seq else self._head.read()
            if not known.seq:
                return None
        raise JournalError(
            f"{self._path} is missing: expected {known.seq} records, the last with the hash {known.hash}. {WAY_OUT}"
        )

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        make_directory(self._path.parent)
        handle = self._open_existing()
        if handle is not None:
            os.close(handle)
        with os.fdopen(open_private(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT), "rb") as file:
            if handle is None:
                sync_directory(self._path.parent)
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_ino != self._path.stat().st_ino:
                raise JournalError(f"{self._path}: the journal was replaced while it was in use. {WAY_OUT}")
            yield file


def _end_of(head: Head) -> bytes:
    """Return how the line of this record ends; no other line does, and no text within a line has a newline."""
    return f',"seq":{head.seq}{seal(head.hash)}\n'.encode()


def _digest(file: IO[bytes], size: int, *ends: bytes) -> tuple[str, list[bool]]:
    """Return the SHA-256 of a file's first bytes, and for each text whether they have it."""
    digest, found, last, left = hashlib.sha256(), [False] * len(ends), b"", size
    while left and (part := file.read(min(left, _PIECE))):
        digest.update(part)
        left, text = left - len(part), last + part
        found = [has or end in text for has, end in zip(found, ends, strict=True)]
        last = part[-_LONGEST_END:]
    return digest.hexdigest(), found
