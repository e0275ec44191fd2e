# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates that are installed outside of rollouts, on the lab: chosen, predicted, sent once, not again."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.patching import Machines
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.azure_install import Choice, Installations
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.azure_scan import Assessments

from lab.azure.launch import AzureLab
from tests.contract.azure_lab import PLANT, calls, connect, vm
from tests.contract.executor_worlds import AzureClock

WEB = vm("az-web-01")
ARC = f"/subscriptions/{PLANT}/resourcegroups/rg-plant/providers/microsoft.hybridcompute/machines/arc-db-01"


def work(azure: AzureLab, *ids: str, predict: bool = False, **choice: Any) -> dict[str, dict[str, Any]]:
    """Return the results by machine."""
    given = {"classifications": ("security",), "include": (), "reboot": "Never", "seconds": 7200, **choice}
    assessments = Assessments(
        port=Machines(connect(azure)), clock=AzureClock(azure), rules=PackageRules(), say=lambda text: None
    )
    installations = Installations(assessments=assessments, choice=Choice(**given), predict=predict)
    rows = installations.run([{"node_id": item, "platform": "linux", "state": ""} for item in ids])
    return {row["node_id"]: row for row in rows}


def installed(azure: AzureLab, name: str) -> set[str]:
    return set(azure.machine(name)["installed"])


def test_what_is_predicted_is_installed_and_nothing_else(azure: AzureLab) -> None:
    before = installed(azure, "az-web-01")
    predicted = work(azure, WEB, ARC, predict=True)
    assert calls(azure, "POST installPatches") == 0 and installed(azure, "az-web-01") == before
    assert all(row["changed"] and row["selected"] != row["missing"] for row in predicted.values())
    done = work(azure, WEB, ARC)
    assert {key: row["selected"] for key, row in done.items()} == {
        key: row["selected"] for key, row in predicted.items()
    }
    assert [row["status"] for row in done.values()] == ["succeeded"] * 2
    assert done[WEB]["counts"]["installedPatchCount"] == len(done[WEB]["selected"])
    assert calls(azure, "POST installPatches") == 2 and installed(azure, "az-web-01") > before
    again = work(azure, WEB, ARC)
    assert [(row["status"], row["changed"]) for row in again.values()] == [("no_op", False)] * 2
    assert calls(azure, "POST installPatches") == 2


def test_by_name_whatever_the_class(azure: AzureLab) -> None:
    name = azure.machine("az-web-01")["offered"][0]["name"]
    row = work(azure, WEB, classifications=(), include=(name,))[WEB]
    assert [patch["id"] for patch in row["selected"]] == [name] and row["status"] == "succeeded"


def test_a_lost_answer_is_found_and_not_sent_again(azure: AzureLab) -> None:
    azure.post("faults", {"rules": [{"kind": "lose_response", "operation": "POST installPatches", "times": 1}]})
    row = work(azure, WEB)[WEB]
    assert (row["status"], row["changed"]) == ("succeeded", True) and calls(azure, "POST installPatches") == 1


def test_an_earlier_installation_is_not_taken_for_one_that_was_lost(azure: AzureLab) -> None:
    """The machine shows its last installation, whoever began it; ours never reached the service."""
    name = azure.machine("az-web-01")["offered"][0]["name"]
    assert work(azure, WEB, classifications=(), include=(name,))[WEB]["status"] == "succeeded"
    azure.post("clock", {"advance": 3600})
    azure.post("faults", {"rules": [{"kind": "down", "operation": "POST installPatches"}]})
    row = work(azure, WEB, classifications=(), include=("*",))[WEB]
    assert row["selected"] and (row["status"], row["error"]["code"]) == ("unknown", "no_end")


@pytest.mark.parametrize(
    ("fault", "status", "changed", "code"),
    [
        ({"fail_patches": ["*"]}, "failed", False, "install_failed"),
        ({"stuck": True}, "failed", False, "install_failed"),
    ],
)
def test_what_goes_wrong_is_said(azure: AzureLab, fault: dict[str, Any], status: str, changed: bool, code: str) -> None:
    azure.post("faults", {"machine": "az-web-01", **fault})
    found = work(azure, WEB, vm("az-web-02"))
    assert (found[WEB]["status"], found[WEB]["changed"], found[WEB]["error"]["code"]) == (status, changed, code)
    assert found[vm("az-web-02")]["status"] == "succeeded"


def test_what_can_not_be_assessed_is_not_installed_on(azure: AzureLab) -> None:
    azure.post("faults", {"machine": "az-web-01", "lock": "ReadOnly"})
    row = work(azure, WEB)[WEB]
    assert (row["status"], row["changed"], row["selected"]) == ("failed", False, [])
    assert "ScopeLocked" in row["error"]["text"] and calls(azure, "POST installPatches") == 0
