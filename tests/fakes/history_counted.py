# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the history's views, counted plainly from the rows of an estate."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.fakes.history_months import LIMITS, Estate

Row = dict[str, Any]


class Counted:
    """All rows that count, and the same figures as the views, counted plainly."""

    def __init__(self, estate: Estate) -> None:
        self.rows: dict[str, list[Row]] = {}
        runs = list(estate.runs())
        self.last = max(run.as_of for run in runs if run.kind != "limits")[:10]
        for run in runs:
            for part, row in run.rows:
                more = {"run_id": run.run_id, "observed_at": run.observed_at, "day": run.observed_at[:10]}
                place = {"account": part.account or "none", "region": part.region or "none"}
                self.rows.setdefault(part.dataset, []).append({**row, **more, **place})

    def observations(self) -> list[Row]:
        unseen = [
            {**row, "compliance": "unknown", "missing": None, "pending_reboot": None}
            for row in self.rows["coverage"]
            if row["problem"] in ("not_scanned", "no_executor")
        ]
        return [*self.rows["nodes"], *unseen]

    def state_on(self, day: str) -> dict[str, tuple[Row, str]]:
        """Return each node that counts on a day with its last row and its state."""
        latest: dict[str, Row] = {}
        for row in self.observations():
            known = latest.get(row["node_id"])
            if row["day"] <= day and (known is None or row["observed_at"] > known["observed_at"]):
                latest[row["node_id"]] = row
        ages = {node: days(row["day"], day) for node, row in latest.items()}
        return {
            node: (row, "unknown" if ages[node] > LIMITS["stale"] else row["compliance"])
            for node, row in latest.items()
            if ages[node] <= 30
        }

    def missing_now(self) -> list[Row]:
        """Return the missing patches of nodes that count, with their ages."""
        first: dict[tuple[str, str], str] = {}
        for row in self.rows["patches"]:
            key = (row["node_id"], row["patch_id"])
            first[key] = min(first.get(key, row["day"]), row["day"])
        runs = {node: row["run_id"] for node, (row, _state) in self.state_on(self.last).items()}
        found = []
        for row in self.rows["patches"]:
            if runs.get(row["node_id"]) == row["run_id"]:
                age = days(first[row["node_id"], row["patch_id"]], self.last)
                limit = LIMITS.get(f"sla_{row['severity']}")
                found.append({**row, "age": age, "overdue": None if limit is None else age > limit})
        return found


def days(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days
