# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancers (ELBv2): moto's, with targets whose health follows the machines and the virtual clock."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.ec2.models import ec2_backends
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup, elbv2_backends
from moto.elbv2.responses import ELBV2Response

from .ec2 import show_power
from .estate import BalancerSpec, TargetGroupSpec
from .node import Node
from .ssm.backend import Place, place_of
from .ssm.response import DEFECT
from .target_health import DRAINING, NOT_IN_USE, NOT_REGISTERED, STOPPED, Checks, Health, health_of
from .validate import problems
from .world import world

#: "Targets per target group: 1,000" (quotas for Application Load Balancers)
MOST_TARGETS = 1000


@dataclass(slots=True)
class Registration:
    """One target of a group. ``zone`` is shown for addresses only; ``leaves_at`` is when a drained one is gone."""

    target_id: str
    port: int
    at: datetime
    zone: str = ""
    leaves_at: datetime | None = None


def seed() -> None:
    """Make the estate's load balancers. Their members are registered although some are stopped: they once ran."""
    for spec in world().estate.load_balancers:
        _create(spec)


def _create(spec: BalancerSpec) -> None:
    backend: Any = elbv2_backends[spec.account][spec.region]
    subnets = ec2_backends[spec.account][spec.region].get_default_subnets()
    ids = [item.id for item in subnets.values()]
    balancer = backend.create_load_balancer(spec.name, [], ids, loadbalancer_type=spec.type)
    protocol = "HTTP" if spec.type == "application" else "TCP"
    for number, item in enumerate(spec.target_groups):
        group = backend.create_target_group(
            item.name,
            protocol=protocol,
            port=str(item.port),
            vpc_id=balancer.vpc_id,
            target_type=item.target_type,
            healthcheck_interval_seconds=item.health_interval,
            healthcheck_timeout_seconds=5,
            healthy_threshold_count=str(item.healthy_threshold),
            unhealthy_threshold_count=str(item.unhealthy_threshold),
        )
        group.attributes["deregistration_delay.timeout_seconds"] = str(item.deregistration_delay)
        if item.used:
            forward = [{"Type": "forward", "TargetGroupArn": group.arn}]
            backend.create_listener(balancer.arn, protocol, str(80 + number), "", None, forward)
        _fill(group, item, place_of(spec.account, spec.region))


def _fill(group: Any, spec: TargetGroupSpec, place: Place) -> None:
    nodes = {node.name: node for node in place.nodes.values()}
    for name in spec.members:
        node = nodes[name]
        row = Registration(node.node_id, spec.port, node.boot_time - timedelta(days=1))
        if spec.target_type == "ip":
            row.target_id, row.zone = node.spec.ip, node.spec.zone
        _rows(group)[(row.target_id, row.port)] = row


def _rows(group: Any) -> dict[tuple[str, int], Registration]:
    found: dict[tuple[str, int], Registration] = group.__dict__.setdefault("_registrations", {})
    return found


def _place(group: Any) -> Place:
    return place_of(group.account_id, group.region_name)


def _node(group: Any, target_id: str) -> Node | None:
    nodes = _place(group).nodes
    return nodes.get(target_id) or next((node for node in nodes.values() if node.spec.ip == target_id), None)


def _key(group: Any, target: Mapping[str, Any]) -> tuple[str, int]:
    return target["Id"], int(target.get("Port", group.port))


def _register(self: Any, targets: list[dict[str, Any]]) -> None:
    """All or nothing. One that is draining is taken back; one that is registered stays as it is."""
    rows, place = _rows(self), _place(self)
    _expire(self)
    zones = {_key(self, target): _zone(self, target) for target in targets}
    if len(set(rows) | set(zones)) > MOST_TARGETS:
        raise ELBClientError("TooManyTargets", f"A target group can have {MOST_TARGETS} targets")
    for key, zone in zones.items():
        if key not in rows or rows[key].leaves_at:
            rows[key] = Registration(*key, place.sim.now, zone)
            _note(self, "register", key)


def _zone(group: Any, target: Mapping[str, Any]) -> str:
    """Check one target and return its Availability Zone, as TargetDescription of the API reference has it."""
    if group.target_type == "instance":
        return _zone_of_instance(group, target)
    try:
        ipaddress.ip_address(target["Id"])
    except ValueError:
        raise ELBClientError("ValidationError", f"The IP address '{target['Id']}' is not a valid address") from None
    node = _node(group, target["Id"])
    if node is not None:  # "in a subnet of the VPC …, the Availability Zone is automatically detected"
        return node.spec.zone or "all"
    if not target.get("AvailabilityZone"):
        text = f"You must specify an Availability Zone for the IP address '{target['Id']}', which is outside of the VPC"
        raise ELBClientError("ValidationError", text)
    return str(target["AvailabilityZone"])


def _zone_of_instance(group: Any, target: Mapping[str, Any]) -> str:
    """As RegisterTargets says: "it must be in the running state when you register it"."""
    if target.get("AvailabilityZone"):  # "not supported if the target type of the target group is instance"
        raise ELBClientError("ValidationError", "You cannot specify an Availability Zone for instance targets")
    instance = group.ec2_backend.get_instance_by_id(target["Id"])
    if instance is None or instance.vpc_id != group.vpc_id or instance.state == "terminated":
        text = "The specified target does not exist or is not in the same VPC as the target group."
        raise ELBClientError("InvalidTarget", text)
    if instance.state != "running":
        text = f"The following targets are not in a running state and cannot be registered: '{target['Id']}'"
        raise ELBClientError("InvalidTarget", text)
    return ""


def _deregister(self: Any, targets: list[dict[str, Any]]) -> None:
    """As DeregisterTargets has it: "If the specified target does not exist, the action returns successfully."

    "You must specify both the target ID and the port" of one with a port of its own, else another one is meant.
    """
    _expire(self)
    for target in targets:
        row = _rows(self).get(_key(self, target))
        if row is not None and row.leaves_at is None:
            _leave(self, row, _place(self).sim.now)
            _note(self, "deregister", _key(self, target))


def _leave(group: Any, row: Registration, at: datetime) -> None:
    """Let it drain: "After the deregistration delay elapses, … the state of the target is unused", idle or not."""
    row.leaves_at = at + timedelta(seconds=int(group.attributes["deregistration_delay.timeout_seconds"]))


def _expire(group: Any) -> None:
    """Forget what has left by now, and let terminated instances leave: "it is automatically deregistered"."""
    now = _place(group).sim.now
    for key, row in list(_rows(group).items()):
        node = _node(group, row.target_id)
        if row.leaves_at is None and group.target_type == "instance" and node and node.power == "terminated":
            _leave(group, row, node.down_since)
        if row.leaves_at and row.leaves_at <= now:
            del _rows(group)[key]


def _note(group: Any, action: str, key: tuple[str, int]) -> None:
    node = _node(group, key[0])
    if node is not None:
        facts = {"action": action, "group": group.name, "target": key[0], "port": key[1]}
        world().ledger.note("targets", node, facts, _place(group).sim.now)


def _health(group: Any, row: Registration) -> Health:
    node, now = _node(group, row.target_id), _place(group).sim.now
    if row.leaves_at:
        return DRAINING
    if not group.load_balancer_arns:
        return NOT_IN_USE
    if node and node.power == "stopped" and group.target_type == "instance":
        return STOPPED
    checks = Checks(
        interval=int(group.health_check_interval_seconds),
        healthy=int(group.healthy_threshold_count),
        unhealthy=int(group.unhealthy_threshold_count),
    )
    outages = node.outages if node else [(row.at, None)]
    return health_of(row.at, now, outages, checks)


def _describe_target_health(self: Any, target_group_arn: str, targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All registered and draining targets, or those asked for; one that is not registered is shown as unused."""
    group = self.describe_target_groups(None, [target_group_arn], None)[0]
    _expire(group)
    rows = _rows(group)
    if not targets:
        return [_description(group, row, _health(group, row)) for row in rows.values()]
    found = []
    for target in targets:
        key = _key(group, target)
        row = rows.get(key)
        health = _health(group, row) if row else NOT_REGISTERED
        found.append(_description(group, row or Registration(*key, _place(group).sim.now), health))
    return found


def _description(group: Any, row: Registration, health: Health) -> dict[str, Any]:
    zone = {"AvailabilityZone": row.zone} if row.zone else {}
    state = {name: text for name, text in zip(("State", "Reason", "Description"), health, strict=True) if text}
    port = str(row.port) if group.health_check_port == "traffic-port" else str(group.health_check_port)
    return {
        "Target": {"Id": row.target_id, "Port": row.port, **zone},
        "HealthCheckPort": port,
        "TargetHealth": state,
    }


def _answer_target_health(self: Any) -> ActionResult:
    """Check our own answer as well: one that breaks the model is a defect of the lab and says so."""
    arn, targets = self._get_param("TargetGroupArn"), self._get_param("Targets", [])
    answer = {"TargetHealthDescriptions": self.elbv2_backend.describe_target_health(arn, targets)}
    if wrong := problems(answer, get_service_model("elbv2").operation_model("DescribeTargetHealth").output_shape):
        raise ELBClientError(DEFECT, f"the lab's own answer is not what the model says: {wrong}")
    return ActionResult(answer)


def _describe_target_groups(self: Any) -> ActionResult:
    """moto's answer, cut into pages of at most 400 (PageSize)."""
    start, size = int(self._get_param("Marker") or 0), int(self._get_param("PageSize") or 400)
    arn, arns, names = (self._get_param(key) for key in ("LoadBalancerArn", "TargetGroupArns", "Names"))
    rows = list(self.elbv2_backend.describe_target_groups(arn, arns or [], names or []))
    answer: dict[str, Any] = {"TargetGroups": rows[start : start + size]}
    return ActionResult({**answer, "NextMarker": str(start + size)} if start + size < len(rows) else answer)


def bind() -> None:
    """Put ours in place of moto's; check requests by botocore's model. Call once, before the first request."""
    FakeTargetGroup.register, FakeTargetGroup.deregister = _register, _deregister
    FakeTargetGroup.deregister_terminated_instances = lambda self, ids: None
    ELBv2Backend.describe_target_health = _describe_target_health
    ELBV2Response.describe_target_health = _answer_target_health
    ELBV2Response.describe_target_groups = _describe_target_groups
    call = ELBV2Response.call_action

    def call_action(self: Any) -> Any:
        model = get_service_model("elbv2").operation_model(self._get_action())
        with world().lock:
            place = place_of(self.current_account, self.region)
            place.catch_up()
            show_power(place.account, place.region)
            if wrong := problems(self._get_params(), model.input_shape):
                return self.serialized(ActionResult(ELBClientError("ValidationError", wrong)))
            return call(self)

    ELBV2Response.call_action = call_action
