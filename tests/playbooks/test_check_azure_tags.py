# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daily check of tags in Azure, as a user runs it (MO-18)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.aws.launch import Lab
from lab.azure.launch import AzureLab, azure_lab
from tests.playbooks.playing import Played, play

RULES: dict[str, Any] = {"Patch Group": {"default": "unassigned"}, "Environment": {"allowed": ["dev", "prod"]}}
SHOP = "22222222-bbbb-4bbb-8bbb-000000000001"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureLab]:
    with azure_lab(tmp_path_factory.mktemp("azure")) as lab:
        yield lab


@pytest.fixture
def azure(running: AzureLab) -> AzureLab:
    running.post("reset")
    return running


def check(aws: Lab, azure: AzureLab, *options: str, login: Mapping[str, str] | None = None, **variables: Any) -> Played:
    given = {"patchtide_azure_required_tags": RULES, **variables}
    return play(
        aws, "check_azure_tags", "-e", json.dumps(given), *options, environment={**azure.environment(), **(login or {})}
    )


def writes(azure: AzureLab) -> int:
    return sum(row["count"] for row in azure.get("ledger")["calls"] if row["operation"] == "PATCH tags")


def test_audit_names_what_is_missing_and_writes_nothing(aws: Lab, azure: AzureLab, tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    found = check(aws, azure, patchtide_azure_export_path=str(path))
    assert found.status != 0 and found.changed == 0 and writes(azure) == 0
    assert "arc-win-01 (plant, rg-plant): no tag Patch Group" in found.output
    assert "az-web-03 (shop, rg-web): spelled PATCH GROUP" in found.output
    rows = {row["name"]: row for row in csv.DictReader(path.open())}
    assert len(rows) == 8 and rows["arc-win-01"]["missing"] == "Patch Group"
    assert path.stat().st_mode & 0o777 == 0o600


def test_ensure_predicts_sets_and_has_nothing_more_to_do(aws: Lab, azure: AzureLab) -> None:
    wanted = {"patchtide_azure_tags_mode": "ensure", "patchtide_azure_tags_respell": True}
    predicted = check(aws, azure, "--check", "--diff", **wanted)
    assert predicted.changed == 1 and writes(azure) == 0
    assert '+    "Patch Group": "unassigned"' in predicted.output and '-    "PATCH GROUP": "AZ-WEB"' in predicted.output

    done = check(aws, azure, **wanted)
    assert done.status == 0, done.output
    assert done.changed == 1 and "8 machines have all required tags" in done.output
    assert azure.machine("arc-win-01")["tags"]["Patch Group"] == "unassigned"
    assert azure.machine("az-web-03")["tags"]["Patch Group"] == "AZ-WEB"
    assert azure.machine("az-web-03")["tags"]["Application"] == "shop"

    again = check(aws, azure, **wanted)
    assert (again.status, again.changed) == (0, 0)


def test_one_machine_that_cannot_be_tagged_hides_no_other(aws: Lab, azure: AzureLab) -> None:
    azure.post("faults", {"machine": "arc-win-01", "lock": "ReadOnly"})
    found = check(aws, azure, patchtide_azure_tags_mode="ensure", patchtide_azure_tags_respell=True)
    assert found.status != 0
    assert "ScopeLocked" in found.output and azure.machine("az-web-03")["tags"]["Patch Group"] == "AZ-WEB"


def test_a_subscription_that_cannot_be_read_is_named(aws: Lab, azure: AzureLab) -> None:
    other = "33333333-bbbb-4bbb-8bbb-000000000009"
    found = check(aws, azure, patchtide_azure_subscriptions=[SHOP, other], patchtide_azure_tags_respell=True)
    assert found.status != 0
    assert f"Could not read subscription {other}" in found.output
    assert "az-web-03 (shop, rg-web)" in found.output


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"patchtide_azure_required_tags": {}}, "required_tags: {} is not valid"),
        ({"patchtide_azure_export_path": "tags.xlsx"}, "expected a file name that ends with .json or .csv"),
        ({"patchtide_azure_subscriptions": ["shop"]}, r"subscriptions[0]: 'shop' is not valid"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_asked(
    aws: Lab, azure: AzureLab, variables: dict[str, Any], message: str
) -> None:
    found = check(aws, azure, **variables)
    assert found.status != 0 and message in found.error()
    assert azure.get("ledger")["calls"] == []


def test_a_wrong_secret_is_one_clear_error(aws: Lab, azure: AzureLab) -> None:
    found = check(aws, azure, login={"AZURE_SECRET": "wrong"})
    assert found.status != 0 and "AADSTS7000215: Invalid client secret" in found.error()
    assert "Traceback" not in found.output
