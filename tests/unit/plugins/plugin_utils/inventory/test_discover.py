# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Baselines and windows of many account-Regions become what a policy declares, once each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.accounts import Account
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import TagKeys
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory import discover
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.discover import Discovered, to_seen

HERE, THERE = "111122223333/eu-central-1", "111122223333/us-east-1"
RULE = {"filters": {"CLASSIFICATION": ["Security"]}, "approve_after_days": 0, "compliance_level": "UNSPECIFIED"}


def baseline(days: int = 0, **members: Any) -> dict[str, Any]:
    row = {
        "name": "ours",
        "operating_system": "SUSE",
        "description": "",
        "rules": [{**RULE, "approve_after_days": days}],
    }
    return {**row, "rejected_patches": [], "baseline_id": "pb-1", "enable_non_security": False, **members}


def seen(**found: Any) -> Any:
    given = Discovered(regions=["eu-central-1"], accounts=[], places=[], **found)
    node = {
        **EMPTY,
        "executor": "ssm",
        "os": "SLES",
        "os_version": "15.5",
        "platform": "linux",
        "tags": {"Owner": "sap"},
    }
    hybrid = {**node, "maintenance_window": "sunday", "patch_group": "SAP"}
    return to_seen(given, [hybrid, {**node, "executor": ""}], "first", TagKeys())


def test_equal_baselines_are_one_and_keep_a_delay_of_no_days() -> None:
    found = seen(baselines={HERE: [baseline(groups=["SAP"])], THERE: [baseline(groups=["WEB"])]}).baselines
    (row,) = found
    assert row.members["rules"] == [{"filters": {"CLASSIFICATION": ["Security"]}, "approve_after_days": 0}]
    assert row.groups == {"SAP", "WEB"} and row.places == [HERE, THERE] and not row.differs
    assert "description" not in row.members and "rejected_patches" not in row.members


def test_baselines_of_one_name_that_differ_know_of_each_other() -> None:
    found = seen(baselines={HERE: [baseline()], THERE: [baseline(days=7)]}).baselines
    assert [(row.places, row.differs) for row in found] == [([HERE], [THERE]), ([THERE], [HERE])]


def test_windows_have_the_names_of_a_policy_and_no_offset_of_no_days() -> None:
    row = {"name": "sunday", "schedule": "rate(7 days)", "duration_hours": 3, "cutoff_hours": 0, "offset_days": 0}
    (window,) = seen(windows={HERE: [{**row, "start": "2026-01-01T00:00:00Z", "end": "", "window_id": "mw-1"}]}).windows
    assert window.members == {
        **{name: row[name] for name in ("name", "schedule", "duration_hours", "cutoff_hours")},
        "start_date": "2026-01-01T00:00:00Z",
    }


def test_nodes_have_system_owner_and_window_and_unmanaged_ones_no_system() -> None:
    managed, unmanaged = seen().nodes
    assert (managed.system, managed.owner, managed.window, managed.patch_group) == ("SUSE", "sap", "sunday", "SAP")
    assert unmanaged.system == ""


def test_an_instance_with_a_leftover_registration_is_one_node(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = {**EMPTY, "account": "111122223333", "region": "eu-central-1", "managed": True}
    ec2 = {**shared, "node_id": "i-1", "ping_status": "Online"}
    hybrid = {**shared, "node_id": "mi-1", "source_id": "i-1", "ping_status": "ConnectionLost"}
    monkeypatch.setattr(discover, "read_nodes", lambda *_given: ([ec2, hybrid], []))
    sessions: Any = SimpleNamespace(own_account=lambda _region: "111122223333")
    (only,) = discover.discover(sessions, ["eu-central-1"], [Account()], TagKeys()).nodes
    assert (only["node_id"], only["merged_ids"]) == ("i-1", ["mi-1"])
