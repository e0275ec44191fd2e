# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes must not be patched at a time because of an exception in the ledger or in the node's tag.

The ledger is authoritative. A tag counts too, since it may have been set where the ledger is out of reach; but a tag
that the ledger itself has written and since revoked no longer counts, even if it is not removed yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo

from ..errors import BadInput
from ..nodes import Candidate
from .records import ExceptionRecord, parse_tag

#: Returns why a node must not be patched, or ``None``.
Why = Callable[[Candidate], "str | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionGuard:
    """The ledger's records, the key of the dated tag ("" for none), and the zone whose days count."""

    records: tuple[ExceptionRecord, ...] = ()
    tag: str = ""
    zone: tzinfo = timezone.utc

    def during(self, start: datetime, end: datetime) -> Why:
        """Return a function that checks a node for ``[start, end)``; make it once for many nodes."""
        first = start.astimezone(self.zone).date()
        last = max(start, end - timedelta(microseconds=1)).astimezone(self.zone).date()
        live = [item for item in self.records if item.is_approved and _overlap(item, first, last)]
        live.sort(key=lambda item: (-item.period.end.toordinal(), item.exception_id))
        named: dict[str, ExceptionRecord] = {}  # most exceptions name their nodes; a plan asks for 100,000 of them
        for record in live:
            for name in record.select.nodes if record.select.by_name else ():
                named.setdefault(name, record)
        others = [record for record in live if not record.select.by_name]

        def why(node: Candidate) -> str | None:
            record = named.get(node.node_id) or named.get(node.host)
            record = record or next((item for item in others if item.applies_to(node)), None)
            return describe(record) if record else self._tagged(node, first, last)

        return why

    def _tagged(self, node: Candidate, first: date, last: date) -> str | None:
        value = node.tags.get(self.tag, "").strip() if self.tag else ""
        if not value:
            return None
        try:
            period = parse_tag(value)
        except BadInput:
            return f"its tag {self.tag} is {value!r}, which is not a period such as 2026-11-01/2026-11-30"
        if period.end < first or period.start > last or outgrown(self.records, node, value):
            return None
        return f"exception until {period.end} by its tag {self.tag}"


def _overlap(record: ExceptionRecord, first: date, last: date) -> bool:
    return record.period.start <= last and record.period.end >= first


def outgrown(records: Iterable[ExceptionRecord], node: Candidate, value: str) -> bool:
    """Return whether a tag belongs to records that are not, or no longer, approved: the ledger takes precedence."""
    about = [
        item
        for item in records
        if item.tagged.get(node.node_id) == value or (str(item.period) == value and item.applies_to(node))
    ]
    return bool(about) and not any(item.is_approved for item in about)


def describe(record: ExceptionRecord) -> str:
    """Return which exception it is, who approved it, and until when."""
    return (
        f"exception {record.exception_id} until {record.period.end}, approved by {record.decided_by}: {record.reason}"
    )


def in_force_nodes(records: Sequence[ExceptionRecord], nodes: Sequence[Candidate]) -> dict[str, list[str]]:
    """Return the IDs of the nodes to which each record applies."""
    return {item.exception_id: sorted(node.node_id for node in nodes if item.applies_to(node)) for item in records}
