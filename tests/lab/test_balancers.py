# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target health follows machines and clock. Sources: ELBv2 API reference, ALB user guide ("Health checks for …")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import WEB, Fleet

Refused = Callable[..., str]
NAMES = [f"web-prod-{number:02}" for number in range(1, 9)]


class Balancer:
    """The demo's load balancer: shop-web (instances, port 8080) and shop-admin (addresses, port 9090)."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.elb = fleet.lab.client("elbv2", account=WEB)
        self.ec2 = fleet.lab.client("ec2", account=WEB)
        rows = self.elb.describe_target_groups()["TargetGroups"]
        self.arns = {row["TargetGroupName"]: row["TargetGroupArn"] for row in rows}

    def health(self, group: str = "shop-web") -> dict[str, tuple[str, str]]:
        rows = self.elb.describe_target_health(TargetGroupArn=self.arns[group])["TargetHealthDescriptions"]
        return {
            row["Target"]["Id"]: (row["TargetHealth"]["State"], row["TargetHealth"].get("Reason", "")) for row in rows
        }

    def state(self, name: str) -> str:
        return self.health().get(self.fleet.id(name), ("", ""))[0]

    def register(self, name: str, **more: Any) -> None:
        targets = [{"Id": self.fleet.id(name), **more}]
        self.elb.register_targets(TargetGroupArn=self.arns["shop-web"], Targets=targets)

    def deregister(self, name: str, **more: Any) -> None:
        targets = [{"Id": self.fleet.id(name), **more}]
        self.elb.deregister_targets(TargetGroupArn=self.arns["shop-web"], Targets=targets)


@pytest.fixture
def balancer(fleet: Fleet) -> Balancer:
    return Balancer(fleet)


def test_the_estate_has_a_load_balancer_in_use(balancer: Balancer) -> None:
    rows = {row["TargetGroupName"]: row for row in balancer.elb.describe_target_groups()["TargetGroups"]}
    assert set(rows) == {"shop-web", "shop-admin"}
    assert all(len(row["LoadBalancerArns"]) == 1 for row in rows.values())
    found = balancer.health()
    assert set(found) == {balancer.fleet.id(name) for name in NAMES}
    assert found[balancer.fleet.id("web-prod-01")] == ("healthy", "")
    assert found[balancer.fleet.id("web-prod-08")] == ("unused", "Target.InvalidState")  # stopped


def test_a_deregistered_target_drains_for_the_delay_and_is_gone(balancer: Balancer) -> None:
    node_id = balancer.fleet.id("web-prod-01")
    balancer.deregister("web-prod-01")
    assert balancer.health()[node_id] == ("draining", "Target.DeregistrationInProgress")
    balancer.fleet.lab.advance(100)
    assert balancer.state("web-prod-01") == "draining"
    balancer.fleet.lab.advance(25)
    assert node_id not in balancer.health()
    asked = balancer.elb.describe_target_health(TargetGroupArn=balancer.arns["shop-web"], Targets=[{"Id": node_id}])
    health = asked["TargetHealthDescriptions"][0]["TargetHealth"]
    assert (health["State"], health["Reason"]) == ("unused", "Target.NotRegistered")
    balancer.deregister("web-prod-01")  # "If the specified target does not exist, the action returns successfully."


def test_a_registered_target_must_pass_one_check(balancer: Balancer) -> None:
    balancer.deregister("web-prod-01")
    balancer.register("web-prod-01")
    assert balancer.state("web-prod-01") == "initial"
    balancer.fleet.lab.advance(11)
    assert balancer.state("web-prod-01") == "healthy"


def test_a_reboot_makes_unhealthy_and_the_threshold_healthy_again(balancer: Balancer) -> None:
    balancer.ec2.reboot_instances(InstanceIds=[balancer.fleet.id("web-prod-01")])
    assert balancer.state("web-prod-01") == "healthy"
    balancer.fleet.lab.advance(25)
    assert balancer.state("web-prod-01") == "unhealthy"
    seen = []
    while balancer.state("web-prod-01") == "unhealthy" and len(seen) < 60:
        balancer.fleet.lab.advance(5)
        seen.append(balancer.fleet.now("web-prod-01")["serves"])
    assert balancer.state("web-prod-01") == "healthy"
    assert 5 <= seen.count(True) <= 7  # three checks, ten seconds apart


def test_a_stopped_one_is_unused_and_comes_back_with_its_application(balancer: Balancer) -> None:
    node_id = balancer.fleet.id("web-prod-08")
    balancer.ec2.start_instances(InstanceIds=[node_id])
    balancer.fleet.lab.advance(25)
    assert balancer.health()[node_id] == ("unhealthy", "Target.Timeout")
    balancer.fleet.lab.advance(300)
    assert balancer.state("web-prod-08") == "healthy"


def test_an_application_that_is_down_makes_unhealthy(balancer: Balancer) -> None:
    balancer.fleet.fault("web-prod-01", app_down=True)
    balancer.fleet.lab.advance(30)
    assert balancer.state("web-prod-01") == "unhealthy"
    assert balancer.health("shop-admin")[balancer.fleet.now("web-prod-01")["ip"]][0] == "healthy"  # 30 s apart, two
    balancer.fleet.lab.advance(35)
    assert balancer.health("shop-admin")[balancer.fleet.now("web-prod-01")["ip"]][0] == "unhealthy"


def test_a_terminated_instance_is_deregistered(balancer: Balancer) -> None:
    balancer.ec2.terminate_instances(InstanceIds=[balancer.fleet.id("web-prod-01")])
    assert balancer.state("web-prod-01") == "draining"
    balancer.fleet.lab.advance(121)
    assert balancer.state("web-prod-01") == ""


def test_only_running_instances_of_the_vpc_can_be_registered(balancer: Balancer, refused: Refused) -> None:
    group = balancer.arns["shop-web"]
    for bad in ("web-prod-08", "win-prod-01"):
        targets = [{"Id": balancer.fleet.id(name)} for name in ("web-dev-01", bad)]
        if bad == "win-prod-01":
            targets[1]["Id"] = "i-00000000000000000"
        assert refused(balancer.elb.register_targets, TargetGroupArn=group, Targets=targets) == "InvalidTarget"
    assert balancer.state("web-dev-01") == ""  # all or nothing
    zoned = [{"Id": balancer.fleet.id("web-dev-01"), "AvailabilityZone": "all"}]
    assert refused(balancer.elb.register_targets, TargetGroupArn=group, Targets=zoned) == "ValidationError"
    gone = group.replace("shop-web", "shop-old")
    assert refused(balancer.elb.register_targets, TargetGroupArn=gone, Targets=zoned) == "TargetGroupNotFound"


def test_addresses_have_a_zone_and_those_beyond_the_vpc_need_one(balancer: Balancer, refused: Refused) -> None:
    group = balancer.arns["shop-admin"]
    rows = balancer.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert {row["Target"]["AvailabilityZone"] for row in rows} == {"eu-central-1b", "eu-central-1c"}
    beyond = [{"Id": "192.168.7.7", "Port": 9090}]
    assert refused(balancer.elb.register_targets, TargetGroupArn=group, Targets=beyond) == "ValidationError"
    balancer.elb.register_targets(TargetGroupArn=group, Targets=[{**beyond[0], "AvailabilityZone": "all"}])
    assert balancer.health("shop-admin")["192.168.7.7"][0] == "initial"


def test_ports_of_one_target_are_told_apart(balancer: Balancer) -> None:
    balancer.register("web-prod-01", Port=8081)
    balancer.deregister("web-prod-01", Port=8081)
    rows = balancer.elb.describe_target_health(TargetGroupArn=balancer.arns["shop-web"])["TargetHealthDescriptions"]
    own = {row["Target"]["Port"]: row["TargetHealth"]["State"] for row in rows[:1] + rows[-1:]}
    assert own == {8080: "healthy", 8081: "draining"}
    ledger = balancer.fleet.lab.get("ledger")["targets"]
    assert [(row["action"], row["name"], row["group"], row["port"]) for row in ledger] == [
        ("register", "web-prod-01", "shop-web", 8081),
        ("deregister", "web-prod-01", "shop-web", 8081),
    ]


def test_requests_are_checked_by_the_model(balancer: Balancer, refused: Refused) -> None:
    assert refused(balancer.elb.describe_target_groups, PageSize=401) == "ValidationError"
    pages = balancer.elb.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 1})
    assert [len(page["TargetGroups"]) for page in pages] == [1, 1]
