# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synchronizes the nodes' dated tags with the exception ledger, and raises alarms. Pure.

The ledger is authoritative. Tags are written, corrected or removed to match it; a deviation that the ledger did not
cause also raises an alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from ..errors import BadInput
from ..nodes import Candidate
from .records import ExceptionRecord, ExceptionRules, ExceptionStatus, Period, parse_tag

#: Kinds of alarms, most severe first.
ALARMS = ("revoked", "hand_edited", "missing_tag", "not_in_ledger", "not_approved", "expired", "expiring", "no_node")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagAction:
    """A tag to set (``value``) or remove (``None``) on a node; ``before`` is its present value."""

    node_id: str
    value: str | None
    before: str | None
    reason: str
    exception_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that a person must know; ``kind`` is one of ``ALARMS``, ``text`` a sentence."""

    kind: str
    text: str
    node_id: str = ""
    exception_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Actions and alarms. ``records``: the ledger to store once the actions are done."""

    actions: tuple[TagAction, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    records: tuple[ExceptionRecord, ...] = field(default=(), repr=False)


def reconcile(
    records: Iterable[ExceptionRecord],
    nodes: Sequence[Candidate],
    tag_key: str,
    today: date,
    rules: ExceptionRules | None = None,
    taggable: Callable[[Candidate], bool] = lambda node: True,
) -> Reconciliation:
    """Compare the ledger with the tags of all nodes, both ways.

    :param nodes: every node that was read, with its tags; a record for none of them raises the alarm ``no_node``.
    :param tag_key: the tag that holds the period.
    :param taggable: whether a node's tag can be read and written; others only show that a record applies to a node.
    """
    wanted = rules or ExceptionRules()
    kept = sorted(records, key=lambda record: record.exception_id)
    actions: list[TagAction] = []
    alarms = [alarm for record in kept for alarm in _of_ledger(record, nodes, today, wanted)]
    tagged = [node for node in nodes if taggable(node)]
    for node in sorted(tagged, key=lambda item: item.node_id):
        found, said = _of_node([item for item in kept if _concerns(item, node)], node, tag_key, today)
        actions.extend(found)
        alarms.extend(said)
    alarms.sort(key=lambda alarm: (ALARMS.index(alarm.kind), alarm.exception_id, alarm.node_id))
    after = after_actions(kept, tagged, actions, tag_key)
    return Reconciliation(actions=tuple(actions), alarms=tuple(alarms), records=after)


def _concerns(record: ExceptionRecord, node: Candidate) -> bool:
    return node.node_id in record.tagged or record.applies_to(node)


def _of_ledger(
    record: ExceptionRecord, nodes: Sequence[Candidate], today: date, rules: ExceptionRules
) -> Iterable[Alarm]:
    """Raise the alarms of the ledger alone: records that end soon, begin unapproved, or apply to no node."""
    name, period = record.exception_id, record.period
    live = record.status in (ExceptionStatus.REQUESTED, ExceptionStatus.APPROVED) and period.end >= today
    if not live:
        return
    if not any(record.applies_to(node) for node in nodes):
        yield Alarm(kind="no_node", exception_id=name, text=f"Exception {name} matches no node in the inventory.")
    if record.is_approved and (period.end - today).days < rules.expiring_days:
        text = f"Exception {name} ends on {period.end}. From the next day, its nodes are patched again."
        yield Alarm(kind="expiring", exception_id=name, text=text)
    if not record.is_approved and (period.start - today).days < rules.expiring_days:
        text = f"Exception {name}, requested by {record.requested_by}, begins on {period.start} and is not approved."
        yield Alarm(kind="not_approved", exception_id=name, text=text)


def _of_node(
    records: Sequence[ExceptionRecord], node: Candidate, tag_key: str, today: date
) -> tuple[list[TagAction], list[Alarm]]:
    """Compare one node's tag with the records that apply to it or were written to it."""
    have = node.tags.get(tag_key)
    owner, period = wanted_period([item for item in records if item.is_approved and item.applies_to(node)], today)
    written = {record.tagged[node.node_id]: record for record in records if node.node_id in record.tagged}
    if owner and period:
        if have == str(period):
            return [], []
        action = TagAction(
            node_id=node.node_id,
            value=str(period),
            before=have,
            reason=f"exception {owner.exception_id} is approved",
            exception_id=owner.exception_id,
        )
        return [action], _changed_by_hand(owner, node, have, str(period), written)
    if have is None:
        gone = [item for item in written.values() if item.status is ExceptionStatus.REVOKED]
        return [], [_revoked(item, node) for item in gone]
    alarm = _why_not(records, node, have, today, written)
    action = TagAction(
        node_id=node.node_id, value=None, before=have, reason=alarm.text, exception_id=alarm.exception_id
    )
    return [action], [alarm]


def wanted_period(approved: Sequence[ExceptionRecord], today: date) -> tuple[ExceptionRecord | None, Period | None]:
    """Return the period for the tag: the one that is not over, joined with those that touch or overlap it.

    The record is the one that begins first. A tag holds one period, so a later, separate one has to wait for its turn.
    """
    joined: list[tuple[ExceptionRecord, Period]] = []
    for record in sorted(approved, key=lambda item: (item.period, item.exception_id)):
        last = joined[-1] if joined else None
        if last and record.period.start <= last[1].end + timedelta(days=1):
            end = max(last[1].end, record.period.end)
            joined[-1] = (last[0], Period(start=last[1].start, end=end))
        else:
            joined.append((record, record.period))
    return next(((record, period) for record, period in joined if period.end >= today), (None, None))


def _changed_by_hand(
    owner: ExceptionRecord, node: Candidate, have: str | None, wanted: str, written: Mapping[str, ExceptionRecord]
) -> list[Alarm]:
    """Return an alarm unless the tag is as the ledger last wrote it, or was never written and does not exist."""
    if (have is None and not written) or have in written:
        return []
    name, last = owner.exception_id, next(iter(written), None)
    if have is None:
        text = f"The exception tag of {node.node_id} is missing, but exception {name} ({wanted}) is in the ledger."
        return [Alarm(kind="missing_tag", node_id=node.node_id, exception_id=name, text=text)]
    was = f" instead of {last!r}" if last else ""
    text = f"The exception tag of {node.node_id} is {have!r}{was}, but exception {name} lasts {wanted}."
    return [Alarm(kind="hand_edited", node_id=node.node_id, exception_id=name, text=text)]


def _why_not(
    records: Sequence[ExceptionRecord],
    node: Candidate,
    have: str,
    today: date,
    written: Mapping[str, ExceptionRecord],
) -> Alarm:
    """Return why a tag is not valid: by the record that wrote it, otherwise by the one with that period."""
    record = written.get(have) or next((item for item in records if str(item.period) == have), None)
    if record is None:
        period = _to_period(have)
        wrong = "" if period else " and is not a period such as 2026-11-01/2026-11-30"
        text = f"The exception tag {have!r} of {node.node_id} is not in the ledger{wrong}."
        return Alarm(kind="not_in_ledger", node_id=node.node_id, text=text)
    name = record.exception_id
    if record.status is ExceptionStatus.REVOKED:
        return _revoked(record, node)
    if record.is_approved and record.period.end < today:
        kind, text = "expired", f"Exception {name} of {node.node_id} ended on {record.period.end}."
    elif record.is_approved:
        kind, text = "not_in_ledger", f"The exception tag {have!r} of {node.node_id} does not match exception {name}."
    else:
        kind, text = "not_approved", f"{node.node_id} has the tag of exception {name}, which is {record.status.value}."
    return Alarm(kind=kind, node_id=node.node_id, exception_id=name, text=text)


def _revoked(record: ExceptionRecord, node: Candidate) -> Alarm:
    name, by = record.exception_id, record.decided_by or "somebody"
    text = f"Exception {name} of {node.node_id} was revoked by {by}."
    return Alarm(kind="revoked", node_id=node.node_id, exception_id=name, text=text)


def _to_period(value: str) -> Period | None:
    try:
        return parse_tag(value)
    except BadInput:
        return None


def after_actions(
    records: Sequence[ExceptionRecord], nodes: Sequence[Candidate], actions: Sequence[TagAction], tag_key: str
) -> tuple[ExceptionRecord, ...]:
    """Return the ledger with the tags of each node after these actions.

    :param nodes: those whose tags are known, as they were before.
    """
    shown: dict[str, str | None] = {node.node_id: node.tags.get(tag_key) for node in nodes}
    shown.update({action.node_id: action.value for action in actions})
    by_id = {node.node_id: node for node in nodes}
    found = []
    for record in records:
        tagged = {node_id: value for node_id, value in record.tagged.items() if node_id not in by_id}
        if record.is_approved:
            for node_id, value in shown.items():
                period = _to_period(value) if value and record.applies_to(by_id[node_id]) else None
                if value and period and record.period.start in period and record.period.end in period:
                    tagged[node_id] = value
        found.append(record if dict(record.tagged) == tagged else replace(record, tagged=tagged))
    return tuple(found)
