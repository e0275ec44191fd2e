# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throttled at 5 calls a second, 5 % of the calls failing, the answer to the write lost: made once all the same."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.associations import SsmAssociations
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.data_syncs import SsmDataSyncs
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.instance_roles import Ec2InstanceRoles
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Connection, Sessions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.associations import ALL_NODES, Association
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.data_syncs import DataSync

from lab.aws.launch import SECRET, Lab
from tests.contract.conftest import make_buckets

PLACE = Place(region="eu-central-1")
PROFILE = "patchtide-node"


@pytest.fixture
def sessions(aws: Lab) -> Sessions:
    aws.reset()
    return Sessions(Connection(access_key=aws.access_key, secret_key=SECRET, endpoint_url=aws.url))


def spoil(aws: Lab, service: str, write: str) -> None:
    rules = [
        {"kind": "lose_response", "operation": write, "times": 1},
        {"kind": "throttle", "service": service, "tps": 5},
        {"kind": "error", "service": service, "probability": 0.05, "seed": 3},
    ]
    aws.post("faults", {"rules": rules})


def test_association_is_created_once(aws: Lab, sessions: Sessions) -> None:
    spoil(aws, "ssm", "CreateAssociation")
    port = SsmAssociations(sessions.client("ssm", PLACE), sessions.client("ssm", PLACE, retry=False))
    wanted = Association(
        name="scan",
        document="AWS-RunPatchBaseline",
        parameters={"Operation": ("Scan",)},
        targets=ALL_NODES,
        tags={"Team": "web"},
    )
    made = port.create(wanted)
    found = port.find("scan")  # a conflict if there were two
    assert found is not None and found.association_id == made and found.tags == wanted.tags


def test_data_sync_is_created_once(aws: Lab, sessions: Sessions) -> None:
    make_buckets(aws)
    spoil(aws, "ssm", "CreateResourceDataSync")
    port = SsmDataSyncs(sessions.client("ssm", PLACE))
    wanted = DataSync(name="all", bucket="one", bucket_region="eu-central-1")
    port.create(wanted)
    assert port.find("all") == wanted


def test_profile_is_attached_once(aws: Lab, sessions: Sessions) -> None:
    made: Any = aws.client("ec2").run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1)
    instance_id = made["Instances"][0]["InstanceId"]
    spoil(aws, "ec2", "AssociateIamInstanceProfile")
    port = Ec2InstanceRoles(sessions.client("ec2", PLACE), sessions.client("iam", PLACE))
    port.associate(instance_id, PROFILE)
    assert port.profiles([instance_id], {}) == {instance_id: PROFILE}
