# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""init_policy on the lab: it only reads, and what it drafts passes validation, applies and can be planned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab
from tests.playbooks.playing import Played, play
from tests.playbooks.test_rollout import REGIONS, WRITES, small

__all__ = ["small"]
WEB = {"name": "web", "role_arn": "arn:aws:iam::222222222222:role/patchtide"}
DATA = {"name": "data", "role_arn": "arn:aws:iam::333333333333:role/patchtide", "external_id": "lab-data-team"}
DENIED = {"name": "data", "role_arn": "arn:aws:iam::333333333333:role/patchtide-denied"}


@pytest.fixture
def estate(small: Lab) -> Lab:
    small.reset()
    return small


def init(aws: Lab, folder: Path, *options: str, accounts: list[Any] | None = None) -> Played:
    given = {
        "patchtide_init_dir": str(folder),
        "patchtide_policy_name": "first",
        "patchtide_estate_regions": REGIONS,
        "patchtide_estate_accounts": accounts or [WEB, DATA],
    }
    return play(aws, "init_policy", "-i", "localhost,", "-e", json.dumps(given), *options)


def calls(aws: Lab) -> set[str]:
    return {row["operation"] for row in aws.get("ledger")["calls"]}


def test_the_draft_validates_applies_and_plans(estate: Lab, tmp_path: Path) -> None:
    first = tmp_path / "first"
    checked = init(estate, first, "--check", "--diff")
    assert checked.status == 0 and not first.exists(), checked.output + checked.errors
    assert "4 of 4 account-Regions answered" in checked.output and "+version: 1" in checked.output
    done = init(estate, first)
    assert done.status == 0 and done.changed == 1, done.output + done.errors
    assert not {name for name in calls(estate) if name.startswith(WRITES)}
    assert f"apply_policy -e patchtide_policy_file={first}/policy.yml --check --diff" in done.output
    assert init(estate, first).changed == 0

    options = ["-i", str(first / "inventory"), "-e", f"patchtide_policy_file={first}/policy.yml"]
    for playbook in ("apply_policy", "scan_compliance", "plan_rollout"):
        ran = play(estate, playbook, *options, "-e", f"patchtide_dir={tmp_path}/run")
        assert ran.status == 0, ran.output + ran.errors
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert next(wave["name"] for wave in plan["waves"]) == "canary" and all(wave["nodes"] for wave in plan["waves"])

    second = tmp_path / "second"
    assert init(estate, second).status == 0
    drafts = [yaml.safe_load((folder / "policy.yml").read_text()) for folder in (first, second)]
    names = [[row["name"] for row in data["baselines"]] for data in drafts]
    assert names[0] == names[1], "baselines that exist are taken over"
    again = play(estate, "apply_policy", *options, "-e", f"patchtide_policy_file={second}/policy.yml", "--check")
    assert again.status == 0 and again.changed == 0, again.output


def test_a_file_that_exists_is_kept_and_an_account_that_refuses_is_named(estate: Lab, tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("mine")
    done = init(estate, tmp_path, accounts=[WEB, DENIED])
    assert done.status != 0 and (tmp_path / "policy.yml").read_text() == "mine"
    assert "policy.yml exists and is kept; the draft differs from it." in done.output
    assert "2 of 4 account-Regions answered" in done.output
    assert "No answer from 333333333333/eu-central-1" in done.output and "Next: ask whoever owns" in done.output
    assert (tmp_path / "inventory" / "aws.ssm_fleet.yml").exists()
