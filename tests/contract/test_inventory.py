# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom inventory, custom compliance and data syncs behave the same on the fake and on the lab (MO-16, 25; PG-20)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.data_syncs import SsmDataSyncs
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.inventory import SsmComplianceItems, SsmInventory
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.data_syncs import DataSyncNoun
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.inventory import (
    ComplianceItemsNoun,
    InventoryNoun,
)

from lab.aws.launch import Lab
from tests.fakes.inventory import FakeComplianceItems, FakeDataSyncs, FakeInventory

TYPE = "Custom:PatchInformation"
WEB = {"Patch Group": "web", "Maintenance Window": "cron(30 23 ? * TUE#1 *)"}


class World:
    """The three ports, two nodes and the time."""

    def __init__(self, nodes: list[str], now: datetime, inventory: Any, items: Any, syncs: Any) -> None:
        self.nodes, self.now, self.port, self.items, self.syncs = nodes, now, inventory, items, syncs

    def inventory(self, *, later: timedelta = timedelta(), **options: Any) -> tuple[bool, Any]:
        given = {"type_name": TYPE, "instance_ids": self.nodes, "content": [WEB], "schema_version": "1.0"}
        given |= {"renew_days": 14, "state": "present", **options}
        return run(InventoryNoun(self.port, given, self.now + later))

    def compliance(self, *rows: dict[str, Any], **options: Any) -> tuple[bool, Any]:
        given = {"compliance_type": "Custom:Backup", "instance_ids": self.nodes, "items": list(rows)}
        given |= {"execution_type": "Command", "execution_id": None, "state": "present", **options}
        return run(ComplianceItemsNoun(self.items, given))

    def sync(self, **options: Any) -> tuple[bool, Any]:
        given = {**dict.fromkeys(SYNC), "name": "all", "state": "present", **options}
        return run(DataSyncNoun(self.syncs, given, "eu-central-1"))


SYNC = (
    *("sync_type", "bucket", "bucket_region", "prefix", "kms_key_arn", "share", "source_type", "source_regions"),
    *("include_future_regions", "enable_all_ops_data_sources", "organization_source", "organizational_units"),
)
SOURCE = {"sync_type": "SyncFromSource", "source_type": "SingleAccountMultiRegions", "source_regions": ["eu-west-1"]}


def run(noun: Any) -> tuple[bool, Any]:
    change = noun.plan()
    return change.changed, noun.apply(change) if change.changed else change.after


@pytest.fixture(params=["fake", "lab"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        nodes, now = ["mi-0123456789abcdef0", "mi-0123456789abcdef1"], "2026-06-01T06:00:00Z"
        moment = datetime.fromisoformat(now.replace("Z", "+00:00"))
        return World(nodes, moment, FakeInventory(nodes, now), FakeComplianceItems(), FakeDataSyncs())
    client, aws = request.getfixturevalue("ssm"), request.getfixturevalue("aws")
    return lab_world(client, aws)


def lab_world(client: Any, aws: Lab) -> World:
    now = aws.get("clock")["now"]
    nodes = [row["InstanceId"] for row in client.describe_instance_information()["InstanceInformationList"][:2]]
    execution = {"ExecutionTime": now, "ExecutionType": "Command"}
    items = SsmComplianceItems(client, "Custom:Backup", execution)
    moment = datetime.fromisoformat(now.replace("Z", "+00:00"))
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return World(nodes, moment, SsmInventory(client, TYPE, "1.0", stamp), items, SsmDataSyncs(client))


def test_inventory_is_put_kept_and_emptied(world: World) -> None:
    assert world.inventory()[0]
    assert world.inventory() == (False, dict.fromkeys(world.nodes, (WEB,)))
    assert world.inventory(content=[WEB, {"Patch Group": "db"}])[0]
    assert world.inventory(state="absent", instance_ids=world.nodes[:1])[0]
    assert not world.inventory(state="absent", instance_ids=world.nodes[:1])[0]


def test_inventory_is_renewed_before_the_service_forgets_it(world: World) -> None:
    world.inventory()
    assert not world.inventory(later=timedelta(days=13))[0]
    assert world.inventory(later=timedelta(days=15))[0]


def test_type_is_deleted_as_a_whole(world: World) -> None:
    world.inventory()
    assert world.inventory(state="absent", instance_ids=None)[0]
    assert not world.inventory(state="absent", instance_ids=None)[0]


def test_unknown_node_is_refused(world: World) -> None:
    with pytest.raises(ServiceError, match="InvalidInstanceId"):
        world.inventory(instance_ids=["mi-00000000000000000"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"type_name": "AWS:Application"}, "a type of your own"),
        ({"instance_ids": ["web-1"]}, "a node ID"),
        ({"schema_version": "1"}, "a version such as '1.0'"),
        ({"renew_days": 31}, "1 to 30 days"),
        ({"content": [{"": "x"}]}, "1 to 64 characters"),
        ({"content": [{"x": "y" * 4097}]}, "at most 4096"),
        ({"content": [{str(n): "x" for n in range(51)}]}, "at most 50"),
        ({"content": [{"x": "y"}] * 10001}, "at most 10000"),
    ],
)
def test_inventory_has_limits(world: World, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        world.inventory(**options)


def test_compliance_is_put_kept_and_removed(world: World) -> None:
    old, fine = {"id": "age", "status": "NON_COMPLIANT", "severity": "HIGH"}, {"id": "size", "status": "COMPLIANT"}
    assert world.compliance(old, fine)[0]
    assert not world.compliance(fine, old)[0], "their order means nothing"
    assert world.compliance({**old, "details": {"Days": 3}}, fine)[0]
    assert world.compliance(state="absent") == (True, dict.fromkeys(world.nodes, ()))
    assert not world.compliance(state="absent")[0]


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        ({}, {"compliance_type": "Patch"}, "a type of your own"),
        ({}, {"execution_type": "x" * 51}, "1 to 50 characters"),
        ({}, {"execution_id": "x" * 101}, "at most 100"),
        ({}, {"instance_ids": ["web-1"]}, "a node ID"),
        ({"title": "x" * 501}, {}, "at most 500"),
        ({"details": {"x" * 65: "y"}}, {}, "1 to 64 characters"),
        ({"details": {"x": "y" * 4097}}, {}, "at most 4096"),
    ],
)
def test_compliance_has_limits(world: World, row: dict[str, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        world.compliance({"id": "age", "status": "COMPLIANT", **row}, **options)


def test_source_of_a_sync_is_updated_in_place(world: World) -> None:
    assert world.sync(**SOURCE)[0]
    assert not world.sync(**SOURCE)[0]
    for member in ({"source_regions": ["eu-west-1", "us-east-1"]}, {"include_future_regions": True}):
        assert world.sync(**member)[0]
        assert not world.sync(**member)[0]
    assert world.sync(state="absent") == (True, None)
    assert world.sync(state="absent") == (False, None)


def test_sync_to_another_bucket_is_recreated(world: World) -> None:
    assert world.sync(bucket="one")[1].bucket_region == "eu-central-1"
    assert not world.sync(bucket="one")[0]
    assert world.sync(bucket="two", prefix="ssm")[0]
    assert world.syncs.find("all").bucket == "two"
    assert world.sync(bucket="two", prefix="")[0], "cleared"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "bucket: ''"),
        ({"name": "x" * 65, "bucket": "x"}, "1 to 64 characters"),
        ({"bucket": "x", "prefix": "y" * 257}, "at most 256"),
        ({"bucket": "x", "kms_key_arn": "key"}, "the ARN of a key"),
        ({"bucket": "x", "source_regions": ["eu-west-1"]}, "no value with a sync of type SyncToDestination"),
        ({**SOURCE, "bucket": "x", "bucket_region": "y"}, "no value with a sync of type SyncFromSource"),
        ({**SOURCE, "source_type": "AwsOrganizations"}, "EntireOrganization or OrganizationalUnits"),
        ({**SOURCE, "organization_source": "EntireOrganization"}, "source_type=AwsOrganizations beside it"),
        ({**SOURCE, "organizational_units": ["ou-1"]}, "an organizational unit such as"),
        ({**SOURCE, "organizational_units": ["ou-ab12-cdefgh34"]}, "and only if"),
    ],
)
def test_sync_has_limits(world: World, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        world.sync(**options)
