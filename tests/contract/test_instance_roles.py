# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles of EC2 instances behave the same on the fake and on the lab's EC2 and IAM (covers MO-2, MO-3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.instance_roles import Ec2InstanceRoles
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, Conflict
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.instance_roles import (
    InstanceRolesNoun,
    default_policy,
)

from lab.aws.launch import Lab
from tests.fakes.instance_roles import FakeInstanceRoles

REGION = "eu-central-1"
ROLES: dict[str, list[dict[str, Any]]] = {
    "weak": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}],
    "strong": [{"Effect": "Allow", "Action": ["ssm:*", "ssmmessages:*"], "Resource": "*"}],
    "denied": [{"Effect": "Deny", "Action": "ssm:*", "Resource": "*"}],
}


class World:
    """A port, and the ids of two instances without profile."""

    def __init__(self, port: Any, ids: list[str]) -> None:
        self.port, self.ids = port, ids

    def run(self, *ids: str, **options: Any) -> tuple[bool, Any]:
        given = {"filters": None, "instance_profile": None, "policy_arn": None, "required_actions": None, **options}
        noun = InstanceRolesNoun(self.port, {"instance_ids": list(ids or self.ids), **given}, REGION)
        change = noun.plan()
        return change.changed, noun.apply(change) if change.changed else change.after


@pytest.fixture(params=["fake", "lab"])
def world(request: pytest.FixtureRequest) -> World:
    return fake_world() if request.param == "fake" else lab_world(request.getfixturevalue("aws"))


def fake_world() -> World:
    ids = [f"i-{number:017x}" for number in (1, 2)]
    inline: dict[str, Any] = {role: [{"Statement": rows}] for role, rows in ROLES.items()}
    port = FakeInstanceRoles(dict.fromkeys(ids, ""), {**{role: role for role in ROLES}, "empty": ""}, inline)
    return World(port, ids)


def lab_world(aws: Lab) -> World:
    aws.reset()
    ec2, iam = aws.client("ec2", REGION), aws.client("iam", REGION)
    for role, rows in ROLES.items():
        iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
        text = json.dumps({"Version": "2012-10-17", "Statement": rows})
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=text)
        iam.create_instance_profile(InstanceProfileName=role)
        iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
    iam.create_instance_profile(InstanceProfileName="empty")
    made = ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=2, MaxCount=2)
    return World(Ec2InstanceRoles(ec2, iam), [row["InstanceId"] for row in made["Instances"]])


def test_missing_profile_and_policy_are_attached_once(world: World) -> None:
    changed, after = world.run(instance_profile="weak")
    assert changed
    assert {row.role for row in after.values()} == {"weak"}
    assert {row.added_policy for row in after.values()} == {default_policy(REGION)}
    changed, after = world.run(instance_profile="weak")
    assert not changed and {row.added_policy for row in after.values()} == {""}


def test_role_that_may_is_left_alone(world: World) -> None:
    changed, after = world.run(instance_profile="strong")
    assert changed and {row.added_policy for row in after.values()} == {""}


def test_own_profile_is_kept(world: World) -> None:
    world.run(world.ids[0], instance_profile="weak")
    _changed, after = world.run(instance_profile="strong")
    assert [after[instance_id].instance_profile for instance_id in world.ids] == ["weak", "strong"]


def test_asked_for_actions_decide(world: World) -> None:
    changed, after = world.run(instance_profile="weak", required_actions=["logs:PutLogEvents"])
    assert changed and {row.added_policy for row in after.values()} == {""}


def test_denial_is_a_conflict(world: World) -> None:
    with pytest.raises(Conflict, match="denies ssm:"):
        world.run(instance_profile="denied")


def test_profile_is_needed_and_must_hold_a_role(world: World) -> None:
    with pytest.raises(BadInput, match="which have none"):
        world.run()
    with pytest.raises(BadInput, match="an existing instance profile"):
        world.run(instance_profile="nowhere")
    with pytest.raises(Conflict, match="contains no role"):
        world.run(instance_profile="empty")


def test_unknown_instance_is_named(world: World) -> None:
    with pytest.raises(BadInput, match="i-0000000000000000f"):
        world.run("i-0000000000000000f", instance_profile="weak")


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_policy_is_that_of_the_partition(region: str, partition: str) -> None:
    assert default_policy(region) == f"arn:{partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
