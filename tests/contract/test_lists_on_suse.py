# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SUSE nodes in a rollout by override lists: a zypper that fails uploads nothing, even after installs.

[PBO] is AWS's own payload as published in tekumara/aws-ssm-patch-manager (2021; today's may differ).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import Verdict

from lab.aws.launch import Lab, lab
from tests.contract.listed_rollout import ListedRollout, codes

OPENSSL, TIMEZONE, CUPS, VIM = (f"{name}.x86_64" for name in ("libopenssl3", "timezone", "cups", "vim"))


@pytest.fixture(scope="module")
def month() -> Iterator[Lab]:
    with lab(Path(__file__).parents[1] / "lab" / "month.yml") as running:
        yield running


@pytest.fixture
def cycle(month: Lab, tmp_path: Path) -> ListedRollout:
    made = ListedRollout(month, tmp_path, ("sap", "app-01"))
    made.baseline("SAP", "SUSE")
    made.baseline("APP", "DEBIAN")
    return made


def test_suse_and_debian_nodes_of_a_wave_keep_to_their_own_lists(cycle: ListedRollout) -> None:
    """vim gets an update after the plan; the lists are one for each product."""
    plan = cycle.plan()
    planned = {node["name"]: {patch["id"] for patch in node["patches"]} for node in plan["waves"][0]["nodes"]}
    assert planned["sap-01"] == {OPENSSL, TIMEZONE, CUPS}
    assert sorted(item["product"] for item in plan["lists"]) == ["Debian", "SLES"]
    cycle.pass_days(4)
    records = cycle.run()
    for name in ("sap-01", "sap-02"):
        assert records[name]["status"] == "succeeded", records[name]["error"]
        assert cycle.installs(name) == planned[name] == set(records[name]["installed"])
        assert codes(records[name]) == {f"newly_approved {VIM}"} and records[name]["proof"] == "node"
    assert records["app-01"]["status"] == "succeeded"


def test_a_version_that_repositories_dropped_pauses_by_name(cycle: ListedRollout) -> None:
    cycle.plan()
    cycle.pass_days(6)
    record = cycle.run()["sap-01"]
    assert record["status"] == "succeeded" and f"withdrawn {CUPS}" in codes(record)
    assert CUPS not in cycle.installs("sap-01")
    gate = cycle.gate()
    assert gate.verdict is Verdict.PAUSE and any("0:2.2.7-150000.3.72.1" in reason for reason in gate.reasons)


def test_a_failing_zypper_is_unknown_until_the_scan_and_no_old_state_is_taken_for_it(cycle: ListedRollout) -> None:
    """Any exit of zypper other than 0 ends the payload before its report if it works by a list [PBO]. Last month's
    Install succeeded, and its state is still there."""
    for row in cycle.nodes.values():
        parameters = {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
        cycle.ssm.send_command(InstanceIds=[row["node_id"]], DocumentName="AWS-RunPatchBaseline", Parameters=parameters)
    cycle.clock.sleep(3600)
    cycle.pass_days(4)
    plan = cycle.plan()
    assert {patch["id"] for node in plan["waves"][0]["nodes"] if "sap" in node["name"] for patch in node["patches"]}
    for name in cycle.nodes:
        cycle.fault(name, fail_patches=["vim*"])
    cycle.aws.post("ledger/reset")
    records = cycle.run()
    (tried,) = (records[name] for name in ("sap-01", "sap-02") if records[name]["status"] == "failed")
    assert tried["error"]["code"] == "still_missing" and VIM in tried["error"]["text"], tried
    patch = cycle.rollout.state.nodes[tried["node_id"]].results
    assert not tried["installed"] and tried["missing_after"] == [VIM], (tried, patch)
    assert cycle.gate().verdict is not Verdict.PROMOTE
