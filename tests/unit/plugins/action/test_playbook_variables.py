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

ROOT = Path(__file__).resolve().parents[4]
ACTION = "ansible_collections.patchtide.hybrid.plugins.action.playbook_variables"


def test_it_loads_neither_plans_nor_journals() -> None:
    code = f"import sys, {ACTION}; print(' '.join(name for name in sys.modules if 'patchtide' in name))"
    env = {"PYTHONPATH": str(ROOT / "build" / "tree"), "PATH": ""}
    names = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".plugins.")[2] for name in names.split()}
    assert "plugin_utils.rollout.next_commands" in loaded
    rollouts = ("module_utils._core.plan", "module_utils._core.rollout", "plugin_utils.rollout.folder")
    assert not [name for name in loaded if name.startswith(rollouts)]
