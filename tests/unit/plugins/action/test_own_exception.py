# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""patch_exception with own_nodes: owners request for their own nodes, in their own name, and decide nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible_collections.patchtide.hybrid.plugins.action import patch_exception
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.operator import Operator
from ansible_collections.patchtide.hybrid.plugins.plugin_utils import owner

from tests.fakes.fleet_port import FakeClock

POLICY = {
    "version": 1,
    "name": "p",
    "baselines": [{"name": "base", "operating_system": "AMAZON_LINUX_2023", "default": True}],
    "waves": [{"name": "all"}],
    "owners": [{"name": "web", "people": ["dana"], "select": {"nodes": ["web-1"]}}],
}
HOSTS = {name: {"patchtide_node_id": f"i-{name}", "patchtide_executor": "ssm"} for name in ("web-1", "db-1")}


class Desk:
    """A policy with an owner, and who runs the task."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        (folder / "policy.yml").write_text(yaml.safe_dump(POLICY), "utf-8")
        self.login = "dana"
        for place in (owner, patch_exception):
            monkeypatch.setattr(place, "find_operator", lambda _vars: Operator(login=self.login))
        monkeypatch.setattr(patch_exception, "find_clock", lambda: FakeClock(from_time("2026-12-01T22:00:00Z")))
        monkeypatch.delenv("JOB_ID", raising=False)
        monkeypatch.delenv("PATCHTIDE_TRUST", raising=False)

    def run(self, **options: Any) -> dict[str, Any]:
        given = {
            "ledger": str(self.folder / "ledger.json"),
            "policy_file": str(self.folder / "policy.yml"),
            "own_nodes": True,
            "select": {"nodes": ["web-1"]},
            "from": "2026-12-01",
            "to": "2026-12-03",
            "reason": "Audit",
            **options,
        }
        given = {name: value for name, value in given.items() if value is not None}
        task = Mock(args=given, check_mode=False, diff=False, async_val=0, environment=[])
        action = patch_exception.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None)
        result: dict[str, Any] = action.run(task_vars={"hostvars": HOSTS, "groups": {"all": list(HOSTS)}})
        return result


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


@pytest.mark.parametrize("names", [["web-1"], ["i-web-1"]])
def test_an_owner_requests_for_their_own_nodes(desk: Desk, names: list[str]) -> None:
    found = desk.run(select={"nodes": names})
    assert found["changed"] and found["patch_exception"]["requested_by"] == "dana", found
    assert found["patch_exception"]["status"] == "requested"
    assert not desk.run(select={"nodes": names})["changed"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"select": {"nodes": ["web-1", "db-1"]}}, "dana owns no nodes db-1"),
        ({"select": {"nodes": ["unknown"]}}, "dana owns no nodes unknown"),
        ({"select": {"groups": ["web"]}}, "nodes by ID or inventory name alone"),
        ({"select": {"nodes": ["web-1"], "groups": ["web"]}}, "nodes by ID or inventory name alone"),
        ({"select": {"nodes": []}}, "nodes by ID or inventory name alone"),
        ({"select": None}, "nodes by ID or inventory name alone"),
        ({"requested_by": "robin"}, "dana, who runs this"),
        ({"state": "approved"}, "owners ask, others decide"),
        ({"state": "absent"}, "owners ask, others decide"),
    ],
)
def test_what_an_owner_may_not(desk: Desk, options: dict[str, Any], told: str) -> None:
    found = desk.run(**options)
    assert found["failed"] and told in found["msg"] and not (desk.folder / "ledger.json").exists()


def test_without_a_policy_nobody_owns_anything(desk: Desk) -> None:
    with pytest.raises(AnsibleActionFail, match="policy_file"):
        desk.run(policy_file=None)


def test_who_owns_nothing_requests_nothing(desk: Desk) -> None:
    desk.login = "mallory"
    assert "is in no entry of the policy's owners" in desk.run()["msg"]


def test_a_job_that_nobody_launched_requests_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_ID", "7")
    assert "has no person" in desk.run()["msg"]


def test_the_length_is_limited_by_the_policy(desk: Desk) -> None:
    found = desk.run(to="2027-12-31")
    assert found["failed"] and "90" in found["msg"]
    assert json.dumps(found["error"])
