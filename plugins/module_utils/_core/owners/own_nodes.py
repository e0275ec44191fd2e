# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What owners may see: the nodes that are theirs by the policy, with compliance, window and exception. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..exceptions.guard import Why
from ..nodes import Candidate
from ..report.model import Report
from ..report.rows import UNKNOWN, Row
from ..text import plain


def own_rows(mine: Iterable[tuple[Candidate, str]], report: Report, why: Why) -> list[dict[str, Any]]:
    """Return one row for each node, those that need attention first.

    A node that the scan does not have is ``unknown``, and its ``missing`` is ``None``.

    :param mine: of ``owned_by``. :param report: of a scan. :param why: the exception of a node, if it has one.
    """
    known = {row.node_id: row for row in report.rows}
    rows = [_row(node, team, known.get(node.node_id), why(node) or "") for node, team in mine]
    return sorted(rows, key=lambda row: (row["compliance"] == "compliant", row["name"], row["node_id"]))


def _row(node: Candidate, team: str, row: Row | None, exception: str) -> dict[str, Any]:
    found: Mapping[str, Any] = {"compliance": UNKNOWN, "missing": None, "reason": "not in the scan"}
    if row:
        reason = plain(row.reason or row.open_points)
        found = {"compliance": row.compliance_before, "missing": row.missing_before, "reason": reason}
    return {
        "node_id": node.node_id,
        "name": plain(node.name or node.host),
        "owner": team,
        "account": node.account,
        "region": node.region,
        "window": plain(node.maintenance_window),
        **found,
        "exception": plain(exception),
    }
