# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first two guides as a newcomer follows them: every command as the page has it, in its order.

Only what a page leaves to the reader is filled in: the accounts of the lab, the patch group to keep, the plan's digest.
A canary that fails makes the gate pause, because the second guide says what to do then.
"""

from __future__ import annotations

import json
import os
import re
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
GUIDE, SECOND_GUIDE = "docs/first-estate.md", "docs/first-rollout.md"
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


@pytest.fixture
def newcomer(small: Lab, tmp_path: Path) -> Newcomer:
    small.reset()
    (tmp_path / "accounts.yml").write_text(yaml.safe_dump(ACCOUNTS), "utf-8")
    return Newcomer(small, tmp_path)


@pytest.mark.slow
def test_from_credentials_to_a_rehearsed_plan_without_a_write(newcomer: Newcomer) -> None:
    for command in commands(GUIDE):
        output = newcomer.succeed(command)
    assert "━━━ report_compliance" in output and "Open " in output, output
    assert not {row["operation"] for row in newcomer.aws.get("ledger")["calls"] if row["operation"].startswith(WRITES)}


@pytest.mark.slow
def test_the_first_rollout_on_the_group_that_was_kept(newcomer: Newcomer) -> None:
    for command in commands(GUIDE)[:2]:
        newcomer.succeed(command)
    policy = newcomer.folder / "policy.yml"
    drafted = policy.read_text("utf-8").replace("[DB, WEB, WIN]", "[WEB]")
    policy.write_text(re.sub(r"^  - \{name: (DB|WIN), baselines.*\n", "", drafted, flags=re.MULTILINE), "utf-8")

    newcomer.aws.post("clock", {"set": "2026-06-20T08:00:00Z"})  # the third Saturday, which the draft names
    *first, check, patch, steer, report = commands(SECOND_GUIDE)
    for command in first:
        newcomer.succeed(command)
    plan = json.loads((newcomer.folder / "2026-12" / "plan.json").read_text("utf-8"))
    check, patch = (command.replace("DIGEST", plan["digest"]) for command in (check, patch))
    newcomer.succeed(check)
    assert not installed(newcomer)
    planned = [node for wave in plan["waves"] for node in wave["nodes"]]
    assert {node["patch_group"] for node in planned} == {"WEB"} and len(planned) == 6

    assert plan["waves"][0]["nights"][0]["start"] == "2026-06-20T22:00:00.000Z"
    newcomer.aws.post("clock", {"set": "2026-06-20T13:00:00Z"})
    (canary,) = (node["node_id"] for node in plan["waves"][0]["nodes"])
    newcomer.aws.post("faults", {"node": canary, "fail_patches": ["*"]})
    status, output = newcomer.type(patch)
    assert status != 0 and "canary gate: PAUSE" in output, output
    assert installed(newcomer) == {canary}

    newcomer.succeed(steer)
    newcomer.succeed(patch)
    assert installed(newcomer) == {node["node_id"] for node in planned}
    newcomer.succeed(report)
    assert (newcomer.folder / "2026-12" / "report" / "index.html").exists()


def installed(newcomer: Newcomer) -> set[str]:
    """Return the nodes to which an Install was sent, by the lab's ledger."""
    sent = [row for row in newcomer.aws.get("ledger")["commands"] if row["parameters"].get("Operation") == ["Install"]]
    return {node for row in sent for node in row["nodes"]}
