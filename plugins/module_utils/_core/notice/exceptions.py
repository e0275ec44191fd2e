# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notices of exceptions from patching, from their ledger and from alarms about tags. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from ..exceptions.records import ExceptionRecord, ExceptionRules, ExceptionStatus
from ..exceptions.tags import Alarm, reconcile
from ..nodes import Candidate
from ..report.rows import moment
from ..times.schedule import to_zone
from .model import Notice

#: Alarms that follow from the ledger alone. The others need the tags as they are, which ``patch_exception_sync`` reads.
OF_LEDGER = ("not_approved", "expiring")


def exception_notices(
    records: Sequence[ExceptionRecord], nodes: Sequence[Candidate], rules: ExceptionRules, today: date, policy: str
) -> Iterator[Notice]:
    """Yield the notices of a ledger: decisions, open requests, and exceptions that begin unapproved or end soon.

    :param nodes: the inventory. Without it, nobody but receivers of all nodes is notified.
    """
    for record in records:
        if record.status is ExceptionStatus.REQUESTED and record.period.end < today:
            continue
        facts = {
            "policy": policy,
            "exception": record.exception_id,
            "by": record.decided_by or record.requested_by,
            "first": str(record.period.start),
            "last": str(record.period.end),
            "reason": record.reason,
            "note": record.note,
        }
        yield Notice(
            kind=f"exception_{record.status.value}",
            about=(rules.ledger, record.exception_id, str(record.period)),
            facts=facts,
            at=moment(record.decided_at),
            nodes=_covered(record, nodes),
        )
    by_id = {item.exception_id: item for item in records}
    for alarm in reconcile(records, nodes, "", today, rules, lambda node: False).alarms:
        if alarm.kind in OF_LEDGER:
            found = by_id[alarm.exception_id]
            yield alarm_notice(alarm, (rules.ledger, str(found.period)), None, _covered(found, nodes), policy)


def listed_notice(
    records: Sequence[ExceptionRecord], nodes: Sequence[Candidate], rules: ExceptionRules, now: datetime, policy: str
) -> Notice | None:
    """Return the list of the month: nodes that an approved exception covers on some of its days.

    A receiver gets its own nodes. It follows from the ledger as it is when it is sent, in the first week of the month.
    """
    today = now.astimezone(to_zone(rules.timezone))
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = (first + timedelta(days=31)).replace(day=1)
    points: dict[str, list[str]] = {}
    for record in records:
        if record.is_approved and record.period.start < after.date() and record.period.end >= first.date():
            text = (
                f"{record.exception_id}, until {record.period.end}: {record.reason} (approved by {record.decided_by})"
            )
            for node in _covered(record, nodes):
                points.setdefault(node.node_id, []).append(text)
    if not points:
        return None
    return Notice(
        kind="exceptions_listed",
        about=(rules.ledger, f"{first:%Y-%m}"),
        facts={"policy": policy, "month": f"{first:%Y-%m}"},
        at=first,
        nodes=tuple(node for node in nodes if node.node_id in points),
        points={node: "; ".join(texts) for node, texts in points.items()},
    )


def _covered(record: ExceptionRecord, nodes: Iterable[Candidate]) -> tuple[Candidate, ...]:
    return tuple(node for node in nodes if record.applies_to(node))


def alarm_notice(
    alarm: Alarm, about: tuple[str, ...], at: datetime | None, nodes: tuple[Candidate, ...], policy: str
) -> Notice:
    """Return the notice of an alarm. :param about: what identifies it besides its kind, exception and node."""
    facts = {"policy": policy, "exception": alarm.exception_id, "alarm": alarm.kind.replace("_", " ")}
    return Notice(
        kind="exception_alarm",
        about=(*about, alarm.kind, alarm.exception_id, alarm.node_id),
        facts={**facts, "text": alarm.text},
        at=at,
        nodes=nodes,
    )
