# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From three empty accounts to patched nodes, with the roles of the templates only.

The lab refuses what the role of the spoke does not allow, and its ledger has every IAM action that a role needed. So
the table of permissions is compared with what a whole cycle does, in both directions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_gather import Wish
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_sync import Bucket, read_sync
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.permissions import ENROLLMENT, READ, ROLLOUT

from lab.aws.launch import Lab, lab
from tests.contract.test_alarms import put_alarm
from tests.playbooks.playing import Played, play, play_file
from tests.playbooks.test_bootstrap_estate import DATA, EXECUTION, HERE, HOME, THERE, WEB

PURPOSES = (*READ, *ROLLOUT, *ENROLLMENT)
CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
ROLES = [
    {"name": name, "id": number, "role_arn": f"arn:aws:iam::{number}:role/patchtide", "external_id": "contoso"}
    for name, number in (("shared", HOME), ("web", WEB), ("data", DATA))
]
BOOTSTRAP: dict[str, Any] = {
    "patchtide_estate_regions": [HERE, THERE],
    "patchtide_hub_parameters": {"SpokeAccounts": f"{HOME},{WEB},{DATA}"},
    "patchtide_owner_parameters": [{"Owner": "data", "Email": "data@example.com", "Accounts": DATA}],
    "patchtide_lists_parameters": {
        "WriterArns": f"arn:aws:iam::{HOME}:role/patchtide",
        "ReaderAccounts": f"{HOME},{WEB},{DATA}",
    },
    "patchtide_spoke_parameters": {
        "ControllerArns": f"arn:aws:iam::{HOME}:user/lab",
        "ExternalId": "contoso",
        "CreateNodeRole": True,
        "NodeRoleName": "patching-node",
        **{f"Allow{purpose.sid}": True for purpose in PURPOSES if not purpose.always},
    },
    "patchtide_spoke_targets": {"target_accounts": [HOME, WEB, DATA]},
}
WINDOW = {"duration_hours": 8, "cutoff_hours": 1}
NIGHT = {"name": "night", "schedule": "cron(0 20 ? * * *)", **WINDOW}
SCAN = {"name": "scan", "schedule": "cron(0 4 ? * * *)", **WINDOW, "patch_groups": ["WEB-DEV"]}
TASK = {"operation": "Scan", "max_concurrency": "50%", "max_errors": "50%"}
AL2023 = {"name": "al2023", "operating_system": "AMAZON_LINUX_2023"}
ALARM = {"names": ["shop-5xx"], "region": HERE, "account": "web"}
POLICY: dict[str, Any] = {
    "version": 1,
    "name": "chain",
    "tags": {"patch_now": "ssm-patch-now", "last_patched": "LastPatched"},
    "estate": {"regions": [HERE, THERE], "accounts": ROLES},
    "baselines": [
        {**AL2023, "rules": [{"approve_after_days": 0}], "default": True},
        {
            "name": "ubuntu",
            "operating_system": "UBUNTU",
            "rules": [{"filters": {"PRIORITY": ["Required", "Optional"]}}],
        },
    ],
    "patch_groups": [{"name": "WEB-DEV", "baselines": ["al2023", "ubuntu"]}],
    "windows": [NIGHT, {**SCAN, "tasks": [TASK]}],
    "waves": [{"name": "dev", "select": {"tags": {"Environment": "dev"}}, "window": "night"}],
    "patching": {"buckets": {name: {"name": f"ptl-{HOME}-{name}", "account": "shared"} for name in (HERE, THERE)}},
    "stopped_nodes": {"start": True},
    "hooks": {"load_balancer": {"drain": True}},
    "gates": {
        "unplanned": "allow",
        "max_skipped_rate": "100%",
        "health_checks": [{"name": "errors", "alarm": ALARM}],
    },
    "enrollment": {
        "instance_profile": "patching-node",
        "role_policy_arn": CORE,
        "required_tags": {"PatchGroup": {"default": "WEB-DEV"}, "Environment": {"default": "dev"}},
    },
}
TARGET = {"name": "patch-groups", "instance_tags": {"PatchGroup": ["WEB-DEV"]}}
#: What people do with modules: look, and take back what a policy made.
MODULES: tuple[dict[str, Any], ...] = (
    {"ssm_inventory_info": {"types": ["AWS:InstanceInformation"]}},
    {"ssm_patch_group_info": {"names": ["WEB-DEV"], "operating_systems": ["WINDOWS"]}},
    {"ssm_patch_baseline_info": {"prefix": "al2023"}},
    {"ssm_maintenance_window_info": {"tasks": True, "targets": True}},
    {"ssm_association_info": {}},
    {"ssm_maintenance_window_target": {"window": "scan", **TARGET, "description": "by hand"}},
    {"ssm_maintenance_window_task": {"window": "scan", "name": "scan-scan", "state": "absent"}},
    {"ssm_maintenance_window_target": {"window": "scan", **TARGET, "state": "absent"}},
    {"ssm_maintenance_window": {"name": "scan", "state": "absent"}},
    {"ssm_patch_group": {"name": "WEB-DEV", "state": "absent"}},
    {"ssm_patch_baseline": {**AL2023, "state": "absent"}},
)
#: In statements that one needs for another reason.
SHARED = {"iam:PassRole"}
#: The statements that each of them needs beside ReadTheEstate, by ``sid``.
NEEDS: dict[str, set[str]] = {
    "apply_policy": {"WritePolicyResources"},
    "enroll_nodes": {
        *("ReadInstanceRoles", "AttachInstanceProfiles", "AttachRolePolicies", "TagNodes"),
        "WritePolicyResources",  # tags of hybrid nodes
    },
    "scan_compliance": {"RunCommands"},
    "plan_rollout": set(),
    "rollout_patches": {
        *("RunCommands", "StartAndStopNodes", "TagNodes", "DrainLoadBalancers", "ReadAlarms"),
        *("WriteOverrideLists", "EncryptOverrideLists"),
        "WritePolicyResources",  # tags of hybrid nodes
    },
    "check_connectivity": {"ReadNetworks"},
    "init_policy": set(),
    "modules": {"WritePolicyResources"},
}
#: Actions that no step of this cycle needs, and what does.
UNUSED = {
    **dict.fromkeys(
        (f"ssm:{name}" for name in ("CreateActivation", "DeleteActivation", "DescribeActivations")),
        "enrollment.onboarding, which needs hosts of one's own: tests/hosts/test_onboarding.py",
    ),
    "ssm:DeregisterManagedInstance": "the role onboard_node: tests/hosts/test_onboarding.py",
    "ec2:DescribeRegions": "regions: [all] in the inventory",
    "ssm:CancelCommand": "a window that ends while a command runs",
    "ssm:GetCommandInvocation": "the output of a node that ListCommandInvocations cuts",
    "ssm:GetDefaultPatchBaseline": "ssm_patch_baseline with baseline_id",
}
pytestmark = pytest.mark.slow


@dataclass
class Chain:
    """One estate, the files of one operator, and what the roles did in each playbook."""

    aws: Lab
    folder: Path
    policy: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(POLICY)))
    run: str = "first"
    done: dict[str, set[str]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def bootstrap(self) -> None:
        for account in (HOME, WEB, DATA):
            trust = json.dumps({"Version": "2012-10-17", "Statement": []})
            iam = self.aws.client("iam", HERE, account)
            iam.create_role(RoleName=EXECUTION, AssumeRolePolicyDocument=trust)
        self.write("accounts.yml", BOOTSTRAP)
        made = play(self.aws, "bootstrap_estate", "-e", f"@{self.folder}/accounts.yml")
        assert made.status == 0, made.output + made.errors

    def write(self, name: str, data: Any) -> None:
        (self.folder / name).write_text(yaml.safe_dump(data), encoding="utf-8")

    def play(self, playbook: str, status: int = 0, **variables: Any) -> Played:
        self.write("policy.yml", self.policy)
        fleet = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": [HERE, THERE], "accounts": ROLES}
        self.write("aws.ssm_fleet.yml", fleet)
        given = {"patchtide_policy_file": f"{self.folder}/policy.yml", "patchtide_dir": f"{self.folder}/{self.run}"}
        given |= {"patchtide_window_wait_minutes": 1440, "patchtide_poll_interval": 60, **variables}
        self.aws.post("ledger/reset")
        ran = play(self.aws, playbook, "-i", f"{self.folder}/aws.ssm_fleet.yml", "-e", json.dumps(given))
        self._note(playbook)
        assert bool(ran.status) == bool(status), ran.output + ran.errors
        return ran

    def modules(self) -> None:
        places = {"regions": [HERE], "accounts": [ROLES[1]]}
        tasks = [
            {f"patchtide.hybrid.{name}": {**options, **places}} for row in MODULES for name, options in row.items()
        ]
        local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        self.write("modules.yml", [{"hosts": "localhost", "gather_facts": False, "vars": local, "tasks": tasks}])
        self.aws.post("ledger/reset")
        ran = play_file(self.aws, self.folder / "modules.yml")
        self._note("modules")
        assert ran.status == 0, ran.output + ran.errors

    def _note(self, playbook: str) -> None:
        rows = self.aws.get("ledger")["actions"]
        self.done.setdefault(playbook, set()).update(row["action"] for row in rows)
        self.refused |= {f"{playbook}: {row['action']}" for row in rows if row["refused"]}

    def cycle(self, run: str) -> set[str]:
        """Scan, plan and roll out; return the names of the nodes on which something was installed."""
        self.run = run
        for playbook in ("scan_compliance", "plan_rollout", "rollout_patches"):
            self.play(playbook)
        return {row["name"] for row in self.aws.get("ledger")["installs"]}

    def launch(self, name: str, **more: Any) -> None:
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
        image: Any = {"ImageId": "ami-0123456789abcdef0", "MinCount": 1, "MaxCount": 1, "TagSpecifications": tags}
        self.aws.client("ec2", HERE, WEB).run_instances(**image, **more)

    def weak_profile(self) -> None:
        """A profile whose role may write logs and nothing else."""
        iam = self.aws.client("iam", HERE, WEB)
        iam.create_role(RoleName="weak", AssumeRolePolicyDocument="{}")
        statement = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName="weak", PolicyName="logs", PolicyDocument=text)
        made = iam.create_policy(PolicyName="more-logs", PolicyDocument=text)["Policy"]
        iam.attach_role_policy(RoleName="weak", PolicyArn=made["Arn"])
        iam.create_instance_profile(InstanceProfileName="weak")
        iam.add_role_to_instance_profile(InstanceProfileName="weak", RoleName="weak")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with lab(Path(__file__).with_name("chain_estate.yml")) as aws:
        made = Chain(aws, tmp_path_factory.mktemp("chain"))
        made.bootstrap()
        yield made


def test_empty_accounts_are_patched_with_the_roles_of_the_templates(chain: Chain) -> None:
    put_alarm(chain.aws.client("cloudwatch", HERE, WEB), "shop-5xx", "OK", "fine")
    chain.play("apply_policy")
    chain.play("enroll_nodes")
    assert chain.cycle("first") == {"web-01", "web-02", "plant-01", "data-01", "data-02"}

    chain.weak_profile()
    chain.launch("newcomer")
    chain.launch("weak", IamInstanceProfile={"Name": "weak"})
    chain.play("enroll_nodes")
    chain.aws.advance(3600)
    chain.policy["patching"] = {"pin": "baseline"}
    assert chain.cycle("second") >= {"newcomer", "weak", "spare-01"}
    chain.play("check_connectivity", status=1)  # its VPC has no way out
    chain.play("init_policy")
    chain.policy["baselines"][0]["description"] = "Everything at once"
    chain.policy["windows"][1] |= {"duration_hours": 4, "tasks": [{**TASK, "max_errors": "10%"}]}
    chain.play("apply_policy")
    everywhere = [{"Key": "InstanceIds", "Values": ["*"]}]
    chain.aws.client("ssm", HERE, WEB).create_association(Name="AWS-UpdateSSMAgent", Targets=everywhere)
    chain.modules()
    assert not chain.refused


def test_the_bucket_of_the_hub_has_the_nodes_of_all_accounts(chain: Chain) -> None:
    """By the syncs of the spokes, whose data the inventory reads."""
    bucket = Bucket(name=f"patchtide-inventory-{HOME}-{HERE}")
    answers = read_sync(chain.aws.client("s3", HERE, HOME), bucket, Wish(want_patch_states=True))
    found = {row["InstanceId"]: row["IPAddress"] for answer in answers for row in answer.managed}
    nodes = [row for row in chain.aws.get("nodes")["nodes"] if row["managed"]]
    assert len(nodes) == 8 and found.keys() == {row["node_id"] for row in nodes}
    assert {(answer.place.account, answer.place.region) for answer in answers} == {(WEB, HERE), (DATA, THERE)}
    assert all(answer.patch_states for answer in answers)


def test_owners_get_notices_of_their_accounts(chain: Chain) -> None:
    """moto makes no subscriptions of templates."""
    events = chain.aws.client("events", HERE, HOME)
    where = {"EventBusName": "patchtide"}
    rule = events.describe_rule(Name="patchtide-non-compliant-data", **where)
    (target,) = events.list_targets_by_rule(Rule="patchtide-non-compliant-data", **where)["Targets"]
    assert json.loads(rule["EventPattern"])["account"] == [DATA]
    assert target["Arn"] == f"arn:aws:sns:{HERE}:{HOME}:patchtide-notices-data"


def test_the_table_of_permissions_is_what_the_cycle_needs(chain: Chain) -> None:
    assert {
        name: {item.sid for item in PURPOSES if found & (set(item.actions) - SHARED)}
        for name, found in chain.done.items()
    } == {name: {"ReadTheEstate", *sids} for name, sids in NEEDS.items()}
    used = set().union(*chain.done.values())
    table = {action for purpose in PURPOSES for action in purpose.actions}
    assert used <= table and table - used == set(UNUSED)
