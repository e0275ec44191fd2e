# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is approved is what is installed: apply_policy, scan, plan, rollout and report with override lists (E1)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.aws.launch import Lab, lab
from tests.playbooks.pinned_cycle import BUCKET, COMMON, CURL, OPENSSL, PinnedCycle

MONTH = Path(__file__).parents[1] / "lab" / "month.yml"


@pytest.fixture
def month() -> Iterator[Lab]:
    with lab(MONTH) as running:
        yield running


@pytest.fixture
def cycle(month: Lab, tmp_path: Path) -> PinnedCycle:
    return PinnedCycle(month, tmp_path)


def test_only_the_list_is_installed_and_what_was_approved_since_is_reported(cycle: PinnedCycle) -> None:
    """Before the night curl gets an update that the baselines approve. The neighbour's baseline rejects openssl."""
    cycle.policy["baselines"].append(
        {
            **cycle.policy["baselines"][0],
            "name": "vault",
            "rejected_patches": ["openssl*"],
            "rejected_patches_action": "BLOCK",
        }
    )
    cycle.policy["patch_groups"][1]["baselines"] = ["vault"]
    plan = cycle.prepare()
    nodes = {node["name"]: node for wave in plan["waves"] for node in wave["nodes"]}
    planned = {name: {patch["id"] for patch in node["patches"]} for name, node in nodes.items()}
    assert len(nodes) == 4 and len(plan["lists"]) == 2 and {node["pin"] for node in nodes.values()} == {"list"}
    assert OPENSSL in planned["app-01"] and not any(CURL in ids for ids in planned.values())
    assert OPENSSL not in planned["vault-01"]
    checked = cycle.play("rollout_patches", "--check", "--diff")
    assert checked.status == 0 and not cycle.installs(), checked.output + checked.errors
    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    for name, ids in planned.items():
        assert cycle.installs(name) == {*ids, COMMON}, name
    again = cycle.play("rollout_patches")
    assert (again.status, again.changed) == (0, 0), again.output + again.errors
    reported = cycle.play("report_compliance")
    assert reported.status == 0, reported.output + reported.errors
    check_report(cycle)


def records(cycle: PinnedCycle) -> list[dict[str, Any]]:
    """Return the final records of all nodes."""
    return [row for item in cycle.journal("outcome") if item["stage"] == "verify" for row in item["results"]]


def check_report(cycle: PinnedCycle) -> None:
    """Every node succeeded, and its record has what came in besides the plan, and what did not."""
    rows = records(cycle)
    assert [row["status"] for row in rows] == ["succeeded"] * 4
    for row in rows:
        codes = {(item["code"], item["id"]) for item in row["differences"]}
        assert {("newly_approved", CURL), ("unplanned", COMMON)} <= codes, codes
    summary = cycle.file("report/summary.json")
    assert {"newly_approved", "unplanned"} <= set(str(summary["differences"]).replace("'", " ").split())
    with (cycle.run / "report/nodes.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 4 and all(CURL in ";".join(map(str, row.values())) for row in table)
    assert CURL in (cycle.run / "report/index.html").read_text("utf-8")


@pytest.mark.slow
def test_a_list_that_cannot_be_written_stops_everything_before_the_first_command(cycle: PinnedCycle) -> None:
    cycle.prepare()
    cycle.s3.delete_bucket(Bucket=BUCKET)
    stopped = cycle.play("rollout_patches")
    assert stopped.status != 0 and "Nothing was sent to its nodes" in stopped.output + stopped.errors, stopped.output
    assert not cycle.installs() and cycle.aws.get("ledger")["install_runs"] == []
    cycle.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    resumed = cycle.play("rollout_patches")
    assert resumed.status == 0 and cycle.installs(), resumed.output + resumed.errors


@pytest.mark.slow
def test_by_the_baseline_the_night_decides_and_the_report_says_what_it_brought(cycle: PinnedCycle) -> None:
    cycle.policy["patching"] = {"pin": "baseline"}
    plan = cycle.prepare()
    assert plan["lists"] == []
    done = cycle.play("rollout_patches")
    assert done.status == 0 and CURL in cycle.installs("app-01"), done.output + done.errors
    assert len(records(cycle)) == 4
    for row in records(cycle):
        assert ("unplanned", CURL) in {(item["code"], item["id"]) for item in row["differences"]}
