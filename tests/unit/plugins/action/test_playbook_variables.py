# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook begins with this action: it must not load what only rollouts need.

Ansible compiles a collection's modules anew in each run that imports them: those of plans and journals take 0.3 s.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import playbook_variables as action

from tests.fakes.fleet_port import FakeClock

ROOT = Path(__file__).resolve().parents[4]
ACTION = "ansible_collections.patchtide.hybrid.plugins.action.playbook_variables"


def test_it_loads_neither_plans_nor_journals() -> None:
    code = f"import sys, {ACTION}; print(' '.join(name for name in sys.modules if 'patchtide' in name))"
    env = {"PYTHONPATH": str(ROOT / "build" / "tree"), "PATH": ""}
    names = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".plugins.")[2] for name in names.split()}
    assert "plugin_utils.rollout.next_commands" in loaded
    rollouts = ("module_utils._core.plan", "module_utils._core.rollout", "plugin_utils.rollout.folder")
    assert not [name for name in loaded if name.startswith((*rollouts, "plugin_utils.tenants"))]


def run(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    monkeypatch.setattr(action, "find_clock", FakeClock)
    monkeypatch.setattr(action, "load_extra_vars", lambda loader: {})
    monkeypatch.setattr(action, "after", lambda *_given, **_options: "")
    task = Mock(args={"playbook": "plan_rollout"}, check_mode=False, diff=False, async_val=0, environment=[])
    templar = Mock(template=lambda value: value)
    module = action.ActionModule(task, Mock(), Mock(), Mock(), templar, None)
    found: dict[str, Any] = module.run(task_vars={f"patchtide_{name}": value for name, value in variables.items()})
    return found


def test_in_a_directory_of_tenants_it_asks_whose_the_files_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {"policy_file": str(tmp_path / "one" / "policy.yml"), "dir": str(tmp_path / "two" / "2026-12")}
    assert run(monkeypatch, **given)["dir"] == given["dir"]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "patchtide_tenants.yml").touch()
    assert "several directories of tenants" in run(monkeypatch, **given)["msg"]
