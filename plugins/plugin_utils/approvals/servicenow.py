# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads approvals from ServiceNow: who approved the change that carries the digest of the plan.

Everything is read from the instance, before every wave. It proves who clicked, not what they read. The facts:

- ``sysapproval_approver`` has a row for each person who is asked, with ``state`` requested, approved, rejected,
  cancelled or not_required; a group approval has such rows too (ServiceNow's documentation, "Approvals")
- ``sys_created_on`` and ``sys_updated_by`` are system fields, which nobody sets through the Table API ("Table
  administration"): a row that the approver wrote last is the approver's own click, and nobody's on their behalf
- a query with a condition that the instance doesn't know returns all rows, and without read access it returns none, or
  rows without the field ("Table API", "glide.invalid_query.returns_no_rows"): every row is compared again

The change must let the plan run now, see ``gate``. An approval counts only if the page of exactly this plan was
attached before it was asked for, so that an approved change cannot be given to another plan.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ...module_utils._core.text import plain
from ...module_utils._core.ticket.gate import FIELDS, objections
from ...module_utils._core.ticket.texts import correlation_id, page_name
from ...module_utils._core.trust.bundle import Bundle, Person
from ...module_utils._core.trust.votes import Found, Vote
from .https_read import Fetch, Unreadable, fetch_from, to_basic, to_bearer
from .trust import Trust

SOURCE = "servicenow"
_VERDICTS = {"approved": "approve", "rejected": "reject"}
_APPROVER = ("sys_id", "sysapproval", "state", "approver", "approver.user_name", "sys_created_on", "sys_updated_on",
             "sys_updated_by")  # fmt: skip
#: More than a change has; a list that is longer is refused, not cut.
_MOST_ROWS = 1000
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ServiceNowApprovals:
    """An ``ApprovalSource``: the approvers of the one change whose correlation ID is the plan's."""

    instance: str
    bundle: Bundle
    fetch: Fetch
    name: str = SOURCE

    def gather(self, plan: Mapping[str, Any], now: datetime) -> list[Found]:
        wanted = correlation_id(plan)
        changes = self._rows("table/change_request", f"correlation_id={wanted}", FIELDS)
        changes = [row for row in changes if row.get("correlation_id") == wanted]
        if len(changes) != 1:
            why = f"{len(changes)} changes that this account may read have the correlation ID {wanted}, not one"
            return [Found(label=f"ServiceNow {self.instance}", source=SOURCE, objection=why)]
        return list(self._change(changes[0], plan, now))

    def _change(self, change: Row, plan: Mapping[str, Any], now: datetime) -> Iterator[Found]:
        label, sys_id = f"change {plain(change.get('number'))}", change["sys_id"]
        whys = objections(change, correlation_id(plan), now)
        if whys:
            yield Found(label=label, source=SOURCE, objection="; ".join(whys))
        attached = self._attached(sys_id, page_name(plan))
        rows = self._rows("table/sysapproval_approver", f"sysapproval={sys_id}", _APPROVER)
        asked = [row for row in rows if row.get("sysapproval") == sys_id and row.get("state") in _VERDICTS]
        if not asked and not whys:
            yield Found(
                label=label, source=SOURCE, objection="no person has approved it, as its template or nobody has"
            )
        for row in asked:
            yield self._approver(change, row, attached, whys, now)

    def _attached(self, sys_id: str, name: str) -> datetime | None:
        """Return when the page of the plan was attached to the change; ``None`` if it never was."""
        rows = self._rows("attachment", f"table_sys_id={sys_id}^file_name={name}")
        mine = [row for row in rows if (row.get("table_sys_id"), row.get("file_name")) == (sys_id, name)]
        return min((_time(row, "sys_created_on") for row in mine), default=None)

    def _approver(self, change: Row, row: Row, attached: datetime | None, whys: list[str], now: datetime) -> Found:
        """Judge one person's click. A rejection counts whatever the state of the change is."""
        login, verdict = plain(row.get("approver.user_name")), _VERDICTS[row["state"]]
        label = f"approval of {login} in change {plain(change.get('number'))}"
        asked, clicked = _time(row, "sys_created_on"), _time(row, "sys_updated_on")
        person = self._person(row.get("approver"))
        why = self._objection(person, row, now)
        if not why and clicked > now:
            why = f"it is of {clicked}, in the future"
        if not why and verdict == "approve":
            if attached is None or attached > asked:
                why = "the page of this plan was not attached to the change before the approval was asked for"
            elif whys:
                why = "its change does not let the plan run now"
        if why or person is None:
            return Found(label=label, source=SOURCE, objection=why)
        kept = {"change": {name: change[name] for name in FIELDS if name in change}, "approval": dict(row)}
        return Found(
            label=label,
            source=SOURCE,
            statement=json.dumps(kept, indent=2, sort_keys=True).encode(),
            vote=Vote(
                principal=person.principal,
                verdict=verdict,
                roles=person.roles,
                source=SOURCE,
                hours=(now - clicked).total_seconds() / 3600,
                reason=f"rejected in change {plain(change.get('number'))}" if verdict != "approve" else "",
                proof=f"{self.instance}/{row['sys_id']}",
            ),
        )

    def _person(self, user: object) -> Person | None:
        people = self.bundle.people.values()
        return next((item for item in people if item.servicenow.get(self.instance) == user), None)

    def _objection(self, person: Person | None, row: Row, now: datetime) -> str:
        """Return why a user's click does not count; empty if it does."""
        login, user = row.get("approver.user_name"), f"user {plain(row.get('approver'))} of {self.instance}"
        if person is None:
            return f"{user} is nobody of the bundle"
        if person.service:
            return f"{user} is {person.principal}, a service account, and those never count"
        if not login or row.get("sys_updated_by") != login:
            return f"{plain(row.get('sys_updated_by'))} wrote it last, not the approver"
        return self.bundle.revoked("person", person.principal, now)

    def _rows(self, where: str, query: str, fields: tuple[str, ...] = ()) -> list[Row]:
        """Return the rows that a query finds in a table, or among the attachments."""
        given = {"sysparm_query": query, "sysparm_limit": str(_MOST_ROWS)}
        given |= {"sysparm_fields": ",".join(fields)} if fields else {}
        given |= {"sysparm_exclude_reference_link": "true", "sysparm_display_value": "false"}
        path = f"/api/now/{where}?{urlencode(given)}"
        answer = self.fetch(path)
        rows = answer.get("result") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "sys_id" in row for row in rows):
            raise Unreadable(f"{self.instance} answered {where} with something other than rows that have a sys_id.")
        if len(rows) >= _MOST_ROWS:
            raise Unreadable(f"{self.instance} has {_MOST_ROWS} or more rows of {where}, where a change has a few.")
        return rows


def _time(row: Row, name: str) -> datetime:
    """Return a time of a row, which is in UTC. :raises Unreadable: it can't be read."""
    try:
        return datetime.strptime(str(row.get(name)), "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        raise Unreadable(f"ServiceNow shows {plain(row.get(name))!r} as {name}, which is no time.") from None


def to_servicenow(trust: Trust) -> ServiceNowApprovals:
    """Return the source for the instance in the pins."""
    row = trust.pins.servicenow
    if not row:
        raise Unreadable(
            "The trust bundle admits approvals of ServiceNow, and the pins of this controller name no instance to read."
        )
    url, secret, user = row["url"].rstrip("/"), Path(row["secret_file"]), row.get("user")

    def login() -> dict[str, str]:
        return to_basic(user, secret) if user else to_bearer(secret)

    return ServiceNowApprovals(url, trust.bundle, fetch_from(url, login, row.get("ca_file")))
