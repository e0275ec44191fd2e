# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make demo`` as a newcomer sees it: every executor, a node that is skipped, a paused gate and a signed decision."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.playbooks.playing import ROOT

#: A terminal that can be read again without a search.
LINES = 150
SHOWN = (
    "missing for wave canary: estate needs 1 person",
    "ana@example.com signs approvals/plan-",
    "staging precheck: web-stg-03 skipped: / has 40 MB free",
    "staging gate: PAUSE",
    "ana@example.com has to sign the decision",
    "ana@example.com signs decisions/decision-",
    "production gate: PROMOTE",
    "Decided by ana@example.com: promote staging",
    "exit status 0; everything that was started is stopped.",
    "build/demo/report/index.html",
)


@pytest.mark.slow
def test_the_demo_shows_everything_on_three_screens() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lab.demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [text for text in SHOWN if text not in done.stdout], done.stdout
    assert done.stdout.count("\n") <= LINES
    plan = json.loads((ROOT / "build" / "demo" / "plan.json").read_text("utf-8"))
    real_hosts = {"linux"} if os.geteuid() == 0 else set[str]()
    planned = {node["executor"] for wave in plan["waves"] for node in wave["nodes"]}
    assert planned >= {"ssm", "azure", "windows"} | real_hosts
