# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short commands of the documentation, typed as they stand there, on the lab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.aws.launch import lab
from tests.checks.commands import TYPED
from tests.checks.commands import typed as typed_on_pages
from tests.playbooks.playing import ROOT

#: What each command shows, by its beginning.
SHOWN = {
    "ansible-inventory -i estate.ssm": r"--web-stg-03|--i-[0-9a-f]{17}",
    "ansible-inventory -i estate.azure": r"--az-shop-dev-01",
    "ansible-inventory -i inventory/": r"--i-[0-9a-f]{17}",
    "ansible -i estate.ssm": r"hosts \(\d+\)",
    "ansible localhost -m patchtide.hybrid.trust_info": r"configured: false|\"configured\": false",
    "ansible localhost -m patchtide.hybrid.patch_exception": r"localhost \| CHANGED",
    "ansible-doc -l": r"patchtide\.hybrid\.ssm_patch_baseline ",
}


@pytest.mark.slow
def test_commands_do_what_the_pages_say(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "inventory.md").read_text("utf-8")
    (fleet,) = re.findall(r"```yaml\n(# estate\.ssm_fleet\.yml\n.*?)```", page, re.DOTALL)
    (tmp_path / "inventory").mkdir()
    for folder in (tmp_path, tmp_path / "inventory"):
        (folder / "estate.ssm_fleet.yml").write_text(fleet, "utf-8")
    (tmp_path / "estate.azure_fleet.yml").write_text("plugin: patchtide.hybrid.azure_fleet\n", "utf-8")
    commands = typed_on_pages()
    assert {start for start in TYPED if not any(command.startswith(start) for command in commands)} == set()
    with lab(ROOT / "lab" / "estate.yml") as running:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AZURE_"))},
            **running.environment(),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"),
            "ANSIBLE_NOCOLOR": "true",
        }
        for command in commands:
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            shown = next(text for start, text in SHOWN.items() if command.startswith(start))
            assert done.returncode == 0 and re.search(shown, done.stdout), (command, done.stdout, done.stderr)
