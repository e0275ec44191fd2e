# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Command: visibility, delivery, limits, statuses. Facts from "Understanding command statuses" (user guide)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from .conftest import Fleet

Refused = Callable[..., str]
PROBE = {"commands": ["# patchtide:probe:1"]}
SHELL = "AWS-RunShellScript"
PROD = tuple(f"web-prod-0{number}" for number in range(1, 8))


def details(fleet: Fleet, command: str, name: str = "web-dev-01") -> Counter[str]:
    rows = fleet.ssm(name).list_command_invocations(CommandId=command)["CommandInvocations"]
    return Counter(row["StatusDetails"] for row in rows)


def command_of(fleet: Fleet, command: str, name: str = "web-dev-01") -> dict[str, Any]:
    return dict(fleet.ssm(name).list_commands(CommandId=command)["Commands"][0])


def test_a_new_command_is_not_visible_at_once(fleet: Fleet, refused: Refused) -> None:
    command = fleet.send("web-dev-01")
    read = fleet.ssm("web-dev-01").get_command_invocation
    assert refused(read, CommandId=command, InstanceId=fleet.id("web-dev-01")) == "InvocationDoesNotExist"
    assert not details(fleet, command)
    fleet.lab.advance(2)
    assert fleet.outcome(command, "web-dev-01")["Status"] in ("Pending", "InProgress")


def test_a_scan_goes_through_its_statuses(fleet: Fleet) -> None:
    command = fleet.send("web-dev-01", wait=10)
    running = fleet.outcome(command, "web-dev-01", PluginName="PatchLinux")
    assert (running["Status"], running["ResponseCode"], running["StandardOutputContent"]) == ("InProgress", -1, "")
    fleet.lab.advance(120)
    done = fleet.outcome(command, "web-dev-01", PluginName="PatchLinux")
    assert (done["Status"], done["ResponseCode"]) == ("Success", 0)
    assert "OperationType" in done["StandardOutputContent"]


def test_steps_for_other_platforms_are_skipped(fleet: Fleet) -> None:
    command = fleet.send("web-dev-01", wait=120)
    rows = fleet.ssm("web-dev-01").list_command_invocations(CommandId=command, Details=True)["CommandInvocations"]
    steps = {step["Name"]: step["Output"] for step in rows[0]["CommandPlugins"]}
    assert "Patch Summary" in steps["PatchLinux"]
    assert "unsupported platform" in steps["PatchWindows"]


def test_without_a_plugin_name_a_document_of_several_steps_gives_no_output(fleet: Fleet, refused: Refused) -> None:
    command = fleet.send("web-dev-01", wait=120)
    assert fleet.outcome(command, "web-dev-01")["StandardOutputContent"] == ""
    read = fleet.ssm("web-dev-01").get_command_invocation
    code = refused(read, CommandId=command, InstanceId=fleet.id("web-dev-01"), PluginName="Nonsense")
    assert code == "InvalidPluginName"


@pytest.mark.parametrize(
    ("names", "more", "code"),
    [
        (["web-dev-01", "web-dev-01"], {}, "DuplicateInstanceId"),
        (["web-dev-01", "web-prod-08"], {}, "InvalidInstanceId"),
        (["web-dev-01", "db-dev-01"], {}, "InvalidInstanceId"),
        (["web-dev-01"], {"document": "AWS-Nonsense"}, "InvalidDocument"),
        (["web-dev-01"], {"Parameters": {}}, "InvalidParameters"),
        (["web-dev-01"], {"Parameters": {"Operation": ["Delete"]}}, "InvalidParameters"),
        (["web-dev-01"], {"Parameters": {"Operation": ["Scan"], "Extra": ["1"]}}, "InvalidParameters"),
        (["web-dev-01"], {"Parameters": {"Operation": ["Scan"], "SnapshotId": ["no-guid"]}}, "InvalidParameters"),
        (["web-dev-01", "win-dev-01"], {"document": SHELL, "Parameters": PROBE}, "UnsupportedPlatformType"),
        (["web-dev-01"], {"Targets": [{"Key": "tag:a", "Values": ["b"]}]}, "InvalidParameters"),
    ],
)
def test_one_mistake_refuses_the_whole_call(
    fleet: Fleet, refused: Refused, names: list[str], more: dict[str, Any], code: str
) -> None:
    assert refused(lambda: fleet.send(*names, **more)) == code
    assert fleet.lab.get("ledger")["commands"] == []


def test_targets_by_tag_find_what_the_tag_means(fleet: Fleet) -> None:
    request = {"Targets": [{"Key": "tag:PatchGroup", "Values": ["WEB-DEV", "WIN-DEV"]}]}
    sent = fleet.ssm("web-dev-01").send_command(DocumentName=SHELL, Parameters=PROBE, **request)["Command"]
    assert sent["TargetCount"] == 6
    fleet.lab.advance(60)
    assert details(fleet, sent["CommandId"]) == Counter(Success=4, InvalidPlatform=2)
    assert command_of(fleet, sent["CommandId"])["StatusDetails"] == "Success"  # InvalidPlatform does not count


def test_a_tag_nobody_has_is_told(fleet: Fleet) -> None:
    targets = [{"Key": "tag:PatchGroup", "Values": ["NOBODY"]}]
    sent = fleet.ssm("web-dev-01").send_command(DocumentName=SHELL, Parameters=PROBE, Targets=targets)["Command"]
    assert sent["StatusDetails"] == "NoInstancesInTag"


@pytest.mark.parametrize(("errors", "failed", "terminated"), [("0", 1, 6), ("2", 3, 4), ("30%", 3, 4), ("100%", 7, 0)])
def test_max_errors_stops_after_one_more_than_allowed(fleet: Fleet, errors: str, failed: int, terminated: int) -> None:
    more = {"Parameters": {"commands": ["exit 1"]}, "MaxErrors": errors, "MaxConcurrency": "1"}
    command = fleet.send(*PROD, document=SHELL, wait=120, **more)
    assert details(fleet, command) == Counter({"Failed": failed, "Terminated": terminated}) - Counter()
    assert command_of(fleet, command)["StatusDetails"] == ("Incomplete" if errors == "100%" else "Failed")


def test_max_concurrency_holds_the_others_back(fleet: Fleet) -> None:
    command = fleet.send(*PROD, wait=15, MaxConcurrency="30%")
    assert details(fleet, command) == Counter(InProgress=2, Pending=5)
    fleet.lab.advance(600)
    assert details(fleet, command) == Counter(Success=7)


def test_undeliverable_does_not_count_unless_all_are(fleet: Fleet) -> None:
    fleet.fault("web-dev-01", undeliverable=True)
    both = fleet.send("web-dev-01", "web-dev-02", wait=120)
    assert details(fleet, both) == Counter(Undeliverable=1, Success=1)
    assert command_of(fleet, both)["Status"] == "Success"
    alone = fleet.send("web-dev-01", wait=120)
    assert command_of(fleet, alone)["Status"] == "Failed"


def test_delivery_times_out_when_the_agent_went_away(fleet: Fleet) -> None:
    fleet.fault("web-dev-01", offline=True)
    command = fleet.send("web-dev-01", wait=50, TimeoutSeconds=120)
    assert details(fleet, command) == Counter(Delayed=1)
    fleet.lab.advance(120 + 7200)
    assert fleet.outcome(command, "web-dev-01")["Status"] == "TimedOut"
    assert details(fleet, command) == Counter(DeliveryTimedOut=1)


def test_a_delayed_command_runs_when_the_agent_is_back(fleet: Fleet) -> None:
    fleet.fault("web-dev-01", offline=True)
    command = fleet.send("web-dev-01", wait=60)
    fleet.fault("web-dev-01", offline=False)
    fleet.lab.advance(180)
    assert details(fleet, command) == Counter(Success=1)


def test_execution_timeout_is_the_documents_own(fleet: Fleet) -> None:
    fleet.fault("web-dev-01", slow=100)
    more = {"Parameters": {**PROBE, "executionTimeout": ["60"]}}
    command = fleet.send("web-dev-01", document=SHELL, wait=400, **more)
    assert details(fleet, command) == Counter(ExecutionTimedOut=1)
    assert command_of(fleet, command)["ErrorCount"] == 1


def test_cancelling_stops_what_waits_and_asks_what_runs(fleet: Fleet) -> None:
    command = fleet.send(*PROD, wait=10, MaxConcurrency="2")
    fleet.ssm("web-dev-01").cancel_command(CommandId=command)
    assert details(fleet, command) == Counter(Cancelling=2, Cancelled=5)
    fleet.lab.advance(600)
    assert command_of(fleet, command)["Status"] == "Cancelled"


def test_commands_are_found_again_by_comment_and_time(fleet: Fleet) -> None:
    first = fleet.send("web-dev-01", Comment="patchtide abc wave-1/patch/1", wait=60)
    since = command_of(fleet, first)["RequestedDateTime"]
    second = fleet.send("web-dev-02", Comment="patchtide abc wave-2/patch/1", wait=60)
    after = (since + timedelta(seconds=30)).isoformat()
    filters = [{"key": "InvokedAfter", "value": after}, {"key": "DocumentName", "value": "AWS-RunPatchBaseline"}]
    found = fleet.ssm("web-dev-01").list_commands(Filters=filters)["Commands"]
    assert [(row["CommandId"], row["Comment"]) for row in found] == [(second, "patchtide abc wave-2/patch/1")]


def test_commands_of_another_region_do_not_exist_here(fleet: Fleet, refused: Refused) -> None:
    command = fleet.send("web-dev-01", wait=60)
    assert refused(fleet.ssm("web-dev-us-01").list_commands, CommandId=command) == "InvalidCommandId"
