# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that the service refuses, answers that get lost while nobody can look them up, and the service's time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from lab.aws.clock import from_iso

from .conftest import WEB, Fleet

Refused = Callable[..., str]
NODE, OTHER = "web-prod-01", "web-prod-02"
INSTALL = {"Operation": ["Install"]}


def error_of(call: Callable[[], Any]) -> dict[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    return dict(caught.value.response["Error"])


@pytest.mark.parametrize("gone", ["web-prod-03", "i-00000000000000000", "web-prod-08", "db-dev-01"])
def test_one_instance_that_is_gone_refuses_the_whole_call_by_name(fleet: Fleet, gone: str) -> None:
    """Terminated, unknown, stopped (aws-cli#3646), another account's: InvalidInstanceId, and its text names it."""
    if gone == "web-prod-03":
        fleet.lab.client("ec2", account=WEB).terminate_instances(InstanceIds=[fleet.id(gone)])
    bad = fleet.id(gone) if gone in fleet.nodes else gone
    ids = [fleet.id(NODE), bad, fleet.id(OTHER)]
    send = fleet.ssm(NODE).send_command
    error = error_of(lambda: send(InstanceIds=ids, DocumentName="AWS-RunPatchBaseline", Parameters=INSTALL))
    assert error["Code"] == "InvalidInstanceId"
    assert error["Message"] == f"Instances [[{bad}]] not in a valid state for account {WEB}"
    assert fleet.lab.get("ledger")["commands"] == []


def test_all_that_are_gone_are_named(fleet: Fleet) -> None:
    """As gravitational/teleport#24176 shows the text, with a list of ids in double brackets."""
    names = ("web-prod-03", "web-prod-04")
    fleet.lab.client("ec2", account=WEB).terminate_instances(InstanceIds=[fleet.id(name) for name in names])
    error = error_of(lambda: fleet.send(NODE, *names))
    assert error["Message"].startswith(f"Instances [[{fleet.id(names[0])}, {fleet.id(names[1])}]] not in a valid state")


@pytest.mark.parametrize("details", ["RateExceeded", "AccessDenied", "LimitExceeded"])
def test_a_command_may_be_cancelled_before_it_has_invocations(fleet: Fleet, details: str) -> None:
    """ "The system has canceled the command before running it on any managed node" (API, Command, StatusDetails)."""
    fleet.rule(kind="refuse_command", details=details, times=1)
    command = fleet.send(NODE, OTHER, Parameters=INSTALL, wait=60)
    ssm = fleet.ssm(NODE)
    row = ssm.list_commands(CommandId=command)["Commands"][0]
    assert (row["Status"], row["StatusDetails"], row["TargetCount"], row["CompletedCount"]) == ("Failed", details, 2, 0)
    assert ssm.list_command_invocations(CommandId=command)["CommandInvocations"] == []
    with pytest.raises(ssm.exceptions.InvocationDoesNotExist):
        fleet.outcome(command, NODE)
    fleet.lab.advance(7200)
    assert fleet.lab.get("ledger")["install_runs"] == []
    assert fleet.outcome(fleet.send(NODE, wait=200), NODE)["Status"] == "Success"


def test_only_the_commands_a_rule_means_are_refused(fleet: Fleet) -> None:
    fleet.rule(kind="refuse_command", body='"Install"', account=WEB)
    assert fleet.outcome(fleet.send(NODE, wait=200), NODE)["Status"] == "Success"
    command = fleet.send(NODE, Parameters=INSTALL, wait=60)
    assert fleet.ssm(NODE).list_commands(CommandId=command)["Commands"][0]["StatusDetails"] == "RateExceeded"


def test_a_lost_answer_and_refused_look_ups_together(fleet: Fleet, refused: Refused) -> None:
    """SendCommand has no idempotency token: the command runs, its sender knows no id and may not look for it."""
    looks = ["ListCommands", "ListCommandInvocations"]
    lost = {"kind": "lose_response", "name": "lost", "operation": "SendCommand", "body": '"Install"', "times": 1}
    blind = {"kind": "throttle", "tps": 0, "operation": looks, "after": "lost", "times": 3}
    fleet.lab.post("faults", {"rules": [lost, blind]})
    ssm = fleet.ssm(NODE)
    ssm.list_commands()
    fleet.send(NODE)  # a Scan is not what the rule is for
    with pytest.raises(ConnectionClosedError):
        fleet.send(NODE, Parameters=INSTALL)
    fleet.lab.advance(60)
    assert [refused(call) for call in (ssm.list_commands, ssm.list_command_invocations, ssm.list_commands)] == [
        "ThrottlingException"
    ] * 3
    assert len(ssm.list_commands()["Commands"]) == 2
    assert len(fleet.lab.get("ledger")["install_runs"]) == 1


def test_look_ups_may_be_denied_instead(fleet: Fleet, refused: Refused) -> None:
    fleet.rule(kind="deny", operation=["ListCommands"], times=1)
    ssm = fleet.ssm(NODE)
    assert refused(ssm.list_commands) == "AccessDeniedException"
    ssm.list_commands()


def controllers_now(fleet: Fleet) -> datetime:
    with urlopen(fleet.lab.environment()["PATCHTIDE_CLOCK"], timeout=30) as reply:
        return from_iso(json.load(reply)["now"])


def test_every_answer_carries_the_services_time(fleet: Fleet, refused: Refused) -> None:
    """RFC 9110, Date; AWS's signed answers have it, errors too."""
    ssm = fleet.ssm(NODE)
    answers = [ssm.list_commands(), fleet.lab.client("ec2", account=WEB).describe_instances()]
    with pytest.raises(ssm.exceptions.InvalidCommandId) as caught:
        ssm.list_commands(CommandId="11111111-2222-4333-8444-555555555555")
    answers.append(caught.value.response)
    service = from_iso(fleet.lab.get("clock")["service"])
    for answer in answers:
        told = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        assert abs(service - told) < timedelta(seconds=30)


@pytest.mark.parametrize("skew", [86400, -86400])
def test_a_controllers_clock_can_be_stepped_against_the_services(fleet: Fleet, skew: int) -> None:
    fleet.lab.post("clock", {"skew": skew})
    service = from_iso(fleet.lab.get("clock")["service"])
    told = fleet.ssm(NODE).list_commands()["ResponseMetadata"]["HTTPHeaders"]["date"]
    assert abs(parsedate_to_datetime(told) - service) < timedelta(seconds=30)
    assert abs(controllers_now(fleet) - service - timedelta(seconds=skew)) < timedelta(seconds=30)
    fleet.lab.reset()
    assert abs(controllers_now(fleet) - service) < timedelta(seconds=30)
