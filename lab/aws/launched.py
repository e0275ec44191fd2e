# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that somebody launches into the lab, and when the SSM Agent of their image registers."""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult

from .estate import FAULTS, NodeSpec
from .node import Node
from .ssm.backend import Place
from .world import world

#: The system of every image. Amazon Linux 2023 has the agent preinstalled (user guide, "Find AMIs with the SSM Agent
#: preinstalled").
SYSTEM = "amazon-linux-2023"
#: What an agent calls to register and to wait for commands (user guide, "Reference: ec2messages, ssmmessages, and other
#: API operations").
NEEDED = ("ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:OpenControlChannel")


def launch(place: Place, instance: Any) -> Node | None:
    """Make a machine of an instance of moto that the estate does not have; ``None`` if no machine can be made."""
    if SYSTEM not in world().systems:
        return None
    backend = instance.ec2_backend
    tags = backend.tags.get(instance.id) or {}
    node = place.launch(
        NodeSpec(
            node_id=instance.id,
            name=tags.get("Name") or instance.id,
            account=place.account,
            region=place.region,
            os=SYSTEM,
            source="ec2",
            managed=False,
            stopped=False,
            pending=0.8,
            ip=str(instance.private_ip),
            zone=str(instance.placement.zone),
            tags=dict(tags),
            faults=dict(FAULTS),
        )
    )
    backend.tags[instance.id] = node.tags
    node.may_register = lambda: _has_role(instance)
    return node


def _has_role(instance: Any) -> bool:
    """Whether the role in the instance's profile allows what its agent needs."""
    association = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
    if association is None:
        return False
    roles = association.iam_instance_profile.roles
    texts = [text for role in roles for text in role.policies.values()]
    managed = [policy for role in roles for policy in role.managed_policies.values()]
    texts += [version.document for policy in managed for version in policy.versions if version.is_default]
    return all(_allowed(texts, action) for action in NEEDED)


def _allowed(texts: list[Any], action: str) -> bool:
    results = [IAMPolicy(text).is_action_permitted(action, "*") for text in texts]
    return PermissionResult.PERMITTED in results and PermissionResult.DENIED not in results
