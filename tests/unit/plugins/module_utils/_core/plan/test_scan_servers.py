# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What patch servers add to a scan: updates that a rollout will approve, and errata that wait for a promotion."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import check_scan, seal_scan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan_servers import add_errata, add_needed

LCU = {"kb": "KB5070884", "title": "2026-11 Cumulative Update (KB5070884)", "classification": "Security Updates"}


def record(executor: str = "windows", **more: Any) -> dict[str, Any]:
    return {"host": "win-01", "node_id": "win-01", "executor": executor, "status": "succeeded", **more}


def ids(found: dict[str, Any]) -> list[str]:
    return [item["id"] for item in found.get("missing") or ()]


@pytest.mark.parametrize(
    ("computer", "host", "needs"),
    [
        ("win-01.example.com", "win-01", True),
        ("WIN-01.Example.com", "win-01.example.com", True),
        ("win-01", "win-01", True),
        ("win-01.other.com", "win-01.example.com", False),
        ("win-011.example.com", "win-01", False),
        ("win-02.example.com", "win-01", False),
    ],
)
def test_a_computer_of_wsus_is_a_host_of_the_inventory(computer: str, host: str, needs: bool) -> None:
    found = record(host=host, node_id=host)
    add_needed([found], [{**LCU, "severity": "", "computers": [computer]}])
    assert ids(found) == (["KB5070884"] if needs else [])


def test_what_is_needed_and_not_offered_is_missing_once() -> None:
    offered = [{"id": "kb5070884"}]
    listed = record(missing=offered, missing_after=["kb5070884"], counts={"missing_count": 1})
    fresh = record(missing=[{"id": "KB1"}], missing_after=["KB1"], counts={"missing_count": 1})
    add_needed([listed, fresh], [{**LCU, "computers": ["win-01"]}, {**LCU, "computers": ["win-01"]}])
    assert ids(listed) == ["kb5070884"] and listed["counts"] == {"missing_count": 1}
    assert ids(fresh) == fresh["missing_after"] == ["KB1", "KB5070884"] and fresh["counts"] == {"missing_count": 2}
    assert fresh["missing"][1] == {"id": "KB5070884", "title": LCU["title"], "classification": "Security Updates"}


@pytest.mark.parametrize("more", [{"executor": "ssm"}, {"status": "unreachable"}, {"status": "failed"}])
def test_what_is_missing_on_others_stays_unknown(more: dict[str, str]) -> None:
    found = {**record(), **more}
    add_needed([found], [{**LCU, "computers": ["win-01"]}])
    assert found == {**record(), **more}


ERRATUM = {"errata_id": "RHSA-2026:1001", "title": "Important: openssl", "type": "security", "cves": []}


def test_errata_that_wait_for_a_promotion_are_held() -> None:
    held = {"id": "kernel", "why": "excluded"}
    first, other = record("linux", host="lin-01", held=[held]), record("linux", host="lin-02")
    add_errata([first, other, record(host="lin-01")], [{"host": "lin-01", "errata": [ERRATUM]}])
    assert [item["id"] for item in first["held"]] == ["kernel", "RHSA-2026:1001"] and "held" not in other
    assert (first["held"][1]["why"], first["held"][1]["classification"]) == ("not_promoted", "security")
    scan = {"schema": "patchtide/scan/2", "at": "2026-12-01T00:00:00Z", "nodes": {"lin-01": first}, "failed_places": []}
    check_scan(seal_scan(scan), "scan.json")
