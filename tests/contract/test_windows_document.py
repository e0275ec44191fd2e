# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows nodes of Systems Manager that install whatever they are offered, then reboot (TM-25): rollouts on the lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import Verdict

from lab.aws.launch import Lab, lab
from tests.contract.listed_rollout import ListedRollout, codes

OLD, NET, NEW = "KB5995101", "KB5995102", "KB5995201"


@pytest.fixture(scope="module")
def month() -> Iterator[Lab]:
    with lab(Path(__file__).parent.parent / "lab" / "month.yml") as running:
        yield running


@pytest.fixture
def cycle(month: Lab, tmp_path: Path) -> ListedRollout:
    cycle = ListedRollout(month, tmp_path, ("win",))
    cycle.policy["patching"] = {"windows_document": "AWS-InstallWindowsUpdates"}
    return cycle


def test_everything_that_is_offered_is_installed_whatever_the_plan_and_the_baseline_say(cycle: ListedRollout) -> None:
    """Between plan and night the planned KB is replaced by one that the baseline approves only weeks later."""
    cycle.baseline("WIN", "WINDOWS", days=14)
    plan = cycle.plan()
    (node,) = plan["waves"][0]["nodes"]
    assert node["pin"] == "everything" and {row["id"] for row in node["patches"]} == {OLD, NET} and plan["lists"] == []
    assert [text for text in plan["warnings"] if "neither a baseline nor a list limits the install" in text]
    cycle.pass_days(7)
    record = next(iter(cycle.run().values()))
    assert cycle.installs() == {NET, NEW} and record["status"] == "succeeded", record["error"]
    assert record["rebooted"] and record["boot_id_before"] != record["boot_id_after"] and not record["pending_reboot"]
    assert {NET, NEW} <= set(record["installed"]) and f"unplanned {NEW}" in codes(record)
    assert record["evidence"]["patch"]["document"] == "AWS-InstallWindowsUpdates"
    assert cycle.gate().verdict is Verdict.PAUSE
    ledger = cycle.aws.get("ledger")
    assert len(ledger["reboots"]) == 1


def test_one_that_failed_fails_the_node_though_nothing_planned_is_missing(cycle: ListedRollout) -> None:
    cycle.baseline("WIN", "WINDOWS", days=14)
    cycle.plan()
    cycle.pass_days(7)
    cycle.fault(next(iter(cycle.nodes)), fail_patches=[NEW])
    record = next(iter(cycle.run().values()))
    assert (record["status"], record["error"]["code"], list(record["failed"])) == ("failed", "patch_failed", [NEW])
    assert NET in record["installed"]


def test_one_whose_search_fails_has_not_succeeded(cycle: ListedRollout) -> None:
    cycle.baseline("WIN", "WINDOWS", days=14)
    cycle.plan()
    cycle.fault(next(iter(cycle.nodes)), fails_early=1)
    record = next(iter(cycle.run().values()))
    assert record["status"] == "failed" and not cycle.installs()


def test_what_the_baseline_blocks_comes_in_and_fails_the_node(cycle: ListedRollout) -> None:
    cycle.baseline("WIN", "WINDOWS", days=14, RejectedPatches=[NET], RejectedPatchesAction="BLOCK")
    cycle.plan()
    record = next(iter(cycle.run().values()))
    assert NET in cycle.installs() and record["status"] == "failed"
    assert record["error"]["code"] == "installed_rejected"
