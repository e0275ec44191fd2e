# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses the large listings itself, with only the members that the inventory uses.

botocore converts every member of every row to Python objects through its service model, which takes 8 of 10 CPU
seconds at 10,000 nodes. A handler can process a response before botocore parses it (``before-parse``, the event of
botocore's own S3 customizations). This one takes the rows and leaves botocore an empty body. Signing, retries, errors
and endpoints remain with botocore. Without that event, botocore parses the response. The rows then have the same
shape, except that times are datetimes instead of numbers or text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

_EMPTY_XML = b"<r><requestId/></r>"


def read_directly(client: Any, service: str) -> None:
    """Make a client read its large listings through this module."""
    if service == "ec2":
        client.meta.events.register("before-parse.ec2.DescribeInstances", _instances, unique_id="patchtide-fleet")
    elif service == "ssm":
        client.meta.events.register("before-parse.ssm", _json, unique_id="patchtide-fleet")
    elif service == "resourcegroupstaggingapi":
        event = "before-parse.resource-groups-tagging-api.GetResources"
        client.meta.events.register(event, _json, unique_id="patchtide-fleet")


def _json(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_kwargs: Any) -> None:
    if response_dict["status_code"] == 200:
        try:
            found = json.loads(response_dict["body"])
        except ValueError:
            return  # botocore reports the error
        if isinstance(found, dict):
            customized_response_dict.update(found)
            response_dict["body"] = b"{}"


def _instances(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_kwargs: Any) -> None:
    if response_dict["status_code"] == 200:
        try:
            found = parse_instances(response_dict["body"])
        except ElementTree.ParseError:
            return
        customized_response_dict.update(found)
        response_dict["body"] = _EMPTY_XML


def parse_instances(body: bytes) -> dict[str, Any]:
    """Parse a DescribeInstances answer as botocore does, reduced to the members in use."""
    root = ElementTree.fromstring(body)
    space = root.tag[: root.tag.rfind("}") + 1]
    found: dict[str, Any] = {"Reservations": []}
    for reservation in root.iterfind(f"{space}reservationSet/{space}item"):
        rows = [_instance(item, space) for item in reservation.iterfind(f"{space}instancesSet/{space}item")]
        found["Reservations"].append({"Instances": rows})
    if token := root.findtext(f"{space}nextToken"):
        found["NextToken"] = token
    return found


#: Elements with plain text → members.
_PLAIN = {
    "instanceId": "InstanceId",
    "instanceType": "InstanceType",
    "launchTime": "LaunchTime",
    "platform": "Platform",
    "platformDetails": "PlatformDetails",
    "privateIpAddress": "PrivateIpAddress",
}
#: Elements with one relevant child → (member, child element, its member).
_NESTED = {
    "instanceState": ("State", "name", "Name"),
    "placement": ("Placement", "availabilityZone", "AvailabilityZone"),
    "iamInstanceProfile": ("IamInstanceProfile", "arn", "Arn"),
}


def _instance(item: ElementTree.Element, space: str) -> Mapping[str, Any]:
    row: dict[str, Any] = {}
    cut = len(space)
    for child in item:
        name = child.tag[cut:]
        if member := _PLAIN.get(name):
            row[member] = child.text or ""
        elif nested := _NESTED.get(name):
            outer, element, inner = nested
            row[outer] = {inner: child.findtext(space + element)}
        elif name == "tagSet":
            row["Tags"] = [
                {"Key": tag.findtext(f"{space}key"), "Value": tag.findtext(f"{space}value") or ""} for tag in child
            ]
    return row
