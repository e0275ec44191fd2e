# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""own_nodes_info: owners see their own nodes and no others (TM-38, F84)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.action import own_nodes_info
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.operator import Operator
from ansible_collections.patchtide.hybrid.plugins.plugin_utils import owner

from tests.fakes.fleet_port import FakeClock
from tests.report import samples


class Desk:
    """A scan of the sample, a policy in which dana owns three of its nodes, and one that the scan does not have."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        samples.aborted().write(folder)
        self.scan, self.ledger = folder / "scan.json", folder / "exceptions.json"
        self.nodes = list(json.loads(self.scan.read_text("utf-8"))["nodes"])
        self.mine = [*self.nodes[:3], "i-new"]
        policy = {
            "version": 1,
            "name": "p",
            "owners": [{"name": "web", "people": ["dana"], "select": {"nodes": self.mine}}],
            "exceptions": {"ledger": str(self.ledger)},
        }
        self.policy = folder / "policy.yml"
        self.policy.write_text(yaml.safe_dump(policy), "utf-8")
        self.login = "dana"
        monkeypatch.setattr(owner, "find_operator", lambda _vars: Operator(login=self.login))
        monkeypatch.setattr(own_nodes_info, "find_clock", lambda: FakeClock(samples.START + timedelta(hours=1)))
        monkeypatch.delenv("JOB_ID", raising=False)

    def run(self, **variables: Any) -> dict[str, Any]:
        args = {"policy_file": str(self.policy), "scan_file": str(self.scan)}
        task = Mock(args=args, check_mode=False, diff=False, async_val=0, environment=[])
        names = {f"host-{node}": node for node in (*self.nodes, "i-new")}
        hosts = {name: {"patchtide_node_id": node, "patchtide_executor": "ssm"} for name, node in names.items()}
        action = own_nodes_info.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None)
        found: dict[str, Any] = action.run(task_vars={"hostvars": hosts, "groups": {"all": list(hosts)}, **variables})
        return found


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_owners_see_their_own_nodes_and_no_others(desk: Desk) -> None:
    found = desk.run()
    assert {row["node_id"] for row in found["nodes"]} == set(desk.mine) and not found["changed"], found
    new = next(row for row in found["nodes"] if row["node_id"] == "i-new")
    assert (new["compliance"], new["missing"], new["reason"]) == ("unknown", None, "not in the scan")
    assert sum(found["summary"].values()) == 4 and found["summary"]["unknown"] >= 1
    kinds = [row["compliance"] for row in found["nodes"]]
    assert kinds == sorted(kinds, key=lambda kind: kind == "compliant"), "those that need attention first"
    for row in found["nodes"]:
        assert row["owner"] == "web" and (row["missing"] or row["compliance"] != "non_compliant" or row["reason"])


def test_an_exception_that_is_in_force_is_shown(desk: Desk) -> None:
    record = {"exception_id": "EX-1", "node": desk.mine[0], "reason": "Audit", "requested_by": "robin"}
    day = samples.START.date().isoformat()
    record |= {"from": day, "to": day, "status": "approved", "decided_by": "ana"}
    desk.ledger.write_text(json.dumps({"schema": "patchtide/exceptions/1", "exceptions": [record]}), "utf-8")
    shown = {row["node_id"]: row["exception"] for row in desk.run()["nodes"]}
    assert "EX-1" in shown[desk.mine[0]] and not any(shown[node] for node in desk.mine[1:])


@pytest.mark.parametrize(
    ("login", "variables", "told"),
    [
        ("mallory", {}, "is in no entry of the policy's owners"),
        ("dana", {"awx_job_id": 7, "awx_job_launch_type": "scheduled"}, "has no person"),
    ],
)
def test_nobody_else_sees_anything(desk: Desk, login: str, variables: dict[str, Any], told: str) -> None:
    desk.login = login
    found = desk.run(**variables)
    assert found["failed"] and told in found["msg"] and "nodes" not in found


def test_a_scan_that_was_edited_is_refused(desk: Desk) -> None:
    data = json.loads(desk.scan.read_text("utf-8"))
    data["nodes"].pop(desk.mine[0])
    desk.scan.write_text(json.dumps(data), "utf-8")
    assert desk.run()["failed"]
