# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs each integration target as a playbook against the lab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lab.aws.launch import Lab

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ROOT / "tests" / "integration" / "targets"
#: Roles that others include.
SHARED = {"litany"}
#: Where a target runs; the other Region of the home account has a node on EC2 beside the hybrid ones.
REGIONS = {"ssm_resource_tags": "us-east-1"}
REGION = "eu-central-1"


def play(path: Path, aws: Lab, region: str = REGION) -> subprocess.CompletedProcess[str]:
    """Run a playbook against the lab and return what it said."""
    env = {
        **os.environ,
        **aws.environment(region),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"),
        "ANSIBLE_ROLES_PATH": str(TARGETS),
        "ANSIBLE_LIBRARY": str(ROOT / "tests" / "integration" / "library"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "ANSIBLE_NOCOLOR": "1",
        "LAB_ACCOUNT": aws.home_account,
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", "localhost,", "-c", "local", str(path)]
    return subprocess.run(command, cwd=path.parent, env=env, capture_output=True, text=True, timeout=900)


def trouble(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a failed playbook said, without the warnings."""
    errors = re.findall(r"^\[ERROR\].*(?:\n(?!\[).*){0,12}", done.stderr, re.MULTILINE)
    return done.stdout[-2500:] + "\n".join(errors)


def variables(aws: Lab, region: str = REGION) -> dict[str, object]:
    return {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "lab_admin": f"{aws.url}/moto-api/patchtide",
        "lab_url": aws.url,
        "lab_account": aws.home_account,
        "lab_region": region,
        "lab_nodes": {"json": aws.get("nodes")},
    }


@pytest.mark.parametrize("name", sorted({path.name for path in TARGETS.iterdir()} - SHARED))
def test_target(name: str, aws: Lab, tmp_path: Path) -> None:
    aws.reset()
    region = REGIONS.get(name, REGION)
    playbook = tmp_path / f"{name}.yml"
    contents = [{"hosts": "all", "gather_facts": False, "vars": variables(aws, region), "roles": [name]}]
    playbook.write_text(yaml.safe_dump(contents))
    done = play(playbook, aws, region)
    assert done.returncode == 0, trouble(done)
    assert "failed=0" in done.stdout and "ok=0 " not in done.stdout
