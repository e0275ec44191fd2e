# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""enroll_nodes on the lab: what it repairs, what it leaves to whom; a launched machine is patched in the next window.

Covers TCS-12, TCS-13, MO-2, MO-3, PG-13, PG-14 and CG-2. What happened is asked of the services.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab, lab
from tests.playbooks.playing import Played, play
from tests.playbooks.test_rollout import WRITES

REGION = "eu-central-1"
SHARED, WEB, DATA = "111111111111", "222222222222", "333333333333"
CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
#: A machine that the policy registers with Systems Manager, and that nobody reaches.
PLANT = {"ansible_host": "127.0.0.1", "ansible_port": 9}
HOSTS = {"switch01": {}, "plc01": PLANT, "db01": {"patchtide_executor": "linux", "patchtide_node_id": "db01"}}


WAIT = {"patchtide_window_wait_minutes": 1440}
NIGHT = {"name": "night", "schedule": "cron(0 22 ? * * *)", "duration_hours": 4, "cutoff_hours": 1}


def policy(*accounts: str) -> dict[str, Any]:
    role = "arn:aws:iam::{}:role/{}"
    return {
        "version": 1,
        "name": "enrollment",
        "estate": {
            "regions": [REGION],
            "accounts": [
                {"id": number, "role_arn": role.format(number, "patchtide-denied" if number == DATA else "patchtide")}
                for number in accounts
            ],
        },
        "patch_groups": [{"name": "WEB"}],
        "waves": [{"name": "prod", "select": {"tags": {"Environment": ["prod"]}}}],
        "patching": {"pin": "baseline"},
        "enrollment": {
            "instance_profile": "patchtide-node",
            "role_policy_arn": CORE,
            "required_tags": {"PatchGroup": {"default": "WEB"}, "Environment": {"default": "prod"}},
            "onboarding": {"select": {"nodes": ["plc01"]}, "region": REGION, "account": SHARED, "iam_role": "hybrid"},
        },
    }


@dataclass
class Estate:
    """One lab, and the files of one operator."""

    aws: Lab
    folder: Path
    policy: dict[str, Any]
    hosts: dict[str, Any] = field(default_factory=lambda: dict(HOSTS))

    def play(self, playbook: str, *options: str) -> Played:
        inventory = self.folder / "inventory"
        inventory.mkdir(exist_ok=True)
        accounts = [row for row in self.policy["estate"]["accounts"] if row["id"] != DATA]
        fleet = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": [REGION], "accounts": accounts}
        files = {
            "policy.yml": self.policy,
            "inventory/aws.ssm_fleet.yml": fleet,
            "inventory/azure_fleet.yml": {"plugin": "patchtide.hybrid.azure_fleet", "hostnames": ["name"]},
            "inventory/hosts.yml": {"all": {"hosts": self.hosts}},
        }
        for name, data in files.items():
            (self.folder / name).write_text(yaml.safe_dump(data), encoding="utf-8")
        given = {"patchtide_policy_file": f"{self.folder}/policy.yml", "patchtide_dir": f"{self.folder}/run", **WAIT}
        return play(self.aws, playbook, "-i", str(inventory), "-e", json.dumps(given), *options)

    def launch(self, name: str, **more: Any) -> str:
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
        ec2 = self.aws.client("ec2", REGION, WEB)
        image: Any = {"ImageId": "ami-0123456789abcdef0", "MinCount": 1, "MaxCount": 1, "TagSpecifications": tags}
        return str(ec2.run_instances(**image, **more)["Instances"][0]["InstanceId"])

    def weak_profile(self) -> None:
        """A profile whose role may do nothing but write logs."""
        iam = self.aws.client("iam", REGION, WEB)
        iam.create_role(RoleName="weak", AssumeRolePolicyDocument="{}")
        statement = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName="weak", PolicyName="logs", PolicyDocument=text)
        iam.create_instance_profile(InstanceProfileName="weak")
        iam.add_role_to_instance_profile(InstanceProfileName="weak", RoleName="weak")

    def state(self, patch_group: str) -> None:
        """What the on-premises node says of itself."""
        ssm = self.aws.client("ssm", REGION, SHARED)
        item = {"TypeName": "Custom:PatchInformation", "SchemaVersion": "1.0", "CaptureTime": "2026-06-01T06:00:00Z"}
        ssm.put_inventory(
            InstanceId=self.node("plant-01")["node_id"], Items=[{**item, "Content": [{"Patch Group": patch_group}]}]
        )

    def node(self, name: str) -> dict[str, Any]:
        return next(row for row in self.aws.get("nodes")["nodes"] if name in (row["name"], row["node_id"]))

    def writes(self) -> set[str]:
        calls = self.aws.get("ledger")["calls"]
        mutating = (*WRITES, "Associate", "Attach", "PATCH")
        return {row["operation"] for row in calls if row["operation"].startswith(mutating)}


@pytest.fixture(scope="module")
def running() -> Iterator[Lab]:
    with lab(Path(__file__).with_name("enrollment_estate.yml")) as aws:
        yield aws


@pytest.fixture
def estate(running: Lab, tmp_path: Path) -> Estate:
    """The estate with two machines that somebody launched: one bare, one with a role that may do little."""
    running.reset()
    made = Estate(running, tmp_path, policy(SHARED, WEB, DATA))
    made.weak_profile()
    made.launch("bare")
    made.launch("weak", IamInstanceProfile={"Name": "weak"})
    made.state("WEB")
    running.advance(3600)
    running.post("ledger/reset")
    return made


def test_it_predicts_repairs_and_leaves_the_rest_to_owners_with_its_fix(estate: Estate) -> None:
    predicted = estate.play("enroll_nodes", "--check", "--diff")
    assert predicted.changed == 1 and not estate.writes(), predicted.output + predicted.errors
    done = estate.play("enroll_nodes")
    assert done.status != 0 and done.changed == 1 and "5 findings remain" in done.output, done.output + done.errors
    for text in (
        "attach the instance profile patchtide-node: bare",
        "attach the policy to role weak: weak",
        "set Environment=prod, PatchGroup=WEB: plant-01",
        "set Environment=prod, PatchGroup=WEB: az-web-01",
    ):
        assert f"Would {text}" in predicted.output and f"Did {text}" in done.output
    assert "web-team: 1 finding" in done.output and "web-02: its agent has not answered since" in done.output
    assert "switch01: nothing patches it" in done.output and "Fix: Set patchtide_executor" in done.output
    assert "No answer from 333333333333/eu-central-1" in done.output
    assert "Would register by onboard_node: plc01" in predicted.output
    assert "plc01 was not registered: could not be reached" in done.output
    tags = {"Environment": "prod", "PatchGroup": "WEB"}
    assert all(estate.node(name)["tags"].items() >= tags.items() for name in ("bare", "weak", "plant-01"))

    estate.aws.post("ledger/reset")
    again = estate.play("enroll_nodes")
    assert again.changed == 0 and not estate.writes(), again.output
    assert "bare, weak: runs with a role that suffices, and has not registered" in again.output


@pytest.mark.slow
def test_every_fix_clears_its_finding_and_a_launched_machine_is_patched_in_the_next_window(estate: Estate) -> None:
    assert estate.play("enroll_nodes").status != 0
    estate.aws.post("faults", {"node": "web-02", "offline": False})
    estate.hosts = {"db01": HOSTS["db01"] | {"patchtide_tags": {"PatchGroup": "WEB", "Environment": "test"}}}
    reason = {"select": {"nodes": ["db01"]}, "reason": "patched by its vendor"}
    estate.policy = policy(SHARED, WEB) | {"exclude": [reason], "windows": [NIGHT]}
    estate.policy["waves"][0]["window"] = "night"
    estate.aws.advance(3600)
    clear = estate.play("enroll_nodes")
    assert clear.status == 0 and "6 nodes are enrolled, 0 are registering" in clear.output, clear.output + clear.errors

    new = estate.launch("newcomer")
    early = estate.play("enroll_nodes", "-e", json.dumps({"patchtide_nodes": [new]}))
    assert early.status == 0 and early.changed == 1, early.output + early.errors
    estate.aws.advance(3600)
    assert estate.node(new)["managed"] and estate.play("enroll_nodes").status == 0
    for playbook in ("scan_compliance", "plan_rollout"):
        ran = estate.play(playbook)
        assert ran.status == 0, ran.output + ran.errors
    plan = json.loads((estate.folder / "run" / "plan.json").read_text("utf-8"))
    assert new in {node["node_id"] for wave in plan["waves"] for node in wave["nodes"]}
    rolled_out = estate.play("rollout_patches")
    assert rolled_out.status == 0, rolled_out.output + rolled_out.errors
    ssm = estate.aws.client("ssm", REGION, WEB)
    (state,) = ssm.describe_instance_patch_states(InstanceIds=[new])["InstancePatchStates"]
    assert state["MissingCount"] == 0 and state["InstalledCount"] > 0
    assert state["OperationStartTime"].astimezone(timezone.utc).hour in (22, 23, 0)
    unknown = estate.play("enroll_nodes", "-e", json.dumps({"patchtide_nodes": ["i-00000000000000000"]}))
    assert unknown.status != 0 and "neither the inventory nor the estate has it" in unknown.output
