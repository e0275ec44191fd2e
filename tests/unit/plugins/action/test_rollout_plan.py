# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_plan: a policy that is strict writes no plan with warnings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_plan import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import SCHEMA
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.enrich import Enrichment
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.estate import Estate, Known
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.finding import (
    Finding,
    Package,
    to_asset,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.record import Importer
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.remedy import Patches
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import read_plan
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.scan_file import read_scan, write_scan
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.vulnerability.findings_file import NAME, write_if_changed

WINDOW: dict[str, Any] = {"name": "night", "schedule": "cron(0 22 ? * * *)", "timezone": "Europe/Berlin"}
WINDOW.update(duration_hours=4, cutoff_hours=1)
HOSTVARS: dict[str, dict[str, Any]] = {
    "localhost": {},
    "web": {"patchtide_executor": "linux", "patchtide_node_id": "web", "patchtide_platform": "linux"},
}
LIMITED = {"groups": ["all"]}


def plan(folder: Path, strict: bool, check: bool = False, limits: Any = None, **select: Any) -> dict[str, Any]:
    """Plan one host with a wave that has this select."""
    missing = [{"id": "curl", "title": "curl"}]
    nodes = {"web": {"node_id": "web", "status": "succeeded", "missing": missing}}
    write_scan(
        folder / "scan.json", {"schema": SCHEMA, "at": "2026-06-01T10:00:00Z", "nodes": nodes, "failed_places": []}
    )
    wave = {"name": "rest", "window": "night", **select}
    rules = {"name": "p", "waves": [wave], "windows": [WINDOW], "plan": {"strict": strict}, "emergency": limits or {}}
    policy = to_policy(rules)
    options: dict[str, Any] = {"policy": policy.to_dict(), "policy_digest": policy.digest, "at": "2026-06-01T12:00:00Z"}
    if limits is not None:
        options["emergency"] = True
    task = Mock(args={"dir": str(folder), **options}, check_mode=check, diff=False, async_val=0, environment=[])
    variables = {"groups": {"all": list(HOSTVARS)}, "hostvars": HOSTVARS}
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars=variables)
    return result


@pytest.mark.parametrize("check", [False, True])
def test_a_strict_policy_refuses_a_plan_with_warnings_and_names_them(tmp_path: Path, check: bool) -> None:
    done = plan(tmp_path, strict=True, check=check)
    assert done["failed"] and "1 warning" in done["msg"] and "Wave rest has no select" in done["msg"]
    assert not (tmp_path / "plan.json").exists() and not (tmp_path / "plan.html").exists()


def test_without_strict_the_plan_is_written_with_its_warnings(tmp_path: Path) -> None:
    done = plan(tmp_path, strict=False)
    assert done["changed"] and len(done["warnings"]) == 1 and (tmp_path / "plan.html").exists()
    assert "Wave rest has no select" in (tmp_path / "plan.html").read_text("utf-8")


def test_a_strict_policy_takes_a_plan_without_warnings(tmp_path: Path) -> None:
    assert plan(tmp_path, strict=True, select=LIMITED)["changed"]
    written = read_plan(tmp_path / "plan.json")
    assert written["waves"][0]["window"]["timezone"] == "Europe/Berlin"
    assert written["scan"]["at"] == "2026-06-01T10:00:00Z" and len(written["scan"]["digest"]) == 64


@pytest.mark.parametrize(("days", "count"), [(30, 1), (31, 0)])
def test_a_wave_takes_nodes_by_their_findings(tmp_path: Path, days: int, count: int) -> None:
    finding = Finding(source="x", finding_id="1", asset=to_asset(names=["web"]), severity="high", status="open")
    finding = replace(finding, cves=("CVE-2026-1000",), first_seen="2026-05-02")
    known = Estate([Known(node_id="web", names=("web",))])
    importer = Importer("2026-06-01T11:00:00.000Z", known, Patches(None, []), Enrichment(), None)
    write_if_changed(tmp_path / NAME, importer.lines([finding], []))
    done = plan(tmp_path, strict=False, select={"severity_sla": {"high": days}, "cves": ["CVE-2026-1000"]})
    assert [wave["nodes"] for wave in done["waves"]] == [count]


def test_a_wave_by_findings_needs_an_import(tmp_path: Path) -> None:
    failed = plan(tmp_path, strict=False, select={"kev": True})
    assert failed["failed"] and "import findings with vulnerability_import first" in failed["msg"]


def imported(folder: Path, scan: dict[str, Any] | None) -> None:
    """Import a finding of curl on the host that plans have."""
    finding = Finding(source="x", finding_id="1", asset=to_asset(names=["web"]), severity="high", status="open")
    finding = replace(finding, packages=(Package("curl", fixed="1"),), first_seen="2026-05-02")
    known = [Known(node_id="web", names=("web",), system="Ubuntu 24.04")]
    importer = Importer("2026-06-01T11:00:00.000Z", Estate(known), Patches(scan, known), Enrichment(), scan)
    write_if_changed(folder / NAME, importer.lines([finding], []))


def test_an_emergency_plan_is_made_from_findings_of_its_scan(tmp_path: Path) -> None:
    plan(tmp_path, strict=False, select=LIMITED)
    limits = {"severity_sla": {"high": 30}}
    imported(tmp_path, {"at": "2026-06-01T09:00:00Z", "digest": "other", "nodes": {}})
    assert "import them again" in plan(tmp_path, strict=False, limits=limits, select=LIMITED)["msg"]
    imported(tmp_path, read_scan(tmp_path / "scan.json"))
    assert "without a limit nothing is urgent" in plan(tmp_path, strict=False, limits={}, select=LIMITED)["msg"]
    done = plan(tmp_path, strict=False, limits=limits, select=LIMITED)
    written = read_plan(tmp_path / "plan.json")
    assert done["changed"] and "emergency" in written and written["approval"]["change_type"] == "emergency"
    assert not plan(tmp_path, strict=False, limits=limits, select=LIMITED)["changed"]
