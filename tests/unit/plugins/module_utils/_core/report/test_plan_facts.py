# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.plan_facts import forecasts

from tests.report import samples


def plan(*found: dict[str, Any] | None) -> dict[str, Any]:
    nodes = [{"node_id": f"i-{number}", "patches": [{"id": "x"}]} for number in range(len(found))]
    for node, forecast in zip(nodes, found, strict=True):
        node |= {"forecast": forecast} if forecast is not None else {}
    return {"waves": [{"name": "all", "nodes": nodes}]}


def rows(*found: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    return {row["what"]: row for row in forecasts(plan(*found))}


def test_what_is_not_known_is_counted_as_that_and_never_as_none() -> None:
    shown = rows({"removes": ["exim4"], "adds": [], "download_bytes": 5}, {"removes": ["exim4"]}, None)
    removed, added, download = shown["Packages removed"], shown["New packages"], shown["Download"]
    assert (removed["names"], removed["known"], removed["unknown"]) == ([("exim4", 2)], 2, 1)
    assert (added["names"], added["known"], added["unknown"]) == ([], 1, 2)
    assert (download["bytes"], download["known"], download["unknown"]) == (5, 1, 2)
    assert (shown["Packages downgraded"]["known"], shown["Packages downgraded"]["unknown"]) == (0, 3)


def test_updates_that_are_kept_back_are_shown_if_there_are_any() -> None:
    assert not [what for what in rows({}, None) if what.startswith("Kept back")]
    (row,) = (row for what, row in rows({"kept_back": ["a.x:1"]}, None).items() if what.startswith("Kept back"))
    assert (row["names"], row["unknown"]) == ([("a.x:1", 1)], 0)


def test_a_plan_without_nodes_has_no_forecast() -> None:
    assert forecasts({"waves": []}) == []
    assert all(row["known"] == 0 for row in forecasts(samples.completed().plan))
