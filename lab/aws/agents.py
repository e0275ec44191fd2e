# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What agents outside EC2 call: RegisterManagedInstance, without credentials, and UpdateInstanceInformation, a ping.

botocore's model has neither. Members, lengths and errors are those of the model that the agent is built with
(aws/amazon-ssm-agent, vendor/github.com/aws/aws-sdk-go/service/ssm/api.go and errors.go).

A real agent trades its RSA key for credentials (RequestManagedInstanceRoleToken) and signs its pings with them. Here,
its public key is ``public_key`` of its private one, which a ping shows instead of a signature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from .estate import FAULTS, NodeSpec
from .ssm.activations import is_spent, tags_of
from .ssm.backend import Place, place_of
from .ssm.operations import SsmError
from .world import world

#: What the agent sends the proof of its key in (aws/amazon-ssm-agent, agent/ssm/rsaauth/ssm_rsaV4.go).
KEY_HEADER = "SSM-AsymmetricKeyAuthorization"
#: The catalogue's file by what an agent says of its system; AWS lists the names in DescribeInstanceInformation.
SYSTEMS = {
    ("Amazon Linux", "2023"): "amazon-linux-2023",
    ("Debian GNU/Linux", "12"): "reference/debian-12",
    ("Red Hat Enterprise Linux", "9.6"): "rhel-9",
    ("SLES", "15.6"): "sles-15",
    ("Ubuntu", "22.04"): "ubuntu-22.04",
    ("Microsoft Windows Server 2022 Datacenter", "10.0.20348"): "windows-server-2022",
}


def public_key(private: str) -> str:
    """Return the public key of a private one. The service takes none of less than 392 characters."""
    return hashlib.sha256(private.encode()).hexdigest() * 7


def answer(environ: dict[str, Any]) -> Response | None:
    """Answer a call of an agent; ``None`` if it is none."""
    operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).removeprefix("AmazonSSM.")
    if operation not in _CALLS:
        return None
    request = Request(environ)
    with world().lock:
        try:
            status, body = 200, _CALLS[operation](json.loads(request.get_data() or b"{}"), request.headers)
        except SsmError as error:
            status, body = 400, {"__type": error.code, "message": error.message}
    kind = "application/x-amz-json-1.1"
    return Response(json.dumps(body), status=status, content_type=kind)


def _places() -> list[Place]:
    """Every account-Region of the estate, up to date."""
    estate = world().estate
    found = [place_of(account.account_id, region) for account in estate.accounts for region in estate.regions]
    for place in found:
        place.catch_up()
    return found


def _register(request: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    for name, least in (("ActivationCode", 20), ("ActivationId", 36), ("Fingerprint", 1), ("PublicKey", 392)):
        if len(str(request.get(name) or "")) < least:
            raise SsmError("ValidationException", f"{name} must have length greater than or equal to {least}.")
    place, activation = _activation(request)
    if activation["ExpirationDate"] <= place.sim.now:
        raise SsmError("ActivationExpired", "")
    if is_spent(activation):
        raise SsmError("RegistrationLimitExceeded", "")
    activation["RegistrationsCount"] = activation.get("RegistrationsCount", 0) + 1
    node_id = place.hex_id("mi-")
    place.kept["registrations"][node_id] = {"key": request["PublicKey"], "at": place.sim.now, "activation": activation}
    place.ledger.count(place.account, place.region, "ssm", "RegisterManagedInstance", "200")
    return {"InstanceId": node_id}


def _activation(request: Mapping[str, Any]) -> tuple[Place, dict[str, Any]]:
    """The activation of an ID and a code. One that is deleted, or whose code is another, is not valid."""
    for place in _places():
        found = place.kept["activations"].get(request["ActivationId"])
        if found and place.kept["activation_codes"][request["ActivationId"]] == request["ActivationCode"]:
            return place, found
    raise SsmError("InvalidActivation", "")


def _ping(request: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    node_id = str(request.get("InstanceId", ""))
    place = next((item for item in _places() if node_id in item.kept["registrations"]), None)
    if place is None:
        # aws/amazon-ssm-agent, issue 381: what an agent is told that was deregistered
        raise SsmError("InvalidInstanceId", f"Not existing InstanceId {node_id}")
    registration = place.kept["registrations"][node_id]
    if public_key(headers.get(KEY_HEADER, "")) != registration["key"]:
        raise SsmError("UnrecognizedClientException", "The security token included in the request is invalid.")
    node = place.nodes.get(node_id)
    if node is None:
        node = place.join(_spec(place, node_id, registration["activation"], request), registration["at"])
    node.agent_version = str(request["AgentVersion"])
    node.find_agent()
    return {}


def _spec(place: Place, node_id: str, activation: Mapping[str, Any], request: Mapping[str, Any]) -> NodeSpec:
    said = (str(request.get("PlatformName")), str(request.get("PlatformVersion")))
    if said not in SYSTEMS:
        raise SsmError("ValidationException", f"The lab's catalogue has no {' '.join(said)}.")
    return NodeSpec(
        node_id=node_id,
        name=str(request["ComputerName"]),
        account=place.account,
        region=place.region,
        os=SYSTEMS[said],
        source="onprem",
        managed=True,
        stopped=False,
        pending=0.8,
        ip=str(request["IPAddress"]),
        zone="",
        tags=tags_of(activation),
        faults=dict(FAULTS),
    )


_CALLS = {"RegisterManagedInstance": _register, "UpdateInstanceInformation": _ping}
