# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a coming window is announced for."""

from __future__ import annotations

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.notice.rollouts import (
    Evidence,
    Moments,
    rollout_notices,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import build_report
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import DONE, initial

from tests.fakes.driving import night, planned
from tests.fakes.fleet_port import START
from tests.fakes.plans import candidate, completed


def test_a_window_is_announced_for_the_nodes_that_it_is_needed_for() -> None:
    """Not for those that are done, nor for those of another night."""
    nights = [night(1, 600, 30), night(2, 900, 30, window="v")]
    rows = [{**planned(name, 1), "night": number} for name, number in (("a", 1), ("b", 1), ("c", 2))]
    windows = [{"name": item["window"], "occurrences": [item]} for item in nights]
    plan = completed([{"name": "dev", "nodes": rows, "nights": nights, "turns": 1}], windows=windows)
    state = initial(plan)
    state.nodes["a"].stage = DONE
    nodes = {name: candidate(name) for name in "abc"}
    found = Evidence(state=state, moments=Moments(), report=build_report(plan), nodes=nodes)
    announced = {item.facts["window_name"]: item.nodes for item in rollout_notices(found, START, (24,))[1:]}
    assert announced == {"w": (nodes["b"],), "v": (nodes["c"],)}
