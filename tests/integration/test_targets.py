# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs each integration target as a playbook against the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.aws.launch import Lab
from tests.integration.runs import INTEGRATION, REGION, play, trouble

TARGETS = INTEGRATION / "targets"
#: Roles that others include.
SHARED = {"litany"}
#: Where a target runs; the other Region of the home account has a node on EC2 beside the hybrid ones.
REGIONS = {"ssm_resource_tags": "us-east-1", "ssm_instance_role": "us-east-1", "patch_exception": "us-east-1"}


@pytest.mark.parametrize("name", sorted({path.name for path in TARGETS.iterdir()} - SHARED))
def test_target(name: str, aws: Lab, tmp_path: Path) -> None:
    aws.reset()
    done = play(tmp_path / f"{name}.yml", {"roles": [name]}, aws, REGIONS.get(name, REGION))
    assert done.returncode == 0, trouble(done)
    assert "failed=0" in done.stdout and "ok=0 " not in done.stdout
