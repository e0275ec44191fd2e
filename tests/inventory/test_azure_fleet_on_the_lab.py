# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-inventory on the lab's Azure: two subscriptions, virtual machines, a scale set, Azure Arc."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.azure.launch import AzureLab, azure_lab
from tests.inventory.test_ssm_fleet_on_the_lab import COLLECTIONS, Shown, plain

SHOP, PLANT = "22222222-bbbb-4bbb-8bbb-000000000001", "22222222-bbbb-4bbb-8bbb-000000000002"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureLab]:
    with azure_lab(tmp_path_factory.mktemp("azure")) as lab:
        yield lab


@pytest.fixture
def azure(running: AzureLab) -> AzureLab:
    running.post("reset")
    return running


def show(azure: AzureLab, place: Path, environment: dict[str, str] | None = None, **options: Any) -> Shown:
    file = place / "estate.azure_fleet.yml"
    file.write_text(yaml.safe_dump({"plugin": "patchtide.hybrid.azure_fleet", **options}), encoding="utf-8")
    env = {
        **os.environ,
        **azure.environment(),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, COLLECTIONS)),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "ANSIBLE_NOCOLOR": "1",
        **(environment or {}),
    }
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(file), "--list"]
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)
    data = json.loads(done.stdout) if done.returncode == 0 else {}
    hosts = plain(data.get("_meta", {}).get("hostvars", {}))
    groups = {name: group.get("hosts", []) for name, group in data.items() if name != "_meta"}
    return Shown(hosts, groups, done.stderr, done.returncode)


def graph_calls(azure: AzureLab) -> int:
    return sum(row["count"] for row in azure.get("ledger")["calls"] if row["operation"] == "POST resources")


def test_the_whole_estate(azure: AzureLab, tmp_path: Path) -> None:
    found = show(azure, tmp_path)
    assert found.status == 0, found.warnings
    assert len(found.hosts) == 10 and graph_calls(azure) == 2
    web = found.hosts["az-web-01"]
    assert (web["patchtide_executor"], web["patchtide_platform"], web["patchtide_account"]) == ("azure", "linux", SHOP)
    assert (web["patchtide_account_name"], web["patchtide_region"]) == ("shop", "westeurope")
    assert found.hosts["az-web-03"]["patchtide_patch_group"] == "AZ-WEB"
    assert found.hosts["az-win-01"]["patchtide_patch_mode"] == "AutomaticByPlatform"
    assert found.hosts["az-win-02"]["patchtide_state"] == "deallocated"
    assert found.hosts["arc-db-01"]["patchtide_ping_status"] == "Online"
    assert found.hosts["az-pool-01"]["patchtide_executor"] == ""
    assert set(found.groups["executor_azure"]) == {name for name in found.hosts if "pool" not in name}
    assert set(found.groups["patch_group_az_web"]) == {"az-web-01", "az-web-02", "az-web-03"}


def test_without_resource_graph(azure: AzureLab, tmp_path: Path) -> None:
    found = show(azure, tmp_path, resource_graph=False)
    assert found.status == 0 and len(found.hosts) == 8 and graph_calls(azure) == 0


def test_the_lists_stand_in_for_resource_graph(azure: AzureLab, tmp_path: Path) -> None:
    azure.post("faults", {"rules": [{"kind": "deny", "operation": "POST resources"}]})
    found = show(azure, tmp_path)
    assert found.status == 0 and len(found.hosts) == 8
    assert "AuthorizationFailed" in found.warnings


def test_a_subscription_that_cannot_be_read_is_named_and_hides_no_other(azure: AzureLab, tmp_path: Path) -> None:
    other = "33333333-bbbb-4bbb-8bbb-000000000009"
    found = show(azure, tmp_path, subscriptions=[PLANT, other])
    assert found.status == 0 and set(found.hosts) == {"arc-db-01", "arc-db-02", "arc-win-01"}
    assert other in " ".join(found.warnings.split())


def test_a_warm_cache_asks_nobody(azure: AzureLab, tmp_path: Path) -> None:
    options = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "cache")}
    first = show(azure, tmp_path, **options)
    azure.post("faults", {"rules": [{"kind": "down"}]})
    before = azure.get("ledger")["calls"]
    second = show(azure, tmp_path, **options)
    assert second.status == 0 and second.hosts == first.hosts and azure.get("ledger")["calls"] == before


def test_filters_and_arc(azure: AzureLab, tmp_path: Path) -> None:
    found = show(azure, tmp_path, include_arc=False, include_scale_sets=False, filters={"platform": ["windows"]})
    assert set(found.hosts) == {"az-win-01", "az-win-02"}


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        ({}, {"AZURE_SECRET": "wrong"}, "AADSTS7000215"),
        ({"subscriptions": ["shop"]}, {}, "subscriptions[0]: 'shop' is not valid"),
        (
            {"arm_endpoint": "http://127.0.0.1"},
            {},
            "arm_endpoint: 'http://127.0.0.1' is not valid, expected an https://",
        ),
    ],
)
def test_what_is_wrong_is_one_clear_message(
    azure: AzureLab, tmp_path: Path, options: dict[str, Any], environment: dict[str, str], message: str
) -> None:
    found = show(azure, tmp_path, environment, **options)
    assert found.status != 0 and message in " ".join(found.warnings.split())
    assert "Traceback" not in found.warnings
