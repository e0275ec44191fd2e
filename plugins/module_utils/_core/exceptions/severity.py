# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How severe the patches are that an exception leaves open, and how long it may last for that. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ..errors import BadInput
from ..nodes import IDENTITY, Candidate, Select, matches
from ..stamp import from_time
from .records import ExceptionRecord

#: What is not known is limited as the most severe.
UNKNOWN = "unknown"
SEVERITIES = ("critical", "important", "moderate", "low")
#: An older scan says nothing about the patches that are missing now.
_NEWEST_DAYS = 7
#: Amazon Linux says "medium" where Red Hat, SUSE and Microsoft say "moderate" (DescribePatchProperties, SEVERITY).
_SAME = {"medium": "moderate"}


def open_severities(select: Select, scan: Mapping[str, Any] | None, now: datetime) -> tuple[str, ...]:
    """Return the severities of the patches that are missing on the selected nodes, ``unknown`` among them if a node is
    not in the scan, nothing is missing yet, or a patch has no severity. Criteria such as tags, which scans do not
    record, select no node of it.

    :param scan: the content of ``scan.json``; one that is older than a week counts as none.
    """
    if scan is None or not timedelta(0) <= now - from_time(str(scan["at"])) <= timedelta(days=_NEWEST_DAYS):
        return (UNKNOWN,)
    found = set(_severities(select, scan["nodes"]))
    return tuple(name for name in (*SEVERITIES, UNKNOWN) if name in (found or {UNKNOWN}))


def _severities(select: Select, records: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    named = set(select.nodes)
    for node_id, record in records.items():
        known: dict[str, Any] = {name: str(record.get(name) or "") for name in (*IDENTITY, "host", "patch_group")}
        node = Candidate(**{**known, "node_id": node_id})
        if not matches(node, select):
            continue
        named -= {node.node_id, node.host}
        if record.get("status") not in ("succeeded", "no_op"):
            yield UNKNOWN
        for patch in record.get("missing") or ():
            name = str(patch.get("severity") or "").lower()
            name = _SAME.get(name, name)
            yield name if name in SEVERITIES else UNKNOWN
    if named:
        yield UNKNOWN


def check_length(record: ExceptionRecord, severities: Iterable[str], limits: Mapping[str, int]) -> None:
    """Check an exception's length.

    :param limits: maximum days by severity, ``any`` for those that are not named.
    :raises BadInput: it is longer than the limits allow for what stays open.
    """
    for severity in severities:
        if severity == UNKNOWN:
            most, why = min(limits.values(), default=None), "the severity of the patches that stay open is unknown"
        else:
            most, why = limits.get(severity, limits.get("any")), f"patches of the severity {severity} stay open"
        if most is not None and record.period.days > most:
            raise BadInput(
                "to", record.period.end.isoformat(), f"at most {most} days by the trust bundle, because {why}"
            )
