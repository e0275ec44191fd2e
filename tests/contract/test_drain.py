# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking nodes out of load balancers and putting them back, the same on the fake and on the lab's ELBv2 (TM-39)."""

from __future__ import annotations

import json

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.drain import AwsDrain
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.prepare.ports import Target

from lab.aws.launch import Lab
from tests.contract.node_worlds import (
    GONE,
    REGION,
    RUNNING,
    SHARED,
    STOPPED,
    WEB,
    NodeWorld,
    calls,
    fake_nodes,
    lab_nodes,
    sessions_of,
)


@pytest.fixture(params=["fake", "lab"])
def world(request: pytest.FixtureRequest) -> NodeWorld:
    return fake_nodes() if request.param == "fake" else lab_nodes(request.getfixturevalue("aws"))


def targets(world: NodeWorld, *names: str) -> list[Target]:
    return [target for found in world.drain.targets(world.id(*names)).values() for target in found]


def test_registrations_are_found_by_instance_and_by_address(world: NodeWorld) -> None:
    one, three, idle = world.id(RUNNING[0], RUNNING[2], STOPPED[0])
    found = world.drain.targets([one, three, idle, GONE])
    assert set(found) == {one, three}
    kinds = {(target.target_type, target.port, bool(target.zone), target.state) for target in found[one]}
    assert kinds == {("instance", 8080, False, "healthy"), ("ip", 9090, True, "healthy")}
    assert [target.target_id for target in found[three]] == [three]
    assert world.drain.targets([]) == world.drain.targets([GONE]) == {}


def test_what_is_remembered_is_plain_data(world: NodeWorld) -> None:
    for target in targets(world, *RUNNING):
        again = Target.from_dict(json.loads(json.dumps(target.to_dict())))
        assert (again, again.state) == (target, target.state)


def test_drained_ones_finish_their_requests_first(world: NodeWorld) -> None:
    members = targets(world, *RUNNING[:2])
    assert world.drain.drain(members) == {}
    assert set(world.drain.health(members).values()) == {"draining"}
    assert world.drain.targets(world.id(*RUNNING[:2])) == {}
    world.advance(130)
    assert set(world.drain.health(members).values()) == {"unused"}
    assert world.drain.drain(members) == {}
    assert [target.state for target in targets(world, RUNNING[2])] == ["healthy"]


def test_restored_ones_are_as_before_once_they_are_healthy(world: NodeWorld) -> None:
    before = world.drain.targets(world.id(*RUNNING))
    members = [target for found in before.values() for target in found]
    world.drain.drain(members)
    world.advance(130)
    assert world.drain.restore(members) == {}
    assert set(world.drain.health(members).values()) == {"initial"}
    world.advance(35)
    assert world.drain.restore(members) == {}
    assert set(world.drain.health(members).values()) == {"healthy"}
    assert world.drain.targets(world.id(*RUNNING)) == before


def test_restoring_ends_a_drain_that_is_under_way(world: NodeWorld) -> None:
    members = targets(world, RUNNING[0])
    world.drain.drain(members)
    world.drain.restore(members)
    assert set(world.drain.health(members).values()) == {"initial"}
    world.advance(130)
    assert set(world.drain.health(members).values()) == {"healthy"}


def test_a_stopped_node_can_not_be_restored_yet(world: NodeWorld) -> None:
    members = targets(world, RUNNING[1], RUNNING[2])
    world.drain.drain(members)
    world.power.stop(world.id(RUNNING[2]))
    world.advance(130)
    assert list(world.drain.restore(members)) == world.id(RUNNING[2])
    world.advance(31)
    health = world.drain.health(members)
    assert {target.node_id: health[target] for target in members if target.target_type == "instance"} == {
        world.id(RUNNING[1])[0]: "healthy",
        world.id(RUNNING[2])[0]: "unused",
    }


def test_a_stopped_member_is_remembered_as_such(world: NodeWorld) -> None:
    assert [target.state for target in targets(world, STOPPED[1])] == ["unused"]


def test_gone_nodes_and_groups_are_no_problem(world: NodeWorld) -> None:
    members = targets(world, *RUNNING[:2])
    world.drain.drain(members)
    world.terminate(RUNNING[0])
    world.delete_group("admin")
    world.advance(130)
    assert world.drain.restore(members) == world.drain.drain(members[:1]) == {}
    assert {target.target_type for target in world.drain.health(members)} == {"instance"}
    assert world.drain.targets(world.id(RUNNING[0])) == {}


def test_denied_is_said_of_every_node(world: NodeWorld) -> None:
    members = targets(world, *RUNNING[:2])
    world.deny()
    ids = set(world.id(*RUNNING[:2]))
    assert set(world.drain.drain(members)) == set(world.drain.restore(members)) == ids


def test_few_calls_are_needed(aws: Lab) -> None:
    """8 nodes in two groups: a read of the instances, one of the groups, one of each group's health; then one each."""
    world = lab_nodes(aws)
    ids = list(world.ids.values())
    aws.post("ledger/reset")
    members = [target for found in world.drain.targets(ids).values() for target in found]
    assert len(members) == 10
    assert calls(aws) == {"DescribeInstances": 1, "DescribeTargetGroups": 1, "DescribeTargetHealth": 2}
    aws.post("ledger/reset")
    world.drain.drain(members)
    world.drain.health(members)
    assert calls(aws) == {"DeregisterTargets": 2, "DescribeTargetHealth": 2}


def test_groups_without_a_load_balancer_and_targets_others_drain_are_left_alone(aws: Lab) -> None:
    world = lab_nodes(aws)
    elb = aws.client("elbv2", account=WEB)
    group = elb.describe_target_groups()["TargetGroups"][0]
    made = elb.create_target_group(Name="idle", Protocol="HTTP", Port=80, VpcId=group["VpcId"])["TargetGroups"][0]
    own = [{"Id": node_id} for node_id in world.id(RUNNING[2])]
    elb.register_targets(TargetGroupArn=made["TargetGroupArn"], Targets=own)
    found = targets(world, RUNNING[2])
    assert [target.group for target in found] == [found[0].group] and "/shop-web/" in found[0].group
    elb.deregister_targets(TargetGroupArn=found[0].group, Targets=own)
    assert targets(world, RUNNING[2]) == []


def test_the_address_of_a_terminated_node_is_not_registered_again(aws: Lab) -> None:
    """It may be somebody else's by now."""
    world = lab_nodes(aws)
    members = targets(world, RUNNING[0])
    world.drain.drain(members)
    world.terminate(RUNNING[0])
    aws.advance(130)
    assert world.drain.restore(members) == {}
    assert set(world.drain.health(members).values()) == {"unused"}
    assert [row["action"] for row in aws.get("ledger")["targets"]] == ["deregister", "deregister"]


def test_lost_answers_and_throttling_are_sat_out(aws: Lab) -> None:
    world = lab_nodes(aws)
    names = ("DeregisterTargets", "RegisterTargets", "DescribeTargetHealth")
    rules = [{"kind": "lose_response", "operation": name, "times": 1} for name in names]
    members = targets(world, *RUNNING)
    aws.post("faults", {"rules": [*rules, {"kind": "throttle", "service": "elasticloadbalancing", "tps": 5}]})
    assert world.drain.drain(members) == {}
    assert world.drain.restore(members) == {}
    assert set(world.drain.health(members).values()) == {"initial"}
    actions = [row["action"] for row in aws.get("ledger")["targets"]]
    assert (actions.count("deregister"), actions.count("register")) == (len(members), len(members))


def test_one_target_that_is_refused_does_not_hold_up_the_others(aws: Lab) -> None:
    world = lab_nodes(aws)
    members = targets(world, *RUNNING)
    world.drain.drain(members)
    world.power.stop(world.id(RUNNING[1]))
    aws.post("ledger/reset")
    found = world.drain.restore(members)
    assert list(found) == world.id(RUNNING[1])
    assert found[world.id(RUNNING[1])[0]].startswith("shop-web: InvalidTarget: ")
    assert calls(aws)["RegisterTargets"] == 3
    assert len(aws.get("ledger")["targets"]) == len(members) - 1


def test_what_can_not_be_read_is_raised(aws: Lab) -> None:
    world = lab_nodes(aws)
    members = targets(world, RUNNING[0])
    aws.post("faults", {"rules": [{"kind": "deny", "operation": "DescribeTargetHealth"}]})
    for read in (lambda: world.drain.health(members), lambda: world.drain.targets(world.id(RUNNING[0]))):
        with pytest.raises(ServiceError):
            read()


def test_another_account_is_refused_and_not_taken_for_empty(aws: Lab) -> None:
    aws.reset()
    drain = AwsDrain(Place(region=REGION, account=WEB), sessions_of(aws, SHARED))
    with pytest.raises(AccessDenied, match="NoRole"):
        drain.targets([GONE])
