# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan right before a rollout names planned patches that are gone."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.rescan import (
    StaleScan,
    check_age,
    find_withdrawn,
    to_sentence,
)

NOW = datetime(2026, 12, 2, 12, tzinfo=timezone.utc)
CURL, CURL_2, BASH = (
    {"id": name, "title": f"{name}:{version}"} for name, version in (("curl.x", 1), ("curl.x", 2), ("bash.x", 1))
)


def plan(*patches: dict[str, str], nodes: int = 1, **more: str) -> dict[str, Any]:
    rows = [
        {"node_id": f"i-{number}", "platform": "linux", "patches": list(patches), **more} for number in range(nodes)
    ]
    return {"scan": {"digest": "old"}, "waves": [{"name": "w", "nodes": rows}]}


def scan(*missing: dict[str, str], nodes: int = 1, status: str = "succeeded", digest: str = "new") -> dict[str, Any]:
    return {
        "digest": digest,
        "nodes": {f"i-{number}": {"status": status, "missing": list(missing)} for number in range(nodes)},
    }


def test_what_is_still_missing_is_not_told() -> None:
    assert find_withdrawn(plan(CURL, BASH), scan(BASH, CURL)) == []


def test_a_replaced_version_is_named_with_its_successor_before_what_is_gone() -> None:
    found = find_withdrawn(plan(BASH, CURL, nodes=2), scan(CURL_2, nodes=2))
    assert [(item["id"], item["nodes"]) for item in found] == [("curl.x", 2), ("bash.x", 2)]
    assert to_sentence(found[0]) == "planned patch curl.x:1 on 2 nodes: replaced by curl.x:2"
    assert "installed meanwhile, or no longer offered" in to_sentence(found[1])


def test_a_replaced_kb_is_named_with_its_successor() -> None:
    june = {"id": "KB1", "title": "2026-06 Cumulative Update (KB1000001)"}
    july = {"id": "KB2", "title": "2026-07 Cumulative Update (KB1000002)"}
    (item,) = find_withdrawn(plan(june, platform="windows"), scan(july))
    assert item["text"] == "replaced by KB2"
    assert find_withdrawn(plan(june, platform="windows"), scan({**june, "title": "other"})) == []


@pytest.mark.parametrize("found", [scan(digest="old"), scan(status="failed"), {"digest": "new", "nodes": {}}])
def test_the_plan_s_own_scan_and_nodes_without_a_good_one_say_nothing(found: dict[str, Any]) -> None:
    assert find_withdrawn(plan(CURL), found) == []


@pytest.mark.parametrize(
    ("at", "hours", "stale"),
    [("2026-12-02T00:00:00Z", 12, False), ("2026-12-01T23:59:59Z", 12, True), ("", 12, True), ("", None, False)],
)
def test_how_old_the_scan_may_be(at: str, hours: int | None, stale: bool) -> None:
    if stale:
        with pytest.raises(StaleScan, match="Run scan_compliance again"):
            check_age({"at": at}, NOW, hours)
    else:
        check_age({"at": at} if at else None, NOW, hours)
