# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping behaves the same on the fake and on the lab's EC2 and SSM (TM-17, TM-18, MO-5 to MO-9)."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.power import AwsPower
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place

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


def test_states_of_those_that_exist(world: NodeWorld) -> None:
    stopped, running = world.id(STOPPED[0], RUNNING[0])
    found = world.power.states([stopped, running, GONE, "mi-0123456789abcdef0"])
    assert found == {stopped: "stopped", running: "running"}
    world.terminate(RUNNING[0])
    assert world.power.states([running]) == {}


def test_started_ones_run_before_their_agents_answer(world: NodeWorld) -> None:
    ids = world.id(*STOPPED)
    assert set(world.power.ping(ids).values()) == {"ConnectionLost"}
    assert world.power.start(ids) == {}
    assert set(world.power.states(ids).values()) == {"pending"}
    world.advance(21)
    assert set(world.power.states(ids).values()) == {"running"}
    assert set(world.power.ping(ids).values()) == {"ConnectionLost"}
    world.advance(130)
    assert set(world.power.ping(ids).values()) == {"Online"}


def test_starting_again_changes_nothing(world: NodeWorld) -> None:
    ids = world.id(STOPPED[0], RUNNING[0])
    assert world.power.start(ids) == world.power.start(ids) == {}
    world.advance(21)
    assert world.power.start(ids) == {}
    assert set(world.power.states(ids).values()) == {"running"}


def test_one_that_can_not_be_started_does_not_hold_up_the_others(world: NodeWorld) -> None:
    world.forbid(STOPPED[0], "no_start")
    refused, fine = world.id(*STOPPED)
    found = world.power.start([refused, GONE, fine, "mi-0123456789abcdef0"])
    assert set(found) == {refused, GONE, "mi-0123456789abcdef0"} and all(found.values())
    assert world.power.states([refused, fine]) == {refused: "stopped", fine: "pending"}


def test_stopping_waits_for_no_one_and_can_be_repeated(world: NodeWorld) -> None:
    running, stopped = world.id(RUNNING[0], STOPPED[0])
    assert world.power.stop([running, stopped, GONE]) == {}
    assert world.power.states([running]) == {running: "stopping"}
    assert world.power.stop([running]) == {}
    assert "IncorrectInstanceState" in world.power.start([running])[running]
    world.advance(40)
    assert world.power.states([running, stopped]) == {running: "stopped", stopped: "stopped"}


def test_one_that_can_not_be_stopped_does_not_hold_up_the_others(world: NodeWorld) -> None:
    world.forbid(RUNNING[0], "no_stop")
    refused, fine, young = world.id(*RUNNING[:2], STOPPED[0])
    world.power.start([young])
    found = world.power.stop([refused, fine, young])
    assert set(found) == {refused, young} and "IncorrectInstanceState" in found[young]
    assert world.power.states([refused, fine]) == {refused: "running", fine: "stopping"}


def test_gone_is_no_problem_for_a_stop(world: NodeWorld) -> None:
    node_id = world.id(RUNNING[0])
    world.terminate(RUNNING[0])
    assert world.power.stop(node_id) == {}
    assert list(world.power.start(node_id)) == node_id


def test_denied_is_said_of_every_node(world: NodeWorld) -> None:
    world.deny()
    ids = world.id(*STOPPED)
    found = world.power.start(ids)
    assert list(found) == ids and all("UnauthorizedOperation" in text for text in found.values())


def test_ping_knows_registered_nodes_only(world: NodeWorld) -> None:
    ids = world.id(RUNNING[0])
    assert world.power.ping([*ids, GONE]) == {ids[0]: "Online"}
    assert world.power.ping([]) == world.power.states([]) == world.power.start([]) == world.power.stop([]) == {}


def pauseless(aws: Lab, pauses: list[float]) -> tuple[AwsPower, NodeWorld]:
    world = lab_nodes(aws)
    return AwsPower(Place(region=REGION), sessions_of(aws, WEB), pauses.append), world


def test_few_calls_are_needed(aws: Lab) -> None:
    """22 nodes: one read and one write; a node without capacity costs a few more, but no retries."""
    power, world = pauseless(aws, [])
    ids = list(world.ids.values())
    aws.post("ledger/reset")
    assert power.stop(ids) == {}
    assert calls(aws) == {"DescribeInstances": 1, "StopInstances": 1}
    aws.advance(60)
    aws.post("faults", {"node": "web-prod-01", "no_capacity": True})
    aws.post("ledger/reset")
    assert list(power.start(ids)) == world.id("web-prod-01")
    assert calls(aws)["DescribeInstances"] == 1
    assert calls(aws)["StartInstances"] <= 11
    aws.post("ledger/reset")
    power.ping(ids)
    assert calls(aws) == {"DescribeInstanceInformation": 1}


def test_a_lost_answer_and_throttling_are_sat_out(aws: Lab) -> None:
    pauses: list[float] = []
    power, world = pauseless(aws, pauses)
    rules = [
        {"kind": "lose_response", "operation": "StartInstances", "times": 1},
        {"kind": "throttle", "operation": "StartInstances", "tps": 0, "times": 2},
        {"kind": "error", "operation": "StartInstances", "status": 503, "times": 1},
    ]
    aws.post("faults", {"rules": rules})
    ids = world.id(*STOPPED)
    assert power.start(ids) == {}
    assert pauses
    assert sorted(row["node_id"] for row in aws.get("ledger")["starts"]) == sorted(ids)


def test_a_region_that_is_down_is_said_of_every_node(aws: Lab) -> None:
    power, world = pauseless(aws, [])
    aws.post("faults", {"rules": [{"kind": "down", "operation": "StartInstances"}]})
    ids = world.id(*STOPPED)
    found = power.start(ids)
    assert list(found) == ids and all("ConnectionClosedError" in text for text in found.values())


def test_another_account_is_refused_and_not_taken_for_empty(aws: Lab) -> None:
    """Its nodes would look gone, and what is gone needs not be stopped."""
    aws.reset()
    power = AwsPower(Place(region=REGION, account=WEB), sessions_of(aws, SHARED))
    with pytest.raises(AccessDenied, match="NoRole"):
        power.states([GONE])
    assert "NoRole" in power.stop([GONE])[GONE]


def test_what_can_not_be_read_is_raised(aws: Lab) -> None:
    power, world = pauseless(aws, [])
    aws.post("faults", {"rules": [{"kind": "deny", "operation": "DescribeInstances"}]})
    with pytest.raises(ServiceError):
        power.states(world.id(*RUNNING))
    assert set(power.stop(world.id(*RUNNING))) == set(world.id(*RUNNING))
