# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a policy declares in AWS, as module options, and where."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.declare import (
    to_declared,
    to_targets,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy

ESTATE = {
    "regions": ["eu-central-1", "us-east-1"],
    "accounts": [
        {"role_arn": "arn:aws:iam::111111111111:role/p"},
        {"role_arn": "arn:aws:iam::222222222222:role/p", "external_id": "x"},
    ],
}
ONE, TWO = (
    {"role_arn": "arn:aws:iam::111111111111:role/p", "external_id": None},
    {"role_arn": "arn:aws:iam::222222222222:role/p", "external_id": "x"},
)
BOTH = ["eu-central-1", "us-east-1"]


def targets(*without: str, **estate: Any) -> list[dict[str, Any]]:
    return to_targets(to_policy({"version": 1, "name": "x", "estate": estate or ESTATE}), without)


def test_all_places_are_one_set() -> None:
    assert targets() == [{"regions": BOTH, "accounts": [ONE, TWO]}]


def test_a_place_left_out_splits_the_set() -> None:
    assert targets("222222222222/us-east-1") == [
        {"regions": BOTH, "accounts": [ONE]},
        {"regions": ["eu-central-1"], "accounts": [TWO]},
    ]


def test_an_account_left_out_is_gone() -> None:
    assert targets("222222222222/us-east-1", "222222222222/eu-central-1") == [{"regions": BOTH, "accounts": [ONE]}]


def test_without_accounts_the_callers_own() -> None:
    assert targets("us-east-1", regions=BOTH) == [{"regions": ["eu-central-1"], "accounts": []}]


def test_without_an_estate_the_place_of_the_credentials() -> None:
    assert to_targets(to_policy({"version": 1, "name": "x"})) == [{"regions": [], "accounts": []}]


def test_objects_are_marked() -> None:
    baseline = {"name": "b-one", "operating_system": "UBUNTU", "tags": {"CostCenter": "1"}}
    declared = to_declared(to_policy({"version": 1, "name": "x", "baselines": [baseline]}))
    assert declared["baselines"][0]["tags"] == {"CostCenter": "1", "ManagedBy": "patchtide", "Policy": "x"}


def test_what_is_not_given_is_not_declared() -> None:
    baseline = {"name": "b-one", "operating_system": "UBUNTU"}
    declared = to_declared(to_policy({"version": 1, "name": "x", "baselines": [baseline]}))
    assert not {"default", "available_security_updates_status"} & set(declared["baselines"][0])


def test_only_groups_with_baselines_are_declared() -> None:
    groups = [{"name": "A", "baselines": ["b"]}, {"name": "B"}]
    declared = to_declared(to_policy({"version": 1, "name": "x", "patch_groups": groups}))
    assert declared["patch_groups"] == [{"name": "A", "baselines": ["b"]}]


def window(**more: Any) -> dict[str, list[dict[str, Any]]]:
    data = {"name": "night", "schedule": "rate(1 day)", "duration_hours": 2, **more}
    return to_declared(to_policy({"version": 1, "name": "x", "windows": [data]}))


def test_window_is_cleared_of_what_the_policy_does_not_say() -> None:
    found = window()["windows"][0]
    assert (found["start"], found["end"], found["offset_days"], found["description"]) == ("", "", 0, "")


def test_window_targets_groups_by_the_tag() -> None:
    found = window(patch_groups=["A", "B"])["window_targets"]
    assert [(item["name"], item["instance_tags"]) for item in found] == [("patch-groups", {"PatchGroup": ["A", "B"]})]


def test_more_groups_than_a_target_holds() -> None:
    """RegisterTargetWithMaintenanceWindow takes 50 values (botocore's service model of SSM)."""
    found = window(patch_groups=[f"G{n}" for n in range(51)], tasks=[{"operation": "Scan"}])
    assert [len(item["instance_tags"]["PatchGroup"]) for item in found["window_targets"]] == [50, 1]
    assert found["window_tasks"][0]["window_targets"] == ["patch-groups", "patch-groups-2"]


def test_install_task() -> None:
    task = {"operation": "Install", "reboot_option": "NoReboot", "max_concurrency": 5}
    found = window(patch_groups=["A"], tasks=[task])["window_tasks"][0]
    assert found["run_command"]["parameters"] == {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
    assert (found["task_arn"], found["max_concurrency"]) == ("AWS-RunPatchBaseline", "5")


def test_scan_task_says_nothing_of_reboots() -> None:
    found = window(patch_groups=["A"], tasks=[{"operation": "Scan"}])["window_tasks"][0]
    assert found["run_command"]["parameters"] == {"Operation": ["Scan"]}
