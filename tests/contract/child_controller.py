# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller of a child plan as a process of its own, with journal, claims and shared state in DynamoDB.

    python child_controller.py FOLDER LEDGER MINUTES

It works on one node after the other, as the driver does: permission, intent, check of the epoch, install. An install is
a line in the ledger, and each step is a line on stdout, after which it waits for a line on stdin.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Intent,
    Outcome,
    Resumed,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import DONE
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.sharing import Sharing, open_sharing

from tests.fakes.events import started

WAVE = "w"


class Later:
    """A clock that is some minutes ahead: a claim expires without anybody waiting for it."""

    def __init__(self, minutes: float) -> None:
        self._ahead = timedelta(minutes=minutes)

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self._ahead

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits by the clock")


def step(line: str) -> None:
    """Tell the test what was done, and wait until it lets this process go on."""
    print(line, flush=True)
    sys.stdin.readline()


def main(folder: Path, ledger: Path, minutes: float) -> None:
    rollout = RolloutDir(folder, Later(minutes))
    sharing = open_sharing(rollout)
    assert sharing
    name = f"{os.getpid()}"
    sharing.check_free(name)
    plan = rollout.plan
    if rollout.state.status == "new":
        rollout.record(started(plan["digest"], controller=name))
    else:
        rollout.record(Resumed(operator="dana", controller=name))
    rollout.act_as(name)
    sharing.claim()
    if rollout.state.waves[WAVE].status == "waiting":
        sharing.check_start(WAVE)
        rollout.record(Claimed(wave=WAVE, nodes=rollout.state.waves[WAVE].nodes))
        rollout.record(WaveStarted(wave=WAVE))
    step("began")
    for node in rollout.state.waves[WAVE].nodes:
        work(rollout, sharing, node, ledger)
    sharing.report(WAVE)
    missing, dead = sharing.lacking(WAVE)
    step(f"reported; missing {len(missing)}, without a controller {len(dead)}")


def work(rollout: RolloutDir, sharing: Sharing, node: str, ledger: Path) -> None:
    state = rollout.state.nodes[node]
    if state.stage == DONE:
        return
    if state.stage == "precheck":
        rollout.record(Outcome(wave=WAVE, stage="precheck", results=({"node_id": node, "outcome": "pass"},)))
    if state.token:  # an earlier run announced it: whether it began is in the ledger
        found = node in ledger.read_text("utf-8")
        status = "succeeded" if found else "unknown"
    else:
        while not sharing.reserve(sharing.request([node])).granted:
            step(f"waits with {node}")
        rollout.record(
            Intent(wave=WAVE, stage="patch", attempt=1, nodes=(node,), token=f"{node}/{rollout.state.epoch}")
        )
        step(f"announced {node}")
        rollout.confirm()
        with ledger.open("a", encoding="utf-8") as file:
            file.write(f"{node}\n")
        step(f"installed {node}")
        status = "succeeded"
    rollout.record(Outcome(wave=WAVE, stage="verify", results=({"node_id": node, "status": status},)))
    sharing.claim()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
    except PatchtideError as error:
        print(f"refused {error.code}: {error}", flush=True)
        sys.exit(3)
