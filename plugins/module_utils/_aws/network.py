# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of an account-Region through EC2, and its lines to other sites through EC2 and Direct Connect."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from .._core.connectivity.judge import NEW_AGENT, OLD_SERVICE, UNKNOWN, check_line, check_vpc
from .._core.connectivity.network import Check, Endpoint, Line, PortRule, SecurityGroup, Subnet, Vpc
from .._core.errors import PatchtideError
from .._core.fleet.coverage import to_version
from .errors import aws_errors
from .paging import read_all

_PAGE = 1000
_ALIVE = ["pending", "running", "stopping", "stopped"]
#: Members of a route that name its target.
_TARGETS = (
    *("NatGatewayId", "GatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "EgressOnlyInternetGatewayId"),
    *("NetworkInterfaceId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn"),
)
#: Targets that are other networks, or machines that forward to them.
_ONWARD = ("tgw-", "pcx-", "vgw-", "eni-", "lgw-", "cagw-", "arn:")
Rows = list[dict[str, Any]]


class NetworkReader:
    """Reads one account-Region.

    :param client: returns the client of a service there.
    """

    def __init__(self, client: Callable[[str], Any], region: str) -> None:
        self._client = client
        self._region = region

    def checks(self, vpc_ids: Collection[str], *, internet: bool) -> list[Check]:
        """Return the checks of the VPCs with instances, and those of lines to other sites.

        :raises ServiceError: EC2 refuses to describe the network. Lines that can't be read are ``unknown``.
        """
        unread: list[Check] = []
        vpcs = [vpc for vpc in self._vpcs(unread) if not vpc_ids or vpc.vpc_id in vpc_ids]
        found = [check for vpc in vpcs for check in check_vpc(vpc, internet=internet)]
        return [*found, *unread, *self._lines(self._interfaces, "Direct Connect"), *self._lines(self._tunnels, "VPN")]

    def _vpcs(self, unread: list[Check]) -> Iterator[Vpc]:
        nodes = self._nodes()
        if not nodes:
            return
        old = self._old_agents(unread)
        used = sorted({str(row["VpcId"]) for row in nodes})
        subnets = self._describe("describe_subnets", "Subnets", used)
        tables, endpoints = self._describe("describe_route_tables", "RouteTables", used), self._endpoints(used)
        groups = {
            row["GroupId"]: _group(row) for row in self._describe("describe_security_groups", "SecurityGroups", used)
        }
        for row in self._describe("describe_vpcs", "Vpcs", used):
            vpc_id = str(row["VpcId"])
            yield Vpc(
                vpc_id=vpc_id,
                region=self._region,
                cidrs=tuple(item["CidrBlock"] for item in row.get("CidrBlockAssociationSet") or [row]),
                dns_support=self._attribute(vpc_id, "enableDnsSupport"),
                dns_hostnames=self._attribute(vpc_id, "enableDnsHostnames"),
                subnets=tuple(_subnets(vpc_id, subnets, tables, nodes, old)),
                endpoints=tuple(_endpoint(item) for item in endpoints if item["VpcId"] == vpc_id),
                groups=groups,
            )

    def _nodes(self) -> Rows:
        filters = [{"Name": "instance-state-name", "Values": _ALIVE}]
        found = read_all(
            self._client("ec2"), "list instances", "describe_instances", "Reservations", _PAGE, Filters=filters
        )
        return [row for item in found for row in item["Instances"] if row.get("VpcId") and row.get("SubnetId")]

    def _old_agents(self, unread: list[Check]) -> set[str]:
        """Return the instances whose agent is too old to do without ec2messages."""
        try:
            rows = read_all(
                self._client("ssm"),
                "list managed nodes",
                "describe_instance_information",
                "InstanceInformationList",
                50,  # DescribeInstanceInformation, MaxResults
            )
        except PatchtideError as error:
            what = f"the versions of SSM Agents in {self._region} are not known: {error}"
            fix = "Grant the permission to read them, see docs/permissions.md."
            unread.append(Check(where=self._region, check=OLD_SERVICE, status=UNKNOWN, what=what, fix=fix))
            return set()
        return {str(row["InstanceId"]) for row in rows if to_version(row["AgentVersion"]) < to_version(NEW_AGENT)}

    def _describe(self, operation: str, rows: str, vpcs: list[str]) -> Rows:
        filters = [{"Name": "vpc-id", "Values": vpcs}]
        size = 100 if operation == "describe_route_tables" else _PAGE  # DescribeRouteTables, MaxResults
        return list(read_all(self._client("ec2"), operation.replace("_", " "), operation, rows, size, Filters=filters))

    def _endpoints(self, vpcs: list[str]) -> Rows:
        return self._describe("describe_vpc_endpoints", "VpcEndpoints", vpcs)

    def _attribute(self, vpc_id: str, name: str) -> bool:
        with aws_errors(f"read {name} of {vpc_id}"):
            reply = self._client("ec2").describe_vpc_attribute(VpcId=vpc_id, Attribute=name)
        return bool(reply[name[0].upper() + name[1:]]["Value"])

    def _lines(self, read: Callable[[], list[Line]], kind: str) -> list[Check]:
        try:
            return [check_line(line) for line in read()]
        except PatchtideError as error:
            fix = "Grant the permission to read it, see docs/permissions.md."
            return [Check(where=kind, check="line", status=UNKNOWN, what=f"{kind}: {error}", fix=fix)]

    def _interfaces(self) -> list[Line]:
        with aws_errors("describe virtual interfaces of Direct Connect"):
            rows = self._client("directconnect").describe_virtual_interfaces()["virtualInterfaces"]
        return [
            Line(
                line_id=row["virtualInterfaceId"],
                kind="Direct Connect virtual interface",
                state=str(row.get("virtualInterfaceState", "unknown")),
                parts=len(row.get("bgpPeers") or []),
                up=sum(peer.get("bgpStatus") == "up" for peer in row.get("bgpPeers") or []),
            )
            for row in rows
            if row.get("virtualInterfaceState") not in ("deleting", "deleted")
        ]

    def _tunnels(self) -> list[Line]:
        with aws_errors("describe VPN connections"):
            rows = self._client("ec2").describe_vpn_connections()["VpnConnections"]
        return [
            Line(
                line_id=row["VpnConnectionId"],
                kind="VPN connection",
                state=str(row.get("State", "unknown")),
                parts=len(row.get("VgwTelemetry") or []),
                up=sum(tunnel.get("Status") == "UP" for tunnel in row.get("VgwTelemetry") or []),
            )
            for row in rows
            if row.get("State") not in ("deleting", "deleted")
        ]


def _subnets(vpc_id: str, subnets: Rows, tables: Rows, nodes: Rows, old: Collection[str]) -> Iterator[Subnet]:
    """Yield the subnets of a VPC that have nodes. :param old: instances with an agent that needs ec2messages."""
    for row in sorted(subnets, key=lambda item: str(item["SubnetId"])):
        here = [node for node in nodes if node["SubnetId"] == row["SubnetId"]]
        if row["VpcId"] != vpc_id or not here:
            continue
        table = _table(vpc_id, row["SubnetId"], tables)
        yield Subnet(
            subnet_id=row["SubnetId"],
            cidr=row["CidrBlock"],
            table=str(table.get("RouteTableId", "")),
            way_out=_way_out(table),
            onward=next((target for target in map(_target, _active(table)) if target.startswith(_ONWARD)), ""),
            nodes=len(here),
            groups=frozenset(_groups_of(node) for node in here),
            old_agents=sum(node["InstanceId"] in old for node in here),
        )


def _table(vpc_id: str, subnet_id: str, tables: Rows) -> Mapping[str, Any]:
    """Return the route table of a subnet: its own, else the main one of the VPC."""
    own = [row for row in tables if any(item.get("SubnetId") == subnet_id for item in row["Associations"])]
    main = [row for row in tables if row["VpcId"] == vpc_id and any(item.get("Main") for item in row["Associations"])]
    return next(iter([*own, *main]), {})


def _way_out(table: Mapping[str, Any]) -> str:
    return next((_target(row) for row in _active(table) if row.get("DestinationCidrBlock") == "0.0.0.0/0"), "")


def _active(table: Mapping[str, Any]) -> Rows:
    return [route for route in table.get("Routes", []) if route.get("State") == "active"]


def _target(route: Mapping[str, Any]) -> str:
    """Return where a route leads. EC2 has a member for each kind of target (API reference, Route)."""
    return next((str(route[name]) for name in _TARGETS if route.get(name)), "")


def _groups_of(node: Mapping[str, Any]) -> frozenset[str]:
    cards = [card.get("Groups") or [] for card in node.get("NetworkInterfaces", [])]
    return frozenset(str(group["GroupId"]) for groups in (node.get("SecurityGroups") or [], *cards) for group in groups)


def _endpoint(row: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        endpoint_id=row["VpcEndpointId"],
        service=str(row["ServiceName"]).rpartition(".")[2],
        kind=str(row["VpcEndpointType"]),
        state=_state(str(row["State"])),
        private_dns=bool(row.get("PrivateDnsEnabled")),
        groups=tuple(group["GroupId"] for group in row.get("Groups", [])),
        tables=tuple(row.get("RouteTableIds", [])),
        policy=json.loads(row.get("PolicyDocument") or "{}"),
    )


def _state(value: str) -> str:
    """EC2 writes states of endpoints with a small or a capital first letter."""
    return value[:1].lower() + value[1:]


def _group(row: Mapping[str, Any]) -> SecurityGroup:
    return SecurityGroup(
        group_id=row["GroupId"],
        ingress=tuple(_rule(item) for item in row.get("IpPermissions", []) if _has_port(item)),
        egress=tuple(_rule(item) for item in row.get("IpPermissionsEgress", []) if _has_port(item)),
    )


def _has_port(item: Mapping[str, Any]) -> bool:
    """-1 means all protocols, with all ports (EC2 API reference, IpPermission)."""
    if str(item.get("IpProtocol")) == "-1":
        return True
    return str(item.get("IpProtocol")) in ("tcp", "6") and item.get("FromPort", 0) <= 443 <= item.get("ToPort", 65535)


def _rule(item: Mapping[str, Any]) -> PortRule:
    return PortRule(
        cidrs=tuple(row["CidrIp"] for row in item.get("IpRanges", []))
        + tuple(row["CidrIpv6"] for row in item.get("Ipv6Ranges", [])),
        groups=tuple(row["GroupId"] for row in item.get("UserIdGroupPairs", []) if row.get("GroupId")),
        prefix_lists=tuple(row["PrefixListId"] for row in item.get("PrefixListIds", [])),
    )
