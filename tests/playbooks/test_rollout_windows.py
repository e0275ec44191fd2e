# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole cycle on Windows hosts of the lab: scan, plan, rollout and report by the real playbooks and win_updates.

The playbooks use the real clock here: a host has to stay up for a minute after its reboot.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.windows.server import windows_lab
from lab.windows.world import LCU, NET, OTHERS, new_world
from tests.playbooks.playing import ROOT

NAMES = ("win-a", "win-b")


def play(folder: Path, name: str, *more: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PATCHTIDE_"))}
    own = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "XDG_STATE_HOME": str(folder / "state")}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", f"patchtide.hybrid.{name}"]
    options = ["-e", "patchtide_policy_file=policy.yml", "-e", "patchtide_dir=run", *more]
    return subprocess.run(
        [*command, *options], cwd=folder, env={**inherited, **own}, capture_output=True, text=True, timeout=400
    )


@pytest.mark.slow
def test_windows_hosts_are_scanned_planned_patched_rebooted_and_reported(tmp_path: Path) -> None:
    world = new_world(NAMES, hurries=True)
    world.machines["win-b"].faults.fail = {NET.kb: 0x80070005}
    (tmp_path / "policy.yml").write_text(json.dumps({"version": 1, "name": "windows", "waves": [{"name": "all"}]}))
    with windows_lab(world) as lab:
        hosts = {name: {**lab.variables(name), "patchtide_executor": "windows"} for name in NAMES}
        (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts}}))
        for name in ("scan_compliance", "plan_rollout"):
            done = play(tmp_path, name)
            assert done.returncode == 0, done.stdout + done.stderr
        plan = json.loads((tmp_path / "run/plan.json").read_text())
        done = play(tmp_path, "rollout_patches", "-e", f"patchtide_approved_digest={plan['digest']}")
        assert "The rollout" in done.stdout and "is paused" in done.stdout, done.stdout + done.stderr
        report = play(tmp_path, "report_compliance")
        assert report.returncode == 0, report.stdout + report.stderr
    good, bad = (world.machines[name] for name in NAMES)
    planned = {NET.kb, LCU.kb, OTHERS[0].kb, OTHERS[1].kb}
    assert set(good.installed) == planned and set(bad.installed) == planned - {NET.kb} and not world.trouble
    assert (good.counts["installs"], good.counts["reboots"]) == (1, 1)
    final = _finals(tmp_path / "run/journal.jsonl")
    assert (final["win-a"]["status"], set(final["win-a"]["installed"])) == ("succeeded", planned)
    assert final["win-b"]["status"] == "failed" and "access was denied (0x80070005)" in final["win-b"]["error"]["text"]


def _finals(journal: Path) -> dict[str, Any]:
    """Return the final records by node."""
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    rows = [row for item in events if item["data"].get("stage") == "verify" for row in item["data"].get("results", ())]
    return {row["node_id"]: row for row in rows}
