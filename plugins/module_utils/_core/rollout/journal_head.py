# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The head of a journal, noted in a second place, so that truncation or removal of the journal is noticed.

The head is noted after its record is durable. It may be behind the journal, if a controller died in between, but
never ahead of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..canonical import to_canonical
from ..errors import JournalError
from .journal import Link, Record

SCHEMA = "patchtide/journal-head/1"
WAY_OUT = "Restore the journal from a backup, or make a new plan in another directory. Nothing was sent."


@dataclass(frozen=True, slots=True)
class Head:
    """The last record: its number, its hash, and the positions in the journal where it begins and ends."""

    seq: int = 0
    hash: str = ""
    offset: int = 0
    size: int = 0

    def to_text(self) -> str:
        """Return it as a line of JSON, without the newline."""
        return to_canonical({"schema": SCHEMA, **asdict(self)})

    def then(self, record: Record, length: int) -> Head:
        """Return the head after one more record whose line has this many bytes."""
        return Head(record.seq, record.hash, self.size, self.size + length)


def from_text(text: str) -> Head:
    """The reverse of ``to_text``; ``JournalError`` if it is not a head."""
    try:
        data: dict[str, Any] = json.loads(text)
        schema = data.pop("schema")
        head = Head(**data)
        kinds = [type(value) for value in (head.seq, head.hash, head.offset, head.size)]
        if schema != SCHEMA or kinds != [int, str, int, int]:
            raise ValueError(schema)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise JournalError(
            f"not a journal's head: {text[:80]!r}. Restore it from a backup; if the journal is known to be whole, "
            "remove the head, which is then noted again"
        ) from error
    return head


def check_noted(noted: Head, record: Record) -> None:
    """Check that ``record`` is the noted one, if it has that number.

    :raises JournalError: it is a different record.
    """
    if record.seq == noted.seq and record.hash != noted.hash:
        raise JournalError(
            f"record {record.seq} is not the one that was written: its hash is {record.hash}, expected {noted.hash} "
            f"as the head says. {WAY_OUT}"
        )


def check_reached(noted: Head, last: Link | None) -> None:
    """Check that the journal, which ends with ``last``, contains the noted record.

    :raises JournalError: it ends before that record.
    """
    if noted.seq > (last.seq if last else 0):
        ends = f"ends with record {last.seq}, hash {last.hash}" if last and last.seq else "has no records"
        raise JournalError(
            f"the journal was cut back: it {ends}, expected {noted.seq} records, the last with the hash {noted.hash}, "
            f"as the head says. {WAY_OUT}"
        )


def against(records: Iterable[Record], noted: Head, last: Link | None = None) -> Iterator[Record]:
    """Yield the records of a complete journal; ``JournalError`` if they contradict the noted head.

    :param last: the record before the first one, if not all are given.
    """
    for record in records:
        check_noted(noted, record)
        yield record
        last = record
    check_reached(noted, last)
