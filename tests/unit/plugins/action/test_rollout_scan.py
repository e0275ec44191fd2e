# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_scan: a record for every node that was to be scanned, whatever came back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_scan import ActionModule

LISTED = {"status": "succeeded", "missing_after": ["bash"], "manager": "apt", "failed": False, "ansible_facts": {}}
HOSTVARS: dict[str, dict[str, Any]] = {
    "localhost": {},
    "web": {"patchtide_executor": "ssm", "patchtide_node_id": "i-1", "patchtide_name": "web-01"},
    "db": {"patchtide_executor": "linux", "patchtide_scan": LISTED},
    "gone": {"patchtide_executor": "linux", "patchtide_scan": {"unreachable": True, "msg": "no route"}},
    "broken": {"patchtide_executor": "linux", "patchtide_scan": {"msg": "no package manager"}},
    "silent": {"patchtide_executor": "linux"},
}
HOSTS = ["db", "gone", "broken", "silent"]
FOUND = {"node_id": "i-1", "status": "succeeded", "missing_after": [], "pending_reboot": False}


def write(folder: Path, check: bool = False, hostvars: Any = None, **options: Any) -> dict[str, Any]:
    task = Mock(args={"dir": str(folder), **options}, check_mode=check, diff=False, async_val=0, environment=[])
    known = HOSTVARS if hostvars is None else hostvars
    variables = {"groups": {"all": list(known)}, "hostvars": known}
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars=variables)
    return result


def test_every_node_that_was_to_be_scanned_has_a_record(tmp_path: Path) -> None:
    lost = [{"place": "1/x", "error": {"code": "AccessDenied", "message": "no"}}]
    found = write(tmp_path, results=[FOUND], hosts=HOSTS, failed_places=lost)
    assert (found["scanned"], found["compliant"], found["unknown"], found["changed"]) == (2, 1, 3, False)
    scan = json.loads((tmp_path / "scan.json").read_text("utf-8"))
    assert scan["failed_places"] == lost == found["failed_places"]
    told = {key: (row["status"], (row.get("error") or {}).get("text")) for key, row in scan["nodes"].items()}
    assert told == {
        "broken": ("failed", "no package manager"),
        "db": ("succeeded", None),
        "gone": ("unreachable", "no route"),
        "i-1": ("succeeded", None),
        "silent": ("unreachable", "the host did not answer"),
    }
    assert (scan["nodes"]["i-1"]["host"], scan["nodes"]["i-1"]["name"]) == ("web", "web-01")
    assert not {"ansible_facts", "failed"} & set(scan["nodes"]["db"]) and scan["nodes"]["db"]["manager"] == "apt"


def test_a_host_that_nobody_serves_has_a_record_unless_the_policy_excludes_it(tmp_path: Path) -> None:
    hosts = {**HOSTVARS, "typo": {"patchtide_executor": "sms"}, "vm": {"patchtide_executor": "gcp"}}
    policy = {"exclude": [{"select": {"executors": ["gcp"]}, "reason": "the platform patches them"}]}
    found = write(tmp_path, hostvars=hosts, results=[FOUND], policy=policy)
    assert (found["scanned"], found["unknown"], found["not_served"]) == (1, 1, 1)
    record = json.loads((tmp_path / "scan.json").read_text("utf-8"))["nodes"]["typo"]
    assert (record["status"], record["host"], record["executor"]) == ("failed", "typo", "sms")
    assert record["error"]["code"] == "not_served" and "did you mean 'ssm'" in record["error"]["text"]


def test_check_mode_counts_and_writes_nothing(tmp_path: Path) -> None:
    assert write(tmp_path, check=True, results=[FOUND])["scanned"] == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("host", ["localhost", "stranger"])
def test_a_host_that_is_no_node_is_refused(tmp_path: Path, host: str) -> None:
    found = write(tmp_path, hosts=["db", host])
    assert found["failed"] and f"hosts[1]: '{host}' is not valid" in found["msg"]
    assert not list(tmp_path.iterdir())


def test_an_inventory_without_nodes_is_refused(tmp_path: Path) -> None:
    assert write(tmp_path, hostvars={"localhost": {}})["error"]["code"] == "EmptyInventory"
