# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies a journal from its bytes alone: how far it is intact, the first damage, and a summary of its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import JournalError
from ..events import Decision, GateJudged, Resumed, RolloutStarted, Sent
from ..text import plain
from .journal import Record, check_next, from_line, split_lines
from .journal_head import Head, check_noted, check_reached
from .machine import apply
from .state import Rollout, initial


@dataclass(frozen=True, slots=True)
class Damage:
    """The first record that can't be trusted: its number in the file, and the reason."""

    seq: int
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"seq": int, "reason": str}``."""
        return {"seq": self.seq, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Examined:
    """The records before the first damage, and that damage. ``torn``: an incomplete line follows."""

    records: tuple[Record, ...]
    damage: Damage | None = None
    torn: bool = False

    @property
    def head(self) -> str:
        """The hash of the last intact record; it covers all records before it. Empty without records."""
        return self.records[-1].hash if self.records else ""


def examine(data: bytes, noted: Head | None = None) -> Examined:
    """Check numbering, chain, hashes and canonical form of a journal's bytes. Needs nothing else.

    :param noted: the journal's head as noted elsewhere; a journal that ends before it is damaged.
    :raises OtherSchema: another version wrote the journal.
    """
    lines, tail = split_lines(data)
    noted, records = noted or Head(), list[Record]()
    try:
        for line in lines:
            record = from_line(line)
            check_next(records[-1] if records else None, record)
            check_noted(noted, record)
            _check_canonical(record, line)
            record.event()
            records.append(record)
        check_reached(noted, records[-1] if records else None)
    except (JournalError, TypeError, ValueError) as error:
        return Examined(tuple(records), Damage(len(records) + 1, str(error)), bool(tail))
    return Examined(tuple(records), None, bool(tail))


def _check_canonical(record: Record, line: bytes) -> None:
    """Check that a line is unambiguous: of two members with one name, readers may take the first or the last."""
    try:
        canonical = record.to_line().encode()
    except ValueError:  # a number that JSON does not have
        canonical = b""
    if line != canonical:
        raise JournalError(f"record {record.seq} is not canonical JSON, so this collection did not write it")


def replay(plan: Mapping[str, Any], records: Sequence[Record]) -> tuple[Rollout, Damage | None]:
    """Return the state after these records, and the first record that the plan does not allow."""
    state = initial(plan)
    for record in records:
        try:
            follow(state, record)
        except JournalError as error:
            return state, Damage(record.seq, str(error))
    return state, None


def follow(state: Rollout, record: Record) -> None:
    """Apply a record to the state.

    :raises OtherSchema: another version wrote it. :raises JournalError: it does not fit the plan, or is malformed.
    """
    try:
        apply(state, record.event(), record.at)
    except (JournalError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        what = str(error) if isinstance(error, JournalError) else f"{type(error).__name__}: {error}"
        raise JournalError(f"record {record.seq} does not fit the plan: {plain(what)[:500]}") from error


def knows(records: Sequence[Record], head: str) -> bool:
    """Return whether a hash that was noted elsewhere belongs to one of these records."""
    return any(record.hash == head for record in records)


def summarize(records: Sequence[Record]) -> dict[str, Any]:
    """Summarize a journal without its plan: kinds, times, people, decisions and gates."""
    events = [(record.at, record.event()) for record in records]
    people = {event.operator for _at, event in events if isinstance(event, RolloutStarted | Resumed)}
    people |= {event.by for _at, event in events if isinstance(event, Decision)}
    return {
        "records": len(records),
        "events": dict(sorted(Counter(record.kind for record in records).items())),
        "started_at": records[0].at if records else None,
        "last_at": records[-1].at if records else None,
        "operators": sorted(people - {""}),
        "decisions": [{"at": at, **event.to_data()} for at, event in events if isinstance(event, Decision)],
        "gates": [
            {"at": at, "wave": event.wave, "verdict": event.verdict, "reasons": list(event.reasons)}
            for at, event in events
            if isinstance(event, GateJudged)
        ],
    }


def command_ids(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return every command that was sent, so that it can be looked up in the services' own logs."""
    sent = [(record.at, event) for record in records if isinstance(event := record.event(), Sent)]
    return [
        {
            "at": at,
            "place": event.place,
            "command_id": event.command_id,
            "wave": event.wave,
            "stage": event.stage,
            "token": event.token,
        }
        for at, event in sent
    ]
