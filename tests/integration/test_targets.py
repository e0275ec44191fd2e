# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs each integration target as a playbook against the lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.aws.launch import Lab, lab
from tests.integration.runs import INTEGRATION, REGION, ROOT, play, trouble

TARGETS = INTEGRATION / "targets"
#: Roles that others include.
SHARED = {"litany"}
#: Where a target runs; the other Region of the home account has a node on EC2 beside the hybrid ones.
REGIONS = {"ssm_resource_tags": "us-east-1", "ssm_instance_role": "us-east-1", "patch_exception": "us-east-1"}
#: Where modules run packed: in Ansible's worker, a warning becomes Ansible's own instead of a part of the result.
PACKED = {"places"}

NAMES = sorted({path.name for path in TARGETS.iterdir()} - SHARED)
AZURE = [name for name in NAMES if name.startswith("azure_")]


@pytest.fixture(scope="module")
def mixed() -> Iterator[Lab]:
    """An estate with machines of Azure."""
    with lab(ROOT / "tests" / "playbooks" / "azure_estate.yml") as running:
        yield running


@pytest.mark.parametrize("name", AZURE)
def test_target_of_azure(name: str, mixed: Lab, tmp_path: Path) -> None:
    test_target(name, mixed, tmp_path)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in AZURE])
def test_target(name: str, aws: Lab, tmp_path: Path) -> None:
    aws.reset()
    done = play(tmp_path / f"{name}.yml", {"roles": [name]}, aws, REGIONS.get(name, REGION), packed=name in PACKED)
    assert done.returncode == 0, trouble(done)
    assert "failed=0" in done.stdout and "ok=0 " not in done.stdout
