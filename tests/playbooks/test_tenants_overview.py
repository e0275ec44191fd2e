# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants in playbooks: the first play refuses what is another tenant's, and the provider's page is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import yaml

from tests.playbooks.playing import play

#: Nothing here reaches a service.
AWS: Any = Mock(environment=lambda: {"AWS_REGION": "eu-central-1", "PATCHTIDE_TRUST": ""})


def write(root: Path) -> None:
    accounts = {"contoso": "222222222222", "fabrikam": "333333333333"}
    tenants = {name: {"accounts": [account]} for name, account in accounts.items()}
    (root / "patchtide_tenants.yml").write_text(yaml.safe_dump({"tenants": tenants}), "utf-8")
    for name, account in accounts.items():
        (root / name).mkdir()
        estate = {"accounts": [{"role_arn": f"arn:aws:iam::{account}:role/patchtide"}], "regions": ["eu-central-1"]}
        policy = {
            "version": 1,
            "name": name,
            "estate": estate,
            "waves": [{"name": "all"}],
            "patching": {"pin": "baseline"},
        }
        (root / name / "policy.yml").write_text(yaml.safe_dump(policy), "utf-8")
        host = {"patchtide_executor": "ssm", "patchtide_account": account, "patchtide_node_id": f"i-{name}"}
        (root / name / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {f"{name}-1": host}}}), "utf-8")


def test_tenants(tmp_path: Path) -> None:
    write(tmp_path)
    done = play(
        AWS, "tenants_overview", "-e", f"patchtide_tenants={tmp_path}", "-e", f"patchtide_report_dir={tmp_path}/out"
    )
    assert done.status == 0, done.output
    found = json.loads((tmp_path / "out/tenants.json").read_text("utf-8"))
    assert [row["name"] for row in found["tenants"]] == ["contoso", "fabrikam"] and found["problems"] == []
    files = (
        "-e",
        f"patchtide_policy_file={tmp_path}/contoso/policy.yml",
        "-e",
        f"patchtide_dir={tmp_path}/contoso/2026-12",
    )
    done = play(AWS, "plan_rollout", "-i", f"{tmp_path}/fabrikam/hosts.yml", *files)
    assert done.status != 0 and "nodes that are not tenant contoso's: fabrikam-1. Give" in done.error()
    assert not (tmp_path / "contoso/2026-12").exists()
