# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scan and Install change machines the way AWS-RunPatchBaseline does, over simulated time."""

from __future__ import annotations

import io
from typing import Any

import pytest

from .conftest import SHARED, Fleet

INSTALL = {"Operation": ["Install"]}
NO_REBOOT = {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
LONG = 2 * 3600


def bind_baseline(fleet: Fleet, name: str, group: str, system: str, **more: Any) -> str:
    """Approve everything at once for one group, besides what is asked."""
    every = {"PatchFilterGroup": {"PatchFilters": []}, "ApproveAfterDays": 0, "ComplianceLevel": "HIGH"}
    request = {"ApprovalRules": {"PatchRules": [every]}, **more}
    ssm = fleet.ssm(name)
    baseline = ssm.create_patch_baseline(Name="lab-test", OperatingSystem=system, **request)["BaselineId"]
    ssm.register_patch_baseline_for_patch_group(BaselineId=baseline, PatchGroup=group)
    return str(baseline)


def states(fleet: Fleet, name: str) -> dict[str, str]:
    pages = fleet.ssm(name).get_paginator("describe_instance_patches").paginate(InstanceId=fleet.id(name))
    return {row["KBId"]: row["State"] for page in pages for row in page["Patches"]}


def test_a_scan_installs_nothing_and_says_what_is_missing(fleet: Fleet) -> None:
    before = fleet.now("web-prod-01")["installed"]
    fleet.send("web-prod-01", wait=300)
    state = fleet.state("web-prod-01")
    assert state["Operation"] == "Scan"
    assert state["MissingCount"] > 0
    assert fleet.now("web-prod-01")["installed"] == before
    assert fleet.lab.get("ledger")["installs"] == []


def test_a_node_never_scanned_has_no_state(fleet: Fleet) -> None:
    request = {"InstanceIds": [fleet.id("web-prod-01")]}
    assert fleet.ssm("web-prod-01").describe_instance_patch_states(**request)["InstancePatchStates"] == []


def test_an_install_leaves_nothing_missing_and_reboots_into_the_new_kernel(fleet: Fleet) -> None:
    before = fleet.now("web-prod-01")
    bind_baseline(fleet, "web-prod-01", "WEB-PROD", "AMAZON_LINUX_2023")
    fleet.send("web-prod-01", wait=LONG, Parameters=INSTALL)
    after, state = fleet.now("web-prod-01"), fleet.state("web-prod-01")
    assert (state["MissingCount"], state["FailedCount"], state["InstalledPendingRebootCount"]) == (0, 0, 0)
    assert after["boot_id"] != before["boot_id"]
    assert after["kernel"] == "6.1.158-178.288.amzn2023.x86_64" != before["kernel"]


@pytest.mark.parametrize(("name", "low", "high"), [("web-prod-01", 10, 20), ("win-prod-01", 30, 55)])
def test_how_long_an_install_takes(fleet: Fleet, name: str, low: int, high: int) -> None:
    """About 15 minutes on Linux and 40 on Windows (TM-26)."""
    fleet.send(name, wait=LONG, Parameters=INSTALL)
    state = fleet.state(name)
    minutes = (state["OperationEndTime"] - state["OperationStartTime"]).total_seconds() / 60
    assert low < minutes < high


def test_no_reboot_leaves_pending_patches_until_reboot_and_scan(fleet: Fleet) -> None:
    bind_baseline(fleet, "web-prod-01", "WEB-PROD", "AMAZON_LINUX_2023")
    fleet.send("web-prod-01", wait=LONG, Parameters=NO_REBOOT)
    pending = fleet.state("web-prod-01")["InstalledPendingRebootCount"]
    assert pending > 0
    assert fleet.now("web-prod-01")["kernel"].startswith("6.1.150")
    fleet.script("web-prod-01", "# patchtide:reboot:1")
    assert fleet.state("web-prod-01")["InstalledPendingRebootCount"] == pending  # nobody has looked yet
    fleet.send("web-prod-01", wait=300)
    state = fleet.state("web-prod-01")
    assert (state["InstalledPendingRebootCount"], state["MissingCount"]) == (0, 0)
    assert "LastNoRebootInstallOperationTime" in state


def test_a_second_install_finds_nothing_and_does_not_reboot(fleet: Fleet) -> None:
    fleet.send("web-prod-01", wait=LONG, Parameters=INSTALL)
    boot = fleet.now("web-prod-01")["boot_id"]
    fleet.send("web-prod-01", wait=LONG, Parameters=INSTALL)
    assert fleet.now("web-prod-01")["boot_id"] == boot
    installs = [row["patch"] for row in fleet.lab.get("ledger")["installs"]]
    assert len(installs) == len(set(installs))


def test_the_groups_baseline_decides_and_the_default_for_others(fleet: Fleet) -> None:
    baseline = bind_baseline(fleet, "db-prod-01", "DB-PROD", "REDHAT_ENTERPRISE_LINUX", RejectedPatches=["sudo*"])
    fleet.send("db-prod-01", "db-dev-01", wait=300)
    assert fleet.state("db-prod-01")["BaselineId"] == baseline
    assert fleet.state("db-dev-01")["BaselineId"].startswith("arn:aws:ssm:eu-central-1:")
    assert "sudo.x86_64" not in {key for key, state in states(fleet, "db-prod-01").items() if state == "MISSING"}


def test_compliance_counts_by_the_rules_level(fleet: Fleet) -> None:
    bind_baseline(
        fleet,
        "web-prod-01",
        "WEB-PROD",
        "AMAZON_LINUX_2023",
        ApprovedPatches=["kernel"],
        ApprovedPatchesComplianceLevel="CRITICAL",
    )
    fleet.send("web-prod-01", wait=300)
    state = fleet.state("web-prod-01")
    bad = [state[f"{kind}NonCompliantCount"] for kind in ("Critical", "Security", "Other")]
    assert bad[0] == 1
    assert sum(bad) == state["MissingCount"]


def test_one_failing_patch_does_not_stop_the_others_nor_the_reboot(fleet: Fleet) -> None:
    """One of 13 patches failed, so the needed reboot was skipped: a field bug that must not be the lab's."""
    bind_baseline(fleet, "web-prod-01", "WEB-PROD", "AMAZON_LINUX_2023")
    fleet.fault("web-prod-01", fail_patches=["openssl*"])
    before = fleet.now("web-prod-01")["boot_id"]
    command = fleet.send("web-prod-01", wait=LONG, Parameters=INSTALL)
    assert fleet.outcome(command, "web-prod-01", PluginName="PatchLinux")["ResponseCode"] == 1
    assert states(fleet, "web-prod-01")["openssl-libs.x86_64"] == "FAILED"
    assert fleet.state("web-prod-01")["MissingCount"] == 0
    assert fleet.now("web-prod-01")["boot_id"] != before


def test_a_full_disk_fails_every_install(fleet: Fleet) -> None:
    command = fleet.send("web-stg-03", wait=LONG, Parameters=INSTALL)
    assert fleet.outcome(command, "web-stg-03")["Status"] == "Failed"
    assert fleet.state("web-stg-03")["FailedCount"] > 0
    assert fleet.lab.get("ledger")["installs"] == []


def test_cves_are_told_of_missing_and_failed_patches_only(fleet: Fleet) -> None:
    """API reference, PatchComplianceData, CVEIds."""
    fleet.send("web-prod-01", wait=300)
    page = fleet.ssm("web-prod-01").describe_instance_patches(InstanceId=fleet.id("web-prod-01"))
    assert {row["State"] for row in page["Patches"] if row.get("CVEIds")} == {"MISSING"}


def test_an_install_override_list_installs_what_it_names_and_nothing_else(fleet: Fleet) -> None:
    s3 = fleet.lab.client("s3", "eu-central-1", SHARED)
    s3.create_bucket(Bucket="lists", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.upload_fileobj(io.BytesIO(b"patches:\n- {id: openssl, title: '3.0.2*'}\n- {id: 'libc6*'}\n"), "lists", "a.yml")
    parameters = {**INSTALL, "InstallOverrideList": ["s3://lists/a.yml"]}
    fleet.send("plant-prod-01", wait=LONG, Parameters=parameters)
    installed = {row["patch"] for row in fleet.lab.get("ledger")["installs"]}
    assert installed <= {"openssl.amd64", "libc6.amd64"}
    assert fleet.state("plant-prod-01")["InstallOverrideList"] == "s3://lists/a.yml"


@pytest.mark.parametrize(
    "more",
    [
        {"InstallOverrideList": ["s3://nobody/none.yml"]},
        {"InstallOverrideList": ["s3://a/b"], "BaselineOverride": ["s3://a/b"]},
    ],
)
def test_an_unreadable_or_double_override_fails_the_document(fleet: Fleet, more: dict[str, list[str]]) -> None:
    command = fleet.send("web-dev-01", wait=LONG, Parameters={**INSTALL, **more})
    assert fleet.outcome(command, "web-dev-01", PluginName="PatchLinux")["Status"] == "Failed"
    assert fleet.lab.get("ledger")["installs"] == []


def test_a_snapshot_keeps_the_baseline_as_it_was(fleet: Fleet) -> None:
    baseline = bind_baseline(fleet, "web-prod-01", "WEB-PROD", "AMAZON_LINUX_2023")
    frozen = {"SnapshotId": ["11111111-2222-4333-8444-555555555555"]}
    fleet.send("web-prod-01", wait=300, Parameters={"Operation": ["Scan"], **frozen})
    missing = fleet.state("web-prod-01")["MissingCount"]
    fleet.ssm("web-prod-01").update_patch_baseline(BaselineId=baseline, RejectedPatches=["*"])
    fleet.send("web-prod-01", wait=300, Parameters={"Operation": ["Scan"], **frozen})
    assert fleet.state("web-prod-01")["MissingCount"] == missing > 0
    fleet.send("web-prod-01", wait=300)
    assert fleet.state("web-prod-01")["MissingCount"] == 0


def test_patch_group_state_sums_up(fleet: Fleet) -> None:
    fleet.send("web-prod-01", "web-prod-02", wait=300)
    ssm = fleet.ssm("web-prod-01")
    assert ssm.describe_patch_group_state(PatchGroup="WEB-PROD")["InstancesWithMissingPatches"] == 2
    more = [{"Key": "MissingCount", "Values": ["0"], "Type": "GreaterThan"}]
    rows = ssm.describe_instance_patch_states_for_patch_group(PatchGroup="WEB-PROD", Filters=more)
    assert len(rows["InstancePatchStates"]) == 2


def test_windows_update_installs_all_and_says_failed_after_a_reboot_of_its_own(fleet: Fleet) -> None:
    """Source: aws/amazon-ssm-agent issue 681; it uploads no patch state, so the last scan's stays."""
    fleet.send("win-prod-01", wait=600)
    before, state = fleet.now("win-prod-01"), fleet.state("win-prod-01")
    ssm, node = fleet.ssm("win-prod-01"), fleet.id("win-prod-01")
    request = {"InstanceIds": [node], "DocumentName": "AWS-InstallWindowsUpdates"}
    command = ssm.send_command(**request, Parameters={"AllowReboot": ["True"]})["Command"]["CommandId"]
    fleet.lab.advance(2 * LONG)
    shown = ssm.get_command_invocation(CommandId=command, InstanceId=node)
    assert (shown["Status"], shown["ResponseCode"]) == ("Failed", 1)
    after = fleet.now("win-prod-01")
    assert after["boot_id"] != before["boot_id"] and set(after["installed"]) > set(before["installed"])
    assert shown["StandardOutputContent"].endswith("Found 0 available Windows Updates.\n")
    assert fleet.state("win-prod-01") == state
