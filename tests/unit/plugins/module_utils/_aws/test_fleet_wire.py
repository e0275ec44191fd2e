# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own reading of the big listings says what botocore's says."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_models import OPERATIONS, Slim
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_wire import parse_instances, read_directly
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.records import (
    from_instance,
    from_managed,
)
from botocore.awsrequest import AWSResponse
from botocore.parsers import create_parser

from bench.endpoint import Estate

ESTATE = Estate(40, hybrid=5)
PLACE = ("111111111111", "eu-central-1")


def client(service: str, slim: bool = False) -> Any:
    session = botocore.session.get_session()
    if slim:
        session.register_component("data_loader", Slim(session.get_component("data_loader")))
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    return session.create_client(service, region_name="eu-central-1", **keys)


def answered(service: str, operation: str, body: bytes, direct: bool, status: int = 200) -> dict[str, Any]:
    """Make a call whose response is given."""
    found = client(service)
    if direct:
        read_directly(found, service)
    response = AWSResponse("http://x", status, {"Content-Type": "text/xml"}, None)
    response._content = body
    found.meta.events.register("before-send.*.*", lambda **_kwargs: response)
    return getattr(found, operation)()  # type: ignore[no-any-return]  # a call of boto3


@pytest.mark.parametrize(("begin", "size"), [(0, 40), (0, 10)])
def test_instances(begin: int, size: int) -> None:
    body = ESTATE.instances(*PLACE, begin, size)
    plain, direct = (answered("ec2", "describe_instances", body, way) for way in (False, True))
    assert plain.get("NextToken") == direct.get("NextToken")
    rows = [[row for page in reply["Reservations"] for row in page["Instances"]] for reply in (plain, direct)]
    assert [from_instance(row, {}) for row in rows[0]] == [from_instance(row, {}) for row in rows[1]]
    assert len(rows[1]) == sum(not ESTATE.is_hybrid(number) for number in range(size))


def test_managed_nodes() -> None:
    body = ESTATE.properties(*PLACE, 0, 10)
    plain, direct = (answered("ssm", "describe_instance_properties", body, way) for way in (False, True))
    assert plain["NextToken"] == direct["NextToken"] == "10"
    both = zip(plain["InstanceProperties"], direct["InstanceProperties"], strict=True)
    assert all(from_managed(one, {}) == from_managed(other, {}) for one, other in both)


def test_an_error_is_botocores_to_read() -> None:
    body = json.dumps({"__type": "InvalidNextToken", "message": "no"}).encode()
    with pytest.raises(Exception, match="InvalidNextToken"):
        answered("ssm", "describe_instance_properties", body, True, status=400)


@pytest.mark.parametrize("body", [b"<broken", b"", b"<html/>"])
def test_what_is_no_listing_is_no_crash(body: bytes) -> None:
    """botocore's own verdict counts for a body that is not XML; anything else has no rows."""
    try:
        reply = answered("ec2", "describe_instances", body, True)
    except Exception as error:
        assert type(error).__module__.startswith("botocore")
    else:
        assert not reply.get("Reservations")


@pytest.mark.parametrize("tail", ["", " "])
def test_escapes_and_white_space(tail: str) -> None:
    body = f"""<r xmlns="x"><reservationSet>{tail}<item><instancesSet><item><instanceId>i-1</instanceId>
    <tagSet><item><value>a &lt;b&gt; &amp; ü</value><key>k</key></item></tagSet></item></instancesSet></item>
    </reservationSet></r>"""
    row = parse_instances(body.encode())["Reservations"][0]["Instances"][0]
    assert row == {"InstanceId": "i-1", "Tags": [{"Key": "k", "Value": "a <b> & ü"}]}


def test_the_slim_models_have_every_operation_the_inventory_calls() -> None:
    services = ("ssm", "ec2", "sts", "resourcegroupstaggingapi", "organizations", "s3")
    known = {name for service in services for name in client(service, slim=True).meta.service_model.operation_names}
    assert known | {"ListCloudConnectors"} == OPERATIONS


def test_botocore_still_has_the_event() -> None:
    """Without it the inventory is right but several times slower; this test says so when botocore changes."""
    found = client("ssm")
    seen: list[str] = []
    found.meta.events.register("before-parse.ssm.*", lambda event_name, **_kwargs: seen.append(event_name))
    response = AWSResponse("http://x", 200, {}, None)
    response._content = b"{}"
    found.meta.events.register("before-send.*.*", lambda **_kwargs: response)
    found.describe_instance_properties()
    assert seen == ["before-parse.ssm.DescribeInstanceProperties"]
    assert create_parser("json")
