# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How AWS-InstallWindowsUpdates ended.

Logs: aws/amazon-ssm-agent issue 681, and the words of AWS's payload as published with AWSUpdateWindowsInstance
(Install-AwsUwiWindowsUpdates.ps1, 2018).
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.pins import PINS, pin_of
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import Invocation
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stagerun import Ended
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.windows_updates import (
    WindowsUpdatesStage,
    failed_updates,
    windows_updates_request,
)

from tests.fakes.fleet_port import FakeClock, FakeFleet

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
LOG = """| Info | Searching for Windows Updates.
| Info | Found 3 available Windows Updates.
| Info | Windows Malicious Software Removal Tool x64 - v5.144 (KB890830)
"""
NOTHING = "| Info | Searching for Windows Updates.\n| Info | Found 0 available Windows Updates.\n"
FAILURES = """| Error | Downloading 2026-08 .NET (KB5990102) resulted in error: Exception from HRESULT: 0x80240022
| Error | Installation of Intel - net - 12.19.2.65 resulted in error: Exception from HRESULT: 0x80070005
| Error | Installation of 2026-08 .NET Framework (KB5990102) resulted in error: Exception from HRESULT: 0x80240022
| Info | 1 download and 2 installation errors occurred.
"""


def result(status: str, output: str) -> dict[str, Any]:
    rows = {"i-1": Invocation(node_id="i-1", status=status, output=output)}
    (found,) = WindowsUpdatesStage().evaluate(Ended(rows, NOW), FakeFleet(FakeClock()))
    return found


def test_it_installs_all_and_leaves_the_reboot_to_its_own_stage() -> None:
    document, parameters = windows_updates_request()
    assert document == "AWS-InstallWindowsUpdates"
    assert parameters == {"Action": ["Install"], "AllowReboot": ["False"]}


@pytest.mark.parametrize(
    ("status", "output", "found", "pending"),
    [
        ("Success", LOG, "succeeded", True),
        ("Success", "", "succeeded", True),
        ("Success", NOTHING, "no_op", False),
        ("Success", NOTHING.replace("0", "10"), "succeeded", True),
        ("Failed", NOTHING, "failed", True),
        ("ExecutionTimedOut", LOG, "timed_out", True),
        ("DeliveryTimedOut", "", "unknown", True),
        ("Undeliverable", "", "unreachable", True),
    ],
)
def test_a_reboot_counts_as_pending_unless_nothing_was_found(
    status: str, output: str, found: str, pending: bool
) -> None:
    seen = result(status, output)
    assert (seen["status"], seen["pending_reboot"]) == (found, pending)
    assert seen["evidence"] == {"document": "AWS-InstallWindowsUpdates"} and ("error" in seen) is (
        pending and found != "succeeded"
    )


def test_a_failure_names_its_updates_or_says_that_it_can_not() -> None:
    assert result("Failed", FAILURES)["failed"] == ["KB5990102", "Intel - net - 12.19.2.65"]
    assert failed_updates("Searching for updates resulted in error: 0x8024402C") == [
        "updates that the document did not name"
    ]
    assert "failed" not in result("Success", LOG)


def test_what_could_not_be_read_is_unknown() -> None:
    assert WindowsUpdatesStage().unreadable("i-1", PatchtideError("gone"))["status"] == "unknown"


@pytest.mark.parametrize(
    ("offered", "platform", "found"),
    [("list", "windows", "everything"), ("list", "linux", "list"), ("kb_or_versions", "windows", "kb_numbers")],
)
def test_only_windows_nodes_of_systems_manager_take_everything(offered: str, platform: str, found: str) -> None:
    assert pin_of(offered, platform, "list", everything=True) == found in PINS
