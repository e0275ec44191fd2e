# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SendCommand refuses a whole call for one instance that is gone (aws/aws-cli#3646): it costs that instance alone."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.commands import Chunk, InvalidNodes, send
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stagerun import StageRun
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stages import InstallStage

from tests.fakes.fleet_port import FakeClock, FakeFleet, chunk, gather, patch_state

NODES = [f"i-{number:02}" for number in range(50)]


def run_of(fleet: FakeFleet, chunks: list[Chunk]) -> dict[str, dict[str, object]]:
    run = StageRun(
        stage=InstallStage(),
        ports={fleet.label: fleet},
        clock=fleet.clock,
        gather=gather,
        progress=lambda line: None,
    )
    results = run.begin(chunks) + run.wait(chunks)
    assert sorted(item["node_id"] for item in results) == sorted(NODES), "each node has one result"
    return {item["node_id"]: item for item in results}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("gone", [("i-00",), ("i-24", "i-25"), ("i-49",), tuple(NODES)], ids=len)
def test_the_others_are_sent_each_once(gone: tuple[str, ...], named: bool) -> None:
    fleet = FakeFleet(FakeClock(), gone=frozenset(gone), named=named)
    fleet.states = {node: patch_state(node) for node in NODES}
    results = run_of(fleet, [chunk(fleet, NODES)])
    for node in NODES:
        expected = ("unreachable", "NotValid") if node in gone else ("succeeded", None)
        row = results[node]
        error = row.get("error")
        assert (row["status"], error["code"] if isinstance(error, dict) else None) == expected, node
    sent = [node for request, _at in fleet.commands.values() for node in request.node_ids]
    assert sorted(sent) == sorted(set(NODES) - set(gone)), "no node is in two commands"
    comments = [request.comment for request, _at in fleet.commands.values()]
    assert len(set(comments)) == len(comments), "each command can be found by itself"


def test_one_that_nobody_names_costs_few_calls() -> None:
    fleet = FakeFleet(FakeClock(), gone=frozenset(["i-17"]), named=False)
    fleet.states = {node: patch_state(node) for node in NODES}
    run_of(fleet, [chunk(fleet, NODES)])
    assert fleet.calls["send"] < len(NODES) // 2, "halves, not one by one"


def test_what_is_left_for_another_command_waits_for_nothing() -> None:
    fleet = FakeFleet(FakeClock(), gone=frozenset(["i-3"]), named=False)
    part = chunk(fleet, ["i-1", "i-2", "i-3"])
    send(part, fleet, look_first=False, clock=fleet.clock)
    assert (part.request.node_ids, part.unsent, part.waiting) == (("i-1", "i-2"), ("i-3",), ("i-1", "i-2"))


def test_the_last_one_is_the_invalid_one() -> None:
    fleet = FakeFleet(FakeClock(), gone=frozenset(["i-1"]), named=False)
    part = chunk(fleet, ["i-1"])
    with pytest.raises(InvalidNodes):
        send(part, fleet, look_first=False, clock=fleet.clock)
    assert part.ended["i-1"].status == "NotValid" and part.unsent == ()
