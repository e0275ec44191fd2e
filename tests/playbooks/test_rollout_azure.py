# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS, Azure and Azure Arc in the same waves, scanned, planned, patched and reported by the same playbooks."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab, lab
from lab.azure.estate import Client
from lab.azure.launch import AzureLab
from tests.playbooks.test_rollout import Cycle, policy


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


class OfAzureRm(Cycle):
    """A cycle whose machines of Azure come from the inventory of azure.azcollection."""

    def options(self) -> list[str]:
        return [*super().options(), "-i", str(Path(__file__).with_name("azure_rm_hosts.yml"))]


def azure_of(aws: Lab) -> AzureLab:
    """Return the lab's Azure beside its AWS."""
    found = aws.azure
    client = Client(client_id=found["AZURE_CLIENT_ID"], secret=found["AZURE_SECRET"], tenant=found["AZURE_TENANT"])
    return AzureLab(found["PATCHTIDE_AZURE_ENDPOINT"], Path(found["PATCHTIDE_AZURE_CA_BUNDLE"]), client)


def machines(aws: Lab) -> dict[str, dict[str, Any]]:
    """Return the machines of the lab's Azure by name."""
    return {row["name"]: row for row in azure_of(aws).get("machines")["machines"]}


@pytest.fixture
def cycle(mixed: Lab, tmp_path: Path) -> Mixed:
    mixed.reset()
    now = datetime.fromisoformat(mixed.get("clock")["now"].replace("Z", "+00:00"))
    evening = now.replace(hour=22, minute=0) + timedelta(days=1 if now.hour >= 22 else 0)
    while evening.isoweekday() > 5:
        evening += timedelta(days=1)
    mixed.post("clock", {"set": evening.isoformat()})
    found = policy()
    found["estate"] = {"regions": ["eu-central-1"], "accounts": found["estate"]["accounts"][:2]}
    return Mixed(mixed, tmp_path, found)


def test_one_rollout_over_all_clouds(cycle: Mixed) -> None:
    cycle.prepare()
    plan = cycle.file("plan.json")
    planned = {node["name"]: node for wave in plan["waves"] for node in wave["nodes"]}
    assert {name: node["executor"] for name, node in planned.items()} == {
        **dict.fromkeys(("web-dev-01", "web-dev-02"), "ssm"),
        **dict.fromkeys(("az-web-01", "az-web-02", "az-spare-01", "az-win-01", "arc-db-01"), "azure"),
    }
    assert planned["az-web-01"]["pin"] == "versions" and planned["az-win-01"]["pin"] == "kb_numbers"

    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    ledger = cycle.aws.get("ledger")
    runs = [row["name"] for row in ledger["install_runs"]]
    assert sorted(runs) == sorted(planned)

    again = cycle.play("rollout_patches")
    assert again.status == 0 and len(cycle.aws.get("ledger")["install_runs"]) == len(planned)

    report = cycle.play("report_compliance")
    assert report.status == 0, report.output
    rows = {row["name"]: row for row in csv.DictReader((cycle.folder / "run" / "report" / "nodes.csv").open())}
    cold = rows.pop("az-cold-01")
    assert cold["status"] == "excluded" and {name: row["status"] for name, row in rows.items()} == dict.fromkeys(
        planned, "succeeded"
    )
    azure = [row for row in rows.values() if row["executor"] == "azure"]
    assert [row["proof"] for row in azure] == ["node"] * 5 and [row["boot_id_changed"] for row in azure] == ["yes"] * 5
    assert all(row["installed_count"] == row["planned_count"] != "0" for row in azure)


@pytest.mark.slow
def test_hosts_of_azure_rm_are_patched(cycle: Mixed) -> None:
    """Its IDs have the upper and lower case of the service, and its hosts have none of our other variables."""
    own = OfAzureRm(cycle.aws, cycle.folder, cycle.policy)
    own.prepare()
    planned = {node["name"]: node for wave in own.file("plan.json")["waves"] for node in wave["nodes"]}
    azure = {name for name, node in planned.items() if node["executor"] == "azure"}
    assert azure == {"az-web-01", "az-web-02", "az-win-01", "arc-db-01"} and len(planned) == 6
    assert all(planned[name]["node_id"] == planned[name]["node_id"].lower() for name in azure)
    done = own.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    assert sorted(row["name"] for row in own.aws.get("ledger")["install_runs"]) == sorted(planned)


@pytest.mark.slow
def test_a_lost_answer_installs_nothing_twice(cycle: Mixed) -> None:
    cycle.prepare()
    rules = [{"kind": "lose_response", "operation": "POST installPatches", "times": 1}]
    cycle.aws.post("faults", {"rules": rules})
    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output
    runs = Counter(row["name"] for row in cycle.aws.get("ledger")["install_runs"])
    assert set(runs.values()) == {1} and len(runs) == 7


@pytest.mark.slow
def test_a_deallocated_machine_is_started_patched_and_deallocated_again(cycle: Mixed) -> None:
    """It is planned from the last assessment that Azure keeps; one without any can't be planned (MO-5 to MO-9)."""
    cycle.policy["tags"] = {"patch_now": "ssm-patch-now", "last_patched": "LastPatched"}
    cycle.policy["waves"] = [{"name": "web", "select": {"tags": {"Environment": "dev"}}, "window": "rehearsal-night"}]
    before = machines(cycle.aws)
    cycle.prepare()
    plan = cycle.file("plan.json")
    (spare,) = [node for wave in plan["waves"] for node in wave["nodes"] if node["name"] == "az-spare-01"]
    assert spare["start"] and spare["patches"] and spare["assessed_at"] < plan["scan"]["at"]
    cold = next(item for item in plan["excluded"] if item["name"] == "az-cold-01")
    assert "no assessment of the last 7 days" in cold["reason"]
    assert any("planned from an assessment that was at least 24 hours old" in text for text in plan["warnings"])

    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    ledger, after = cycle.aws.get("ledger"), machines(cycle.aws)
    assert [row["name"] for row in ledger["starts"]] == ["az-spare-01"] == [row["name"] for row in ledger["stops"]]
    (run,) = [row for row in ledger["install_runs"] if row["name"] == "az-spare-01"]
    assert ledger["starts"][0]["at"] < run["at"] < ledger["stops"][0]["at"]
    assert after["az-spare-01"]["power"] in ("deallocating", "deallocated")
    assert len(after["az-spare-01"]["installed"]) > len(before["az-spare-01"]["installed"])
    targets = [(row["name"], row["action"], row["balancers"]) for row in ledger["targets"]]
    both = ["agw-shop", "lb-shop"]
    for name in ("az-web-01", "az-web-02"):
        assert [row for row in targets if row[0] == name] == [(name, "deregister", []), (name, "register", both)]
        out, back = (row["at"] for row in ledger["targets"] if row["name"] == name)
        (run,) = [row for row in ledger["install_runs"] if row["name"] == name]
        assert out < run["at"] < run["ended"] < back
    assert before["az-cold-01"]["power"] == after["az-cold-01"]["power"] == "deallocated"
    for name in ("az-web-01", "az-web-02", "az-spare-01"):
        tags = {**before[name]["tags"], "LastPatched": after[name]["tags"].get("LastPatched")}
        assert tags["LastPatched"] and after[name]["tags"] == tags


@pytest.mark.slow
def test_who_else_patches_machines_is_in_the_plan(cycle: Mixed) -> None:
    cycle.prepare()
    texts = cycle.file("plan.json")["warnings"]
    (windows,) = [text for text in texts if "Windows Update patches it by itself" in text]
    assert windows.startswith("1 node (az-win-01): ")
    (nightly,) = [text for text in texts if "maintenance configuration" in text]
    assert "nightly of Azure patches 2 nodes in the same night" in nightly and "(az-web-02, az-win-01)" in nightly
    cycle.policy["patching"] = {**cycle.policy.get("patching", {}), "auto_patched": "exclude"}
    assert cycle.play("plan_rollout").status == 0
    (excluded,) = [item for item in cycle.file("plan.json")["excluded"] if item["code"] == "auto_patched"]
    assert excluded["name"] == "az-win-01"
