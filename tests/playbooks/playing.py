# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the collection's playbooks as a user does, against the lab."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.aws.launch import Lab

ROOT = Path(__file__).parents[2]
#: What Ansible says about every run without an inventory.
_EXPECTED_WARNINGS = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false"}


@dataclass(frozen=True, slots=True)
class Played:
    """How a run ended."""

    status: int
    output: str
    errors: str

    @property
    def changed(self) -> int:
        """Changed tasks of all hosts, from the recap."""
        return sum(int(found) for found in re.findall(r" changed=(\d+) ", self.output))

    @property
    def warnings(self) -> list[str]:
        return re.findall(r"^\[WARNING\]: (.*)", f"{self.output}\n{self.errors}", re.MULTILINE)

    def error(self) -> str:
        """The first error that Ansible shows, up to the place in the playbook."""
        found = re.search(
            r"^\[ERROR\]: (.*?)^(?:Origin|fatal|$)", f"{self.output}{self.errors}\n", re.DOTALL | re.MULTILINE
        )
        return found[1].strip() if found else ""


def play(aws: Lab, playbook: str, *options: str, environment: Mapping[str, str | None] | None = None) -> Played:
    """Run ``patchtide.hybrid.<playbook>``; ``environment`` changes, and with ``None`` removes, variables."""
    return _run(aws, ["ansible-playbook", f"patchtide.hybrid.{playbook}", *options], environment or {})


def task(aws: Lab, module: str, arguments: Mapping[str, Any], *options: str) -> Played:
    """Run ``patchtide.hybrid.<module>`` alone, as ``ansible localhost -m`` does."""
    name = f"patchtide.hybrid.{module}"
    return _run(aws, ["ansible", "localhost", "-m", name, "-a", json.dumps(arguments), *options], {})


def play_file(aws: Lab, path: Path, *options: str) -> Played:
    """Run a playbook of a test."""
    return _run(aws, ["ansible-playbook", str(path), *options], {})


def _run(aws: Lab, command: Sequence[str], environment: Mapping[str, str | None]) -> Played:
    given = {**aws.environment(), **_EXPECTED_WARNINGS, **environment}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables = {name: value for name, value in {**inherited, **given}.items() if value is not None}
    done = subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        env={**variables, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return Played(done.returncode, done.stdout, done.stderr)
