# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: append-only, hash-chained records from which everything about a rollout can be told again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..canonical import to_canonical, to_digest
from ..errors import JournalError
from ..events import Event, read_event
from ..stamp import to_time


@dataclass(frozen=True, slots=True)
class Record:
    """One event as it is stored. ``hash`` covers all the other members, ``prev`` is the hash of the record before."""

    seq: int
    at: str
    kind: str
    data: Mapping[str, Any]
    prev: str
    hash: str

    def to_line(self) -> str:
        """Return the record as one line of JSON, without the newline."""
        return to_canonical({**_body(self), "hash": self.hash})

    def event(self) -> Event:
        """Read the event.

        :raises OtherSchema: another version wrote the journal.
        :raises JournalError: the record is of no known kind, or malformed.
        """
        return read_event(self.kind, self.data)


def _body(record: Record) -> dict[str, Any]:
    return {"seq": record.seq, "at": record.at, "kind": record.kind, "data": record.data, "prev": record.prev}


def next_record(last: Record | None, kind: str, data: Mapping[str, Any], at: datetime) -> Record:
    """Return the record that follows ``last``."""
    body = {
        "seq": last.seq + 1 if last else 1,
        "at": to_time(at),
        "kind": kind,
        "data": json.loads(to_canonical(data)),
        "prev": last.hash if last else "",
    }
    return Record(**body, hash=to_digest(body))


def from_line(line: str) -> Record:
    """Read one line; ``JournalError`` if it is not a record."""
    try:
        data = json.loads(line)
        return Record(**data)
    except (ValueError, TypeError) as error:
        raise JournalError(f"not a journal record: {line[:80]!r}") from error


def verify(records: Iterable[Record]) -> Record | None:
    """Check numbering, chain and hashes, and return the last record. Needs nothing but the records.

    :raises JournalError: naming the first record that does not fit.
    """
    last: Record | None = None
    for record in records:
        check_next(last, record)
        last = record
    return last


def check_next(last: Record | None, record: Record) -> None:
    """Check that ``record`` follows ``last`` and is what was written.

    :raises JournalError: it is not.
    """
    expected = last.seq + 1 if last else 1
    if record.seq != expected:
        raise JournalError(f"record {expected} is missing: found number {record.seq} in its place")
    if record.prev != (last.hash if last else ""):
        raise JournalError(f"record {record.seq} does not follow the one before it: the chain is broken there")
    if record.hash != to_digest(_body(record)):
        raise JournalError(f"record {record.seq} was changed after it was written")


def split_lines(text: str) -> tuple[list[str], str]:
    """Return (whole lines, the torn tail): a writer that was killed may leave half a line, which never counted."""
    whole, _separator, tail = text.rpartition("\n")
    return [line for line in whole.split("\n") if line], tail
