# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_drift: a plan that does not fit the inventory or the policy any more is refused, once, before its start."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_drift import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import seal_scan

from tests.report import samples

POLICY: dict[str, Any] = {"tags": {"application": "Application"}, "exclude": [], "drift": {"nodes": 2, "patches": "5%"}}
MEMBERS = ("node_id", "name", "executor", "platform", "os", "account", "region", "patch_group", "state", "tags")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    samples.completed().write(tmp_path)
    (tmp_path / "journal.jsonl").unlink()
    return tmp_path


def plan_of(folder: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads((folder / "plan.json").read_text("utf-8"))
    return plan


def inventory(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the host variables of the planned nodes, as they were planned."""
    nodes = [node for wave in plan_of(folder)["waves"] for node in wave["nodes"]]
    return {node["host"]: {f"patchtide_{name}": node.get(name) for name in MEMBERS} for node in nodes}


def run(folder: Path, hosts: dict[str, dict[str, Any]], *, check: bool = False, **options: Any) -> dict[str, Any]:
    digest = plan_of(folder)["policy"]["digest"]
    arguments = {"dir": str(folder), "policy": POLICY, "policy_digest": digest, **options}
    task = Mock(args=arguments, check_mode=check, diff=False, async_val=0, environment=[])
    action = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None)
    result: dict[str, Any] = action.run(task_vars={"hostvars": hosts, "groups": {"all": list(hosts)}})
    return result


@pytest.mark.parametrize("check", [True, False])
def test_a_world_as_it_was_planned(folder: Path, check: bool) -> None:
    found = run(folder, inventory(folder), check=check)
    assert (found["changed"], found["checked"], found["nodes"], found["patches"]) == (False, True, [], 0)
    assert found["planned_nodes"] == 60 and found["planned_patches"] > 20 and found["new"] == 0


def test_within_the_tolerance_it_is_said_and_past_it_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hosts = inventory(folder)
    names = list(hosts)
    hosts.pop(names[0])
    hosts[names[1]]["patchtide_state"] = "stopped"
    found = run(folder, hosts)
    assert len(found["nodes"]) == 2 and "2 of 60 planned nodes differ" in capsys.readouterr().out
    hosts[names[2]]["patchtide_executor"] = "windows"
    refused = run(folder, hosts)
    assert refused["failed"] and refused["error"]["code"] == "PlanDrifted"
    assert "3 of 60 planned nodes differ, drift.nodes is 2 and allows 2" in refused["msg"]
    assert f"{plan_of(folder)['waves'][0]['nodes'][0]['name']}: no longer in the inventory" in refused["msg"]


def test_a_newer_scan_with_other_patches_is_refused(folder: Path) -> None:
    scan = json.loads((folder / "scan.json").read_text("utf-8"))
    for record in scan["nodes"].values():
        record["missing"] = [{**patch, "id": f"{patch['id']}.1"} for patch in record["missing"]]
    (folder / "scan.json").write_text(json.dumps(seal_scan(scan)), "utf-8")
    refused = run(folder, inventory(folder))
    assert refused["failed"] and "planned patches differ" in refused["msg"] and "Create a new plan" in refused["msg"]
    (folder / "scan.json").unlink()
    assert run(folder, inventory(folder))["checked"] is True


def test_a_changed_policy_is_refused_unless_allowed(folder: Path) -> None:
    refused = run(folder, inventory(folder), policy_digest="f" * 64)
    assert refused["failed"] and "allow_changed_policy" in refused["msg"]
    assert run(folder, inventory(folder), policy_digest="f" * 64, allow_changed_policy=True)["checked"] is True


def test_a_rollout_that_has_started_is_not_checked(folder: Path) -> None:
    samples.unfinished().write(folder)
    found = run(folder, {}, policy_digest="f" * 64)
    assert not found.get("failed") and found["checked"] is False


def test_without_an_inventory_it_says_so_and_does_not_blame_the_plan(folder: Path) -> None:
    refused = run(folder, {})
    assert refused["error"]["code"] == "EmptyInventory"


def test_no_inventory_is_needed_where_nodes_are_not_checked(folder: Path) -> None:
    policy = {**POLICY, "drift": {"nodes": None, "patches": 0}}
    found = run(folder, {}, policy=policy)
    assert (found["checked"], found["nodes"], found["planned_nodes"]) == (True, [], 60)


def test_nothing_is_written(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run(folder, deepcopy(inventory(folder)))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
