# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line about a wave: what it says, when it is shown, and that nobody counts the nodes oftener than it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import DONE, Rollout, initial
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.progress_line import LIFE_SECONDS, WaveProgress


@dataclass
class Screen:
    """Shows the lines of a wave of five nodes; ``seconds`` is the time."""

    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        nodes = [{"node_id": f"n{number}"} for number in range(5)]
        self.state: Rollout = initial({"digest": "d1", "waves": [{"name": "web", "nodes": nodes}]})
        self.progress = WaveProgress("web", self.lines.append, lambda: self.seconds)

    def show(self, seconds: float, *, last: bool = False) -> list[str]:
        self.seconds, self.lines[:] = seconds, []
        self.progress.show(self.state, [], last=last)
        return list(self.lines)


def test_it_counts_stages_and_how_nodes_ended() -> None:
    screen = Screen()
    for node, status in {"n0": "succeeded", "n1": "failed", "n2": "skipped"}.items():
        screen.state.nodes[node].stage = DONE
        screen.state.nodes[node].results = {"verify": {"status": status}}
    screen.state.nodes["n3"].token = "t"
    assert screen.show(0) == ["web: 1 in pre-check, 1 waiting, 3 done (1 failed, 1 skipped) of 5"]


def test_a_line_that_says_nothing_new_is_shown_as_a_sign_of_life_alone() -> None:
    screen = Screen()
    assert screen.show(0)
    assert [screen.show(at) for at in (3, 10, LIFE_SECONDS - 1)] == [[], [], []]
    assert screen.show(LIFE_SECONDS + 1)


def test_news_wait_a_moment_but_for_the_last_ones() -> None:
    screen = Screen()
    screen.show(0)
    screen.state.nodes["n0"].token = "t"
    assert screen.show(1) == []
    assert screen.show(1, last=True) == ["web: 1 in pre-check, 4 waiting, 0 done of 5"]
    screen.state.nodes["n1"].token = "t"
    assert screen.show(1.5) == []
    assert screen.show(4) == ["web: 2 in pre-check, 3 waiting, 0 done of 5"]


def test_nodes_are_counted_every_other_second_at_most() -> None:
    screen, counted = Screen(), []
    count = WaveProgress.line
    try:
        WaveProgress.line = lambda self, state, works: (counted.append(1), count(self, state, works))[1]  # type: ignore[assignment,method-assign]
        for second in range(11):
            screen.show(second)
    finally:
        WaveProgress.line = count  # type: ignore[method-assign]
    assert len(counted) == 6
