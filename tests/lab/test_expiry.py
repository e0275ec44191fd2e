# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When commands expire, and what that says of the nodes ("Understanding command timeout values", user guide)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Fleet

Refused = Callable[..., str]
NODE, OTHER = "web-prod-01", "web-prod-02"
INSTALL = {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
SHELL, PROBE = "AWS-RunShellScript", {"commands": ["# patchtide:probe:1"]}


def command_of(fleet: Fleet, command: str) -> dict[str, Any]:
    return dict(fleet.ssm(NODE).list_commands(CommandId=command)["Commands"][0])


def detail(fleet: Fleet, command: str, name: str = NODE) -> str:
    return str(fleet.outcome(command, name)["StatusDetails"])


def runs(fleet: Fleet) -> list[dict[str, Any]]:
    return list(fleet.lab.get("ledger")["install_runs"])


@pytest.mark.parametrize(
    ("document", "parameters", "execution"),
    [
        ("AWS-RunPatchBaseline", INSTALL, 7200),
        (SHELL, PROBE, 3600),
        (SHELL, {**PROBE, "executionTimeout": ["90"]}, 90),
    ],
)
def test_a_command_expires_after_delivery_and_execution_timeout(
    fleet: Fleet, document: str, parameters: dict[str, list[str]], execution: int
) -> None:
    """Total timeout = delivery timeout + execution timeout; ExpiresAfter is calculated from it (API, Command)."""
    command = fleet.send(NODE, document=document, Parameters=parameters, TimeoutSeconds=600, wait=5)
    row = command_of(fleet, command)
    assert (row["ExpiresAfter"] - row["RequestedDateTime"]).total_seconds() == 600 + execution
    assert row["TimeoutSeconds"] == 600


def test_the_patch_document_has_no_execution_timeout_to_set(fleet: Fleet, refused: Refused) -> None:
    """AWS-RunPatchBaseline has six parameters (user guide), executionTimeout is not among them."""
    more = {"Parameters": {**INSTALL, "executionTimeout": ["60"]}}
    assert refused(lambda: fleet.send(NODE, **more)) == "InvalidParameters"


def test_a_node_that_never_began_expires_with_the_whole_command(fleet: Fleet) -> None:
    """Pending until "the sum of the Timeout (seconds) parameter and the Execution timeout parameter", not less."""
    fleet.fault(NODE, offline=True)
    command = fleet.send(NODE, Parameters=INSTALL, TimeoutSeconds=120, wait=7200)
    assert detail(fleet, command) == "Delayed"
    fleet.lab.advance(121)
    assert detail(fleet, command) == "DeliveryTimedOut"
    assert command_of(fleet, command)["DeliveryTimedOutCount"] == 1
    assert runs(fleet) == []


def test_what_has_not_begun_by_the_delivery_timeout_does_not_run(fleet: Fleet) -> None:
    """ "If this time is reached and the command hasn't already started running, it won't run" (API, SendCommand)."""
    fleet.fault(NODE, offline=True)
    command = fleet.send(NODE, Parameters=INSTALL, TimeoutSeconds=120, wait=200)
    fleet.fault(NODE, offline=False)
    fleet.lab.advance(4000)
    assert detail(fleet, command) == "Delayed"
    fleet.lab.advance(4000)
    assert (detail(fleet, command), runs(fleet)) == ("DeliveryTimedOut", [])


def test_those_that_wait_for_their_turn_expire_too(fleet: Fleet) -> None:
    """InProgress, Pending, or Delayed: all become DeliveryTimedOut (API, Command, ExpiresAfter)."""
    fleet.fault(NODE, agent_gone_after=60)
    command = fleet.send(NODE, OTHER, Parameters=INSTALL, MaxConcurrency="1", TimeoutSeconds=600, wait=7700)
    assert (detail(fleet, command), detail(fleet, command, OTHER)) == ("InProgress", "Pending")
    fleet.lab.advance(200)
    assert (detail(fleet, command), detail(fleet, command, OTHER)) == ("DeliveryTimedOut", "DeliveryTimedOut")
    assert [row["name"] for row in runs(fleet)] == [NODE]


def test_an_install_whose_agent_is_gone_is_called_not_delivered_though_it_is_done(fleet: Fleet) -> None:
    """ "If Run Command doesn't receive a document terminal response …, the command invocation is marked as
    deliveryTimeout" (user guide); finished on the server all the same (aws/amazon-ssm-agent#316, #289)."""
    fleet.fault(NODE, agent_gone_after=200)
    command = fleet.send(NODE, Parameters=INSTALL, TimeoutSeconds=600, wait=3600)
    assert detail(fleet, command) == "InProgress"
    assert fleet.now(NODE)["ping_status"] == "ConnectionLost"
    fleet.lab.advance(4300)
    told = fleet.outcome(command, NODE, PluginName="PatchLinux")
    assert (told["Status"], told["StatusDetails"], told["ResponseCode"]) == ("TimedOut", "DeliveryTimedOut", -1)
    assert command_of(fleet, command)["ErrorCount"] == 0  # "don't count against the parent command's MaxErrors"
    assert [row["outcome"] for row in runs(fleet)] == ["Success"]
    assert fleet.lab.get("ledger")["installs"]
    assert fleet.state(NODE)["Operation"] == "Install"  # the document itself uploads, not the agent


def test_an_agent_that_comes_back_in_time_reports(fleet: Fleet) -> None:
    """In Progress "until the agent is available again, or until the execution timeout limit is reached"."""
    fleet.fault(NODE, agent_gone_after=200, agent_gone_for=3000)
    command = fleet.send(NODE, Parameters=INSTALL, TimeoutSeconds=600, wait=3100)
    assert detail(fleet, command) == "InProgress"
    fleet.lab.advance(300)
    assert (detail(fleet, command), fleet.now(NODE)["ping_status"]) == ("Success", "Online")


def test_one_that_comes_back_too_late_changes_nothing(fleet: Fleet) -> None:
    """DeliveryTimedOut "is a terminal state" (user guide, Understanding command statuses)."""
    fleet.fault(NODE, agent_gone_after=200, agent_gone_for=9000)
    command = fleet.send(NODE, Parameters=INSTALL, TimeoutSeconds=600, wait=9500)
    assert (detail(fleet, command), fleet.now(NODE)["ping_status"]) == ("DeliveryTimedOut", "Online")


def test_an_install_may_die_with_its_agent(fleet: Fleet) -> None:
    """ "document process failed unexpectedly: document worker timed out" (aws/amazon-ssm-agent#234)."""
    fleet.fault(NODE, agent_gone_after=300, agent_gone_for=900, install_survives=False)
    command = fleet.send(NODE, Parameters=INSTALL, TimeoutSeconds=600, wait=2000)
    assert detail(fleet, command) == "Failed"
    done = len(fleet.lab.get("ledger")["installs"])
    fleet.lab.advance(3600)
    assert len(fleet.lab.get("ledger")["installs"]) == done
    assert [row["outcome"] for row in runs(fleet)] == ["Failed"]


def test_the_agent_that_is_there_tells_of_the_execution_timeout_itself(fleet: Fleet) -> None:
    """ "SSM Agent must send an ExecutionTimedOut signal"; then "Systems Manager stops the command execution"."""
    fleet.fault(NODE, slow=30)
    command = fleet.send(NODE, Parameters=INSTALL, TimeoutSeconds=600, wait=7300)
    assert detail(fleet, command) == "ExecutionTimedOut"
    assert command_of(fleet, command)["ErrorCount"] == 1
    done = len(fleet.lab.get("ledger")["installs"])
    fleet.lab.advance(20000)
    assert len(fleet.lab.get("ledger")["installs"]) == done


def test_a_node_known_to_be_offline_is_undeliverable_at_once(fleet: Fleet) -> None:
    """ "The node might not exist or it might not be responding" (user guide); here: ConnectionLost when it is sent."""
    fleet.fault(NODE, offline=True)
    fleet.lab.advance(400)
    command = fleet.send(NODE, Parameters=INSTALL, wait=60)
    assert (detail(fleet, command), runs(fleet)) == ("Undeliverable", [])


def test_an_invocation_may_stay_in_progress_for_ever(fleet: Fleet) -> None:
    """ "The run command remains in progress indefinitely" (aws/amazon-ssm-agent#320), against the user guide."""
    fleet.fault(NODE, agent_gone_after=60, never_expires=True)
    command = fleet.send(NODE, Parameters=INSTALL, wait=3 * 86400)
    assert detail(fleet, command) == "InProgress"


def test_cancelling_is_not_among_the_states_that_expire(fleet: Fleet) -> None:
    """The API names InProgress, Pending and Delayed; and a cancellation that the agent does not hear stops nothing."""
    fleet.fault(NODE, agent_gone_after=60)
    command = fleet.send(NODE, Parameters=INSTALL, wait=300)
    fleet.ssm(NODE).cancel_command(CommandId=command)
    fleet.lab.advance(86400)
    assert detail(fleet, command) == "Cancelling"
    assert [row["outcome"] for row in runs(fleet)] == ["Success"]
