# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the documentation of the modules run as they are, on the lab."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab
from tests.integration.runs import INTEGRATION, ROOT, nodes, play, trouble

#: The home account has nodes of all kinds in this Region.
REGION = "us-east-1"
#: Action plugins and modules of other parts, run by their own tests.
ELSEWHERE = {"ssm_patch", "ssm_probe", "ssm_reboot", "ssm_place_info"}
MODULES = sorted({path.stem for path in (ROOT / "plugins" / "modules").glob("ssm_*.py")} - ELSEWHERE)


def examples(name: str, aws: Lab) -> list[dict[str, Any]]:
    """Return a module's examples, invented node ids and external id replaced by the lab's."""
    source = (ROOT / "plugins" / "modules" / f"{name}.py").read_text()
    text = source.split('EXAMPLES = r"""')[1].split('"""')[0]
    ids = [row["node_id"] for row in nodes(aws, REGION)]
    for prefix in ("mi-", "i-"):
        text = text.replace(f"{prefix}0123456789abcdef0", next(item for item in ids if item.startswith(prefix)))
    return list(yaml.safe_load(text.replace("contoso-patching", "lab-data-team")))


#: CI runs the examples that are copied most; ``make test-slow`` runs those of all modules.
IN_CI = ("ssm_association", "ssm_command", "ssm_maintenance_window_task", "ssm_patch_baseline")
RUNS = [name if name in IN_CI else pytest.param(name, marks=pytest.mark.slow) for name in MODULES]


@pytest.mark.parametrize("name", RUNS)
def test_examples_run(name: str, aws: Lab, tmp_path: Path) -> None:
    aws.reset()
    prepare = INTEGRATION / "examples" / f"{name}.yml"
    before = yaml.safe_load(prepare.read_text()) if prepare.exists() else []
    tasks = examples(name, aws)
    contents = {"module_defaults": {"group/patchtide.hybrid.aws": {"region": REGION}}, "tasks": [*before, *tasks]}
    done = play(tmp_path / f"{name}.yml", contents, aws, REGION, packed=True)
    assert done.returncode == 0, trouble(done)
    counts = {key: int(number) for key, number in re.findall(r"(ok|skipped)=(\d+)", done.stdout)}
    assert counts["ok"] + counts["skipped"] == len(before) + len(tasks), "a loop over nothing is skipped, no task is"
