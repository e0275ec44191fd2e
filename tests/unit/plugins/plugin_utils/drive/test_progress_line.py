# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line for all nodes of a wave, when it says something new or the last one is old."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Intent, Outcome
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.progress_line import (
    LIFE_SECONDS,
    WaveProgress,
)

from tests.fakes.driving import Driving


def test_it_counts_every_node_once(tmp_path: Path) -> None:
    driving = Driving(tmp_path, dict.fromkeys("abcd", 1))
    rows = ({"node_id": "a", "status": "failed"}, {"node_id": "b", "status": "skipped"})
    driving.rollout.record(Outcome(wave="w", stage="verify", results=rows))
    driving.rollout.record(Intent(wave="w", stage="precheck", attempt=1, nodes=("c",), token="t"))
    line = WaveProgress("w", print).line(driving.rollout.state, [])
    assert line == "w: 1 in pre-check, 1 waiting, 2 done (1 failed, 1 skipped) of 4"


def test_who_waits_for_another_attempt_is_no_first_one(tmp_path: Path) -> None:
    driving = Driving(tmp_path, dict.fromkeys("ab", 1), rules={"retries": {"delivery": 1}})
    row = {"node_id": "a", "status": "unreachable", "error": {"code": "x", "text": "no"}}
    driving.rollout.record(Outcome(wave="w", stage="precheck", results=(row,)))
    assert (
        WaveProgress("w", print).line(driving.rollout.state, []).startswith("w: 1 to be tried again, 1 waiting, 0 done")
    )


def test_it_is_shown_when_new_or_old_and_not_too_often(tmp_path: Path) -> None:
    driving, now = Driving(tmp_path, {"a": 1, "b": 1}), [0.0]
    lines: list[str] = []
    progress = WaveProgress("w", lines.append, lambda: now[0])
    progress.show(driving.rollout.state, [])
    progress.show(driving.rollout.state, [])
    assert len(lines) == 1
    driving.rollout.record(Outcome(wave="w", stage="verify", results=({"node_id": "a", "status": "failed"},)))
    progress.show(driving.rollout.state, [])
    assert len(lines) == 1, "too soon"
    now[0] = 3
    progress.show(driving.rollout.state, [])
    now[0] = 3 + LIFE_SECONDS
    progress.show(driving.rollout.state, [])
    progress.show(driving.rollout.state, [], last=True)
    assert len(lines) == 3 and lines[1] == lines[2] != lines[0]
