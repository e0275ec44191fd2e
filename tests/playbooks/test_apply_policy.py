# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook apply_policy on the lab: check, run, again; a Region down, a role denied, no credentials, a mistake.

Covers CG-3 to CG-7, PG-2, PG-6 to PG-9, TCS-17, MO-10.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab
from tests.playbooks.playing import ROOT, Played, play

REGIONS = ("eu-central-1", "us-east-1")
ACCOUNTS = ("111111111111", "222222222222", "333333333333")


@pytest.fixture
def fresh(aws: Lab) -> Iterator[Lab]:
    aws.reset()
    yield aws
    aws.reset()


def policy() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "lab" / "policy.yml").read_text("utf-8")))


def small() -> dict[str, Any]:
    """One object of each kind, so that a run is short."""
    data = policy()
    data["waves"] = []
    data["baselines"] = data["baselines"][:1]
    data["patch_groups"] = [{"name": "WEB-DEV", "baselines": [data["baselines"][0]["name"]]}]
    data["windows"] = [{**data["windows"][1], "patch_groups": ["WEB-DEV"]}]
    return data


def apply(aws: Lab, folder: Path, data: dict[str, Any], *options: str, **more: Any) -> Played:
    file = folder / "policy.yml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return play(aws, "apply_policy", "-e", f"patchtide_policy_file={file}", *options, **more)


def held(aws: Lab, account: str, region: str) -> dict[str, Any]:
    """What Systems Manager holds there, asked without the collection."""
    ssm = aws.client("ssm", region, account)
    windows = ssm.describe_maintenance_windows()["WindowIdentities"]
    ids = [window["WindowId"] for window in windows]
    own = ssm.describe_patch_baselines(Filters=[{"Key": "OWNER", "Values": ["Self"]}])["BaselineIdentities"]
    groups = ssm.describe_patch_groups()["Mappings"]
    return {
        "baselines": {item["BaselineName"] for item in own},
        "patch_groups": {(item["PatchGroup"], item["BaselineIdentity"]["BaselineName"]) for item in groups},
        "windows": {item["Name"] for item in windows},
        "targets": [t for w in ids for t in ssm.describe_maintenance_window_targets(WindowId=w)["Targets"]],
        "tasks": [t for w in ids for t in ssm.describe_maintenance_window_tasks(WindowId=w)["Tasks"]],
    }


def test_everything_everywhere_and_a_second_run_changes_nothing(fresh: Lab, tmp_path: Path) -> None:
    data = policy()
    done = apply(fresh, tmp_path, data)
    assert done.status == 0 and done.changed > 0, done.output
    for account in ACCOUNTS:
        for region in REGIONS:
            assert_holds(held(fresh, account, region), data)
    again = apply(fresh, tmp_path, data)
    assert (again.status, again.changed) == (0, 0), again.output
    assert not again.warnings


def test_patch_policies_are_left_alone_and_each_role_is_assumed_once(fresh: Lab, tmp_path: Path) -> None:
    ssm = fresh.client("ssm", REGIONS[0], ACCOUNTS[1])
    override = "s3://aws-quicksetup-patchpolicy-222222222222-v4t88/baseline_overrides.json"
    shared = {"Name": "AWS-RunPatchBaseline", "Targets": [{"Key": "InstanceIds", "Values": ["*"]}]}
    later = {**shared, "ScheduleExpression": "cron(0 2 ? * SUN *)", "ApplyOnlyAtCronInterval": True}
    for name, extra in (("AWS-QuickSetup-PatchPolicy-v4t88", {"BaselineOverride": [override]}), ("own-scan", {})):
        ssm.create_association(AssociationName=name, Parameters={"Operation": ["Scan"], **extra}, **later)
    before = ssm.list_associations()["Associations"]
    fresh.post("ledger/reset", {})
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = apply(fresh, tmp_path, small(), environment={"TMPDIR": str(temporary)})
    assert done.status == 0, done.output
    assumed = [row["count"] for row in fresh.get("ledger")["calls"] if row["operation"] == "AssumeRole"]
    assert sum(assumed) == len(ACCOUNTS), "each role once, not once for each task and Region"
    assert not list(temporary.glob("patchtide-roles-*"))
    assert "222222222222/eu-central-1: AWS-QuickSetup-PatchPolicy-v4t88, Operation Scan" in done.output
    assert "own-scan" not in done.output
    assert ssm.list_associations()["Associations"] == before


def test_check_mode_predicts_and_changes_nothing(fresh: Lab, tmp_path: Path) -> None:
    checked = apply(fresh, tmp_path, small(), "--check", "--diff")
    assert held(fresh, ACCOUNTS[0], REGIONS[0])["windows"] == set()
    done = apply(fresh, tmp_path, small())
    assert (checked.status, done.status) == (0, 0)
    assert checked.changed == done.changed > 0
    again = apply(fresh, tmp_path, small(), "--check")
    assert (again.status, again.changed) == (0, 0), again.output


def assert_holds(found: dict[str, Any], data: dict[str, Any]) -> None:
    wanted = {(group["name"], name) for group in data["patch_groups"] for name in group["baselines"]}
    assert found["baselines"] == {item["name"] for item in data["baselines"]}
    assert found["patch_groups"] == wanted
    assert found["windows"] == {item["name"] for item in data["windows"]}
    keys = {target["Key"] for item in found["targets"] for target in item["Targets"]}
    assert keys == {"tag:PatchGroup"}
    assert [task["TaskArn"] for task in found["tasks"]] == ["AWS-RunPatchBaseline"] * 2


@pytest.mark.slow
def test_objects_are_tagged(fresh: Lab, tmp_path: Path) -> None:
    assert apply(fresh, tmp_path, small()).status == 0
    ssm = fresh.client("ssm", REGIONS[0], ACCOUNTS[1])
    window = ssm.describe_maintenance_windows()["WindowIdentities"][0]["WindowId"]
    tags = ssm.list_tags_for_resource(ResourceType="MaintenanceWindow", ResourceId=window)["TagList"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"ManagedBy": "patchtide", "Policy": "rehearsal"}


@pytest.mark.slow
def test_a_region_that_is_down_is_named_once_and_the_others_go_on(fresh: Lab, tmp_path: Path) -> None:
    fresh.post("faults", {"rules": [{"kind": "down", "region": "us-east-1"}]})
    data = small()
    data["estate"]["regions"] = list(reversed(REGIONS))  # the one that is down is asked first, for its roles as well
    done = apply(fresh, tmp_path, data)
    fresh.post("faults", {"reset": True})
    assert done.status != 0
    for account in ACCOUNTS:
        assert len(held(fresh, account, "eu-central-1")["tasks"]) == 1
        assert held(fresh, account, "us-east-1")["baselines"] == set()
        assert done.error().count(f"{account}/us-east-1") == 1, done.error()
    assert done.error().count("FAILED") == len(ACCOUNTS), "each account's role, once"
    assert "eu-central-1" not in done.error()


@pytest.mark.slow
def test_a_role_that_cannot_be_assumed_is_named_and_the_others_go_on(fresh: Lab, tmp_path: Path) -> None:
    data = small()
    data["estate"]["accounts"][2]["role_arn"] = "arn:aws:iam::333333333333:role/patchtide-denied"
    done = apply(fresh, tmp_path, data)
    assert done.status != 0
    assert "AccessDenied" in done.error() and "333333333333/eu-central-1" in done.error()
    assert "111111111111" not in done.error().replace("arn:aws:iam::111111111111:user/lab", "")
    assert len(held(fresh, "222222222222", "us-east-1")["tasks"]) == 1


def test_one_refused_operation_does_not_stop_the_rest(fresh: Lab, tmp_path: Path) -> None:
    rule = {"kind": "deny", "operation": "CreateMaintenanceWindow", "account": ACCOUNTS[1], "region": REGIONS[0]}
    fresh.post("faults", {"rules": [rule]})
    done = apply(fresh, tmp_path, small())
    assert done.status != 0
    assert "FAILED in 222222222222/eu-central-1: " in done.error()
    assert held(fresh, ACCOUNTS[1], REGIONS[0])["patch_groups"] != set()
    assert len(held(fresh, ACCOUNTS[0], REGIONS[0])["tasks"]) == 1


def test_without_credentials_it_stops_at_once_with_one_message(fresh: Lab, tmp_path: Path) -> None:
    keys: dict[str, str | None] = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    done = apply(fresh, tmp_path, small(), environment=keys)
    assert done.status != 0
    assert done.output.count("[ERROR]") + done.errors.count("[ERROR]") == 1
    assert "credentials" in done.error()
    assert "Create and update what the policy declares" not in done.output


def test_a_mistake_in_the_policy_changes_nothing(fresh: Lab, tmp_path: Path) -> None:
    data = small()
    data["windows"][0]["cutoff_hours"] = 2
    data["windows"][0]["timezone"] = "Berlin"
    done = apply(fresh, tmp_path, data)
    assert done.status != 0
    assert "windows[0].cutoff_hours: 2 is not valid, expected fewer hours" in done.error()
    assert "windows[0].timezone: 'Berlin' is not valid" in done.error()
    assert held(fresh, ACCOUNTS[0], REGIONS[0])["baselines"] == set()
