# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS, Azure and Azure Arc in the same waves, scanned, planned, patched and reported by the same playbooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.aws.launch import Lab, lab
from tests.playbooks.test_rollout import Cycle, policy

SHOP, PLANT = "22222222-bbbb-4bbb-8bbb-000000000001", "22222222-bbbb-4bbb-8bbb-000000000002"


@pytest.fixture(scope="module")
def mixed() -> Iterator[Lab]:
    with lab(Path(__file__).with_name("azure_estate.yml")) as running:
        yield running


class Mixed(Cycle):
    """A cycle whose inventory also has the machines of Azure."""

    def options(self) -> list[str]:
        options = super().options()
        fleet = {"plugin": "patchtide.hybrid.azure_fleet", "hostnames": ["name"]}
        path = self.folder / "azure_fleet.yml"
        path.write_text(yaml.safe_dump(fleet), encoding="utf-8")
        return [*options, "-i", str(path)]


@pytest.fixture
def cycle(mixed: Lab, tmp_path: Path) -> Mixed:
    mixed.post("clock", {"set": "2026-06-02T22:00:00Z"})
    found = policy()
    found["estate"] = {"regions": ["eu-central-1"], "accounts": found["estate"]["accounts"][:2]}
    return Mixed(mixed, tmp_path, found)


def test_one_rollout_over_all_clouds(cycle: Mixed) -> None:
    cycle.prepare()
    plan = cycle.file("plan.json")
    planned = {node["name"]: node for wave in plan["waves"] for node in wave["nodes"]}
    assert {name: node["executor"] for name, node in planned.items()} == {
        **dict.fromkeys(("web-dev-01", "web-dev-02"), "ssm"),
        **dict.fromkeys(("az-web-01", "az-web-02", "az-win-01", "arc-db-01"), "azure"),
    }
    assert planned["az-web-01"]["pin"] == "versions" and planned["az-win-01"]["pin"] == "kb_numbers"

    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    ledger = cycle.aws.get("ledger")
    runs = [row["name"] for row in ledger["install_runs"]]
    assert sorted(runs) == sorted(planned)
    records = {row["node_id"]: row for row in cycle.journal() if row["event"] == "node_finished"}
    assert len(records) == len(planned)

    again = cycle.play("rollout_patches")
    assert again.status == 0 and len(cycle.aws.get("ledger")["install_runs"]) == len(planned)
    report = cycle.play("report_compliance")
    assert report.status == 0, report.output
