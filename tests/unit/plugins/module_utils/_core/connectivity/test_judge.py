# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways of nodes to what patching needs: what works, what does not, and the exact change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.connectivity.buckets import (
    PATCH_MANAGER,
    SNAPSHOTS,
    patch_buckets,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.connectivity.judge import (
    check_line,
    check_vpc,
    summarize,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.connectivity.network import (
    Check,
    Endpoint,
    Line,
    PortRule,
    SecurityGroup,
    Subnet,
    Vpc,
)

ALL = (PortRule(cidrs=("0.0.0.0/0",)),)
OTHERS = (PortRule(cidrs=("::/0", "10.8.0.0/16")),)
EVERYBODY = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
SUBNET = Subnet(
    subnet_id="subnet-1", cidr="10.0.1.0/24", table="rtb-1", nodes=3, groups=frozenset({frozenset({"sg-n"})})
)
GROUPS = {
    "sg-n": SecurityGroup(group_id="sg-n", egress=ALL),
    "sg-e": SecurityGroup(group_id="sg-e", ingress=(PortRule(cidrs=("10.0.0.0/16",)),)),
}
GATEWAY = Endpoint(endpoint_id="vpce-s3", service="s3", kind="Gateway", tables=("rtb-1",), policy=EVERYBODY)


def interface(service: str, **more: Any) -> Endpoint:
    made = Endpoint(endpoint_id=f"vpce-{service}", service=service, kind="Interface", groups=("sg-e",))
    return replace(made, **{"private_dns": True, **more})


#: A VPC with which all is well, without a way to the internet.
CLOSED = Vpc(
    vpc_id="vpc-1",
    region="eu-central-1",
    cidrs=("10.0.0.0/16",),
    subnets=(SUBNET,),
    endpoints=(interface("ssm"), interface("ssmmessages"), GATEWAY),
    groups=GROUPS,
)
#: One without endpoints, over a NAT gateway.
OPEN = replace(CLOSED, endpoints=(), subnets=(replace(SUBNET, way_out="nat-1"),))


def bad(vpc: Vpc, **options: Any) -> list[Check]:
    return [check for check in check_vpc(vpc, **options) if check.status != "ok"]


def with_endpoint(**more: Any) -> Vpc:
    return replace(CLOSED, endpoints=(interface("ssm", **more), *CLOSED.endpoints[1:]))


def with_group(group: SecurityGroup) -> Vpc:
    return replace(CLOSED, groups={**GROUPS, group.group_id: group})


def test_endpoints_and_a_gateway_are_enough_and_so_is_the_internet() -> None:
    assert not bad(CLOSED) and not bad(CLOSED, internet=False) and not bad(OPEN)
    assert {check.check for check in check_vpc(CLOSED)} == {"ssm", "ssmmessages", "s3", "s3 buckets"}


def test_where_no_internet_is_allowed_a_way_out_is_wrong_and_does_not_count() -> None:
    found = bad(OPEN, internet=False)
    assert [check.check for check in found] == ["ssm", "ssmmessages", "s3", "no internet"]
    assert found[-1].fix == "aws ec2 delete-route --route-table-id rtb-1 --destination-cidr-block 0.0.0.0/0"
    (hidden,) = bad(replace(CLOSED, subnets=(replace(SUBNET, way_out="tgw-1"),)), internet=False)
    assert hidden.status == "unknown" and "tgw-1" in hidden.what


def test_without_any_way_the_endpoint_to_create_is_named_whole() -> None:
    found = bad(replace(CLOSED, endpoints=()))
    assert found[0].status == "wrong" and found[0].nodes == 3
    for text in ("--vpc-id vpc-1", "com.amazonaws.eu-central-1.ssm ", "--subnet-ids subnet-1", "10.0.1.0/24"):
        assert text in found[0].fix
    assert found[2].fix.endswith("--service-name com.amazonaws.eu-central-1.s3 --route-table-ids rtb-1")
    china = bad(replace(CLOSED, endpoints=(), region="cn-north-1"))
    assert "cn.com.amazonaws.cn-north-1.ssm " in china[0].fix and " com.amazonaws.cn-north-1.s3 " in china[2].fix


@pytest.mark.parametrize("internet", [True, False])
def test_endpoints_may_lie_behind_a_route_to_another_network(internet: bool) -> None:
    found = bad(replace(OPEN, subnets=(replace(SUBNET, onward="tgw-1"),)), internet=internet)
    assert {check.status for check in found} == {"unknown"} and "tgw-1" in found[0].what


@pytest.mark.parametrize(
    ("vpc", "fix"),
    [
        (with_endpoint(private_dns=False), "modify-vpc-endpoint --vpc-endpoint-id vpce-ssm --private-dns-enabled"),
        (with_endpoint(state="pendingAcceptance"), "has to accept vpce-ssm"),
        (with_endpoint(state="failed"), "delete-vpc-endpoints --vpc-endpoint-ids vpce-ssm"),
        (replace(CLOSED, dns_support=False), "--enable-dns-support '{\"Value\": true}'"),
        (replace(CLOSED, dns_hostnames=False), "--enable-dns-hostnames"),
        (with_group(SecurityGroup(group_id="sg-e")), "--group-id sg-e --protocol tcp --port 443 --cidr 10.0.1.0/24"),
        (with_group(SecurityGroup(group_id="sg-e", ingress=OTHERS)), "--group-id sg-e --protocol tcp --port 443"),
        (with_endpoint(groups=()), "--group-id SG --protocol tcp"),
        (with_group(SecurityGroup(group_id="sg-n")), "authorize-security-group-egress --group-id sg-n"),
    ],
)
def test_each_trouble_of_an_endpoint_has_its_change(vpc: Vpc, fix: str) -> None:
    found = bad(vpc)
    assert found and found[0].check == "ssm" and found[0].status == "wrong" and fix in found[0].fix


def test_an_endpoint_that_lets_nobody_in_is_not_saved_by_the_internet() -> None:
    vpc = replace(with_group(SecurityGroup(group_id="sg-e")), subnets=(replace(SUBNET, way_out="nat-1"),))
    assert [check.check for check in bad(vpc)] == ["ssm", "ssmmessages"]
    without_dns = replace(vpc, endpoints=(interface("ssm", private_dns=False), *vpc.endpoints[2:]))
    assert not bad(without_dns)


def test_an_endpoint_may_let_the_groups_of_nodes_in() -> None:
    by_group = (PortRule(groups=("sg-n",)),)
    assert not bad(with_group(SecurityGroup(group_id="sg-e", ingress=by_group)))
    two = frozenset({frozenset({"sg-n"}), frozenset({"sg-other"})})
    vpc = with_group(SecurityGroup(group_id="sg-e", ingress=by_group))
    for groups in (two, frozenset[frozenset[str]]()):
        assert "ingress" in bad(replace(vpc, subnets=(replace(SUBNET, groups=groups),)))[0].fix


def test_nodes_whose_groups_are_not_known_are_not_said_to_be_blocked() -> None:
    assert not bad(replace(CLOSED, subnets=(replace(SUBNET, groups=frozenset({frozenset[str]()})),)))


def test_nodes_may_be_let_out_to_the_vpc_the_endpoint_or_the_prefix_list_alone() -> None:
    rules = (PortRule(groups=("sg-e",)), PortRule(prefix_lists=("pl-1",)))
    assert not bad(with_group(SecurityGroup(group_id="sg-n", egress=rules)))
    vpc_only = with_group(SecurityGroup(group_id="sg-n", egress=(PortRule(cidrs=("10.0.0.0/8",)),)))
    assert [check.check for check in bad(vpc_only)] == ["s3"]
    part = with_group(SecurityGroup(group_id="sg-n", egress=(PortRule(cidrs=("10.0.1.0/24",)), rules[1])))
    assert [check.check for check in bad(part)] == ["ssm", "ssmmessages"]


def test_over_the_internet_nodes_must_be_let_out_to_everywhere() -> None:
    vpc = replace(OPEN, groups={"sg-n": SecurityGroup(group_id="sg-n", egress=(PortRule(cidrs=("10.0.0.0/8",)),))})
    assert [check.check for check in bad(vpc)] == ["ssm", "ssmmessages", "s3"]


class TestS3:
    def test_a_route_table_without_the_gateway_is_named(self) -> None:
        vpc = replace(CLOSED, subnets=(SUBNET, replace(SUBNET, subnet_id="subnet-2", table="rtb-2")))
        (found,) = bad(vpc)
        assert found.fix == "aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-s3 --add-route-table-ids rtb-2"
        over_nat = replace(SUBNET, subnet_id="subnet-2", table="rtb-2", way_out="nat-1")
        assert not bad(replace(CLOSED, subnets=(SUBNET, over_nat)))

    def test_a_gateway_that_is_not_available_does_not_count(self) -> None:
        assert bad(replace(CLOSED, endpoints=(*CLOSED.endpoints[:2], replace(GATEWAY, state="pending"))))

    def test_an_interface_endpoint_will_do(self) -> None:
        assert not bad(replace(CLOSED, endpoints=(*CLOSED.endpoints[:2], interface("s3"))))

    def test_a_policy_has_to_let_nodes_read_each_bucket(self) -> None:
        mine = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::mine/*"}]}
        vpc = replace(CLOSED, endpoints=(*CLOSED.endpoints[:2], replace(GATEWAY, policy=mine)))
        (found,) = bad(vpc)
        assert [check.status for check in check_vpc(vpc) if check.check == "s3 buckets"] == ["wrong"]
        assert found.check == "s3 buckets" and "arn:aws:s3:::aws-patch-manager-eu-central-1-9163fdaaf/*" in found.fix

    def test_conditions_and_unknown_regions_are_unknown(self) -> None:
        condition = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
        policy = {"Statement": [{**EVERYBODY["Statement"][0], "Condition": condition}]}
        (found,) = bad(replace(CLOSED, endpoints=(*CLOSED.endpoints[:2], replace(GATEWAY, policy=policy))))
        assert found.status == "unknown" and "not evaluated" in found.fix
        (other,) = bad(replace(CLOSED, region="mx-central-1"))
        assert other.status == "unknown" and "mx-central-1" in other.what


def test_the_buckets_of_a_region() -> None:
    """User guide, "Reference: Amazon S3 buckets for patching operations": 29 Regions, 6 suffixes of snapshots."""
    assert len(PATCH_MANAGER) == 29 and len(SNAPSHOTS) == 6 and set(SNAPSHOTS) <= set(PATCH_MANAGER)
    assert patch_buckets("me-south-1")[:2] == (
        "aws-patch-manager-me-south-1-a53fc9dce",
        "patch-baseline-snapshot-me-south-1-uduvl7q8",
    )
    assert patch_buckets("mx-central-1") == ("patch-baseline-snapshot-mx-central-1", "aws-ssm-mx-central-1")


@pytest.mark.parametrize(
    ("state", "up", "parts", "status"),
    [("available", 2, 2, "ok"), ("available", 1, 2, "wrong"), ("available", 0, 0, "wrong"), ("down", 2, 2, "wrong")],
)
def test_a_line_is_up_if_all_of_it_is(state: str, up: int, parts: int, status: str) -> None:
    found = check_line(Line(line_id="dxvif-1", kind="virtual interface", state=state, up=up, parts=parts))
    assert found.status == status and bool(found.fix) == (status != "ok")


def test_the_table_of_a_vpc_has_each_change_once() -> None:
    found = summarize(check_vpc(replace(CLOSED, dns_support=False)))
    assert found["summary"] == {"ok": 4, "wrong": 2, "unknown": 0}
    (table,) = found["tables"]
    assert table["where"] == "vpc-1" and sum(line.startswith("Fix: ") for line in table["lines"]) == 1
    assert any("wrong" in line and "ssm" in line for line in table["lines"])


def test_only_old_agents_need_ec2messages_and_an_update_is_the_first_change() -> None:
    assert not [check for check in check_vpc(CLOSED) if check.check == "ec2messages"]
    old = replace(CLOSED, subnets=(replace(SUBNET, old_agents=2), replace(SUBNET, subnet_id="subnet-2")))
    (check,) = bad(old)
    assert (check.check, check.nodes) == ("ec2messages", 2) and check.what.startswith("subnet-1 has no way to")
    assert check.fix.startswith("Update the SSM Agent of 2 nodes to 3.3.40 or newer. Or: aws ec2 create-vpc-endpoint ")
    assert "com.amazonaws.eu-central-1.ec2messages" in check.fix
    assert not bad(replace(old, endpoints=(*old.endpoints, interface("ec2messages"))))
    assert not bad(replace(OPEN, subnets=(replace(OPEN.subnets[0], old_agents=2),)))
