# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs: rows fit their datasets, whoever patches a node, and nothing is left out."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.records import ExceptionRecord
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import check_row
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.runs import (
    Run,
    Seen,
    exception_run,
    finding_run,
    limit_run,
    scan_run,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import TagKeys

AT = "2026-11-28T06:00:00.000Z"
WEB = Seen(node=Candidate(node_id="i-1", host="web", executor="ssm", account="1", region="eu", tags={"Owner": "ana"}))


def rows(run: Run, dataset: str) -> list[dict[str, Any]]:
    found = list(run.rows)
    for part, row in found:
        check_row(part.dataset, row)
    return [{"account": part.account, **row} for part, row in found if part.dataset == dataset]


def scan(**nodes: Any) -> dict[str, Any]:
    return {
        "at": AT,
        "digest": "d",
        "nodes": {f"i-{name[1:]}": row for name, row in nodes.items()},
        "failed_places": [],
    }


def test_each_patch_of_a_scan_has_its_state_once() -> None:
    missing = [{"id": "curl", "severity": "Critical", "cve_ids": ["CVE-1", "CVE-2"]}, {"id": "vim"}]
    record = {"status": "succeeded", "missing": missing, "failed": ["curl"], "held": [{"id": "bash"}], "account": "1"}
    found = rows(scan_run(scan(n1={**record, "rejected": [{"id": "x"}]}), {"i-1": WEB}, TagKeys()), "patches")
    assert [(row["patch_id"], row["state"], row["severity"], row["cve_ids"]) for row in found] == [
        ("curl", "missing", "critical", "CVE-1 CVE-2"),
        ("vim", "missing", "unspecified", ""),
        ("curl", "failed", "critical", "CVE-1 CVE-2"),
        ("bash", "held", "unspecified", ""),
        ("x", "rejected", "unspecified", ""),
    ]


def test_a_node_that_could_not_be_scanned_is_unknown_and_never_compliant() -> None:
    failed = {"status": "failed", "error": {"code": "timeout", "text": "no answer"}, "missing": []}
    (row,) = rows(scan_run(scan(n1=failed), {"i-1": WEB}, TagKeys()), "nodes")
    assert (row["compliance"], row["missing"], row["code"], row["owner"]) == ("unknown", None, "timeout", "ana")


def test_coverage_has_every_node_of_the_inventory() -> None:
    other = Seen(node=Candidate(node_id="i-2", host="db", account="1"), problems=("unmanaged", "no_patch_group"))
    third = Seen(node=Candidate(node_id="i-3", host="dc", executor="linux"))
    run = scan_run(scan(n1={"status": "succeeded"}), {"i-1": WEB, "i-2": other, "i-3": third}, TagKeys())
    assert [(row["node_id"], row["problem"]) for row in rows(run, "coverage")] == [
        ("i-1", ""),
        ("i-2", "unmanaged"),
        ("i-2", "no_patch_group"),
        ("i-2", "no_executor"),
        ("i-3", "not_scanned"),
    ]


def test_an_exception_names_its_nodes_while_it_can_apply() -> None:
    def record(name: str, status: str) -> ExceptionRecord:
        data = {"exception_id": name, "node": "web", "from": "2026-11-01", "to": "2026-11-30", "reason": "r"}
        return ExceptionRecord.from_dict({**data, "requested_by": "ana", "status": status})

    records = [record("A", "approved"), record("B", "rejected")]
    run = exception_run("ledger.json", records, {"i-1": WEB}, TagKeys(), AT)
    assert [row["exception_id"] for row in rows(run, "exception_nodes")] == ["A"]
    run = exception_run("ledger.json", records, {"i-1": WEB}, TagKeys(), AT)
    assert [(row["status"], row["nodes"]) for row in rows(run, "exceptions")] == [("approved", 1), ("rejected", 1)]
    assert exception_run("other", records, {}, TagKeys(), AT).run_id != run.run_id


def test_a_finding_belongs_to_its_node_or_to_nobody() -> None:
    texts = ("source", "finding_id", "place", "title", "severity", "status", "remediation", "why", "first_seen")
    finding = {**dict.fromkeys((*texts, "last_seen"), "x"), "patches": ["curl"], "cves": ["CVE-1"], "cvss": 9.8}
    finding |= {
        "asset": {"ids": [], "names": ["web"], "addresses": ["10.0.0.1"]},
        "epss": 0.9,
        "kev": "2026-12-01",
        "packages": [],
    }
    items = [{**finding, "node_id": "i-1"}, {**finding, "node_id": "", "kev": None}]
    known, unknown = rows(finding_run("d", AT, items, {"i-1": WEB}, TagKeys()), "findings")
    assert (known["account"], known["owner"], known["kev_due"], known["machine"]) == ("1", "ana", "2026-12-01", "web")
    assert known["finding_key"] != unknown["finding_key"] and len(known["finding_key"]) == 16
    assert (unknown["account"], unknown["owner"], unknown["kev_due"]) == ("", "", "")


def test_limits_are_numbers_in_order() -> None:
    assert [row["name"] for row in rows(limit_run({"stale": 7, "sla_low": 1}, AT), "limits")] == ["sla_low", "stale"]
