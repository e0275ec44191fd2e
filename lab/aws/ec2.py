# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the estate's EC2 nodes instances of moto's EC2: same ids, same tags, one power switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.instances import Instance
from moto.ec2.responses import EC2Response

from .access import NODE_PROFILE
from .ec2_limits import check_request
from .launched import launch
from .node import Node
from .ssm.backend import place_of
from .ssm.nodes import instance_type
from .world import world

STATE_CODES = {"pending": 0, "running": 16, "stopping": 64, "stopped": 80, "terminated": 48}


def seed() -> None:
    """Create the instances of the estate. Their tag dictionaries are the nodes' own, so both sides always agree."""
    estate = world().estate
    for account in estate.accounts:
        for region in estate.regions:
            show_power(account.account_id, region)


def _create(backend: Any, node: Node) -> None:
    reservation = backend.run_instances(
        image_id="ami-0123456789abcdef0",
        count=1,
        user_data=None,
        security_group_names=[],
        instance_type=instance_type(node),
        is_instance_type_default=False,
        region_name=backend.region_name,
        key_name="lab",
        block_device_mappings=[],
        placement=node.spec.zone,
    )
    instance: Instance = reservation.instances[0]
    backend.tags.pop(instance.id, None)
    instance.id = node.node_id
    instance.platform = "windows" if node.is_windows else None
    card = instance.nics[0]
    card.private_ip_address = node.spec.ip
    card.private_ip_addresses[0]["PrivateIpAddress"] = node.spec.ip
    backend.tags[node.node_id] = node.tags
    if node.spec.managed:
        backend.associate_iam_instance_profile(node.node_id, NODE_PROFILE)


def show_power(account: str, region: str) -> None:
    """Copy the nodes' power into what DescribeInstances shows; make the instances that took others' places."""
    nodes = place_of(account, region).nodes
    backend: Any = ec2_backends[account][region]
    shown = {instance.id for row in backend.reservations.values() for instance in row.instances}
    for node in list(nodes.values()):
        if node.spec.source == "ec2" and node.node_id not in shown:
            _create(backend, node)
    for reservation in backend.reservations.values():
        for instance in reservation.instances:
            if instance.id not in nodes and instance.state == "running":
                launch(place_of(account, region), instance)
            if known := nodes.get(instance.id):
                instance._state.name, instance._state.code = known.power, STATE_CODES[known.power]
                instance.launch_time = known.boot_time.replace(tzinfo=None)


class _IncorrectState(EC2ClientError):
    def __init__(self, text: str) -> None:
        super().__init__("IncorrectInstanceState", text)


class _NoCapacity(Exception):
    """InsufficientInstanceCapacity stands under "Server error codes" of the EC2 API reference: it is an HTTP 500."""

    REPLY = (
        500,
        {"Content-Type": "text/xml"},
        "<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code><Message>We currently do not have "
        "sufficient capacity in the Availability Zone you requested.</Message></Error></Errors>"
        "<RequestID>lab</RequestID></Response>",
    )


def _node_of(instance: Any) -> Node | None:
    backend = instance.ec2_backend
    return place_of(backend.account_id, backend.region_name).nodes.get(instance.id)


def _may_start(node: Node) -> None:
    """One that runs or is pending already is left as it is; no other state but stopped can be started from."""
    if node.power in ("stopping", "terminated"):
        raise _IncorrectState(f"The instance '{node.node_id}' is not in a state from which it can be started.")
    if node.power == "stopped" and node.faults["no_capacity"]:
        raise _NoCapacity


def _may_stop(node: Node) -> None:
    """StopInstances: "You can't stop or hibernate instance store-backed instances", nor one-time Spot ones."""
    if node.power == "pending":
        text = f"Instance '{node.node_id}' cannot be stopped as it has never reached the 'running' state."
        raise _IncorrectState(text)
    if node.power == "terminated":
        raise _IncorrectState(f"This instance '{node.node_id}' is not in a state from which it can be stopped.")
    if node.faults["unstoppable"] == "instance-store":
        text = f"The instance '{node.node_id}' does not have an 'ebs' root device type and cannot be stopped."
        raise EC2ClientError("UnsupportedOperation", text)
    if node.faults["unstoppable"] == "spot":
        text = f"You can't stop the Spot Instance '{node.node_id}' because it is of a one-time Spot Instance request."
        raise EC2ClientError("UnsupportedOperation", text)


def _wrap(name: str, act: Callable[[Node], None]) -> None:
    original = getattr(Instance, name)

    def wrapped(self: Any) -> Any:
        node = _node_of(self)
        if node is not None:
            act(node)
        return original(self)

    setattr(Instance, name, wrapped)


def _check_first(name: str, check: Callable[[Node], None]) -> None:
    """Make an operation on many instances do all or nothing."""
    original = getattr(EC2Backend, name)

    def checked(self: Any, instance_ids: list[str]) -> Any:
        for instance in self.get_multi_instances_by_id(instance_ids):
            node = _node_of(instance)
            if node is not None:
                check(node)
        return original(self, instance_ids)

    setattr(EC2Backend, name, checked)


def _note_tags(name: str) -> None:
    """Let nodes note what CreateTags and DeleteTags change; moto tags instances that do not exist, EC2 refuses."""
    original = getattr(EC2Backend, name)

    def noted(self: Any, resource_ids: list[str], tags: dict[str, Any]) -> Any:
        self.get_multi_instances_by_id([item for item in resource_ids if item.startswith("i-")])
        nodes = place_of(self.account_id, self.region_name).nodes
        before = {item: dict(nodes[item].tags) for item in resource_ids if item in nodes}
        answer = original(self, resource_ids, tags)
        for item, old in before.items():
            new = dict(nodes[item].tags)
            nodes[item].tags.clear()
            nodes[item].tags.update(old)
            for key in tags:
                nodes[item].tag(key, new.get(key))
        return answer

    setattr(EC2Backend, name, noted)


def bind() -> None:
    """Wire power, time, tags and limits into moto's classes. Call once, before the first request."""
    _wrap("start", Node.start)
    _wrap("stop", Node.stop)
    _wrap("terminate", Node.terminate)
    _wrap("reboot", lambda node: node.reboot(lambda: None))
    _check_first("start_instances", _may_start)
    _check_first("stop_instances", _may_stop)
    _note_tags("create_tags")
    _note_tags("delete_tags")
    call, make = EC2Response.call_action, ActionResult

    def call_action(self: Any) -> Any:
        with world().lock:
            place = place_of(self.current_account, self.region)
            place.catch_up()
            show_power(place.account, place.region)
            try:
                check_request(self._get_action(), self._get_params())
                return call(self)
            except _NoCapacity as error:
                return error.REPLY
            except EC2ClientError as error:
                return self.serialized(make(error))
            finally:
                show_power(place.account, place.region)

    EC2Response.call_action = call_action
