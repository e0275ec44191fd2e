# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exception ledger: approved, dated reasons not to patch a node. Pure.

A record is requested, then approved or rejected by somebody else, and may be revoked. It is in force from the first to
the last of its days, both included; days are those of the time zone the policy uses. On the node the period stands in
a tag such as ``2026-11-01/2026-11-30``; the ledger is authoritative, the tag its copy (see ``tags``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from ..errors import BadInput
from ..nodes import Candidate, Select, matches
from ..read import read
from .people_names import check_name, same_person

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ONLY_PLANS_KNOW = ("missed", "cves", "kev", "severity_sla")
_SELECTORS = tuple(sorted(item.name for item in fields(Select) if item.name not in _ONLY_PLANS_KNOW))
_DAYS = ("max_days", "expiring_days")
_TEXTS = ("ledger", "tag", "timezone")


class ExceptionStatus(str, Enum):
    """Status of a record; only an approved one prevents patching."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    REVOKED = "revoked"


_NEXT = {
    ExceptionStatus.REQUESTED: (ExceptionStatus.APPROVED, ExceptionStatus.REJECTED, ExceptionStatus.REVOKED),
    ExceptionStatus.APPROVED: (ExceptionStatus.REVOKED,),
    ExceptionStatus.REJECTED: (),
    ExceptionStatus.REVOKED: (),
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Period:
    """Days from ``start`` to ``end``, both included. ``str()`` is the tag's value."""

    start: date
    end: date

    def __str__(self) -> str:
        return f"{self.start.isoformat()}/{self.end.isoformat()}"

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRules:
    """Dated exceptions from patching. An empty ``ledger`` or ``tag`` is not used.

    ``four_eyes``: nobody approves their own request.
    """

    ledger: str = ""
    tag: str = "PatchException"
    max_days: int = 90
    expiring_days: int = 7
    four_eyes: bool = True
    timezone: str = "UTC"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None, prefix: str = "exceptions.") -> ExceptionRules:
        """Read policy data. :raises BadInput: with the option's path."""
        known = [item.name for item in fields(cls)]
        for key, value in (data or {}).items():
            if key not in known:
                raise BadInput(f"{prefix}{key}", value, f"one of {', '.join(known)}")
            if key == "four_eyes" and not isinstance(value, bool):
                raise BadInput(f"{prefix}{key}", value, "true or false")
            if key in _DAYS and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise BadInput(f"{prefix}{key}", value, "a number of days, 1 or more")
            if key in _TEXTS and not isinstance(value, str):
                raise BadInput(f"{prefix}{key}", value, "a text")
        return cls(**(data or {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRecord:
    """One entry of the ledger.

    ``select`` selects nodes like a wave's selector. ``tagged`` has the value written to each node's tag, to distinguish
    a manually edited tag from an outdated one that the ledger wrote.
    """

    exception_id: str
    select: Select
    period: Period
    reason: str
    requested_by: str
    status: ExceptionStatus = ExceptionStatus.REQUESTED
    decided_by: str = ""
    decided_at: str = ""
    note: str = ""
    tagged: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_approved(self) -> bool:
        return self.status is ExceptionStatus.APPROVED

    def applies_to(self, node: Candidate) -> bool:
        return matches(node, self.select)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data in the form that the ledger stores."""
        return {
            "exception_id": self.exception_id,
            "select": self.select.to_dict(),
            "from": self.period.start.isoformat(),
            "to": self.period.end.isoformat(),
            "reason": self.reason,
            "requested_by": self.requested_by,
            "status": self.status.value,
            "decided_by": self.decided_by,
            "decided_at": self.decided_at,
            "note": self.note,
            "tagged": dict(self.tagged),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], prefix: str = "") -> ExceptionRecord:
        """Read the data of ``to_dict``, or a user's request; ``node`` is short for a selector with one node.

        :raises BadInput: with the member's path.
        """
        known = {"exception_id", "select", "node", "from", "to", "reason", "requested_by", "status"}
        known |= {"decided_by", "decided_at", "note", "tagged"}
        for key in data:
            if key not in known:
                raise BadInput(f"{prefix}{key}", data[key], f"one of {', '.join(sorted(known))}")
        try:
            status = ExceptionStatus(data.get("status") or "requested")
        except ValueError:
            allowed = ", ".join(item.value for item in ExceptionStatus)
            raise BadInput(f"{prefix}status", data["status"], f"one of {allowed}") from None
        return cls(
            exception_id=_text(data, "exception_id", prefix),
            select=_select(data, prefix),
            period=to_period(data.get("from"), data.get("to"), prefix),
            reason=_text(data, "reason", prefix),
            requested_by=_text(data, "requested_by", prefix),
            status=status,
            decided_by=str(data.get("decided_by") or ""),
            decided_at=str(data.get("decided_at") or ""),
            note=str(data.get("note") or ""),
            tagged={str(node): str(value) for node, value in (data.get("tagged") or {}).items()},
        )


def _text(data: Mapping[str, Any], key: str, prefix: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"{prefix}{key}", value, "a text that is not empty")
    return value.strip()


def _select(data: Mapping[str, Any], prefix: str) -> Select:
    if node := data.get("node"):
        return Select(nodes=(str(node),))
    select = data.get("select")
    if not isinstance(select, Mapping) or not any(select.values()):
        raise BadInput(f"{prefix}select", select, "at least one criterion, because an exception cannot cover all nodes")
    for key, value in select.items():
        if key not in _SELECTORS:
            raise BadInput(f"{prefix}select.{key}", value, f"one of {', '.join(_SELECTORS)}")
    return read(Select, select)


def to_period(start: object, end: object, prefix: str = "") -> Period:
    """Read the first and the last day, as dates or ``YYYY-MM-DD``. :raises BadInput: ``from`` or ``to``."""
    found = Period(start=to_day(start, f"{prefix}from"), end=to_day(end, f"{prefix}to"))
    if found.end < found.start:
        raise BadInput(f"{prefix}to", found.end.isoformat(), f"a day not before {found.start.isoformat()}")
    return found


def to_day(value: object, option: str) -> date:
    """Read a day, as a date or ``YYYY-MM-DD``. :raises BadInput: it is not a day."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and re.fullmatch(_DAY, value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise BadInput(option, value, "a day such as 2026-11-01")


def parse_tag(value: str, option: str = "exception tag") -> Period:
    """Read a tag's value, ``2026-11-01/2026-11-30``. :raises BadInput: it is not a period."""
    match = re.fullmatch(rf"\s*({_DAY})\s*/\s*({_DAY})\s*", value)
    if not match:
        raise BadInput(option, value, "the first and the last day, such as 2026-11-01/2026-11-30")
    try:
        return to_period(match[1], match[2])
    except BadInput as error:
        raise BadInput(option, value, error.expected) from None


def check_request(record: ExceptionRecord, rules: ExceptionRules, today: date, prefix: str = "") -> None:
    """Check a new or changed record against the policy. :raises BadInput: it is too long, or ends before it begins."""
    if record.period.days > rules.max_days:
        latest = record.period.start + timedelta(days=rules.max_days - 1)
        expected = f"{latest.isoformat()} at the latest, because an exception lasts at most {rules.max_days} days"
        raise BadInput(f"{prefix}to", record.period.end.isoformat(), expected)
    if record.period.end < today:
        raise BadInput(f"{prefix}to", record.period.end.isoformat(), f"{today} or later")


def decide_exception(
    record: ExceptionRecord, status: ExceptionStatus, by: str, at: str, rules: ExceptionRules, note: str = ""
) -> ExceptionRecord:
    """Approve, reject or revoke. A repeated decision changes nothing.

    :raises BadInput: the step is not possible, no person decides, or the requester approves.
    """
    if record.status is status:
        return record
    if not by.strip():
        raise BadInput("decided_by", by, "the name of the person who decides")
    check_name(by, "decided_by")
    if status not in _NEXT[record.status]:
        options = " or ".join(item.value for item in _NEXT[record.status]) or "no other status; request a new one"
        raise BadInput("status", status.value, f"{options}, because the exception is {record.status.value}")
    if status is ExceptionStatus.APPROVED and rules.four_eyes and same_person(by, record.requested_by):
        raise BadInput("decided_by", by, "a person other than the requester")
    return replace(record, status=status, decided_by=by.strip(), decided_at=at, note=note)


def in_force(records: Iterable[ExceptionRecord], day: date) -> list[ExceptionRecord]:
    """Return the approved records whose period holds that day, the longest-lasting first."""
    found = [record for record in records if record.is_approved and day in record.period]
    return sorted(found, key=lambda record: (-record.period.end.toordinal(), record.exception_id))
