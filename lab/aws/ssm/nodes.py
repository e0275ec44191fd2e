# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed nodes: DescribeInstanceInformation, DescribeInstanceProperties, GetConnectionStatus."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..access import HYBRID_ROLE
from ..node import Node
from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place


#: How machines registered that are in the estate from the start.
_SEEDED = {"ActivationId": "ab1e0000-0000-4000-8000-000000000000", "IamRole": HYBRID_ROLE}


def source_of(place: Place, node: Node) -> dict[str, str]:
    """SourceType and SourceId; botocore's model names Azure VMs and GCP instances since 1.44."""
    if node.spec.source == "ec2":
        return {"SourceId": node.node_id, "SourceType": "AWS::EC2::Instance"}
    if node.spec.source == "azure":
        # The model's pattern for SourceId has no slash: it can't be a resource id, so it is the VM's unique id.
        vm_id = str(uuid.UUID(int=node.random("azure vm id").getrandbits(128), version=4))
        return {"SourceId": vm_id, "SourceType": "Microsoft.Compute/virtualMachines", "SourceLocation": "westeurope"}
    return {"SourceId": node.node_id, "SourceType": "AWS::SSM::ManagedInstance"}


def information(place: Place, node: Node) -> dict[str, Any]:
    """One InstanceInformation. It carries no tags: the API has none to give."""
    hybrid = node.spec.source != "ec2"
    own: dict[str, Any] = {}
    if hybrid:
        registration = place.kept["registrations"].get(node.node_id)
        activation = registration["activation"] if registration else {**_SEEDED, "DefaultInstanceName": node.name}
        own = {
            "ActivationId": activation["ActivationId"],
            "IamRole": place.kept["node_roles"].get(node.node_id, activation["IamRole"]),
            "RegistrationDate": node.registered_at,
            **({"Name": name} if (name := activation.get("DefaultInstanceName")) else {}),
        }
    return {
        "InstanceId": node.node_id,
        "PingStatus": node.ping_status,
        "LastPingDateTime": node.last_ping,
        "AgentVersion": node.agent_version,
        "IsLatestVersion": node.agent_version.startswith("3.3"),
        "PlatformType": node.system.platform,
        "PlatformName": node.system.platform_name,
        "PlatformVersion": node.system.platform_version,
        "ResourceType": "ManagedInstance" if hybrid else "EC2Instance",
        "IPAddress": node.spec.ip,
        "ComputerName": f"{node.name}.lab.example",
        **own,
        **source_of(place, node),
    }


#: DescribeInstanceInformation filter key -> what it looks at
_LOOKS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "InstanceIds": lambda info: info["InstanceId"],
    "AgentVersion": lambda info: info["AgentVersion"],
    "PingStatus": lambda info: info["PingStatus"],
    "PlatformTypes": lambda info: info["PlatformType"],
    "PlatformType": lambda info: info["PlatformType"],
    "ActivationIds": lambda info: info.get("ActivationId", ""),
    "IamRole": lambda info: info.get("IamRole", ""),
    "ResourceType": lambda info: info["ResourceType"],
    "AssociationStatus": lambda info: "",
    "SourceIds": lambda info: info["SourceId"],
    "SourceTypes": lambda info: info["SourceType"],
}


@operation("DescribeInstanceInformation")
def describe_instance_information(place: Place, request: Request) -> Answer:
    wanted = _old_filters(request) + [(row["Key"], row["Values"]) for row in request.get("Filters", [])]
    tag_filters = [pair for pair in wanted if pair[0] == "tag-key" or pair[0].startswith("tag:")]
    if tag_filters and len(tag_filters) != len(wanted):
        # "you can't combine tag filters with other filters" (API reference, InstanceInformationStringFilter)
        raise SsmError("InvalidFilterKey", "Tag filters can't be combined with other filters.")
    rows = []
    for node in place.managed():
        info = information(place, node)
        if all(_keeps(node, info, key, values, _LOOKS) for key, values in wanted):
            rows.append(info)
    return page("InstanceInformationList", rows, request, 10)


def _old_filters(request: Request) -> list[tuple[str, list[str]]]:
    old = request.get("InstanceInformationFilterList", [])
    if old and request.get("Filters"):
        raise SsmError("ValidationException", "Filters and InstanceInformationFilterList are mutually exclusive.")
    return [(row["key"], row["valueSet"]) for row in old]


def _keeps(
    node: Node, info: Mapping[str, Any], key: str, values: list[str], looks: Mapping[str, Callable[[Any], str]]
) -> bool:
    if key.startswith("tag:"):
        return node.tags.get(key[4:]) in values
    if key == "tag-key":
        return any(value in node.tags for value in values)
    if key not in looks:
        raise SsmError("InvalidFilterKey", f"The filter key {key} is not valid.")
    return looks[key](info) in values


_PROPERTIES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    **{key: _LOOKS[key] for key in ("InstanceIds", "AgentVersion", "PingStatus", "PlatformTypes", "ActivationIds")},
    "IamRole": _LOOKS["IamRole"],
    "ResourceType": _LOOKS["ResourceType"],
    "AssociationStatus": _LOOKS["AssociationStatus"],
    "DocumentName": lambda info: "",
}


@operation("DescribeInstanceProperties")
def describe_instance_properties(place: Place, request: Request) -> Answer:
    if request.get("InstancePropertyFilterList") and request.get("FiltersWithOperator"):
        raise SsmError("ValidationException", "Give either InstancePropertyFilterList or FiltersWithOperator.")
    filters = [(row["key"], row["valueSet"], "Equal") for row in request.get("InstancePropertyFilterList", [])]
    filters += [(r["Key"], r["Values"], r.get("Operator", "Equal")) for r in request.get("FiltersWithOperator", [])]
    rows = []
    for node in place.managed():
        info = information(place, node)
        if all(_compares(node, info, *row) for row in filters):
            rows.append(_properties(node, info))
    return page("InstanceProperties", rows, request, 10)


def _compares(node: Node, info: Mapping[str, Any], key: str, values: list[str], operator: str) -> bool:
    if operator == "BeginWith" and key in _PROPERTIES:
        return any(_PROPERTIES[key](info).startswith(value) for value in values)
    kept = _keeps(node, info, key, values, _PROPERTIES)
    if operator not in ("Equal", "NotEqual"):
        raise SsmError("InvalidInstancePropertyFilterValue", f"Operator {operator} is not supported for {key} here.")
    return kept if operator == "Equal" else not kept


def _properties(node: Node, info: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        key: value
        for key, value in info.items()
        if key not in ("IsLatestVersion", "AssociationStatus") and (key != "Name" or value)
    }
    if node.spec.source == "ec2":
        kept["Name"] = node.tags.get("Name", "")
        kept["InstanceType"] = instance_type(node)
        kept["InstanceState"] = node.power
        kept["KeyName"] = "lab"
        kept["Architecture"] = "x86_64"
        kept["LaunchTime"] = node.boot_time
    return kept


def instance_type(node: Node) -> str:
    return "m5.large" if node.is_windows else "t3.medium"


@operation("GetConnectionStatus")
def get_connection_status(place: Place, request: Request) -> Answer:
    node = place.managed_node(request["Target"])
    return {"Target": request["Target"], "Status": "connected" if node and node.answers else "notconnected"}
