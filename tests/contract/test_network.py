# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network that EC2 describes is the one that is judged, and each change that is named clears what it is for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.network import NetworkReader
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.connectivity.network import Check
from botocore.exceptions import ClientError

from lab.aws.launch import Lab

REGION, ACCOUNT = "us-east-1", "333333333333"


class Network:
    """A VPC of its own with one instance in it."""

    def __init__(self, aws: Lab) -> None:
        self.aws = aws
        self.ec2: Any = aws.client("ec2", REGION, ACCOUNT)
        self.vpc = self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.9.1.0/24")["Subnet"]
        self.subnet = made["SubnetId"]
        self.nodes = self.group("nodes")
        image: Any = {"ImageId": "ami-0123456789abcdef0", "MinCount": 1, "MaxCount": 1}
        self.ec2.run_instances(**image, SubnetId=self.subnet, SecurityGroupIds=[self.nodes])
        tables = self.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["RouteTables"]
        self.table = tables[0]["RouteTableId"]

    def group(self, name: str) -> str:
        return str(self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"])

    def endpoint(self, service: str, kind: str, **more: Any) -> str:
        name = f"com.amazonaws.{REGION}.{service}"
        made = self.ec2.create_vpc_endpoint(VpcId=self.vpc, ServiceName=name, VpcEndpointType=kind, **more)
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def checks(self, agents: Any = None, **options: Any) -> list[Check]:
        def client(service: str) -> Any:
            return agents if agents and service == "ssm" else self.aws.client(service, REGION, ACCOUNT)

        return NetworkReader(client, REGION).checks([self.vpc], **{"internet": True, **options})

    def bad(self) -> list[Check]:
        return [check for check in self.checks() if check.status != "ok" and check.check != "line"]


@pytest.fixture
def network(aws: Lab) -> Network:
    aws.reset()
    return Network(aws)


def test_each_change_clears_what_it_is_for(network: Network) -> None:
    assert [check.check for check in network.bad()] == ["ssm", "ssmmessages", "s3"]
    group = network.group("endpoints")
    for service in ("ssm", "ssmmessages"):
        more: Any = {"SubnetIds": [network.subnet], "SecurityGroupIds": [group], "PrivateDnsEnabled": True}
        network.endpoint(service, "Interface", **more)
    gateway = network.endpoint("s3", "Gateway")
    found = network.bad()
    assert f"--vpc-id {network.vpc} --enable-dns-hostnames" in found[0].fix
    network.ec2.modify_vpc_attribute(VpcId=network.vpc, EnableDnsHostnames={"Value": True})
    found = network.bad()
    assert f"--group-id {group} --protocol tcp --port 443 --cidr 10.9.1.0/24" in found[0].fix
    rule: Any = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.9.1.0/24"}]}
    network.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    (last,) = network.bad()
    assert last.fix.endswith(f"--vpc-endpoint-id {gateway} --add-route-table-ids {network.table}")
    network.ec2.modify_vpc_endpoint(VpcEndpointId=gateway, AddRouteTableIds=[network.table])
    assert not network.bad()
    everything: Any = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    network.ec2.revoke_security_group_egress(GroupId=network.nodes, IpPermissions=[everything])
    assert all(f"authorize-security-group-egress --group-id {network.nodes}" in check.fix for check in network.bad())


def test_a_way_to_the_internet_counts_only_where_it_is_allowed(network: Network) -> None:
    internet = network.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    network.ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=network.vpc)
    network.ec2.create_route(RouteTableId=network.table, DestinationCidrBlock="0.0.0.0/0", GatewayId=internet)
    assert not network.bad()
    found = network.checks(internet=False)
    assert any(check.check == "no internet" and internet in check.what for check in found)


def test_lines_that_cannot_be_read_are_unknown_and_hide_nothing(network: Network) -> None:
    lines = [check for check in network.checks() if check.check == "line"]
    assert [(check.where, check.status) for check in lines] == [("Direct Connect", "unknown")]


class Agents:
    """Systems Manager that knows these versions of agents by node; without any it refuses to say."""

    def __init__(self, **versions: str) -> None:
        self.rows = [{"InstanceId": node.replace("_", "-"), "AgentVersion": text} for node, text in versions.items()]

    def get_paginator(self, _operation: str) -> Agents:
        return self

    def paginate(self, **_request: Any) -> list[dict[str, Any]]:
        if not self.rows:
            refusal = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
            raise ClientError(refusal, "DescribeInstanceInformation")
        return [{"InstanceInformationList": self.rows}]


def test_an_old_agent_needs_ec2messages_and_versions_that_are_not_read_are_unknown(network: Network) -> None:
    node = network.ec2.describe_instances(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])["Reservations"][0]
    name = node["Instances"][0]["InstanceId"].replace("-", "_")
    named = {version: network.checks(agents=Agents(**{name: version})) for version in ("3.3.39.0", "3.3.40.0")}
    found = {version: [item for item in rows if item.check == "ec2messages"] for version, rows in named.items()}
    assert [item.nodes for item in found["3.3.39.0"]] == [1] and not found["3.3.40.0"]
    (unread,) = [item for item in network.checks(agents=Agents()) if item.check == "ec2messages"]
    assert unread.status == "unknown" and "docs/permissions.md" in unread.fix and unread.where == REGION
