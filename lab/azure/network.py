# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces with the back ends of load balancers and gateways they are in: Microsoft.Network 2023-09-01.

An update is a PUT of the whole interface with its etag; it is answered with 200 and Azure-AsyncOperation
(azure-powershell issue 14460), and has ended when that was asked twice. A PUT that names a back end which does not
exist is refused.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from .answers import Refused, Reply, not_found
from .machine import Machine, Operation

if TYPE_CHECKING:
    from .operations import Request

_MEMBERS = ("loadBalancerBackendAddressPools", "applicationGatewayBackendAddressPools")


def card_id(machine: Machine) -> str:
    group = machine.resource_id.partition("/providers/")[0]
    return f"{group}/providers/Microsoft.Network/networkInterfaces/{machine.node.name}-nic"


def new_card(machine: Machine) -> dict[str, Any]:
    """The interface of a machine, in the back ends that its group of the estate names."""
    group = machine.resource_id.partition("/providers/")[0]
    provider = f"{group}/providers/Microsoft.Network"
    pools: dict[str, list[dict[str, str]]] = {}
    for name in machine.spec.pools:
        balancer, _slash, pool = name.partition("/")
        gateway = balancer.startswith("agw-")
        kind = "applicationGateways" if gateway else "loadBalancers"
        pools.setdefault(_MEMBERS[gateway], []).append(
            {"id": f"{provider}/{kind}/{balancer}/backendAddressPools/{pool}"}
        )
    config = {
        "name": "ipconfig1",
        "properties": {
            "privateIPAddress": machine.spec.node.ip,
            "privateIPAllocationMethod": "Dynamic",
            "subnet": {"id": f"{provider}/virtualNetworks/vnet/subnets/default"},
            "primary": True,
            **pools,
        },
    }
    return {
        "id": card_id(machine),
        "name": f"{machine.node.name}-nic",
        "type": "Microsoft.Network/networkInterfaces",
        "location": machine.spec.node.region,
        "etag": f'W/"{uuid.uuid5(uuid.NAMESPACE_URL, machine.resource_id)}"',
        "properties": {"provisioningState": "Succeeded", "ipConfigurations": [config], "enableIPForwarding": False},
    }


def get_card(request: Request) -> Reply:
    return Reply(body=_card(request))


def put_card(request: Request) -> Reply:
    card, wanted = _card(request), request.body
    if request.etag not in (card["etag"], "*"):
        raise Refused(412, "PreconditionFailed", "The etag does not match: the resource was changed meanwhile.")
    if card["properties"]["provisioningState"] != "Succeeded":
        raise Refused(429, "RetryableError", "Another operation on this resource is in progress.", Retry_After="10")
    if wanted.get("location") != card["location"]:
        raise Refused(400, "InvalidResourceLocation", "The location of a resource can't be changed.")
    before = {row["name"]: row["properties"] for row in card["properties"]["ipConfigurations"]}
    after = {row["name"]: row["properties"] for row in wanted["properties"]["ipConfigurations"]}
    for name in before:
        kept = {key: value for key, value in before[name].items() if key not in _MEMBERS}
        if {key: value for key, value in after.get(name, {}).items() if key not in _MEMBERS} != kept:
            raise Refused(400, "InvalidRequestFormat", f"The lab refuses other changes of the IP configuration {name}.")
    known = {pool["id"].lower() for row in request.world.cards.values() for pool in pools_of(new_card_of(request, row))}
    for name, properties in after.items():
        for pool in (pool for member in _MEMBERS for pool in properties.get(member) or ()):
            if pool["id"].lower() not in known:
                raise Refused(400, "InvalidResourceReference", f"{name}: {pool['id']} was not found.")
    card["properties"]["ipConfigurations"] = wanted["properties"]["ipConfigurations"]
    card["properties"]["provisioningState"] = "Updating"
    card["etag"] = f'W/"{uuid.uuid4()}"'
    machine = request.world.machine_of_card(card["id"])
    balancers = sorted(pool["id"].split("/")[8] for pool in pools_of(card))
    facts = {"action": "register" if balancers else "deregister", "balancers": balancers}
    request.world.ledger.note("targets", machine.node, facts, request.world.now)
    operation = request.world.begin("networkInterfaces", machine)
    operation.at_look = 2
    operation.then = lambda: _ended(card, operation)
    place = f"/subscriptions/{request.parts['sub']}/providers/Microsoft.Network/locations/{card['location']}"
    url = f"{request.base}{place}/operations/{operation.operation_id}?api-version={request.api}"
    return Reply(200, card, {"Azure-AsyncOperation": url, "Retry-After": "1"})


def pools_of(card: dict[str, Any]) -> list[dict[str, str]]:
    configs = card["properties"]["ipConfigurations"]
    return [pool for row in configs for member in _MEMBERS for pool in row["properties"].get(member) or ()]


def new_card_of(request: Request, card: dict[str, Any]) -> dict[str, Any]:
    """The interface as the estate has it, which says which back ends exist."""
    return new_card(request.world.machine_of_card(card["id"]))


def _card(request: Request) -> dict[str, Any]:
    found = request.world.cards.get(request.path.lower())
    if found is None:
        raise not_found(f"Microsoft.Network/networkInterfaces/{request.parts['name']}")
    return found


def _ended(card: dict[str, Any], operation: Operation) -> None:
    card["properties"]["provisioningState"] = "Succeeded"
    operation.done, operation.body = True, {}
