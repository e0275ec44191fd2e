# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks against the lab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.aws.launch import Lab

ROOT = Path(__file__).resolve().parents[2]
INTEGRATION = ROOT / "tests" / "integration"
REGION = "eu-central-1"


def play(
    path: Path, contents: Mapping[str, Any], aws: Lab, region: str = REGION, *, packed: bool = False
) -> subprocess.CompletedProcess[str]:
    """Write a play for localhost to ``path``, run it against the lab and return what it said.

    :param packed: run each module as users do, packed and in a Python of its own; see ``action/normal.py``
    """
    start = {"hosts": "all", "gather_facts": False, "vars": variables(aws, region)}
    path.write_text(yaml.safe_dump([{**start, **contents}]))
    env = {
        **os.environ,
        **aws.environment(region),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"),
        "ANSIBLE_ROLES_PATH": str(INTEGRATION / "targets"),
        "ANSIBLE_LIBRARY": str(INTEGRATION / "library"),
        "ANSIBLE_NOCOLOR": "1",
    }
    if not packed:
        env["ANSIBLE_ACTION_PLUGINS"] = str(INTEGRATION / "action")
    program = Path(sys.executable).with_name("ansible-playbook") if packed else INTEGRATION / "playbook.py"
    command = [sys.executable, str(program), "-i", "localhost,", "-c", "local", str(path)]
    return subprocess.run(command, cwd=path.parent, env=env, capture_output=True, text=True, timeout=900, check=False)


def variables(aws: Lab, region: str) -> dict[str, object]:
    return {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "lab_admin": f"{aws.url}/moto-api/patchtide",
        "lab_url": aws.url,
        "lab_account": aws.home_account,
        "lab_region": region,
        "lab_nodes": {"json": {"nodes": nodes(aws, region)}},
    }


def nodes(aws: Lab, region: str) -> Sequence[Mapping[str, Any]]:
    """Return the machines of the home account in a Region. Their tags are left out: they are full of templates."""
    found = [row for row in aws.get("nodes")["nodes"] if (row["account"], row["region"]) == (aws.home_account, region)]
    return [{key: value for key, value in row.items() if key != "tags"} for row in found]


def trouble(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a failed playbook said, without the warnings."""
    errors = re.findall(r"^\[ERROR\].*(?:\n(?!\[).*){0,12}", done.stderr, re.MULTILINE)
    return done.stdout[-2500:] + "\n".join(errors)
