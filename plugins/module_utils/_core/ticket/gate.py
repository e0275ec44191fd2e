# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a ServiceNow change lets a plan be carried out now. Pure.

Approved AND in a state in which work may begin AND inside the planned window. One field alone is not enough:
``approval`` can be ``approved`` in the state New (ansible-collections/servicenow.itsm#257). Values are those of the
Table API: times in UTC (KB0534905), states by number (servicenow.itsm, plugins/module_utils/change_request.py). A field
that the account may not read is missing in the answer, and unknown is not approved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from ..text import plain

STATES: Mapping[str, str] = {
    "-5": "New",
    "-4": "Assess",
    "-3": "Authorize",
    "-2": "Scheduled",
    "-1": "Implement",
    "0": "Review",
    "3": "Closed",
    "4": "Canceled",
}
READY = ("-2", "-1")
#: The fields that decide; they are kept as evidence, with the number of writes to the record.
FIELDS = (
    "number",
    "sys_id",
    "correlation_id",
    "state",
    "approval",
    "on_hold",
    "start_date",
    "end_date",
    "sys_mod_count",
)


def value_of(change: Mapping[str, Any], name: str) -> str | None:
    """Return a field of a record, with or without its link or display value; ``None`` if it could not be read."""
    found = change.get(name)
    if isinstance(found, Mapping):
        found = found.get("value")
    return None if found is None else str(found)


def objections(change: Mapping[str, Any], wanted: str, now: datetime) -> list[str]:
    """Return why a change does not let its plan be carried out now; nothing if it does.

    :param wanted: the correlation ID that the change must have. :param now: an aware time.
    """
    missing = [name for name in FIELDS if value_of(change, name) is None]
    if missing:
        return [f"this account cannot read its {', '.join(missing)}, so it is unknown whether it is approved"]
    return list(_objections({name: value_of(change, name) or "" for name in FIELDS}, wanted, now))


def _objections(change: Mapping[str, str], wanted: str, now: datetime) -> Iterator[str]:
    if change["correlation_id"] != wanted:
        yield f"its correlation ID is {plain(change['correlation_id'])!r}, not {wanted!r}"
    if change["approval"] != "approved":
        yield f"its approval is {plain(change['approval'])!r}, not 'approved'"
    if change["state"] not in READY:
        state = STATES.get(change["state"], change["state"])
        yield f"its state is {plain(state)}, not Scheduled or Implement"
    if change["on_hold"] != "false":
        yield "it is on hold"
    yield from _window(change["start_date"], change["end_date"], now)


def _window(start: str, end: str, now: datetime) -> Iterator[str]:
    try:
        begins, ends = (
            datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc) for text in (start, end)
        )
    except ValueError:
        yield f"its planned window is from {plain(start)!r} to {plain(end)!r}, which are not two times"
        return
    if now < begins:
        yield f"its planned window begins at {start} UTC"
    if now >= ends:
        yield f"its planned window ended at {end} UTC"
