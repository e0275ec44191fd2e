# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of the nodes of one account-Region, as its control plane describes it: plain values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRule:
    """A rule of a security group that lets TCP port 443 pass; other rules are not kept.

    :param cidrs: networks, :param groups: security groups, :param prefix_lists: prefix lists of the other side.
    """

    cidrs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """What a security group lets in and out on TCP port 443."""

    group_id: str
    ingress: tuple[PortRule, ...] = ()
    egress: tuple[PortRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A subnet with nodes.

    :param table: its route table. :param way_out: where 0.0.0.0/0 leads, such as ``nat-…``, "" if nowhere.
    :param onward: where any route leads to another network, such as ``tgw-…``: endpoints may be there. "" if none does.
    :param groups: the sets of security groups that its nodes have. :param old_agents: nodes whose SSM Agent takes its
        commands from ec2messages.
    """

    subnet_id: str
    cidr: str
    table: str = ""
    way_out: str = ""
    onward: str = ""
    nodes: int = 0
    groups: frozenset[frozenset[str]] = frozenset()
    old_agents: int = 0

    @property
    def internet(self) -> bool:
        """Whether it has a route to an internet gateway or a NAT gateway of its own VPC."""
        return self.way_out.startswith(("igw-", "nat-", "eigw-"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A VPC endpoint. ``service``: the last part of its service's name. ``kind``: ``Interface`` or ``Gateway``."""

    endpoint_id: str
    service: str
    kind: str
    state: str = "available"
    private_dns: bool = False
    groups: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """A VPC with nodes."""

    vpc_id: str
    region: str
    cidrs: tuple[str, ...] = ()
    dns_support: bool = True
    dns_hostnames: bool = True
    subnets: tuple[Subnet, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    groups: Mapping[str, SecurityGroup] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A way between a site and AWS: a Direct Connect virtual interface or a Site-to-Site VPN connection.

    :param up: how many of its ``parts`` (BGP peers, tunnels) are up.
    """

    line_id: str
    kind: str
    state: str
    up: int = 0
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One answer. ``status``: ``ok``, ``wrong`` or ``unknown``. ``fix``: the exact change, "" if none is needed.

    :param where: the VPC, or the line between a site and AWS. :param nodes: nodes that depend on it.
    """

    where: str
    check: str
    status: str
    what: str
    fix: str = ""
    nodes: int = 0
