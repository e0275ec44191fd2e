# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""choose_window and sync_windows on the lab: owners choose for their own nodes alone, and windows follow the tags.

Covers TM-2, TM-3, TCS-15, TCS-17, TCS-18, PG-6, PG-14, PG-18, PG-20 and F84. What happened is asked of the services.
"""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time, to_time

from lab.aws.launch import Lab, lab
from tests.playbooks.playing import Played, play
from tests.playbooks.test_rollout import WRITES
from tests.playbooks.test_rollout_azure import azure_of, machines

REGION = "eu-central-1"
SHARED, WEB = "111111111111", "222222222222"
ME = pwd.getpwuid(os.getuid()).pw_name
SATURDAY, TUESDAY = "cron(0 22 ? * SAT#3 *)", "cron(30 23 ? * TUE#1 *)"
POLICY = {
    "version": 1,
    "name": "owners",
    "estate": {
        "regions": [REGION],
        "accounts": [
            {"name": name, "id": number, "role_arn": f"arn:aws:iam::{number}:role/patchtide"}
            for name, number in (("shared", SHARED), ("web", WEB))
        ],
    },
    "baselines": [
        {
            "name": "owners-al2023",
            "operating_system": "AMAZON_LINUX_2023",
            "rules": [{"classification": ["Security"], "approve_after_days": 7}],
        }
    ],
    "patch_groups": [{"name": "WEB", "baselines": ["owners-al2023"]}],
    "windows": [
        {"name": "sat", "schedule": SATURDAY, "duration_hours": 4, "cutoff_hours": 1, "timezone": "UTC"},
        {"name": "sun", "schedule": "cron(0 22 ? * SUN *)", "duration_hours": 4, "cutoff_hours": 1},
    ],
    "plan": {"tagged_cron": {"duration_hours": 4, "cutoff_hours": 1, "timezone": "UTC"}},
    "waves": [{"name": "all", "window": "tag"}],
    "owners": [
        {"name": "web-team", "people": [ME], "select": {"accounts": [WEB]}},
        {"name": "plant", "people": [ME], "select": {"groups": ["plant"]}},
        {"name": "azure-team", "people": [ME], "select": {"nodes": ["az-web-01", "arc-db-01"]}},
        {"name": "databases", "people": ["robin"], "select": {"accounts": [SHARED]}},
    ],
}


@pytest.fixture(scope="module")
def small() -> Iterator[Lab]:
    with lab(Path(__file__).with_name("owners_estate.yml")) as running:
        yield running


@dataclass
class Owners:
    """One directory with policy, inventory and ledger, and the lab."""

    aws: Lab
    folder: Path
    policy: dict[str, Any]

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory"

    def play(self, playbook: str, *more: str, **variables: Any) -> Played:
        (self.folder / "policy.yml").write_text(yaml.safe_dump(self.policy), encoding="utf-8")
        given = {
            "patchtide_policy_file": str(self.folder / "policy.yml"),
            "patchtide_window_ledger": str(self.folder / "choices.json"),
            "patchtide_inventory_dir": str(self.inventory),
            **{f"patchtide_{name}": value for name, value in variables.items()},
        }
        self.aws.post("ledger/reset")
        return play(self.aws, playbook, "-i", str(self.inventory), "-e", json.dumps(given), *more)

    def choices(self) -> list[dict[str, str]]:
        path = self.folder / "choices.json"
        return list(json.loads(path.read_text("utf-8"))["choices"]) if path.exists() else []

    def tags(self) -> dict[str, str]:
        """Each node's window by its tag, asked of the lab."""
        rows = self.aws.get("nodes")["nodes"]
        return {row["name"]: row["tags"].get("MaintenanceWindow", "") for row in rows}

    def writes(self) -> set[str]:
        calls = self.aws.get("ledger")["calls"]
        return {row["operation"] for row in calls if row["operation"].startswith(WRITES)}

    def add_azure(self) -> None:
        fleet = {"plugin": "patchtide.hybrid.azure_fleet", "hostnames": ["name"]}
        (self.inventory / "azure_fleet.yml").write_text(yaml.safe_dump(fleet), encoding="utf-8")

    def azure_windows(self) -> dict[str, dict[str, str]]:
        """Each Azure machine's window tag in its spelling, asked of the lab."""
        key = "maintenancewindow"
        return {
            name: {tag: value for tag, value in row["tags"].items() if tag.lower() == key}
            for name, row in machines(self.aws).items()
        }

    def azure_writes(self) -> int:
        """How many tags were written in Azure by the last run."""
        return sum(row["count"] for row in self.aws.get("ledger")["calls"] if row["operation"] == "PATCH tags")

    def windows(self, account: str) -> dict[str, list[str]]:
        """Every maintenance window of an account by name, with the tag values of its targets."""
        ssm = self.aws.client("ssm", REGION, account)
        found = {}
        for row in ssm.describe_maintenance_windows()["WindowIdentities"]:
            targets = ssm.describe_maintenance_window_targets(WindowId=row["WindowId"])["Targets"]
            found[row["Name"]] = sorted(value for t in targets for item in t["Targets"] for value in item["Values"])
        return found


@pytest.fixture
def owners(small: Lab, tmp_path: Path) -> Owners:
    small.reset()
    inventory = tmp_path / "inventory"
    inventory.mkdir()
    accounts = POLICY["estate"]["accounts"]  # type: ignore[index]
    named = {"hostnames": ["name"]}
    fleet = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": [REGION], "accounts": accounts, **named}
    (inventory / "aws.ssm_fleet.yml").write_text(yaml.safe_dump(fleet), encoding="utf-8")
    hosts = {"plant": {"hosts": {"press-1": {"patchtide_executor": "linux", "patchtide_maintenance_window": "sat"}}}}
    (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    return Owners(small, tmp_path, json.loads(json.dumps(POLICY)))


CHOICE: dict[str, Any] = {"nodes": ["web-01", "press-1"], "window": "sun", "reason": "Release on Saturday"}


def test_an_owner_chooses_a_window_and_it_is_written_wherever_it_belongs(owners: Owners) -> None:
    before = owners.tags()
    checked = owners.play("choose_window", "--check", "--diff", **CHOICE)
    assert (checked.status, checked.changed) == (0, 1), checked.output + checked.errors
    assert "web-01: sun, in plans made from now on" in checked.output
    assert '-    "web-01": "sat"' in checked.output and '+    "web-01": "sun"' in checked.output
    assert owners.tags() == before and owners.choices() == [] and not owners.writes()

    done = owners.play("choose_window", **CHOICE)
    assert (done.status, done.changed) == (0, 1), done.output + done.errors
    assert owners.tags() == {**before, "web-01": "sun"} and owners.writes() == {"CreateTags"}
    file = owners.inventory / "host_vars" / "press-1" / "patchtide_window.yml"
    assert yaml.safe_load(file.read_text("utf-8")) == {"patchtide_maintenance_window": "sun"}
    rows = [(row["host"], row["by"], row["owner"], row["reason"]) for row in owners.choices()]
    assert rows == [("web-01", ME, "web-team", CHOICE["reason"]), ("press-1", ME, "plant", CHOICE["reason"])]

    kept = owners.choices()
    again = owners.play("choose_window", **CHOICE)
    assert (again.status, again.changed, owners.choices()) == (0, 0, kept) and not owners.writes(), again.output


def test_machines_of_azure_have_the_window_in_their_tag(owners: Owners) -> None:
    """Azure ignores the case of a tag's name. A machine with a lock is named, hides no other, and is tagged later."""
    choice = {"nodes": ["az-web-01", "arc-db-01"], "window": "sun", "reason": "Release on Saturday"}
    owners.add_azure()
    before = owners.azure_windows()
    assert before == {"az-web-01": {"maintenancewindow": "sat"}, "arc-db-01": {}}
    checked = owners.play("choose_window", "--check", "--diff", **choice)
    assert (checked.status, checked.changed) == (0, 1), checked.output + checked.errors
    assert '-    "az-web-01": "sat"' in checked.output and '+    "arc-db-01": "sun"' in checked.output
    assert owners.azure_windows() == before and owners.choices() == [] and not owners.azure_writes()

    azure_of(owners.aws).post("faults", {"machine": "arc-db-01", "lock": "ReadOnly"})
    failed = owners.play("choose_window", **choice)
    assert failed.status != 0 and "run it again. arc-db-01: ScopeLocked: " in failed.error(), failed.output
    assert "az-web-01: sun, in plans" in failed.output and "arc-db-01: sun" not in failed.output
    assert owners.azure_windows() == {"az-web-01": {"maintenancewindow": "sun"}, "arc-db-01": {}}
    azure_of(owners.aws).post("faults", {"machine": "arc-db-01", "lock": ""})
    again = owners.play("choose_window", **choice)
    assert (again.status, again.changed) == (0, 1), again.output + again.errors
    assert owners.azure_windows()["arc-db-01"] == {"MaintenanceWindow": "sun"} and owners.azure_writes() == 1

    quiet = owners.play("choose_window", **choice)
    assert (quiet.status, quiet.changed, owners.azure_writes()) == (0, 0, 0), quiet.output
    open_rows = [(row["host"], row["owner"]) for row in owners.choices() if not row["ended"]]
    assert sorted(open_rows) == [("arc-db-01", "azure-team"), ("az-web-01", "azure-team")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nodes": ["db-01"]}, "owns no nodes db-01: nothing was changed"),
        ({"nodes": ["web-01", "nowhere"]}, "owns no nodes nowhere: nothing was changed"),
        ({"window": "cron(0 3 * * ? *)"}, "expected a window of the policy: sat, sun"),
        ({"reason": ""}, "expected the reason"),
        ({"until": "2026-05-01"}, "expected today, 2026-"),
        ({"inventory_dir": ""}, "expected the directory of the inventory, for the host press-1"),
        ({"windw": "sun"}, "patchtide_windw (did you mean patchtide_window?)"),
    ],
)
def test_what_is_refused_changes_nothing(owners: Owners, change: dict[str, Any], words: str) -> None:
    """db-01's own tag says that the web team owns it; whoever controls the machine can write that."""
    before = owners.tags()
    done = owners.play("choose_window", **{**CHOICE, **change})
    assert done.status != 0 and words in " ".join(done.error().split()), done.output + done.errors
    assert owners.tags() == before and owners.choices() == [] and not owners.writes()
    assert not (owners.inventory / "host_vars").exists()


@pytest.mark.slow
def test_windows_that_nobody_uses_go_by_their_own_mark_and_others_stay(owners: Owners) -> None:
    assert owners.play("apply_policy").status == 0
    ssm = owners.aws.client("ssm", REGION, WEB)
    ssm.create_maintenance_window(
        Name="backup", Schedule="rate(7 days)", Duration=2, Cutoff=0, AllowUnassociatedTargets=False
    )
    assert owners.play("sync_windows").status == 0
    (tagged,) = set(owners.windows(WEB)) - {"backup", "sat", "sun"}
    nodes = [row["node_id"] for row in owners.aws.get("nodes")["nodes"] if row["name"].startswith(("shop", "web"))]
    ec2 = owners.aws.client("ec2", REGION, WEB)
    ec2.create_tags(Resources=nodes, Tags=[{"Key": "MaintenanceWindow", "Value": "sun"}])
    assert owners.play("sync_windows").status == 0
    assert owners.windows(WEB) == {"backup": [], "sat": [], "sun": ["sun"]}, tagged


def state(owners: Owners, **entry: str) -> None:
    """Let plant-01 state patch group and window in its inventory, as AWS's guide has it for on-premises nodes."""
    nodes = {row["name"]: row["node_id"] for row in owners.aws.get("nodes")["nodes"]}
    item = {"TypeName": "Custom:PatchInformation", "SchemaVersion": "1.0", "CaptureTime": "2026-06-01T06:00:00Z"}
    content = [{name.replace("_", " "): value for name, value in entry.items()}]
    owners.aws.client("ssm", REGION, SHARED).put_inventory(
        InstanceId=nodes["plant-01"], Items=[{**item, "Content": content}]
    )


def test_windows_come_from_tags_and_those_of_nodes_outside_aws_from_their_inventory(owners: Owners) -> None:
    """Equal schedules share a window; a node whose tag cannot be read is named with its owner."""
    assert owners.play("apply_policy").status == 0
    state(owners, Patch_Group="WEB", Maintenance_Window="sun")
    before = {account: owners.windows(account) for account in (SHARED, WEB)}
    checked = owners.play("sync_windows", "--check", "--diff")
    assert checked.status == 0 and checked.changed and not owners.writes(), checked.output + checked.errors
    assert {account: owners.windows(account) for account in (SHARED, WEB)} == before
    assert TUESDAY in checked.output and '"MaintenanceWindow": "sun"' in checked.output.split("tags of nodes")[-1]

    done = owners.play("sync_windows")
    assert done.status == 0 and done.changed, done.output + done.errors
    assert owners.tags()["plant-01"] == "sun" and owners.tags()["plant-02"] == ""
    assert owners.windows(SHARED) == {"sat": ["sat"], "sun": ["sun"]}
    found = owners.windows(WEB)
    assert (found.pop("sun"), found.pop("sat"), list(found.values())) == ([], [SATURDAY, "sat"], [[TUESDAY]])
    assert "db-02: its tag MaintenanceWindow says 'satt'" in done.output and "its owner is web-team" in done.output
    assert "plant-02: it has no tag MaintenanceWindow; it names no owner" in done.output
    groups = owners.aws.client("ssm", REGION, SHARED).describe_patch_groups()["Mappings"]
    assert [(row["PatchGroup"], row["BaselineIdentity"]["BaselineName"]) for row in groups] == [
        ("WEB", "owners-al2023")
    ]

    again = owners.play("sync_windows")
    assert (again.status, again.changed) == (0, 0) and not owners.writes(), again.output


@pytest.mark.slow
def test_the_quota_of_windows_is_kept_and_hides_no_other_account(owners: Owners) -> None:
    owners.policy |= {"baselines": [], "patch_groups": []}
    ssm = owners.aws.client("ssm", REGION, WEB)
    for number in range(49):
        ssm.create_maintenance_window(
            Name=f"backup-{number}", Schedule="rate(7 days)", Duration=2, Cutoff=0, AllowUnassociatedTargets=False
        )
    refused = owners.play("sync_windows")
    assert refused.status != 0 and "51 would be needed, and the quota is 50" in refused.error(), refused.output
    assert len(owners.windows(WEB)) == 49 and owners.windows(SHARED) == {"sat": ["sat"]}
    ssm.delete_maintenance_window(WindowId=ssm.describe_maintenance_windows()["WindowIdentities"][0]["WindowId"])
    done = owners.play("sync_windows")
    assert done.status == 0 and len(owners.windows(WEB)) == 50, done.output + done.errors


@pytest.mark.slow
def test_a_form_and_a_survey_choose_until_a_day_and_the_window_from_before_comes_back(owners: Owners) -> None:
    """A survey's answers are texts; the question that nobody answered is blank."""
    owners.policy |= {"baselines": [], "patch_groups": []}
    before = owners.tags()
    today = from_time(owners.aws.get("clock")["now"])
    until = f"{today + timedelta(days=9):%Y-%m-%d}"
    form = owners.folder / "form.yml"
    form.write_text(yaml.safe_dump({**CHOICE, "until": until}), "utf-8")
    checked = owners.play("choose_window", "--check", "--diff", form=str(form))
    assert (checked.status, checked.changed) == (0, 1) and not owners.writes(), checked.output + checked.errors
    assert "web-01: sun" in checked.output and owners.choices() == []
    done = owners.play("choose_window", form=str(form))
    assert (done.status, done.changed) == (0, 1) and owners.tags()["web-01"] == "sun", done.output + done.errors
    survey = {**CHOICE, "nodes": "web-01\npress-1\n", "until": until, "form": "", "inventory_dir": ""}
    again = owners.play("choose_window", **survey)
    assert (again.status, again.changed) == (0, 0) and len(owners.choices()) == 2, again.output + again.errors

    owners.aws.post("clock", {"set": to_time(today + timedelta(days=10))})
    asked = owners.play("sync_windows", "--check", "--diff")
    assert asked.status == 0 and "web-01: sat, in plans made from now on" in asked.output and not owners.writes()
    back = owners.play("sync_windows")
    assert back.status == 0 and owners.tags() == before, back.output + back.errors
    file = owners.inventory / "host_vars" / "press-1" / "patchtide_window.yml"
    assert yaml.safe_load(file.read_text("utf-8")) == {"patchtide_maintenance_window": "sat"}
    assert all(row["ended"] for row in owners.choices())
    quiet = owners.play("sync_windows")
    assert (quiet.status, quiet.changed) == (0, 0) and not owners.writes(), quiet.output
