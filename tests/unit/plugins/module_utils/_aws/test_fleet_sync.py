# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket of a Resource Data Sync gives the nodes that the services would."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_gather import Wish
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_sync import Bucket, read_sync
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.data_sync import (
    key_prefixes,
    parse_key,
    read_lines,
)

ONE, TWO = "111111111111", "222222222222"
INFORMATION = {"AgentVersion": "3.3.1.0", "IpAddress": "10.0.0.1", "PlatformType": "Linux", "InstanceStatus": "Active"}


def key(kind: str, node_id: str, account: str = ONE, region: str = "eu-central-1") -> str:
    return f"sync/{kind}/accountid={account}/region={region}/resourcetype=ManagedInstanceInventory/{node_id}.json"


class FakeBucket:
    """Two keys a page."""

    def __init__(self, **objects: Any) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, *rows: Any) -> None:
        self.objects[key] = "\n".join(map(json.dumps, rows)).encode()

    def list_objects_v2(self, Bucket: str, Prefix: str, ContinuationToken: str = "0") -> dict[str, Any]:
        keys, at = sorted(key for key in self.objects if key.startswith(Prefix)), int(ContinuationToken)
        more = {"NextContinuationToken": str(at + 2)} if at + 2 < len(keys) else {}
        return {"Contents": [{"Key": key} for key in keys[at : at + 2]], **more}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": BytesIO(self.objects[Key])}


@pytest.fixture
def bucket() -> FakeBucket:
    found = FakeBucket()
    for node_id, account in (("i-0aa", ONE), ("mi-0bb", ONE), ("i-0cc", TWO)):
        found.put(key("AWS:InstanceInformation", node_id, account), INFORMATION)
    found.put(key("AWS:InstanceInformation", "i-0dd"), {**INFORMATION, "InstanceStatus": "Terminated"})
    found.put(key("AWS:InstanceInformation", "i-0ee", region="us-east-1"), {**INFORMATION, "InstanceStatus": "Stopped"})
    found.put(key("AWS:Tag", "mi-0bb"), {"Key": "Name", "Value": "b"}, {"Key": "PatchGroup", "Value": "P"})
    found.put(key("AWS:PatchSummary", "mi-0bb"), {"MissingCount": "3", "resourceId": "mi-0bb"})
    found.put("sync/AWS:InstanceInformation/README.txt", "not a node")
    return found


def test_nodes_and_tags_by_place(bucket: FakeBucket) -> None:
    """Covers MO-16, PG-16."""
    answers = read_sync(bucket, Bucket(name="b", prefix="sync/"), Wish(want_patch_states=True))
    found = {answer.place.label: sorted(row["InstanceId"] for row in answer.managed) for answer in answers}
    assert found == {
        f"{ONE}/eu-central-1": ["i-0aa", "mi-0bb"],
        f"{ONE}/us-east-1": ["i-0ee"],
        f"{TWO}/eu-central-1": ["i-0cc"],
    }
    assert answers[0].tags == {"mi-0bb": {"Name": "b", "PatchGroup": "P"}}
    assert answers[0].patch_states == {"mi-0bb": {"MissingCount": "3"}}
    assert answers[1].managed[0]["InstanceState"] == "stopped"


def test_accounts_and_regions_limit_what_is_read(bucket: FakeBucket) -> None:
    wanted = Bucket(name="b", prefix="sync", accounts=[ONE], regions=["us-east-1"])
    assert [answer.place.label for answer in read_sync(bucket, wanted, Wish())] == [f"{ONE}/us-east-1"]
    only_region = Bucket(name="b", prefix="sync", regions=["us-east-1"])
    assert [answer.place.label for answer in read_sync(bucket, only_region, Wish())] == [f"{ONE}/us-east-1"]


def test_an_object_that_is_no_json_is_an_error(bucket: FakeBucket) -> None:
    bucket.objects[key("AWS:InstanceInformation", "i-0ff")] = b"{broken"
    with pytest.raises(ServiceError, match=r"Could not read s3://b/sync/.*i-0ff.json: NotJson"):
        read_sync(bucket, Bucket(name="b", prefix="sync"), Wish())


def test_keys() -> None:
    assert parse_key(key("Custom:X", "mi-0a")) == ("Custom:X", ONE, "eu-central-1", "mi-0a")
    assert parse_key("sync/AWS:Tag/accountid=1/x.json") is None
    assert key_prefixes("", "AWS:Tag", [], ["r"]) == ["AWS:Tag/"]
    assert key_prefixes("p/", "AWS:Tag", ["1"], ["r", "s"])[1] == "p/AWS:Tag/accountid=1/region=s/"


@pytest.mark.parametrize("body", [b'{"a": 1}\n\n{"a": 2}\n', b'[{"a": 1}, {"a": 2}, 3]'])
def test_documents(body: bytes) -> None:
    assert [row["a"] for row in read_lines(body)] == [1, 2]
