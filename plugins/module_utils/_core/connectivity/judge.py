# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the nodes of a VPC reach what patching needs, and the exact change where they do not. Pure.

Agents need ssm and ssmmessages; ec2messages only before version 3.3.40, and Regions launched since 2024 do not have it
(user guide, "Reference: ec2messages, ssmmessages, and other API operations"), so that only subnets with such agents are
checked for it. With private DNS, the name of a service
leads to the endpoint alone: a way to the internet does not help if the endpoint lets nobody in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from ..accounts import partition_of
from ..ssm.iam_policies import resource_verdict
from ..text import plain, table
from .buckets import PATCH_MANAGER, patch_buckets
from .network import Check, Endpoint, Line, PortRule, Subnet, Vpc

SERVICES = ("ssm", "ssmmessages")
OLD_SERVICE, NEW_AGENT = "ec2messages", "3.3.40"
INTERFACE, GATEWAY = "Interface", "Gateway"
OK, WRONG, UNKNOWN = "ok", "wrong", "unknown"
_EVERYWHERE = "0.0.0.0/0"
_WIDTH = 118


def check_vpc(vpc: Vpc, *, internet: bool = True) -> list[Check]:
    """Return what works and what does not for the nodes of a VPC.

    :param internet: whether nodes may use a way to the internet. If not, each such way is wrong.
    """
    return [
        *(check for service in SERVICES for check in _service(vpc, service, internet)),
        *_old_agents(vpc, internet),
        *_s3(vpc, internet),
        *([] if internet else _ways_out(vpc)),
    ]


def check_line(line: Line) -> Check:
    """Return whether a line between a site and AWS is up. One tunnel of two is wrong: nothing takes its place."""
    words = f"{line.kind} {line.line_id} is {line.state}, {line.up} of {line.parts} peers or tunnels are up"
    good = line.state == "available" and line.parts and line.up == line.parts
    fix = "" if good else f"Ask the network team to bring up {line.line_id}: link, BGP peering or tunnel."
    return Check(where=line.line_id, check="line", status=OK if good else WRONG, what=words, fix=fix)


def _service(vpc: Vpc, service: str, internet: bool) -> Iterator[Check]:
    """Yield the checks of an endpoint of the type interface, or of the way to the internet in its place."""
    named = [item for item in vpc.endpoints if item.service == service and item.kind == INTERFACE]
    ready = [item for item in named if item.state == "available" and item.private_dns]
    if ready:
        yield from _interface(vpc, service, ready[0])
        return
    for subnet in vpc.subnets:
        if not (internet and subnet.internet):
            yield _no_way(vpc, subnet, service, named, internet)
        elif blocked := _blocked_out(vpc, subnet, (_EVERYWHERE,), ()):
            yield _egress(vpc, subnet, service, blocked, _EVERYWHERE)
        else:
            what = f"{subnet.subnet_id} reaches {service} over {subnet.way_out}"
            yield _row(vpc, service, OK, what, nodes=subnet.nodes)


def _old_agents(vpc: Vpc, internet: bool) -> Iterator[Check]:
    """Yield the checks of subnets whose agents need the service of old agents. A newer agent does without."""
    subnets = tuple(replace(item, nodes=item.old_agents) for item in vpc.subnets if item.old_agents)
    for check in _service(replace(vpc, subnets=subnets), OLD_SERVICE, internet) if subnets else ():
        update = f"Update the SSM Agent of {check.nodes} nodes to {NEW_AGENT} or newer. Or: {check.fix}"
        yield replace(check, fix=update if check.fix else "")


def _no_way(vpc: Vpc, subnet: Subnet, service: str, named: Sequence[Endpoint], internet: bool) -> Check:
    elsewhere = subnet.onward
    if named and named[0].state != "available":
        what, fix = f"endpoint {named[0].endpoint_id} for {service} is {named[0].state}", _accept(vpc, named[0])
    elif named:
        what = f"endpoint {named[0].endpoint_id} for {service} has no private DNS, so agents do not find it"
        fix = f"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {named[0].endpoint_id} --private-dns-enabled"
    else:
        what = f"{subnet.subnet_id} has no way to {service}: no endpoint"
        what += "" if elsewhere or not internet else ", no route to the internet"
        fix = _gateway(vpc, subnet) if service == "s3" else _create(vpc, service)
    if elsewhere:
        what += f"; a route leads to {elsewhere}, and where that ends is not visible here"
    return _row(vpc, service, UNKNOWN if elsewhere else WRONG, what, fix, subnet.nodes)


def _create(vpc: Vpc, service: str) -> str:
    return (
        f"aws ec2 create-vpc-endpoint --vpc-id {vpc.vpc_id} --vpc-endpoint-type Interface --private-dns-enabled "
        f"--service-name {_name(vpc, service)} --subnet-ids {' '.join(item.subnet_id for item in vpc.subnets)} "
        f"--security-group-ids SG, where SG allows tcp 443 from {', '.join(item.cidr for item in vpc.subnets)}"
    )


def _gateway(vpc: Vpc, subnet: Subnet) -> str:
    """Return how a route table gets a gateway to S3: the one that the VPC has, or a new one."""
    known = next((item for item in vpc.endpoints if item.service == "s3" and item.kind == GATEWAY), None)
    if known:
        return f"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {known.endpoint_id} --add-route-table-ids {subnet.table}"
    return (
        f"aws ec2 create-vpc-endpoint --vpc-id {vpc.vpc_id} --vpc-endpoint-type Gateway "
        f"--service-name com.amazonaws.{vpc.region}.s3 --route-table-ids {subnet.table}"
    )


def _accept(vpc: Vpc, endpoint: Endpoint) -> str:
    if endpoint.state == "pendingAcceptance":
        return f"The owner of {_name(vpc, endpoint.service)} has to accept {endpoint.endpoint_id}."
    return f"aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {endpoint.endpoint_id}, then create it again."


def _interface(vpc: Vpc, service: str, endpoint: Endpoint) -> Iterator[Check]:
    for name, is_on in (("enableDnsSupport", vpc.dns_support), ("enableDnsHostnames", vpc.dns_hostnames)):
        if not is_on:
            what = f"{name} of {vpc.vpc_id} is off, so private DNS of {endpoint.endpoint_id} does not work"
            flag = "--enable-dns-support" if name == "enableDnsSupport" else "--enable-dns-hostnames"
            fix = f"aws ec2 modify-vpc-attribute --vpc-id {vpc.vpc_id} {flag} '{{\"Value\": true}}'"
            yield _row(vpc, service, WRONG, what, fix, sum(item.nodes for item in vpc.subnets))
    for subnet in vpc.subnets:
        if not _lets_in(vpc, endpoint, subnet):
            group = endpoint.groups[0] if endpoint.groups else "SG"
            what = f"no security group of {endpoint.endpoint_id} lets {subnet.subnet_id} ({subnet.cidr}) in on tcp 443"
            fix = (
                f"aws ec2 authorize-security-group-ingress --group-id {group} --protocol tcp --port 443 "
                f"--cidr {subnet.cidr}"
            )
            yield _row(vpc, service, WRONG, what, fix, subnet.nodes)
        elif blocked := _blocked_out(vpc, subnet, vpc.cidrs, endpoint.groups):
            yield _egress(vpc, subnet, service, blocked, vpc.cidrs[0] if vpc.cidrs else _EVERYWHERE)
        else:
            what = f"{subnet.subnet_id} reaches {service} over {endpoint.endpoint_id}"
            yield _row(vpc, service, OK, what, nodes=subnet.nodes)


def _lets_in(vpc: Vpc, endpoint: Endpoint, subnet: Subnet) -> bool:
    """Whether a group of an endpoint lets the subnet, or each of its nodes by its groups, in."""
    rules = [rule for group in endpoint.groups if group in vpc.groups for rule in vpc.groups[group].ingress]
    if any(_covers(rule, (subnet.cidr,)) for rule in rules):
        return True
    named = {group for rule in rules for group in rule.groups}
    return bool(subnet.groups) and all(not groups.isdisjoint(named) for groups in subnet.groups)


def _blocked_out(vpc: Vpc, subnet: Subnet, cidrs: Sequence[str], groups: Sequence[str], lists: bool = False) -> str:
    """Return a group of nodes that may not call, "" if all may. A node may do what any of its groups allows.

    :param lists: whether a rule for a prefix list is enough.
    """
    for some in sorted(subnet.groups, key=sorted):
        rules = [rule for group in some if group in vpc.groups for rule in vpc.groups[group].egress]
        ways = (
            _covers(rule, cidrs) or bool(set(rule.groups) & set(groups)) or (lists and bool(rule.prefix_lists))
            for rule in rules
        )
        if some and not any(ways):
            return min(some)
    return ""


def _covers(rule: PortRule, cidrs: Sequence[str]) -> bool:
    networks = [ip_network(cidr, strict=False) for cidr in rule.cidrs]
    wanted = [ip_network(cidr, strict=False) for cidr in cidrs]
    return all(
        any(one.version == net.version and one.subnet_of(net) for net in networks)  # type: ignore[arg-type] # same version
        for one in wanted
    )


def _s3(vpc: Vpc, internet: bool) -> Iterator[Check]:
    """Yield the checks of S3: a gateway comes before the internet in the route tables that have it."""
    gateways = {
        table: item
        for item in vpc.endpoints
        if item.service == "s3" and item.kind == GATEWAY and item.state == "available"
        for table in item.tables
    }
    used = {item.endpoint_id: item for item in (gateways.get(subnet.table) for subnet in vpc.subnets) if item}
    for endpoint in used.values():
        yield from _bucket_policy(vpc, endpoint)
    for subnet in vpc.subnets:
        if subnet.table not in gateways:
            continue
        if blocked := _blocked_out(vpc, subnet, (_EVERYWHERE,), (), lists=True):
            yield _egress(vpc, subnet, "s3", blocked, _EVERYWHERE)
        else:
            what = f"{subnet.subnet_id} reaches s3 over {gateways[subnet.table].endpoint_id}"
            yield _row(vpc, "s3", OK, what, nodes=subnet.nodes)
    rest = tuple(subnet for subnet in vpc.subnets if subnet.table not in gateways)
    yield from _service(replace(vpc, subnets=rest), "s3", internet)


def _bucket_policy(vpc: Vpc, endpoint: Endpoint) -> Iterator[Check]:
    """Yield the buckets that the policy of a gateway does not let nodes read."""
    partition = partition_of(vpc.region)
    arns = {name: f"arn:{partition}:s3:::{name}/*" for name in patch_buckets(vpc.region)}
    verdicts = {name: resource_verdict(endpoint.policy, "s3:GetObject", arn) for name, arn in arns.items()}
    closed = [name for name, verdict in verdicts.items() if verdict == "denied"]
    unclear = [name for name, verdict in verdicts.items() if verdict == "conditional"]
    if closed:
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": [arns[name] for name in closed],
        }
        what = f"the policy of {endpoint.endpoint_id} does not let nodes read {', '.join(closed)}"
        yield _row(vpc, "s3 buckets", WRONG, what, f"Add to that policy: {json.dumps(statement)}", _all(vpc))
    if unclear:
        what = f"conditions in the policy of {endpoint.endpoint_id} decide about {', '.join(unclear)}"
        yield _row(vpc, "s3 buckets", UNKNOWN, what, "Read these conditions; they are not evaluated here.", _all(vpc))
    if vpc.region not in PATCH_MANAGER:
        what = f"the name of Patch Manager's own bucket in {vpc.region} is not known here"
        fix = "Compare the policy with the page Amazon S3 buckets for patching operations of the user guide."
        yield _row(vpc, "s3 buckets", UNKNOWN, what, fix, _all(vpc))
    elif not closed and not unclear:
        yield _row(vpc, "s3 buckets", OK, f"{endpoint.endpoint_id} lets nodes read all patch buckets", nodes=_all(vpc))


def _ways_out(vpc: Vpc) -> Iterator[Check]:
    """Yield the ways to the internet, where there must be none."""
    for subnet in vpc.subnets:
        if subnet.internet:
            what = f"{subnet.subnet_id} has a route to the internet over {subnet.way_out} and must have none"
            fix = f"aws ec2 delete-route --route-table-id {subnet.table} --destination-cidr-block 0.0.0.0/0"
            yield _row(vpc, "no internet", WRONG, what, fix, subnet.nodes)
        else:
            hidden = f"leads to {subnet.way_out}, and where that ends is not visible here"
            end = hidden if subnet.way_out else "is absent"
            status = UNKNOWN if subnet.way_out else OK
            what = f"the route 0.0.0.0/0 of {subnet.subnet_id} {end}"
            fix = f"Check that {subnet.way_out} has no way to the internet." if subnet.way_out else ""
            yield _row(vpc, "no internet", status, what, fix, subnet.nodes)


def _egress(vpc: Vpc, subnet: Subnet, service: str, group: str, cidr: str) -> Check:
    what = f"security group {group} of nodes in {subnet.subnet_id} does not let them out to {service} on tcp 443"
    fix = (
        f"aws ec2 authorize-security-group-egress --group-id {group} "
        f"--ip-permissions IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges=[{{CidrIp={cidr}}}]"
    )
    return _row(vpc, service, WRONG, what, fix, subnet.nodes)


def _row(vpc: Vpc, check: str, status: str, what: str, fix: str = "", nodes: int = 0) -> Check:
    return Check(where=vpc.vpc_id, check=check, status=status, what=what, fix=fix, nodes=nodes)


def _all(vpc: Vpc) -> int:
    return sum(item.nodes for item in vpc.subnets)


def _name(vpc: Vpc, service: str) -> str:
    """Return the name of a service; China's begin with ``cn.``, except those of gateways."""
    return f"{'cn.' if vpc.region.startswith('cn-') else ''}com.amazonaws.{vpc.region}.{service}"


def summarize(checks: Sequence[Check]) -> dict[str, Any]:
    """Return the number of checks by status (``summary``), and a table for each VPC and line (``tables``)."""
    tables: dict[str, list[Check]] = {}
    for check in checks:
        tables.setdefault(check.where, []).append(check)
    return {
        "summary": {status: sum(item.status == status for item in checks) for status in (OK, WRONG, UNKNOWN)},
        "tables": [{"where": where, "lines": _lines(rows)} for where, rows in tables.items()],
    }


def _lines(checks: Sequence[Check]) -> list[str]:
    rows = [(item.status, item.check, item.what) for item in checks]
    fixes = [f"Fix: {plain(item.fix)}" for item in checks if item.fix]
    return [*table(("status", "check", "found"), rows, _WIDTH), *dict.fromkeys(fixes)]
