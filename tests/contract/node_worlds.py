# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places with nodes to prepare from, for the suites of three ports: in memory, and on the lab through the adapters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.drain import AwsDrain
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.node_tags import AwsNodeTags
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.power import AwsPower
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Connection, Sessions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.prepare.ports import Target

from lab.aws.launch import SECRET, Lab
from tests.fakes.nodes import FakeDrain, FakeNode, FakeNodes, FakeNodeTags, FakePower

WEB, SHARED, REGION = "222222222222", "111111111111", "eu-central-1"
GONE = "i-0123456789abcdef0"
STOPPED = ("web-stg-04", "web-prod-08")
RUNNING = ("web-prod-01", "web-prod-02", "web-prod-03")
_FAULTS: dict[str, dict[str, Any]] = {"no_start": {"no_capacity": True}, "no_stop": {"unstoppable": "spot"}}
HYBRID = ("plant-dev-01", "plant-dev-02")


@dataclass
class NodeWorld:
    """The ports of one place, the nodes' ids by name, and what the test does to the world besides.

    ``power``, ``tags`` and ``drain`` are ``Any``: they are protocols, and the tests hold both sides to them.
    """

    power: Any
    tags: Any
    drain: Any
    ids: dict[str, str]
    advance: Callable[[float], object]
    #: makes starting (no_start) or stopping (no_stop) a node impossible
    forbid: Callable[[str, str], object]
    #: refuses every write from now on
    deny: Callable[[], object]
    #: removes a node from the world
    terminate: Callable[[str], object]
    #: removes a target group by the name in its ARN
    delete_group: Callable[[str], object]

    def id(self, *names: str) -> list[str]:
        return [self.ids[name] for name in names]


def fake_nodes() -> NodeWorld:
    names = {name: f"i-{number:017x}" for number, name in enumerate((*STOPPED, *RUNNING), 1)}
    names.update({name: f"mi-{number:017x}" for number, name in enumerate(HYBRID, 1)})
    nodes = FakeNodes(FakeNode(node_id, address=f"10.0.0.{number}") for number, node_id in enumerate(names.values()))
    for name in STOPPED:
        nodes.nodes[names[name]].power = "stopped"
    web = [_target(names[name], "web", names[name], 8080) for name in (*RUNNING, STOPPED[1])]
    addresses = [(names[name], nodes.nodes[names[name]].address) for name in RUNNING[:2]]
    admin = [_target(node, "admin", address, 9090, "ip", "z") for node, address in addresses]
    drain = FakeDrain(nodes, {web[0].group: web, admin[0].group: admin})

    def forbid(name: str, what: str) -> None:
        setattr(nodes.nodes[names[name]], what, "Refused: it is so")

    def deny() -> None:
        nodes.denied = "UnauthorizedOperation: You are not authorized to perform this operation."

    return NodeWorld(
        FakePower(nodes),
        FakeNodeTags(nodes),
        drain,
        names,
        nodes.advance,
        forbid,
        deny,
        lambda name: nodes.nodes.pop(names[name]),
        lambda group: [drain.groups.pop(arn) for arn in list(drain.groups) if f"/{group}/" in arn],
    )


def _target(node_id: str, group: str, target_id: str, port: int, kind: str = "instance", zone: str = "") -> Target:
    arn = f"arn:aws:elasticloadbalancing:{REGION}:{WEB}:targetgroup/{group}/1"
    return Target(node_id=node_id, group=arn, target_id=target_id, port=port, target_type=kind, zone=zone)


def sessions_of(aws: Lab, account: str) -> Sessions:
    return Sessions(Connection(access_key=f"AKIA{account}LAB0", secret_key=SECRET, endpoint_url=aws.url))


def lab_nodes(aws: Lab, account: str = WEB) -> NodeWorld:
    aws.reset()
    place, sessions = Place(region=REGION), sessions_of(aws, account)
    rows = [row for row in aws.get("nodes")["nodes"] if (row["account"], row["region"]) == (account, REGION)]
    ids = {row["name"]: row["node_id"] for row in rows}
    ec2, elb = aws.client("ec2", account=account), aws.client("elbv2", account=account)

    def delete_group(name: str) -> None:
        groups = {row["TargetGroupName"]: row for row in elb.describe_target_groups()["TargetGroups"]}
        balancer = groups[f"shop-{name}"]["LoadBalancerArns"][0]
        for row in elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
            if row["DefaultActions"][0]["TargetGroupArn"] == groups[f"shop-{name}"]["TargetGroupArn"]:
                elb.delete_listener(ListenerArn=row["ListenerArn"])
        elb.delete_target_group(TargetGroupArn=groups[f"shop-{name}"]["TargetGroupArn"])

    def forbid(name: str, what: str) -> None:
        aws.post("faults", {"node": name, **_FAULTS[what]})

    writes = ("StartInstances", "StopInstances", "CreateTags", "DeleteTags", "AddTagsToResource", "RegisterTargets")
    denied = [{"kind": "deny", "operation": name} for name in (*writes, "RemoveTagsFromResource", "DeregisterTargets")]
    return NodeWorld(
        AwsPower(place, sessions),
        AwsNodeTags(place, sessions),
        AwsDrain(place, sessions),
        ids,
        aws.advance,
        forbid,
        lambda: aws.post("faults", {"rules": denied}),
        lambda name: ec2.terminate_instances(InstanceIds=[ids[name]]),
        delete_group,
    )


def calls(aws: Lab) -> dict[str, int]:
    """Return how often each operation was called since the ledger was emptied."""
    found: dict[str, int] = {}
    for row in aws.get("ledger")["calls"]:
        found[row["operation"]] = found.get(row["operation"], 0) + row["count"]
    return found
