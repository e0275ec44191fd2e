# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports of preparations at the place of a node: an account and Region of AWS, or a subscription of Azure.

The SDK of Azure is slow to load, so it is loaded for the first machine of Azure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...module_utils._aws.drain import AwsDrain
from ...module_utils._aws.node_tags import AwsNodeTags
from ...module_utils._aws.power import AwsPower
from ...module_utils._aws.session import Sessions
from ...module_utils._core.azure_ids import in_azure, is_vm
from ...module_utils._core.model import Place
from ...module_utils._core.nodes import in_aws
from ...module_utils._core.prepare.ports import DrainPort, PowerPort, TagPort

if TYPE_CHECKING:
    from ...module_utils._azure.tenants import Tenants

Node = Mapping[str, Any]


def is_in_cloud(node: Node) -> bool:
    """Return whether a cloud keeps the tags of a node."""
    return in_aws(node["node_id"], node["account"], node["region"]) or in_azure(node["node_id"])


def is_instance(node: Node) -> bool:
    """Return whether a node is an EC2 instance or a virtual machine of Azure, which have power and load balancers."""
    return is_in_cloud(node) and (str(node["node_id"]).startswith("i-") or is_vm(str(node["node_id"])))


@dataclass(frozen=True, slots=True)
class PlacePorts:
    """The ports of one place."""

    power: PowerPort
    tags: TagPort
    drain: DrainPort


@dataclass(frozen=True, slots=True)
class Clouds:
    """Opens the ports of places.

    :param sessions: returns the sessions of AWS, :param tenants: those of Azure, when the first node needs them.
    """

    sessions: Callable[[], Sessions]
    tenants: Callable[[], Tenants]

    def ports(self, place: Place, *, azure: bool) -> PlacePorts:
        """Return the ports of an account-Region. :raises PatchtideError: no credentials."""
        if azure:
            from ...module_utils._azure.drain import AzureDrain
            from ...module_utils._azure.node_tags import AzureNodeTags
            from ...module_utils._azure.power import AzurePower

            arm = self.tenants().of(str(place.account))
            return PlacePorts(AzurePower(arm), AzureNodeTags(arm), AzureDrain(arm))
        sessions = self.sessions()
        return PlacePorts(AwsPower(place, sessions), AwsNodeTags(place, sessions), AwsDrain(place, sessions))
