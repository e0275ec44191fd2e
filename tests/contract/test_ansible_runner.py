# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress in ansible-runner, and so in AWX: each line is an event as soon as it is shown, not when the task ends."""

from __future__ import annotations

import os
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
