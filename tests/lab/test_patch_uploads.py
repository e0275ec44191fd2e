# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch states come late, can be old, and say which run they are of.

[PBO] is AWS's own payload as published in tekumara/aws-ssm-patch-manager (2021; today's may differ).
"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from lab.aws.estate import load_estate

from .conftest import DATA, SHARED, WEB, Fleet
from .test_patching import bind_baseline, states

NODE, GROUP, SYSTEM = "web-prod-01", "WEB-PROD", "AMAZON_LINUX_2023"
INSTALL = {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
FIRST, SECOND = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-000000000000"
LONG = 3600


def put_list(fleet: Fleet, text: str, account: str = WEB, **more: Any) -> None:
    s3 = fleet.lab.client("s3", "eu-central-1", account)
    s3.create_bucket(Bucket="lists", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="lists", Key="a.yml", Body=io.BytesIO(text.encode()), **more)


def test_the_document_ends_before_the_service_shows_its_state(fleet: Fleet) -> None:
    """The payload ends when PutInventory has answered [PBO]; DescribeInstancePatchStates follows."""
    fleet.fault(NODE, upload_seconds=200)
    command = fleet.send(NODE, wait=100)
    assert fleet.outcome(command, NODE)["Status"] == "Success"
    request = {"InstanceIds": [fleet.id(NODE)]}
    early = fleet.ssm(NODE).describe_instance_patch_states(**request)["InstancePatchStates"]
    ended = fleet.ssm(NODE).list_command_invocations(CommandId=command, Details=True)["CommandInvocations"]
    assert ended[0]["StatusDetails"] == "Success"
    fleet.lab.advance(200)
    assert (early, fleet.state(NODE)["Operation"]) == ([], "Scan")


def test_the_delay_is_the_estates_and_the_same_every_time(fleet: Fleet) -> None:
    from lab.aws.world import DEFAULT_ESTATE

    assert load_estate(DEFAULT_ESTATE).upload_seconds == (2.0, 60.0)


def test_a_late_report_does_not_replace_a_newer_one(fleet: Fleet) -> None:
    fleet.fault(NODE, upload_seconds=900)
    fleet.send(NODE, Parameters={"Operation": ["Scan"], "SnapshotId": [FIRST]}, wait=100)
    fleet.fault(NODE, upload_seconds=0)
    fleet.send(NODE, Parameters={"Operation": ["Scan"], "SnapshotId": [SECOND]}, wait=200)
    fleet.lab.advance(900)
    assert fleet.state(NODE)["SnapshotId"] == SECOND


@pytest.mark.parametrize("code", [156, 1])
def test_a_document_that_fails_early_leaves_last_months_state(fleet: Fleet, code: int) -> None:
    """Exit 156 is "Error loading patching payload": no Python, no way to S3 [PBO]. Nothing is uploaded then."""
    bind_baseline(fleet, NODE, GROUP, SYSTEM)
    fleet.send(NODE, Parameters={**INSTALL, "SnapshotId": [FIRST]}, wait=LONG)
    before = fleet.state(NODE)
    fleet.fault(NODE, fails_early=code)
    command = fleet.send(NODE, Parameters={**INSTALL, "SnapshotId": [SECOND]}, wait=LONG)
    told = fleet.outcome(command, NODE, PluginName="PatchLinux")
    assert (told["Status"], told["ResponseCode"]) == ("Failed", code)
    assert fleet.state(NODE) == before
    assert (before["Operation"], before["SnapshotId"], before["MissingCount"]) == ("Install", FIRST, 0)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"InstallOverrideList": ["s3://lists/none.yml"]}, 1),
        ({"InstallOverrideList": ["s3://lists/a.yml"]}, 1),
        ({"InstallOverrideList": ["s3://a/b"], "BaselineOverride": ["s3://a/b"]}, 167),
    ],
)
def test_an_override_that_can_not_be_used_uploads_nothing(fleet: Fleet, more: dict[str, list[str]], code: int) -> None:
    """It fails closed: nothing is installed, nothing uploaded; both overrides together end 167 [PBO]."""
    put_list(fleet, "patches: [")
    command = fleet.send(NODE, Parameters={**INSTALL, **more}, wait=LONG)
    assert fleet.outcome(command, NODE, PluginName="PatchLinux")["ResponseCode"] == code
    request = {"InstanceIds": [fleet.id(NODE)]}
    assert fleet.ssm(NODE).describe_instance_patch_states(**request)["InstancePatchStates"] == []
    assert fleet.lab.get("ledger")["installs"] == []


def test_an_install_without_a_list_has_no_missing_patches_but_failed_ones(fleet: Fleet) -> None:
    """FailedCount: "attempted to be installed during the last patching operation, but failed" (API)."""
    bind_baseline(fleet, NODE, GROUP, SYSTEM)
    fleet.fault(NODE, fail_patches=["*"])
    fleet.send(NODE, Parameters=INSTALL, wait=LONG)
    state = fleet.state(NODE)
    assert state["MissingCount"] == 0 < state["FailedCount"]
    assert "MISSING" not in states(fleet, NODE).values()


def test_an_install_with_a_list_reports_what_is_not_there_as_missing(fleet: Fleet) -> None:
    """Those it did not name, and the one it named and could not install [PBO]; the row names list and snapshot."""
    bind_baseline(fleet, NODE, GROUP, SYSTEM)
    put_list(fleet, "patches:\n- {id: 'openssl-libs*', title: '*'}\n")
    fleet.fault(NODE, fail_patches=["openssl*"])
    parameters = {**INSTALL, "InstallOverrideList": ["s3://lists/a.yml"], "SnapshotId": [FIRST]}
    fleet.send(NODE, Parameters=parameters, wait=LONG)
    state = fleet.state(NODE)
    assert state["FailedCount"] == 0 < state["MissingCount"]
    assert states(fleet, NODE)["openssl-libs.x86_64"] == "MISSING"
    told = [state[key] for key in ("Operation", "SnapshotId", "InstallOverrideList", "RebootOption")]
    assert told == ["Install", FIRST, "s3://lists/a.yml", "NoReboot"]
    assert state["OperationStartTime"] < state["OperationEndTime"]


def test_on_suse_a_failure_with_a_list_uploads_nothing_even_after_installs(fleet: Fleet) -> None:
    """Any exit of zypper other than 0 ends the payload before its report if it works by a list [PBO]."""
    name = "sap-prod-01"
    put_list(fleet, "patches:\n- {id: '*', title: '*'}\n", DATA)
    fleet.fault(name, fail_patches=["kernel*"])
    parameters = {**INSTALL, "InstallOverrideList": ["s3://lists/a.yml"]}
    command = fleet.send(name, Parameters=parameters, wait=LONG)
    assert fleet.outcome(command, name, PluginName="PatchLinux")["Status"] == "Failed"
    assert fleet.lab.get("ledger")["installs"]
    request = {"InstanceIds": [fleet.id(name)]}
    assert fleet.ssm(name).describe_instance_patch_states(**request)["InstancePatchStates"] == []


@pytest.mark.parametrize(("acl", "code"), [("private", 1), ("public-read", 0)])
def test_a_list_in_a_private_bucket_is_not_read_by_https(fleet: Fleet, acl: str, code: int) -> None:
    """Private buckets as s3://bucket/key only (user guide, InstallOverrideList)."""
    put_list(fleet, "patches:\n- {id: 'openssl*', title: '*'}\n", SHARED, ACL=acl)
    url = "https://s3.eu-central-1.amazonaws.com/lists/a.yml"
    command = fleet.send("plant-prod-01", Parameters={**INSTALL, "InstallOverrideList": [url]}, wait=LONG)
    assert fleet.outcome(command, "plant-prod-01", PluginName="PatchLinux")["ResponseCode"] == code


def test_on_windows_a_list_lets_in_only_what_the_baseline_approves_as_well(fleet: Fleet) -> None:
    """ "Only patches that are specified in the list and approved by the patch baseline"; the KB number counts."""
    name = "plant-win-01"
    bind_baseline(fleet, name, "WIN-PROD", "WINDOWS", RejectedPatches=["*"])
    put_list(fleet, "patches:\n- {id: 'kb*', title: 'whatever'}\n", SHARED)
    parameters = {**INSTALL, "InstallOverrideList": ["s3://lists/a.yml"]}
    fleet.send(name, Parameters=parameters, wait=7200)
    assert fleet.lab.get("ledger")["installs"] == []
    baseline = fleet.ssm(name).get_patch_baseline_for_patch_group(PatchGroup="WIN-PROD", OperatingSystem="WINDOWS")
    fleet.ssm(name).update_patch_baseline(BaselineId=baseline["BaselineId"], RejectedPatches=[])
    fleet.send(name, Parameters=parameters, wait=7200)
    assert fleet.lab.get("ledger")["installs"]


def test_another_accounts_bucket_is_read_where_its_policy_says_so(fleet: Fleet) -> None:
    """The node reads with its own role: cross-account needs the bucket's policy as well (S3 user guide)."""
    put_list(fleet, "patches:\n- {id: 'openssl*', title: '*'}\n", SHARED)
    parameters = {**INSTALL, "InstallOverrideList": ["s3://lists/a.yml"]}
    refused = fleet.send(NODE, Parameters=parameters, wait=LONG)
    grant = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{WEB}:root"}, "Action": "s3:GetObject"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**grant, "Resource": "arn:aws:s3:::lists/*"}]})
    fleet.lab.client("s3", "eu-central-1", SHARED).put_bucket_policy(Bucket="lists", Policy=policy)
    allowed = fleet.send(NODE, Parameters=parameters, wait=LONG)
    codes = [fleet.outcome(row, NODE, PluginName="PatchLinux")["ResponseCode"] for row in (refused, allowed)]
    assert codes == [1, 0]
