# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.demo [--abort]`: one whole patch cycle on the lab, as ordinary ansible-playbook calls."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from lab.rehearsal import BUILD, ROOT, Stage, rehearsal

RESULTS = ("plan.json", "journal.jsonl", "report/index.html", "report/nodes.csv", "report/summary.json")
CYCLE = (
    ("apply_policy", "The policy becomes baselines, patch groups and windows in every account and Region"),
    ("apply_policy", "Once more: nothing is left to change"),
    ("scan_compliance", "What is missing where"),
    ("plan_rollout", "What will be done, to be approved by its digest"),
    ("rollout_patches", "Wave after wave, a gate after each"),
    ("report_compliance", "What was done"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description=__doc__)
    parser.add_argument("--abort", action="store_true", help="let the canary wave go bad")
    abort = parser.parse_args().abort
    folder = BUILD / ("demo-abort" if abort else "demo")
    began = time.monotonic()
    with rehearsal(folder, estate="lab/estate-abort.yml" if abort else "lab/estate.yml", hosts=folder.name) as stage:
        if stage.left_out:
            print(f"Without real hosts ({stage.left_out}); everything else runs.")
        status = _cycle(stage)
    _summary(folder, status, time.monotonic() - began)
    return status


def _cycle(stage: Stage) -> int:
    """Run the playbooks in turn; after a rollout that failed only the report is still written."""
    status = 0
    for playbook, why in CYCLE:
        if status and playbook != "report_compliance":
            continue
        found = _play(stage, playbook, why)
        status = status or found
        if found and playbook in ("apply_policy", "scan_compliance", "plan_rollout"):
            return found
    return status


def _play(stage: Stage, playbook: str, why: str) -> int:
    command = stage.command(playbook)
    print(f"\n\n━━━ {why}\n$ {command}", flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    given = {**environment, **stage.environment(), "PATH": path}
    return subprocess.run(shlex.split(command), cwd=ROOT, env=given, check=False).returncode


def _summary(folder: Path, status: int, seconds: float) -> None:
    print(f"\n━━━ {'The cycle is complete' if status == 0 else f'The cycle ended with exit status {status}'}")
    report = folder / "report" / "summary.json"
    if report.exists():
        print(json.loads(report.read_text()).get("headline", ""))
    print(f"{seconds:.0f} seconds; everything that was started is stopped. Look at:")
    for name in RESULTS:
        if (folder / name).exists():
            print(f"  {(folder / name).relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
