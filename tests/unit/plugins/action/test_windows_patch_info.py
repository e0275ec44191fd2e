# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""windows_patch_info: each host has a record, whatever it answers. The contract tests call it on hosts of the lab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import windows_patch_info
from ansible_collections.patchtide.hybrid.plugins.action.windows_patch_info import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.selection import UpdateRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors import windows_hosts
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connection_errors import Unreachable

HOSTS: Mapping[str, Any] = {
    "a": {"patchtide_executor": "windows"},
    "b": {"patchtide_executor": "windows", "patchtide_node_id": "win-b"},
    "c": {"patchtide_executor": "windows"},
}


def search(*hosts: str, check: bool = False, hostvars: Mapping[str, Any] = HOSTS, **more: Any) -> dict[str, Any]:
    task = Mock(args={"hosts": list(hosts), **more}, check_mode=check, diff=False, async_val=0, environment=[])
    found: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(
        task_vars={"hostvars": hostvars}
    )
    return found


def test_in_check_mode_it_connects_to_nobody() -> None:
    found = search("a", "b", check=True)
    assert (found["due"], found["results"], found["changed"]) == (["a", "win-b"], [], False)


def test_without_hosts_nothing_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_patch_info, "why_unserved", lambda name: "needs more")
    assert search()["results"] == []
    refused = search("a")
    assert refused["failed"] and "needs more" in refused["msg"]


def test_a_host_of_another_executor_is_refused() -> None:
    refused = search("a", "x", hostvars={**HOSTS, "x": {"patchtide_executor": "linux"}})
    assert refused["failed"] and "patchtide_executor=windows" in refused["msg"]


def test_a_host_that_fails_keeps_no_other_from_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def scan(hosts: object, host: str, rules: object, updates: object) -> dict[str, Any]:
        if host == "a":
            raise Unreachable("a", "no route")
        if host == "b":
            raise PatchtideError("this is no result of win_updates")
        return {"status": "succeeded", "missing": []}

    monkeypatch.setattr(windows_patch_info, "scan_host", scan)
    monkeypatch.setattr(windows_hosts, "WindowsHosts", lambda action, task_vars: Mock())
    rows = search("a", "b", "c")["results"]
    assert [(row["node_id"], row["status"]) for row in rows] == [
        ("a", "unreachable"),
        ("win-b", "failed"),
        ("c", "succeeded"),
    ]
    assert "no route" in rows[0]["error"]["text"] and "missing" not in rows[1]


def test_a_search_has_the_rules_of_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    def scan(hosts: object, host: str, rules: PackageRules, updates: UpdateRules) -> dict[str, Any]:
        return {"status": "succeeded", "missing": [], "rules": (rules.exclude, updates)}

    monkeypatch.setattr(windows_patch_info, "scan_host", scan)
    monkeypatch.setattr(windows_hosts, "WindowsHosts", lambda action, task_vars: Mock())
    given = {"server": "managed_server", "categories": ["Windows*"], "further": ["Upgrades"]}
    (row,) = search("a", exclude=["KB5001234"], exclude_categories=["*SQL*"], **given)["results"]
    wanted = UpdateRules(
        server="managed_server", categories=("Windows*",), exclude_categories=("*SQL*",), further=("Upgrades",)
    )
    assert row["rules"] == (("KB5001234",), wanted)
