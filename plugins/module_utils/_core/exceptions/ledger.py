# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared changes to one exception, and its ledger. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

from ..canonical import to_digest
from ..errors import BadInput
from .people_names import check_name
from .records import (
    ExceptionRecord,
    ExceptionRules,
    ExceptionStatus,
    check_request,
    decide_exception,
)

#: Receives the present record, ``None`` if there is none, and returns the new one; it may be called repeatedly.
Decide = Callable[["ExceptionRecord | None"], "ExceptionRecord | None"]
_REQUEST = ("node", "select", "from", "to", "reason")


class Ledger(Protocol):
    """Where exceptions are kept. Concurrent writers never lose each other's changes."""

    def read(self) -> list[ExceptionRecord]:
        """Return all records by ID; none if the ledger was never written to."""

    def change(self, exception_id: str, decide: Decide, *, write: bool = True) -> tuple[Any, Any]:
        """Replace one record by the one that ``decide`` returns; return both.

        :param write: ``False`` only returns what would happen.
        """


def name_of(options: Mapping[str, Any]) -> str:
    """Return the exception's ID. By default it follows from nodes and days, so a repeated request is the same record.

    :raises BadInput: the options do not identify an exception.
    """
    if given := str(options.get("exception_id") or "").strip():
        return given
    known = {key: options[key] for key in ("node", "select", "from", "to") if options.get(key)}
    if not {"from", "to"} <= set(known) or not {"node", "select"} & set(known):
        expected = "an exception id, or node or select with from and to"
        raise BadInput("exception_id", options.get("exception_id"), expected)
    select = {"nodes": [known["node"]]} if "node" in known else known["select"]
    return f"ex-{to_digest({'select': select, 'from': str(known['from']), 'to': str(known['to'])})[:12]}"


def declare(
    before: ExceptionRecord | None,
    options: Mapping[str, Any],
    rules: ExceptionRules,
    *,
    who: str,
    today: date,
    at: str,
) -> ExceptionRecord | None:
    """Return the record that the options request: ``state`` requested, approved, rejected, revoked or absent.

    An approved exception is never changed or deleted while it is in force: revoke it and request a new one.

    :param who: the person who runs this: requester or decider if the options name nobody.
    :raises BadInput: the policy or the record's status does not allow it.
    """
    state = options["state"]
    if state == "absent":
        _check_absent(before, today)
        return None
    wanted = _requested(before, options, rules, who=who, today=today)
    if state == "requested":
        return wanted
    status = ExceptionStatus(state)
    if status is ExceptionStatus.APPROVED and wanted.status is ExceptionStatus.REQUESTED:
        check_request(wanted, rules, today)
    by = str(options.get("decided_by") or "").strip() or who
    return decide_exception(wanted, status, by, at, rules, str(options.get("note") or ""))


def _check_absent(before: ExceptionRecord | None, today: date) -> None:
    if before and before.is_approved and before.period.end >= today:
        expected = f"revoked, because exception {before.exception_id} is approved until {before.period.end}"
        raise BadInput("state", "absent", expected)


def _requested(
    before: ExceptionRecord | None, options: Mapping[str, Any], rules: ExceptionRules, *, who: str, today: date
) -> ExceptionRecord:
    name = name_of(options)
    given = {key: options[key] for key in _REQUEST if options.get(key)}
    if before is None:
        if not given:
            raise BadInput("exception_id", name, "an exception in the ledger")
        by = options.get("requested_by") or (who if options["state"] == "requested" else "")
        record = ExceptionRecord.from_dict({**given, "exception_id": name, "requested_by": by})
        check_name(record.requested_by, "requested_by")
        check_request(record, rules, today)
        return record
    record = ExceptionRecord.from_dict({**before.to_dict(), **given})
    if record == before:
        return before
    if before.status is not ExceptionStatus.REQUESTED:
        changed = next(key for key, value in record.to_dict().items() if value != before.to_dict()[key])
        have = before.to_dict()[changed]
        expected = f"{have!r}, because exception {name} is {before.status.value}; request a new exception"
        raise BadInput(changed, record.to_dict()[changed], expected)
    check_request(record, rules, today)
    return record


def with_tags(tagged: Mapping[str, str]) -> Decide:
    """Return the step that notes which tags the ledger has written; a record that is gone stays gone."""

    def decide(record: ExceptionRecord | None) -> ExceptionRecord | None:
        return replace(record, tagged=dict(tagged)) if record else None

    return decide
