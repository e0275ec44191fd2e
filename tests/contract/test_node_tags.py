# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tag of many nodes behaves the same on the fake and on the lab's EC2 and SSM (TM-19, TM-20, TM-22)."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.node_tags import AwsNodeTags
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Connection, Sessions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place

from lab.aws.launch import Lab
from tests.contract.node_worlds import (
    GONE,
    HYBRID,
    REGION,
    RUNNING,
    SHARED,
    WEB,
    NodeWorld,
    calls,
    fake_nodes,
    lab_nodes,
    sessions_of,
)

KEY = "ssm-patch-now"
NO_NODE = "mi-0123456789abcdef0"
ONE_TRY = {"retries": {"mode": "standard", "total_max_attempts": 1}}


@pytest.fixture(params=["fake", "ec2", "ssm"])
def world(request: pytest.FixtureRequest) -> NodeWorld:
    """Instances and hybrid nodes live in different accounts of the lab."""
    if request.param == "fake":
        return fake_nodes()
    return lab_nodes(request.getfixturevalue("aws"), WEB if request.param == "ec2" else SHARED)


def nodes(world: NodeWorld) -> list[str]:
    return [world.ids[name] for name in (*RUNNING[:2], *HYBRID) if name in world.ids]


def test_put_read_and_drop(world: NodeWorld) -> None:
    ids = nodes(world)
    assert world.tags.tags(ids, KEY) == {}
    assert world.tags.put(ids, KEY, "abc/canary") == {}
    assert world.tags.put(ids[:1], KEY, "other") == {}
    assert world.tags.tags([*ids, GONE, NO_NODE], KEY) == {**dict.fromkeys(ids, "abc/canary"), ids[0]: "other"}
    assert world.tags.drop(ids, KEY) == world.tags.drop(ids, KEY) == {}
    assert world.tags.tags(ids, KEY) == {}


def test_other_tags_are_left_alone(world: NodeWorld) -> None:
    ids = nodes(world)
    world.tags.put(ids, "Keep", "me")
    world.tags.put(ids, KEY, "1")
    world.tags.drop(ids, KEY)
    assert world.tags.tags(ids, "Keep") == dict.fromkeys(ids, "me")


def test_gone_ones_do_not_hold_up_the_others(world: NodeWorld) -> None:
    ids = nodes(world)
    assert set(world.tags.put([ids[0], GONE, NO_NODE, ids[1]], KEY, "1")) == {GONE, NO_NODE}
    assert set(world.tags.tags(ids, KEY)) == {ids[0], ids[1]}
    assert world.tags.drop([ids[0], GONE, NO_NODE, ids[1]], KEY) == {}
    assert world.tags.tags(ids, KEY) == {}


def test_denied_is_said_of_every_node(world: NodeWorld) -> None:
    ids = nodes(world)
    world.deny()
    assert set(world.tags.put(ids, KEY, "1")) == set(world.tags.drop(ids, KEY)) == set(ids)


def test_nothing_is_asked_for_nothing(world: NodeWorld) -> None:
    assert world.tags.tags([], KEY) == world.tags.put([], KEY, "1") == world.tags.drop([], KEY) == {}


def test_few_calls_are_needed(aws: Lab) -> None:
    """22 instances: one call each way. Hybrid nodes: one call for each, SSM has no other."""
    instances = lab_nodes(aws, WEB)
    ids = list(instances.ids.values())
    aws.post("ledger/reset")
    instances.tags.put(ids, KEY, "1")
    instances.tags.tags(ids, KEY)
    instances.tags.drop(ids, KEY)
    assert calls(aws) == {"CreateTags": 1, "DescribeTags": 1, "DeleteTags": 1}
    hybrid = lab_nodes(aws, SHARED)
    ids = list(hybrid.ids.values())
    aws.post("ledger/reset")
    hybrid.tags.put(ids, KEY, "1")
    assert calls(aws) == {"AddTagsToResource": len(ids)}


def test_lost_answers_and_throttling_are_sat_out(aws: Lab) -> None:
    for account in (WEB, SHARED):
        world = lab_nodes(aws, account)
        rules = [
            {"kind": "lose_response", "operation": name, "times": 1}
            for name in ("CreateTags", "DeleteTags", "AddTagsToResource", "RemoveTagsFromResource")
        ]
        aws.post("faults", {"rules": [*rules, {"kind": "throttle", "tps": 5}]})
        ids = nodes(world)
        assert world.tags.put(ids, KEY, "1") == {}
        assert world.tags.drop(ids, KEY) == {}
        left = [row["value"] for row in aws.get("ledger")["tags"]]
        assert sorted(map(str, left)) == sorted(["1", "None"] * len(ids))  # each set once, removed once


def test_a_region_that_is_down_is_said_of_every_node() -> None:
    away = Sessions(Connection(access_key="a", secret_key="b", endpoint_url="http://127.0.0.1:9", config=ONE_TRY))
    tags = AwsNodeTags(Place(region=REGION), away)
    assert set(tags.put([GONE, NO_NODE], KEY, "1")) == {GONE, NO_NODE}
    with pytest.raises(ServiceError):
        tags.tags([GONE], KEY)


def test_another_account_is_refused(aws: Lab) -> None:
    aws.reset()
    tags = AwsNodeTags(Place(region=REGION, account=WEB), sessions_of(aws, SHARED))
    assert "NoRole" in tags.drop([GONE], KEY)[GONE]
