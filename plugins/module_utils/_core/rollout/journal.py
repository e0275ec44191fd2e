# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: append-only, hash-chained records from which everything about a rollout can be reconstructed.

A line is the canonical JSON of the record without its hash, whose closing brace is replaced by the hash as the last
member: ``{"at":…,"data":{…},"kind":…,"prev":…,"seq":…,"hash":"…"}``. The hash covers exactly these bytes, so that a
reader verifies a line without serializing it again, and no other line is accepted in its place.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ..canonical import to_canonical
from ..errors import JournalError
from ..events import Event, read_event
from ..stamp import to_time

_LINE = re.compile(
    rb'\{"at":"([0-9A-Z:.+-]+)","data":(\{.*\}),"kind":"([a-z_]+)","prev":"([0-9a-f]{64}|)"'
    rb',"seq":([1-9][0-9]{0,17}),"hash":"([0-9a-f]{64})"\}'
)
#: Length of the end of a line that the hash does not cover: ``,"hash":"…"}``.
_SEAL = 75
_SURROGATE = re.compile("[\ud800-\udfff]")


class Link(Protocol):
    """What the next record is chained to: the previous record, or a note of it."""

    @property
    def seq(self) -> int:
        """Its number."""

    @property
    def hash(self) -> str:
        """Its hash."""


@dataclass(frozen=True, slots=True)
class Record:
    """One event as stored. ``hash`` covers all other members, ``prev`` is the hash of the previous record."""

    seq: int
    at: str
    kind: str
    data: Mapping[str, Any]
    prev: str
    hash: str
    #: Hash of the line's bytes as read; differs from ``hash`` if the line was changed after it was written.
    digest: str = field(default="", compare=False, repr=False)
    #: The bytes that the hash covers, for a new record, so that a large one is encoded only once.
    body: str = field(default="", compare=False, repr=False)

    def to_line(self) -> str:
        """Return the record as one line of JSON, without the newline; it can be encoded as UTF-8."""
        body = self.body or _body(self.at, _to_text(self.data), self.kind, self.prev, self.seq)
        return f"{body[:-1]}{seal(self.hash)}"

    def event(self) -> Event:
        """Read the event.

        :raises OtherSchema: another version wrote the journal.
        :raises JournalError: the record is of an unknown kind, or malformed.
        """
        return read_event(self.kind, self.data)


def seal(digest: str) -> str:
    """Return the end of the line of a record with this hash."""
    return f',"hash":"{digest}"}}'


def next_record(last: Link | None, kind: str, data: Mapping[str, Any], at: datetime) -> Record:
    """Return the record that follows ``last``."""
    text, when, seq, prev = _to_text(data), to_time(at), last.seq + 1 if last else 1, last.hash if last else ""
    body = _body(when, text, kind, prev, seq)
    digest = hashlib.sha256(body.encode()).hexdigest()
    members = data if text.isascii() else json.loads(text)  # surrogates are read otherwise than they were given
    return Record(seq, when, kind, members, prev, digest, digest, body)


def _body(at: str, data: str, kind: str, prev: str, seq: int) -> str:
    """Return the canonical JSON of a record without its hash. :param data: the canonical JSON of its data."""
    return f'{{"at":{_to_text(at)},"data":{data},"kind":{_to_text(kind)},"prev":"{prev}","seq":{seq}}}'


def _to_text(data: Any) -> str:
    """Return canonical JSON that can be encoded as UTF-8: an unpaired surrogate is written as ``\\udxxx``."""
    text = to_canonical(data)
    if text.isascii() or not _SURROGATE.search(text):
        return text
    # Adjacent halves are one character, also to the reader of their escapes, so they are joined first.
    joined = json.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass"))
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", to_canonical(joined))


def from_line(line: bytes) -> Record:
    """Read one line without its newline. ``check_next`` verifies that it is what was written.

    :raises JournalError: it is not a record.
    """
    found = _LINE.fullmatch(line)
    try:
        if not found:
            raise ValueError("not the members of a record in their order")
        at, data, kind, prev, seq, digest = found.groups()
        members = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise JournalError(f"not a journal record: {line[:80].decode(errors='backslashreplace')!r}") from error
    covered = hashlib.sha256(line[:-_SEAL])
    covered.update(b"}")
    return Record(int(seq), at.decode(), kind.decode(), members, prev.decode(), digest.decode(), covered.hexdigest())


def verify(records: Iterable[Record]) -> Record | None:
    """Check numbering, chain and hashes, and return the last record. Needs only the records.

    :raises JournalError: naming the first record that does not fit.
    """
    last: Record | None = None
    for record in records:
        check_next(last, record)
        last = record
    return last


def check_next(last: Link | None, record: Record) -> None:
    """Check that ``record`` follows ``last`` and is unchanged.

    :raises JournalError: it does not, or was changed.
    """
    expected = last.seq + 1 if last else 1
    if record.seq != expected:
        raise JournalError(f"record {expected} is missing: found number {record.seq} in its place")
    if record.prev != (last.hash if last else ""):
        raise JournalError(f"record {record.seq} does not follow the one before it: the chain is broken there")
    if record.hash != record.digest:
        raise JournalError(f"record {record.seq} was changed after it was written")


def split_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """Return (complete lines, incomplete tail): a killed writer may leave half a line, which was never recorded."""
    *lines, tail = data.split(b"\n")
    return lines, tail
