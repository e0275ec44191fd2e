# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts that the collection sends, answered as the nodes would; and reboots, good and bad."""

from __future__ import annotations

import json

import pytest

from lab.aws.ssm.behaviour import PROBE, REBOOT_SCRIPT

from .conftest import Fleet


def test_the_markers_are_those_of_the_collections_scripts() -> None:
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.host_probe import (
        to_probe,
        to_reboot_script,
    )

    for platform in ("linux", "windows"):
        assert PROBE in to_probe(platform).splitlines()
        assert REBOOT_SCRIPT in to_reboot_script(platform, "t").splitlines()


@pytest.mark.parametrize(("name", "platform", "disk"), [("web-dev-01", "linux", "/"), ("win-dev-01", "windows", "C:")])
def test_a_probe_answers_one_short_document(fleet: Fleet, name: str, platform: str, disk: str) -> None:
    told = fleet.outcome(fleet.script(name, PROBE), name)
    facts = json.loads(told["StandardOutputContent"])
    assert len(told["StandardOutputContent"]) < 2400
    assert (facts["probe"], facts["platform"], facts["disks"][0]["mount"]) == (1, platform, disk)
    assert facts["boot_id"] == fleet.now(name)["boot_id"]


def test_the_collections_precheck_passes_a_good_node_and_holds_the_full_one(fleet: Fleet) -> None:
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import evaluate_probe

    for name, held in (("web-stg-01", []), ("web-stg-03", ["disk"])):
        text = fleet.outcome(fleet.script(name, PROBE), name)["StandardOutputContent"]
        assert [row.check for row in evaluate_probe(text).findings if not row.ok] == held


def test_faults_show_in_the_probe(fleet: Fleet) -> None:
    fleet.fault("web-dev-01", disk_free_mb=12, lock_held_by="dnf (pid 7)", repos_down=True, failed_units=["x.service"])
    facts = json.loads(fleet.outcome(fleet.script("web-dev-01", PROBE), "web-dev-01")["StandardOutputContent"])
    assert facts["disks"][0]["free_mb"] == 12
    assert facts["lock_held_by"] == "dnf (pid 7)"
    assert not any(row["ok"] for row in facts["repos"])
    assert facts["failed_units"] == ["x.service"]


def test_any_other_script_fails_and_says_why(fleet: Fleet) -> None:
    told = fleet.outcome(fleet.script("web-dev-01", "rm -rf /"), "web-dev-01")
    assert (told["Status"], told["StandardErrorContent"]) == ("Failed", "the lab does not run scripts")


@pytest.mark.parametrize("name", ["web-dev-01", "win-dev-01", "plant-prod-01"])
def test_a_reboot_changes_the_boot_id(fleet: Fleet, name: str) -> None:
    before = fleet.now(name)["boot_id"]
    told = json.loads(fleet.outcome(fleet.script(name, REBOOT_SCRIPT), name)["StandardOutputContent"])
    assert told == {"boot_id_before": before, "boot_id_after": fleet.now(name)["boot_id"]}
    assert told["boot_id_before"] != told["boot_id_after"]
    assert len(fleet.lab.get("ledger")["reboots"]) == 1


def test_a_reboot_that_does_not_happen_fails_the_script(fleet: Fleet) -> None:
    fleet.fault("web-dev-01", no_reboot=True)
    told = fleet.outcome(fleet.script("web-dev-01", REBOOT_SCRIPT), "web-dev-01")
    assert (told["Status"], told["StandardOutputContent"]) == ("Failed", "")
    assert told["StandardErrorContent"].startswith("not rebooted")
    assert fleet.lab.get("ledger")["reboots"] == []


def test_an_agent_that_does_not_come_back_leaves_its_command_in_progress_until_it_is_started(fleet: Fleet) -> None:
    """aws/amazon-ssm-agent#320: "Once we manually restarted the agent again the run command completed"."""
    fleet.fault("web-dev-01", never_back=True)
    before = fleet.now("web-dev-01")["boot_id"]
    command = fleet.script("web-dev-01", REBOOT_SCRIPT, wait=3000)
    assert fleet.outcome(command, "web-dev-01")["Status"] == "InProgress"
    assert fleet.now("web-dev-01")["ping_status"] == "ConnectionLost"
    assert fleet.now("web-dev-01")["boot_id"] != before
    fleet.fault("web-dev-01", never_back=False)
    fleet.lab.advance(120)
    assert fleet.now("web-dev-01")["ping_status"] == "Online"
    assert fleet.outcome(command, "web-dev-01")["Status"] == "Success"


def test_powershell_on_linux_is_not_there(fleet: Fleet) -> None:
    command = fleet.send("web-dev-01", document="AWS-RunPowerShellScript", wait=60, Parameters={"commands": [PROBE]})
    assert fleet.outcome(command, "web-dev-01")["ResponseCode"] == 127


def test_the_agent_can_be_updated(fleet: Fleet) -> None:
    old = next(
        row["InstanceId"]
        for row in fleet.ssm("web-prod-01").describe_instance_information(MaxResults=50)["InstanceInformationList"]
        if row["AgentVersion"].startswith("3.2") and row["PingStatus"] == "Online"
    )
    ssm = fleet.ssm("web-prod-01")
    ssm.send_command(InstanceIds=[old], DocumentName="AWS-UpdateSSMAgent")
    fleet.lab.advance(200)
    filters = [{"Key": "InstanceIds", "Values": [old]}]
    assert ssm.describe_instance_information(Filters=filters)["InstanceInformationList"][0]["IsLatestVersion"]


@pytest.mark.parametrize(("name", "platform"), [("web-dev-01", "linux"), ("win-dev-01", "windows")])
def test_services_are_remembered_and_one_that_stays_down_after_a_reboot_is_named(
    fleet: Fleet, name: str, platform: str
) -> None:
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.host_probe import to_probe

    def look(mode: str, key: str = "r-1") -> dict[str, object]:
        command = fleet.script(name, to_probe(platform, mode, key), wait=120)
        return dict(json.loads(fleet.outcome(command, name)["StandardOutputContent"]))

    assert look("compare")["services_down"] is None
    assert int(str(look("remember")["services"])) > 0
    assert look("compare", "r-2")["services_down"] is None
    fleet.fault(name, services_down=["shop", "db"])
    assert look("remember")["services"]
    fleet.script(name, REBOOT_SCRIPT, wait=600)
    assert (look("compare")["services_down"], look("compare")["services_down_total"]) == (["shop", "db"], 2)
    fleet.fault(name, services_down=[])
    assert look("compare")["services_down"] == []
    assert look("compare")["services_down"] is None
