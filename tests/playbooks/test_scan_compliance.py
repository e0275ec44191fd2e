# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compliance scan on the lab: in check mode, and where the inventory names localhost."""

from __future__ import annotations

import pytest
import yaml

from tests.playbooks.test_rollout import DATA, Cycle, cycle, small

__all__ = ["cycle", "small"]


def with_localhost(cycle: Cycle, **variables: str) -> list[str]:
    """Return the options of a second inventory source that names localhost."""
    path = cycle.folder / "static.yml"
    path.write_text(yaml.safe_dump({"all": {"hosts": {"localhost": variables}}}), encoding="utf-8")
    return ["-i", str(path)]


SSH = {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}


@pytest.mark.parametrize("variables", [{}, SSH], ids=["bare", "ssh"])
def test_localhost_in_the_inventory_is_the_controller(cycle: Cycle, variables: dict[str, str]) -> None:
    done = cycle.play("scan_compliance", *with_localhost(cycle, **variables))
    assert done.status == 0, done.output + done.errors
    nodes = cycle.file("scan.json")["nodes"]
    assert len(nodes) == 10 and "localhost" not in nodes


def test_localhost_is_scanned_if_it_says_how_it_is_patched(cycle: Cycle) -> None:
    variables = {"ansible_connection": "local", "patchtide_executor": "linux", "patchtide_platform": "linux"}
    done = cycle.play("scan_compliance", *with_localhost(cycle, **variables))
    assert done.status == 0, done.output + done.errors
    found = cycle.file("scan.json")["nodes"]["localhost"]
    assert (found["executor"], found["status"]) == ("linux", "succeeded"), found


def test_check_mode_says_what_it_would_scan_and_sends_nothing(cycle: Cycle) -> None:
    more = with_localhost(cycle, patchtide_executor="linux", ansible_connection="nothing_connects")
    cycle.aws.post("faults", {"node": "web-dev-01", "offline": True})
    cycle.aws.post("clock", {"advance": 1800})  # Systems Manager notices after some missed pings
    done = cycle.play("scan_compliance", "--check", *more)
    assert done.status == 0, done.output + done.errors
    told = (
        "by AWS-RunPatchBaseline, 0 by Azure Update Manager, 0 Windows hosts over PSRP or WinRM and 1 hosts over SSH; "
        "1 nodes can't be scanned now, 0 are not served"
    )
    assert "Would scan 9 nodes" in done.output
    assert told in done.output, done.output
    assert done.changed == 0 and not cycle.writes() and not (cycle.folder / "run").exists()


#: Hosts that no executor works on: two that this version does not serve, and a typing error.
NOBODYS = {"vm-1": "gcp", "win-1": "wsus", "typo-1": "sms"}


def with_nobodys(cycle: Cycle) -> list[str]:
    """Return the options of a second inventory source with hosts that no executor works on."""
    hosts = {name: {"patchtide_executor": kind, "patchtide_state": "running"} for name, kind in NOBODYS.items()}
    path = cycle.folder / "nobodys.yml"
    path.write_text(yaml.safe_dump({"all": {"children": {"nobodys": {"hosts": hosts}}}}), encoding="utf-8")
    return ["-i", str(path)]


def codes(cycle: Cycle) -> dict[str, str]:
    """Return why the plan leaves out the hosts that no executor works on."""
    return {item["host"]: item["code"] for item in cycle.file("plan.json")["excluded"] if item["host"] in NOBODYS}


def test_hosts_that_no_executor_serves_fail_the_scan_by_name_and_nothing_else(cycle: Cycle) -> None:
    more = with_nobodys(cycle)
    done = cycle.play("scan_compliance", *more)
    told = " ".join((done.output + done.errors).split())
    assert done.status != 0 and "3 hosts can be neither scanned nor patched. executor 'gcp' is not served" in told
    assert "(did you mean 'ssm'?): 1 host (typo-1)" in told and "executor 'wsus' is not served" in told
    nodes = cycle.file("scan.json")["nodes"]
    assert {name: nodes[name]["error"]["code"] for name in NOBODYS} == dict.fromkeys(NOBODYS, "not_served")
    assert sum(item["status"] == "succeeded" for item in nodes.values()) == 10
    done = cycle.play("plan_rollout", *more)
    assert done.status == 0 and codes(cycle) == dict.fromkeys(NOBODYS, "not_served"), done.output + done.errors
    done = cycle.play("report_compliance", *more)
    summary = cycle.file("report/summary.json")
    assert done.status == 0 and {item["host"] for item in summary["attention"]} == set(NOBODYS), done.output
    assert summary["totals"]["by_status"]["not_served"] == 3


def test_hosts_that_the_policy_excludes_need_no_executor(cycle: Cycle) -> None:
    cycle.policy["exclude"] = [{"select": {"groups": ["nobodys"]}, "reason": "patched by hand"}]
    more = with_nobodys(cycle)
    for playbook in ("scan_compliance", "plan_rollout"):
        done = cycle.play(playbook, *more)
        assert done.status == 0, done.output + done.errors
    assert codes(cycle) == dict.fromkeys(NOBODYS, "policy") and not set(NOBODYS) & set(cycle.file("scan.json")["nodes"])


def test_check_mode_tells_an_account_that_does_not_answer(cycle: Cycle) -> None:
    cycle.policy["estate"]["accounts"][2]["role_arn"] = f"arn:aws:iam::{DATA}:role/patchtide-denied"
    done = cycle.play("scan_compliance", "--check")
    assert done.status != 0 and f"{DATA}/us-east-1" in done.output + done.errors, done.output
