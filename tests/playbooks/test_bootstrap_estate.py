# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From three empty accounts: bootstrap_estate, and then what follows with the roles of the template only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab, lab
from tests.playbooks.playing import ROOT, Played, play
from tests.playbooks.test_apply_policy import small

HOME, WEB, DATA = "111111111111", "222222222222", "333333333333"
HERE, THERE = "eu-central-1", "us-east-1"
EXECUTION = "AWSCloudFormationStackSetExecutionRole"
ON = dict.fromkeys(("AllowWritePolicyResources", "AllowTagNodes", "AllowWriteOverrideLists"), True)
FEATURES = {"ReadTheEstate", "RunCommands", "WritePolicyResources", "TagNodes", "WriteOverrideLists"}
VARIABLES: dict[str, Any] = {
    "patchtide_estate_regions": [HERE, THERE],
    "patchtide_hub_parameters": {"SpokeAccounts": f"{HOME},{WEB},{DATA}"},
    "patchtide_lists_parameters": {
        "WriterArns": f"arn:aws:iam::{HOME}:user/lab",
        "ReaderAccounts": f"{HOME},{WEB},{DATA}",
    },
    "patchtide_spoke_parameters": {"ControllerArns": f"arn:aws:iam::{HOME}:user/lab", "ExternalId": "contoso", **ON},
    "patchtide_spoke_targets": {"target_accounts": [HOME, WEB, DATA]},
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def empty() -> Iterator[Lab]:
    with lab(ROOT / "tests" / "playbooks" / "empty_estate.yml") as running:
        for account in (HOME, WEB, DATA):
            trust = json.dumps({"Version": "2012-10-17", "Statement": []})
            running.client("iam", HERE, account).create_role(RoleName=EXECUTION, AssumeRolePolicyDocument=trust)
        yield running


def bootstrap(aws: Lab, folder: Path, *options: str) -> Played:
    file = folder / "accounts.yml"
    file.write_text(yaml.safe_dump(VARIABLES), encoding="utf-8")
    aws.post("ledger/reset")
    return play(aws, "bootstrap_estate", "-e", f"@{file}", *options)


def written(aws: Lab) -> set[str]:
    calls = [row for row in aws.get("ledger")["calls"] if row["service"] == "cloudformation"]
    return {row["operation"] for row in calls if row["operation"].startswith(("Create", "Update", "Delete", "Execute"))}


def test_the_estate_is_prepared_once(empty: Lab, tmp_path: Path) -> None:
    checked = bootstrap(empty, tmp_path, "--check")
    assert checked.status == 0, checked.output
    assert not written(empty) and checked.changed
    done = bootstrap(empty, tmp_path)
    assert done.status == 0, done.output
    iam = empty.client("iam", HERE, DATA)
    assert set(iam.list_role_policies(RoleName="patchtide")["PolicyNames"]) == FEATURES
    again = bootstrap(empty, tmp_path)
    assert again.status == 0 and again.changed == 0, again.output
    checked = bootstrap(empty, tmp_path, "--check")
    assert checked.status == 0 and checked.changed == 0 and written(empty) <= {"CreateChangeSet", "DeleteChangeSet"}


def test_the_policy_is_applied_with_the_roles_of_the_template(empty: Lab, tmp_path: Path) -> None:
    data = small()
    roles = [{"role_arn": f"arn:aws:iam::{name}:role/patchtide", "external_id": "contoso"} for name in (WEB, DATA)]
    data["estate"] = {"regions": [HERE, THERE], "accounts": roles}
    file = tmp_path / "policy.yml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    done = play(empty, "apply_policy", "-e", f"patchtide_policy_file={file}")
    assert done.status == 0 and done.changed, done.output + done.errors
    windows = empty.client("ssm", THERE, DATA).describe_maintenance_windows()["WindowIdentities"]
    assert [row["Name"] for row in windows] == [data["windows"][0]["name"]]
