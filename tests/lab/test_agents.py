# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines outside EC2 register with an activation, and are managed nodes when their agent is heard of."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from lab.aws.agents import KEY_HEADER, public_key
from tests.lab.conftest import Fleet

ROLE = "service-role/AmazonEC2RunCommandRoleForManagedInstances"
TAGS = [{"Key": "Patch Group", "Value": "PLANT"}]
PING = {
    "AgentVersion": "3.3.3270.0",
    "AgentStatus": "Active",
    "PlatformType": "Linux",
    "PlatformName": "Debian GNU/Linux",
    "PlatformVersion": "12",
    "ComputerName": "plant-77",
    "IPAddress": "10.77.0.10",
}


def call(url: str, operation: str, body: dict[str, Any], key: str = "") -> dict[str, Any]:
    headers = {"X-Amz-Target": f"AmazonSSM.{operation}", "Content-Type": "application/x-amz-json-1.1", KEY_HEADER: key}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        return dict(json.loads(error.read()))


def register(fleet: Fleet, activation: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {**activation, "PublicKey": public_key("secret"), "PublicKeyType": "Rsa", "Fingerprint": "f" * 36}
    return call(fleet.lab.url, "RegisterManagedInstance", {**body, **changes})


def ping(fleet: Fleet, node_id: str, key: str = "secret") -> dict[str, Any]:
    return call(fleet.lab.url, "UpdateInstanceInformation", {"InstanceId": node_id, **PING}, key)


def activate(ssm: Any, **more: Any) -> dict[str, Any]:
    made = ssm.create_activation(IamRole=ROLE, Tags=TAGS, **more)
    return {name: made[name] for name in ("ActivationId", "ActivationCode")}


def information(ssm: Any, node_id: str) -> list[dict[str, Any]]:
    found = ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [node_id]}])
    return list(found["InstanceInformationList"])


def test_a_registered_machine_is_born_with_tags_and_online_when_its_agent_is_heard_of(fleet: Fleet, ssm: Any) -> None:
    activation = activate(ssm)
    node_id = register(fleet, activation)["InstanceId"]
    assert node_id.startswith("mi-") and not information(ssm, node_id)
    assert ping(fleet, node_id) == {}
    (row,) = information(ssm, node_id)
    assert (row["PingStatus"], row["ActivationId"]) == ("Online", activation["ActivationId"]) and "Name" not in row
    assert fleet.now("plant-77")["tags"] == {"Patch Group": "PLANT"}
    (left,) = ssm.describe_activations()["ActivationList"]
    assert left["RegistrationsCount"] == 1
    assert register(fleet, activation)["__type"] == "RegistrationLimitExceeded"


def test_a_machine_that_registered_is_scanned_and_patched_as_any_other(fleet: Fleet, ssm: Any) -> None:
    node_id = register(fleet, activate(ssm))["InstanceId"]
    ping(fleet, node_id)
    for operation in ("Scan", "Install"):
        sent = ssm.send_command(
            InstanceIds=[node_id], DocumentName="AWS-RunPatchBaseline", Parameters={"Operation": [operation]}
        )
        fleet.lab.advance(3600)
        done = ssm.get_command_invocation(CommandId=sent["Command"]["CommandId"], InstanceId=node_id)
        assert done["Status"] == "Success"
    (state,) = ssm.describe_instance_patch_states(InstanceIds=[node_id])["InstancePatchStates"]
    assert (state["Operation"], state["MissingCount"]) == ("Install", 0) and state["InstalledCount"] > 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ActivationCode": "0" * 20}, "InvalidActivation"),
        ({"ActivationId": "0" * 36}, "InvalidActivation"),
        ({"ActivationCode": "short"}, "ValidationException"),
        ({"PublicKey": "k" * 391}, "ValidationException"),
        ({"Fingerprint": ""}, "ValidationException"),
    ],
)
def test_what_the_service_does_not_take_registers_nothing(
    fleet: Fleet, ssm: Any, changes: dict[str, str], code: str
) -> None:
    assert register(fleet, activate(ssm), **changes)["__type"] == code
    assert "RegistrationsCount" not in ssm.describe_activations()["ActivationList"][0]


def test_an_activation_that_expired_or_was_deleted_registers_nothing(fleet: Fleet, ssm: Any) -> None:
    expired, deleted = activate(ssm), activate(ssm)
    ssm.delete_activation(ActivationId=deleted["ActivationId"])
    assert register(fleet, deleted)["__type"] == "InvalidActivation"
    fleet.lab.advance(25 * 3600)
    assert register(fleet, expired)["__type"] == "ActivationExpired"


def test_another_key_and_a_deregistered_machine_are_refused(fleet: Fleet, ssm: Any) -> None:
    """An agent makes a new key before it registers again; if that fails, its old registration is of no use."""
    node_id = register(fleet, activate(ssm))["InstanceId"]
    ping(fleet, node_id)
    assert ping(fleet, node_id, "another")["__type"] == "UnrecognizedClientException"
    ssm.deregister_managed_instance(InstanceId=node_id)
    assert not information(ssm, node_id)
    assert ping(fleet, node_id)["__type"] == "InvalidInstanceId"


def test_deleting_an_activation_keeps_its_machines(fleet: Fleet, ssm: Any) -> None:
    """DeleteActivation: "Deleting an activation doesn't de-register managed nodes"."""
    activation = activate(ssm)
    node_id = register(fleet, activation)["InstanceId"]
    ssm.delete_activation(ActivationId=activation["ActivationId"])
    assert ping(fleet, node_id) == {} and information(ssm, node_id)
