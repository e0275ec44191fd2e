# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machines are assessed anew, and which assessments are taken as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.azure.runs import Run
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.azure_scan import Assessments

from tests.fakes.fleet_port import FakeClock

FRESH, OLD, OFF, COLD = "/fresh", "/old", "/off", "/cold"


class FakeAssessments:
    """A ``MachinePort`` that has assessments of some ages in hours, and assesses in no time."""

    def __init__(self, clock: FakeClock, ages: Mapping[str, float]) -> None:
        self.clock, self.begun = clock, list[str]()
        self.runs_of = {node: self._run(hours) for node, hours in ages.items()}

    def _run(self, hours: float) -> Run:
        began = self.clock.now() - timedelta(hours=hours)
        return Run(activity_id="a", status="Succeeded", started_at=began, running=False, rows=())

    def assess(self, node_id: str) -> str:
        self.begun.append(node_id)
        self.runs_of[node_id] = self._run(0)
        return ""

    def runs(self, node_ids: Sequence[str], kind: str, patches: bool) -> Mapping[str, Run]:
        return {node: run for node, run in self.runs_of.items() if node in node_ids}


def scan(ages: Mapping[str, float], states: Mapping[str, str], max_hours: float) -> tuple[dict[str, Any], list[str]]:
    clock = FakeClock()
    port = FakeAssessments(clock, ages)
    work = Assessments(
        port=port,  # type: ignore[arg-type] # the calls that are made
        clock=clock,
        rules=PackageRules(),
        say=lambda text: None,
        max_age=timedelta(hours=max_hours),
    )
    rows = work.run([{"node_id": node, "platform": "linux", "state": state} for node, state in states.items()])
    return {row["node_id"]: row for row in rows}, port.begun


def test_an_assessment_up_to_an_age_is_taken_as_it_is() -> None:
    states = {FRESH: "running", OLD: "running"}
    rows, begun = scan({FRESH: 23.9, OLD: 24.1}, states, 24)
    assert begun == [OLD] and [rows[node]["status"] for node in states] == ["succeeded"] * 2
    assert rows[FRESH]["assessed_at"] < rows[OLD]["assessed_at"]
    assert scan({FRESH: 0.1}, {FRESH: "running"}, 0)[1] == [FRESH]


def test_of_a_deallocated_machine_the_last_one_is_taken_whatever_its_age() -> None:
    rows, begun = scan({OFF: 160}, {OFF: "deallocated", COLD: "deallocated"}, 0)
    assert begun == [] and rows[OFF]["status"] == "succeeded" and rows[OFF]["assessed_at"]
    assert (rows[COLD]["status"], rows[COLD]["error"]["code"]) == ("unknown", "not_assessed")
