# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A retried node of which nobody knew how it ended: the journal goes on saying so until somebody looked at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Decision, GateJudged, Resumed

from tests.fakes.driving import WAVE, Driving


def unknown_and_retried(folder: Path) -> Driving:
    """A node whose install and scan hung, so that it is unknown, and that a person retries."""
    driving = Driving(folder, {"a": 1}, {("verify", "a"): ["unreadable", "ok"]})
    driving.run()
    assert driving.statuses() == {"a": "unknown"}
    driving.record(GateJudged(wave=WAVE, verdict="pause"))
    driving.record(Resumed(operator="dana", controller="c"))
    driving.record(Decision(by="dana", action="retry", wave=WAVE, nodes=("a",), reason="look again"))
    return driving


@pytest.mark.parametrize(
    ("script", "objections"),
    [({("precheck", "a"): ["refused"]}, {}), ({}, {"a": ("freeze", "frozen")})],
    ids=["pre-check", "freeze"],
)
def test_nobody_looked_so_it_stays_unknown(
    tmp_path: Path, script: dict[tuple[str, str] | str, list[str]], objections: dict[str, tuple[str, str]]
) -> None:
    driving = unknown_and_retried(tmp_path)
    driving.executor.script, driving.watch.no = script, objections
    driving.run()
    assert driving.statuses() == {"a": "unknown"} and "before that unknown" in driving.error("a")["text"]
    (last,) = driving.journal("outcome")[-1]["data"]["results"]
    assert last["evidence"]["earlier"]["status"] == "unknown", "the journal says so, not this state alone"


def test_a_look_at_it_settles_it_and_the_history_stays(tmp_path: Path) -> None:
    driving = unknown_and_retried(tmp_path)
    driving.executor.script = {}
    driving.run()
    final = driving.rollout.state.nodes["a"].final
    assert final and (final["status"], final["evidence"]["earlier"]["status"]) == ("succeeded", "unknown")
