# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory relies on, on the fake cloud and on the lab."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet import FleetCalls, node_arn
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_wire import read_directly
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place

from lab.aws.launch import Lab
from tests.fakes.fleet import FakeCloud, instance, managed

HERE = Place(region="eu-central-1", account="222222222222")


@dataclass(frozen=True)
class Fleet:
    """The calls of one place and a node of it that EC2 knows too."""

    calls: FleetCalls
    node_id: str


def fake_fleet() -> Fleet:
    cloud = FakeCloud(page=2)
    ids = [f"i-{number:017x}" for number in range(5)]
    cloud.at(HERE.label).managed = [managed(node_id) for node_id in ids]
    cloud.at(HERE.label).instances = [instance(node_id, tags={"Patch Group": "A"}) for node_id in ids]
    cloud.at(HERE.label).tags = {node_id: {"Patch Group": "A"} for node_id in ids}
    cloud.at(HERE.label).patch_states = [{"InstanceId": node_id, "MissingCount": 1} for node_id in ids]
    return Fleet(FleetCalls(lambda service: cloud.client(service, HERE), HERE.label), ids[0])


def lab_fleet(aws: Lab) -> Fleet:
    aws.reset()
    clients = {name: aws.client(name, HERE.region, HERE.account) for name in ("ssm", "ec2", "resourcegroupstaggingapi")}
    for name, client in clients.items():
        read_directly(client, name)
    calls = FleetCalls(clients.__getitem__, HERE.label)
    known = {row["InstanceId"] for page in calls.instances() for row in page if row["State"]["Name"] == "running"}
    return Fleet(calls, min(known & {row["InstanceId"] for page in calls.managed() for row in page}))


@pytest.fixture(params=["fake", "lab"])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    return fake_fleet() if request.param == "fake" else lab_fleet(request.getfixturevalue("aws"))


def test_every_managed_node_is_listed_once(fleet: Fleet) -> None:
    ids = [row["InstanceId"] for page in fleet.calls.managed() for row in page]
    assert len(ids) == len(set(ids)) >= 5
    assert fleet.node_id in ids


def test_filters_by_id_and_ping(fleet: Fleet) -> None:
    by_id = {"Key": "InstanceIds", "Values": [fleet.node_id], "Operator": "Equal"}
    online = {"Key": "PingStatus", "Values": ["Online"], "Operator": "Equal"}
    assert [row["InstanceId"] for page in fleet.calls.managed([by_id]) for row in page] == [fleet.node_id]
    assert {row["PingStatus"] for page in fleet.calls.managed([online]) for row in page} == {"Online"}


def test_instances_come_with_state_and_tags(fleet: Fleet) -> None:
    rows = {row["InstanceId"]: row for page in fleet.calls.instances() for row in page}
    assert rows[fleet.node_id]["State"]["Name"] == "running"
    assert any(tag["Key"] in ("Patch Group", "PatchGroup") for tag in rows[fleet.node_id]["Tags"])


def test_tags_by_arn_leave_out_what_does_not_exist(fleet: Fleet) -> None:
    arns = [node_arn(name, "aws", HERE.region, str(HERE.account)) for name in (fleet.node_id, "i-0fffffffffffffff0")]
    found = fleet.calls.tags(arns)
    assert list(found) == arns[:1]
    assert {"Patch Group", "PatchGroup"} & set(found[arns[0]])


def test_patch_states_of_known_nodes(fleet: Fleet) -> None:
    assert all(row["InstanceId"] == fleet.node_id for row in fleet.calls.patch_states([fleet.node_id]))


def test_no_windows_are_no_windows(fleet: Fleet) -> None:
    assert all(window.name for window in fleet.calls.windows())
