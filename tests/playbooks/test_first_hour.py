# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide "Your estate, read-only" as a newcomer follows it: every command as the page has it, in its order.

Only what the page leaves to the reader is filled in: the accounts of the lab.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from lab.aws.launch import Lab
from tests.checks.commands import commands
from tests.playbooks.playing import ROOT
from tests.playbooks.test_rollout import REGIONS, WRITES, small

__all__ = ["small"]
GUIDE = "docs/first-estate.md"
ACCOUNTS = {
    "patchtide_policy_name": "contoso",
    "patchtide_init_dir": ".",
    "patchtide_estate_regions": REGIONS,
    "patchtide_estate_accounts": [
        {"name": "web", "role_arn": "arn:aws:iam::222222222222:role/patchtide"},
        {"name": "data", "role_arn": "arn:aws:iam::333333333333:role/patchtide", "external_id": "lab-data-team"},
    ],
}


@dataclass
class Newcomer:
    """Somebody at a shell in ``folder``; ``exports`` are what they exported."""

    aws: Lab
    folder: Path
    exports: dict[str, str] = field(default_factory=dict)

    def type(self, command: str) -> tuple[int, str]:
        """Run a command; return exit status and output."""
        if command.startswith("export "):
            name, _equals, value = command.removeprefix("export ").partition("=")
            self.exports[name] = value
            return 0, ""
        if command.startswith("make "):  # of the checkout, whose set-up tests have behind them
            command = command.replace("make ", f"make -C {ROOT} --old-file=setup-lab ", 1)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PATCHTIDE_"))}
        own = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_LOCALHOST_WARNING": "false"}
        own |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PWD": str(self.folder)}
        own |= {"XDG_STATE_HOME": str(self.folder / "state"), **self.aws.environment(), **self.exports}
        pipe, both = subprocess.PIPE, subprocess.STDOUT
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env={**inherited, **own}, stdout=pipe, stderr=both, text=True
        )
        assert "Traceback" not in done.stdout, done.stdout
        return done.returncode, done.stdout

    def succeed(self, command: str) -> str:
        status, output = self.type(command)
        assert status == 0, f"{command}\n{output}"
        return output


@pytest.fixture(scope="module")
def newcomer(small: Lab, tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    small.reset()
    folder = tmp_path_factory.mktemp("hour")
    (folder / "accounts.yml").write_text(yaml.safe_dump(ACCOUNTS), "utf-8")
    return Newcomer(small, folder)


@pytest.mark.slow
def test_from_credentials_to_a_rehearsed_plan_without_a_write(newcomer: Newcomer) -> None:
    for command in commands(GUIDE):
        output = newcomer.succeed(command)
    assert "━━━ report_compliance" in output and "Open " in output, output
    assert not {row["operation"] for row in newcomer.aws.get("ledger")["calls"] if row["operation"].startswith(WRITES)}
