# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource data sync of the lab writes what the collection reads: nodes, tags, patch states, gathered inventory.

Covers MO-16 and PG-20.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.associations import SsmAssociations
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.data_sync_folders import read_folders
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.data_syncs import SsmDataSyncs, to_status
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_gather import Wish
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_sync import Bucket, read_sync
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import Conflict
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.data_syncs import DataSync
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.inventory_associations import (
    InventoryAssociationNoun,
)
from botocore.exceptions import ClientError

from lab.aws.launch import Lab

HERE, WEB, DATA = "eu-central-1", "222222222222", "333333333333"
SYNC = DataSync(name="all", bucket="inventory", bucket_region=HERE, prefix="ssm")
GATHER = {"state": "present", "name": "inventory", "schedule": "rate(1 day)", "purge_tags": False, "off": ["services"]}


def policy(*accounts: str) -> str:
    """What the user guide wants of a bucket: "Creating a resource data sync for Inventory"."""
    service = {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}}
    source = {"aws:SourceAccount": list(accounts)}
    acl = {**service, "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::inventory"}
    put = {**service, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::inventory/*/accountid=*/*"}
    conditions = {**source, "s3:x-amz-acl": "bucket-owner-full-control"}
    rows = [{**acl, "Condition": {"StringEquals": source}}, {**put, "Condition": {"StringEquals": conditions}}]
    return json.dumps({"Version": "2012-10-17", "Statement": rows})


@pytest.fixture
def s3(aws: Lab) -> Any:
    aws.reset()
    made = aws.client("s3", HERE)
    made.create_bucket(Bucket="inventory", CreateBucketConfiguration={"LocationConstraint": HERE})
    return made


def start(aws: Lab, account: str) -> SsmDataSyncs:
    syncs = SsmDataSyncs(aws.client("ssm", HERE, account))
    syncs.create(SYNC)
    return syncs


def status(syncs: SsmDataSyncs) -> dict[str, Any]:
    (row,) = syncs.rows()
    return to_status(row)


def test_nodes_of_the_bucket_are_those_of_the_service(aws: Lab, s3: Any) -> None:
    s3.put_bucket_policy(Bucket="inventory", Policy=policy(WEB, DATA))
    syncs, ssm = start(aws, WEB), aws.client("ssm", HERE, WEB)
    gather(aws)
    aws.advance(7200)
    assert status(syncs)["last_status"] == "Successful"
    (answer,) = read_sync(s3, Bucket(name="inventory", prefix="ssm"), Wish(want_patch_states=True))
    rows = {row["InstanceId"]: row for row in ssm.describe_instance_information()["InstanceInformationList"]}
    found = {row["InstanceId"]: row for row in answer.managed}
    assert (answer.place.account, answer.place.region) == (WEB, HERE) and rows.keys() <= found.keys()
    for name in ("AgentVersion", "ComputerName", "IPAddress", "PingStatus", "PlatformName", "PlatformType"):
        assert {key: row[name] for key, row in rows.items()} == {key: found[key][name] for key in rows}
    nodes = {row["node_id"]: row["tags"] for row in aws.get("nodes")["nodes"]}
    assert answer.tags and all(nodes[key] == tags for key, tags in answer.tags.items())
    folders = read_folders(s3, SYNC, WEB, HERE)
    assert {"AWS:Application", "AWS:AWSComponent", "AWS:InstanceInformation", "AWS:Network"} <= set(folders["types"])
    assert "AWS:Service" not in folders["types"] and not folders["types_of_others"]


def gather(aws: Lab) -> None:
    """Gather inventory on all nodes; doing it again changes nothing."""
    client = aws.client("ssm", HERE, WEB)
    noun = InventoryAssociationNoun(SsmAssociations(client, client), GATHER)
    change = noun.plan()
    made = noun.apply(change)
    assert change.changed and made and made.targets == {"InstanceIds": ("*",)} and not noun.plan().changed
    other = InventoryAssociationNoun(SsmAssociations(client, client), {**GATHER, "name": "another"})
    with pytest.raises(Conflict, match="Association inventory gathers inventory on all nodes already"):
        other.plan()
    targets = [{"Key": "InstanceIds", "Values": ["*"]}]
    with pytest.raises(ClientError, match="Multiple apply all associations"):
        client.create_association(Name="AWS-GatherSoftwareInventory", Targets=targets)


def test_an_account_that_the_policy_of_the_bucket_lacks_says_why_nothing_arrives(aws: Lab, s3: Any) -> None:
    s3.put_bucket_policy(Bucket="inventory", Policy=policy(WEB))
    syncs = start(aws, DATA)
    assert status(syncs)["last_status"] == "InProgress"
    aws.advance(600)
    found = status(syncs)
    assert found["last_status"] == "Failed" and "s3:GetBucketAcl" in found["last_sync_status_message"]
    assert "Contents" not in s3.list_objects_v2(Bucket="inventory")
    s3.put_bucket_policy(Bucket="inventory", Policy=policy(WEB, DATA))
    aws.advance(3600)
    assert status(syncs)["last_status"] == "Successful" and status(syncs)["last_sync_status_message"] == ""
