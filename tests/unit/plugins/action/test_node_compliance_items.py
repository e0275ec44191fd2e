# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""node_compliance_items: managed nodes alone, few calls, nothing in check mode, and nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import node_compliance_items
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import SCHEMA
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.enrich import Enrichment
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.estate import Estate, Known
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.finding import Finding, to_asset
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.record import Importer
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.remedy import Patches
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.scan_file import write_scan
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.vulnerability.findings_file import NAME, write_if_changed
from botocore.exceptions import ClientError


class Ssm:
    """What the service has, and the calls that it got. Pages of 50 (SSM API, ListResourceComplianceSummaries)."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.items: dict[str, dict[str, Any]] = {}
        self.unknown: set[str] = set()

    def get_paginator(self, operation: str) -> Mock:
        assert operation == "list_resource_compliance_summaries"
        return Mock(paginate=self._pages)

    def _pages(self, **request: Any) -> Iterator[dict[str, Any]]:
        assert request["Filters"] == [{"Key": "ComplianceType", "Values": ["Custom:Patchtide"], "Type": "EQUAL"}]
        names, size = sorted(self.items), request["PaginationConfig"]["PageSize"]
        for start in range(0, len(names) or 1, size):
            self.calls["list"] += 1
            page = names[start : start + size]
            rows = [{"ResourceId": name, "ComplianceType": "Custom:Patchtide", **self.items[name]} for name in page]
            yield {"ResourceComplianceSummaryItems": rows}

    def put_compliance_items(self, **request: Any) -> None:
        self.calls["put"] += 1
        name = request["ResourceId"]
        if name in self.unknown:
            raise ClientError({"Error": {"Code": "InvalidResourceId", "Message": "no such node"}}, "PutComplianceItems")
        assert request["UploadType"] == "COMPLETE" and request["ItemContentHash"]
        self.items[name] = {"ExecutionSummary": request["ExecutionSummary"], "Items": request["Items"]}


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> Ssm:
    service = Ssm()
    monkeypatch.setattr(node_compliance_items, "to_sessions", lambda options: Mock(client=lambda *_args: service))
    return service


def host(node_id: str, **more: Any) -> dict[str, Any]:
    known = {"node_id": node_id, "executor": "ssm", "platform": "linux", "account": "1" * 12, "region": "eu-west-1"}
    return {f"patchtide_{name}": value for name, value in {**known, "managed": True, **more}.items()}


def run(folder: Path, hosts: dict[str, dict[str, Any]], *, check: bool = False, missing: int = 1) -> dict[str, Any]:
    patches = [{"id": f"p{number}", "title": "p"} for number in range(missing)]
    nodes = {item["patchtide_node_id"]: {"status": "succeeded", "missing": patches} for item in hosts.values()}
    write_scan(
        folder / "scan.json", {"schema": SCHEMA, "at": "2026-06-01T10:00:00Z", "nodes": nodes, "failed_places": []}
    )
    policy = to_policy({"name": "p"}).to_dict()
    task = Mock(args={"dir": str(folder), "policy": policy}, check_mode=check, diff=False, async_val=0, environment=[])
    variables = {"groups": {"all": list(hosts)}, "hostvars": {"localhost": {}, **hosts}}
    result: dict[str, Any] = node_compliance_items.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(
        task_vars=variables
    )
    return result


def test_120_nodes_cost_a_call_each_once_and_three_afterwards(ssm: Ssm, tmp_path: Path) -> None:
    hosts = {f"h{number}": host(f"i-{number:017x}") for number in range(120)}
    predicted = run(tmp_path, hosts, check=True)
    assert predicted["changed"] and len(predicted["nodes"]) == 120 and ssm.calls == {"list": 1}
    done = run(tmp_path, hosts)
    assert done["nodes"] == predicted["nodes"] and ssm.calls == {"list": 2, "put": 120}
    again = run(tmp_path, hosts)
    assert not again["changed"] and again["unchanged"] == 120 and ssm.calls == {"list": 5, "put": 120}
    assert run(tmp_path, hosts, missing=2)["changed"] and ssm.calls["put"] == 240


def test_only_managed_nodes_have_items(ssm: Ssm, tmp_path: Path) -> None:
    hosts = {
        "direct": host("mi-0123456789abcdef0", executor="linux"),
        "plain": host("web-7", executor="linux", account="", region=""),
        "azure": host("/subscriptions/1/vm", executor="azure", account="sub", region="westeurope"),
        "unmanaged": host("i-0123456789abcdef0", managed=False),
    }
    assert run(tmp_path, hosts)["nodes"] == ["mi-0123456789abcdef0"] == list(ssm.items)


def test_a_node_that_the_service_does_not_know_hides_no_other(ssm: Ssm, tmp_path: Path) -> None:
    hosts = {"a": host("i-0123456789abcdef0"), "b": host("i-0123456789abcdef1")}
    ssm.unknown = {"i-0123456789abcdef0"}
    done = run(tmp_path, hosts)
    assert done["nodes"] == ["i-0123456789abcdef1"] and done["refused"][0]["node_id"] == "i-0123456789abcdef0"
    assert "no such node" in done["refused"][0]["text"] and not done["failed_places"]


def test_the_exception_in_force_and_imported_findings_are_items_of_their_own(ssm: Ssm, tmp_path: Path) -> None:
    name = "i-0123456789abcdef0"
    finding = Finding(source="x", finding_id="1", asset=to_asset(ids=[name]), severity="high", status="open")
    known = [Known(node_id=name, ids=(name,))]
    importer = Importer("2026-06-01T11:00:00.000Z", Estate(known), Patches(None, []), Enrichment(), None)
    write_if_changed(tmp_path / NAME, importer.lines([finding], []))
    run(tmp_path, {"a": host(name, tags={"PatchException": "2020-01-01/2120-01-01"})})
    titles = {item["Id"]: (item["Status"], item["Title"]) for item in ssm.items[name]["Items"]}
    assert titles == {
        "exception": ("COMPLIANT", "Exception until 2120-01-01 by its tag PatchException"),
        "findings": ("NON_COMPLIANT", "1 open finding of vulnerability scanners"),
        "patches": ("NON_COMPLIANT", "1 missing patch"),
    }
