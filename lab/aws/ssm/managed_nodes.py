# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done to hybrid nodes: DeregisterManagedInstance, UpdateManagedInstanceRole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..node import Node
from .operations import Answer, Request, SsmError, operation

if TYPE_CHECKING:
    from .backend import Place


def _hybrid(place: Place, node_id: str) -> Node:
    node = place.managed_node(node_id)
    if node is None or node.spec.source == "ec2":
        raise SsmError("InvalidInstanceId", f"{node_id} is no hybrid managed node of this account and Region.")
    return node


@operation("DeregisterManagedInstance")
def deregister_managed_instance(place: Place, request: Request) -> Answer:
    node = _hybrid(place, request["InstanceId"])
    del place.nodes[node.node_id]
    place.kept["registrations"].pop(node.node_id, None)
    return {}


@operation("UpdateManagedInstanceRole")
def update_managed_instance_role(place: Place, request: Request) -> Answer:
    place.kept["node_roles"][_hybrid(place, request["InstanceId"]).node_id] = request["IamRole"]
    return {}
