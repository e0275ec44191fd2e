# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every run ends with the next command, and it works: an operator types the first one and copies all others.

What was copied runs in a shell as it is shown, in the directory of the one before. No test knows what it will be.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time, to_time

from lab.aws.launch import Lab
from tests.playbooks.playing import ROOT
from tests.playbooks.test_owners_windows import ME
from tests.playbooks.test_rollout import REGIONS, Cycle, cycle, policy, small

__all__ = ["cycle", "small"]

#: With a space, because people have such directories.
CYCLE = "June 2026"
PAUSED = r"decide on wave canary: "


@dataclass
class Terminal:
    """A directory with inventory and policy, and what was shown last."""

    aws: Lab
    folder: Path
    shown: str = ""
    status: int = 0

    def type(self, command: str) -> None:
        """Run a command line as a shell does."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        given = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "true"}
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env={**inherited, **self.aws.environment(), **given},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        self.status, self.shown = done.returncode, f"{done.stderr}\n{done.stdout}"

    def copied(self, words: str = r"[Nn]ext(?: cycle| at [\d: -]+UTC)?: ") -> str:
        """The last command that is shown after such words."""
        found = re.findall(rf'{words}(ansible-playbook .*?)(?: \(or .*)?"?\}}?$', self.shown, re.MULTILINE)
        assert found, self.shown
        return str(found[-1])

    def go_on(self, words: str = "", *, fails: bool = False) -> str:
        """Run what was copied; return it."""
        command = self.copied(words) if words else self.copied()
        self.type(command)
        assert (self.status != 0) == fails, f"{command}\n{self.shown}"
        return command

    def file(self, folder: str, name: str) -> dict[str, Any]:
        return dict(json.loads((self.folder / folder / name).read_text("utf-8")))

    def open_window(self, folder: str, hours: int = 0) -> dict[str, Any]:
        """Pass the time until so many hours after the first night of a plan begins; return the plan."""
        plan = self.file(folder, "plan.json")
        begins = from_time(plan["waves"][0]["nights"][0]["start"])
        self.aws.post("clock", {"set": to_time(begins + timedelta(hours=hours))})
        return plan


def write_inputs(folder: Path) -> None:
    """Write inventory and policy: the plan is valid for one night, and one node that is out of reach pauses it."""
    rules = {**policy(), "plan": {"valid_days": 2}, "gates": {"max_skipped_rate": 0, "min_sample": 1}}
    rules["owners"] = [{"name": "web-team", "people": [ME], "select": {"accounts": ["222222222222"]}}]
    (folder / "policy.yml").write_text(yaml.safe_dump(rules), "utf-8")
    accounts = [row for row in rules["estate"]["accounts"] if row["id"] != "111111111111"]
    fleet = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": REGIONS, "accounts": accounts}
    (folder / "aws.ssm_fleet.yml").write_text(yaml.safe_dump(fleet), "utf-8")


@pytest.fixture(scope="module")
def scanned(small: Lab, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """The first command is typed."""
    found = Terminal(small, tmp_path_factory.mktemp("scanned"))
    write_inputs(found.folder)
    found.type(
        "ansible-playbook patchtide.hybrid.scan_compliance -i aws.ssm_fleet.yml -e patchtide_policy_file=policy.yml "
        f'-e \'{{"patchtide_dir": "{CYCLE}"}}\''
    )
    assert found.status == 0, found.shown
    return found


@pytest.fixture
def terminal(scanned: Terminal, cycle: Cycle) -> Terminal:
    """A directory with a plan."""
    shutil.copytree(scanned.folder, cycle.folder, dirs_exist_ok=True)
    found = Terminal(cycle.aws, cycle.folder, scanned.shown)
    assert "plan_rollout" in found.go_on()
    return found


@pytest.mark.slow
def test_after_a_window_that_is_past(terminal: Terminal) -> None:
    terminal.open_window(CYCLE, hours=16)
    assert "rollout_patches" in terminal.go_on(fails=True) and "No night is left" in terminal.shown
    assert f"{CYCLE}-2" in terminal.go_on()
    terminal.open_window(f"{CYCLE}-2")
    terminal.go_on()
    assert f"Read {CYCLE}-2/report/index.html. Next cycle: " in terminal.shown, terminal.shown
    assert terminal.copied().count(f"{CYCLE}-3") == 2, "scan and plan"


def offline_canary(terminal: Terminal) -> list[list[str]]:
    """Let the rollout pause in its window, because a canary is out of reach, and repair it; return the waves' nodes."""
    waves = [[node["node_id"] for node in wave["nodes"]] for wave in terminal.open_window(CYCLE)["waves"]]
    terminal.aws.post("faults", {"node": waves[0][0], "offline": True})
    terminal.go_on(fails=True)
    terminal.aws.post("faults", {"node": waves[0][0], "offline": False})
    return waves


@pytest.mark.slow
def test_after_a_pause_and_after_an_abort_by_the_gate(terminal: Terminal) -> None:
    _canary, production = offline_canary(terminal)
    for node in production:
        terminal.aws.post("faults", {"node": node, "fail_patches": ["*"]})
    assert "patchtide_decision=retry" in terminal.go_on(PAUSED)
    assert "rollout_patches" in terminal.go_on(fails=True) and "gate: ABORT" in terminal.shown
    assert f"{CYCLE}-2" in terminal.go_on()
    plan = terminal.file(f"{CYCLE}-2", "plan.json")
    assert {node["node_id"] for wave in plan["waves"] for node in wave["nodes"]} == set(production)


@pytest.mark.slow
def test_after_an_abort_by_a_person(terminal: Terminal) -> None:
    """The aborted rollout still holds its nodes until it is run once more."""
    offline_canary(terminal)
    terminal.type(terminal.copied(PAUSED).replace("=retry", "=abort"))
    assert terminal.status == 0, terminal.shown
    assert "rollout_patches" in terminal.go_on(fails=True)
    assert f"{CYCLE}-2" in terminal.go_on()
    terminal.go_on()
    assert f"Read {CYCLE}-2/report/index.html. Next cycle: " in terminal.shown, terminal.shown


@pytest.mark.slow
def test_from_the_policy_and_an_owners_choice_to_the_rollout(cycle: Cycle) -> None:
    """Check mode is followed by the same command without it; the scan's directory is that of the month."""
    terminal = Terminal(cycle.aws, cycle.folder)
    write_inputs(cycle.folder)
    given = "-i aws.ssm_fleet.yml -e patchtide_policy_file=policy.yml"
    terminal.type(f"ansible-playbook patchtide.hybrid.apply_policy {given} --check --diff")
    assert terminal.status == 0, terminal.shown
    assert terminal.go_on() == f"ansible-playbook patchtide.hybrid.apply_policy {given}"

    node = next(row["node_id"] for row in cycle.aws.get("nodes")["nodes"] if row["name"] == "web-dev-01")
    choice = (
        f"{given} -e patchtide_window_ledger=choices.json -e patchtide_nodes={node} "
        "-e patchtide_window=rehearsal-night -e patchtide_reason=Release"
    )
    terminal.type(f"ansible-playbook patchtide.hybrid.choose_window {choice} --check --diff")
    assert terminal.status == 0 and not (cycle.folder / "choices.json").exists(), terminal.shown
    assert "choose_window" in terminal.go_on() and (cycle.folder / "choices.json").exists()
    assert "sync_windows" in terminal.go_on() and "scan_compliance" in terminal.go_on()
    assert "plan_rollout" in terminal.go_on()

    terminal.type("ansible-playbook patchtide.hybrid.approve_plan -i aws.ssm_fleet.yml -e patchtide_dir=2026-06")
    assert terminal.status == 0, terminal.shown
    plan = terminal.open_window("2026-06")
    assert f"patchtide_approved_digest={plan['digest']}" in terminal.go_on()
    assert "Read 2026-06/report/index.html. Next cycle: " in terminal.shown, terminal.shown
