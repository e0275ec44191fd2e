# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress in ansible-runner, and so in AWX: each line is an event as soon as it is shown, not when the task ends."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import ansible_runner
import pytest

from tests.checks.source import ROOT

SECONDS = 5
ACTION = f"""
import time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.controller_action import ControllerAction

class ActionModule(ControllerAction):
    def act(self, options, task_vars):
        self.say("web: 3 patching, 0 done of 3")
        time.sleep({SECONDS})
        return {{"changed": False}}
"""
PLAY = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [{"name": "Work", "slow": {}}]}]


def test_progress_lines_are_events_while_the_task_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    plugins = tmp_path / "project" / "action_plugins"
    plugins.mkdir(parents=True)
    (plugins / "slow.py").write_text(ACTION)
    seen: dict[str, float] = {}

    def note(event: dict[str, Any]) -> bool:
        seen.setdefault("line" if "3 patching" in event["stdout"] else event["event"], time.monotonic())
        return True

    environment = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "PATH": os.environ["PATH"]}
    found = ansible_runner.run(
        private_data_dir=str(tmp_path), playbook=PLAY, event_handler=note, quiet=True, envvars=environment
    )
    assert found.status == "successful", found.stdout.read()
    assert seen["runner_on_ok"] - seen["line"] >= SECONDS / 2


@pytest.mark.slow
def test_every_playbook_of_the_awx_project_can_be_started_as_awx_starts_it(tmp_path: Path) -> None:
    """AWX copies the project, and gives the inventory as files and all variables in one file."""
    shutil.copytree(ROOT / "awx" / "project", tmp_path / "project")
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "hosts").write_text("web-01 ansible_connection=local\n")
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "PATH": os.environ["PATH"]}
    found = {}
    for path in sorted((tmp_path / "project").glob("*.yml")):
        done = ansible_runner.run(
            private_data_dir=str(tmp_path),
            playbook=path.name,
            extravars={"awx_job_id": 7, "awx_job_launch_type": "manual", "awx_user_name": "ana"},
            cmdline="--syntax-check",
            quiet=True,
            envvars=environment,
        )
        found[path.stem] = done.stdout.read() if done.rc else ""
    assert len(found) > 20 and not any(found.values()), found
    done = ansible_runner.run(
        private_data_dir=str(tmp_path),
        playbook="report_own_nodes.yml",
        extravars={"patchtide_policy_file": "policy.yml", "patchtide_scan_file": "scan.json", "awx_job_id": 7},
        quiet=True,
        envvars=environment,
    )
    assert done.rc and "policy.yml" in done.stdout.read(), "it begins, and the first thing that is missing is named"
