# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the estate's EC2 nodes instances of moto's EC2: same ids, same tags, one power switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.ec2.responses import EC2Response

from .access import NODE_PROFILE
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
            backend: Any = ec2_backends[account.account_id][region]
            for node in place_of(account.account_id, region).nodes.values():
                if node.spec.source == "ec2":
                    _create(backend, node)
            _show_power(account.account_id, region)


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
    )
    instance: Instance = reservation.instances[0]
    backend.tags.pop(instance.id, None)
    instance.id = node.node_id
    instance.platform = "windows" if node.is_windows else None
    instance.nics[0].private_ip_address = node.spec.ip
    backend.tags[node.node_id] = node.tags
    if node.spec.managed:
        backend.associate_iam_instance_profile(node.node_id, NODE_PROFILE)


def _show_power(account: str, region: str) -> None:
    """Copy the nodes' power into what DescribeInstances shows."""
    nodes = place_of(account, region).nodes
    for reservation in ec2_backends[account][region].reservations.values():
        for instance in reservation.instances:
            if node := nodes.get(instance.id):
                instance._state.name, instance._state.code = node.power, STATE_CODES[node.power]
                instance.launch_time = node.boot_time.replace(tzinfo=None)


class _IncorrectState(EC2ClientError):
    def __init__(self, node: Node, verb: str) -> None:
        text = f"The instance '{node.node_id}' is not in a state from which it can be {verb}."
        super().__init__("IncorrectInstanceState", text)


def _node_of(instance: Any) -> Node | None:
    backend = instance.ec2_backend
    return place_of(backend.account_id, backend.region_name).nodes.get(instance.id)


def _start(node: Node) -> None:
    if node.power in ("stopping", "terminated"):
        raise _IncorrectState(node, "started")
    node.start()


def _stop(node: Node) -> None:
    if node.power in ("pending", "terminated"):
        # "Instance … cannot be stopped as it has never reached the 'running' state"
        raise _IncorrectState(node, "stopped")
    node.stop()


def _wrap(name: str, act: Callable[[Node], None]) -> None:
    original = getattr(Instance, name)

    def wrapped(self: Any) -> Any:
        node = _node_of(self)
        if node is not None:
            act(node)
        return original(self)

    setattr(Instance, name, wrapped)


def bind() -> None:
    """Wire power and time into moto's classes. Call once, before the first request."""
    _wrap("start", _start)
    _wrap("stop", _stop)
    _wrap("terminate", Node.terminate)
    _wrap("reboot", lambda node: node.reboot(lambda: None))
    call = EC2Response.call_action

    def call_action(self: Any) -> Any:
        with world().lock:
            place = place_of(self.current_account, self.region)
            place.catch_up()
            _show_power(place.account, place.region)
            try:
                return call(self)
            finally:
                _show_power(place.account, place.region)

    EC2Response.call_action = call_action
