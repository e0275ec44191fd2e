# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""run_due: quiet until the window opens, then the whole rollout by itself, and quiet again (TM-1)."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time, to_time

from tests.playbooks.playing import Played, play
from tests.playbooks.test_rollout import Cycle, cycle, small

__all__ = ["cycle", "small"]


def due(cycle: Cycle, *more: str) -> Played:
    plans = {"patchtide_plans": str(cycle.folder), "patchtide_poll_interval": 60}
    return play(cycle.aws, "run_due", "-i", str(cycle.folder / "aws.ssm_fleet.yml"), "-e", json.dumps(plans), *more)


@pytest.mark.slow
def test_a_rollout_is_carried_through_by_itself(cycle: Cycle) -> None:
    cycle.prepare()
    window = cycle.file("plan.json")["waves"][0]["nights"][0]
    cycle.aws.post("clock", {"set": to_time(from_time(window["start"]) - timedelta(minutes=50))})
    early = due(cycle)
    assert early.status == 0 and not cycle.installs(), early.output + early.errors
    assert not (cycle.folder / "run" / "journal.jsonl").exists(), "nothing is recorded before its time"

    broken = cycle.folder / "other"
    broken.mkdir()
    (broken / "plan.json").write_text("{}", encoding="utf-8")
    cycle.aws.post("clock", {"set": to_time(from_time(window["start"]) - timedelta(minutes=20))})
    done = due(cycle)
    assert done.status != 0 and "other" in done.error(), "what can't be read is told, and the others are worked on"
    assert cycle.journal()[-1]["kind"] == "rollout_finished", done.output + done.errors
    shutil.rmtree(broken)
    quiet = due(cycle)
    assert (quiet.status, quiet.changed) == (0, 0), quiet.output + quiet.errors
    begun = {row["at"] for row in cycle.journal() if row["kind"] == "intent"}
    assert window["start"] <= min(begun) and max(begun) < window["end"]
