# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a newer scan shows about planned patches, while there is still time to plan again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ..errors import PatchtideError
from ..stamp import from_time
from ..text import plain
from ..work.proof import Row, instead_of, rows_of


class StaleScan(PatchtideError):
    """The scan is older than the policy allows at the start of a rollout."""

    code = "StaleScan"


def check_age(scan: Mapping[str, Any] | None, now: datetime, hours: int | None) -> None:
    """Refuse to start with a scan that is too old, or with none.

    :param hours: the policy's ``patching.rescan_hours``; ``None`` is not checked. :raises StaleScan: says what to do.
    """
    if hours is None:
        return
    at = str((scan or {}).get("at") or "")
    if not at or now - from_time(at) > timedelta(hours=hours):
        told = f"scan.json is from {at}" if at else "there is no scan.json"
        raise StaleScan(
            f"patching.rescan_hours is {hours}, and {told}. Run scan_compliance again before the rollout starts; it "
            "names planned patches that are no longer offered."
        )


def find_withdrawn(plan: Mapping[str, Any], scan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the planned patches that a newer scan no longer lists as missing, each with its successor.

    A patch that is gone without a successor was installed meanwhile, or is no longer offered: a scan can't show which.

    :returns: ``id``, ``title``, ``text`` and ``nodes`` (how many), those with a successor first.
    """
    if str(scan.get("digest") or "") == str((plan.get("scan") or {}).get("digest") or "?"):
        return []
    found: dict[tuple[Row, str], int] = {}
    for node, record in _scanned(plan, scan["nodes"]):
        missing = rows_of(record.get("missing"))
        windows = node.get("platform") == "windows"
        for row in _gone(rows_of(node.get("patches")), missing, windows=windows):
            key = (row, instead_of(row, missing, windows=windows))
            found[key] = found.get(key, 0) + 1
    ranked = sorted(found, key=lambda key: (not key[1], -found[key], key))
    return [
        {
            "id": row[0],
            "title": row[1],
            "text": f"replaced by {other}" if other else "no longer missing: installed meanwhile, or no longer offered",
            "nodes": found[row, other],
        }
        for row, other in ranked
    ]


def _scanned(
    plan: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for wave in plan["waves"]:
        for node in wave["nodes"]:
            record = records.get(node["node_id"])
            if record and record.get("status") in ("succeeded", "no_op"):
                yield node, record


def _gone(planned: Iterable[Row], missing: Iterable[Row], *, windows: bool) -> Iterator[Row]:
    now = {row[0] if windows else row for row in missing}
    return (row for row in planned if (row[0] if windows else row) not in now)


def to_sentence(item: Mapping[str, Any]) -> str:
    """Return a line about a planned patch that is gone."""
    nodes = "1 node" if item["nodes"] == 1 else f"{item['nodes']:,} nodes"
    return f"planned patch {plain(item['title'] or item['id'])} on {nodes}: {plain(item['text'])}"
