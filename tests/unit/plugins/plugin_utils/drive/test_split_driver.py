# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver of a child plan: nodes wait for room in the budgets of all, an abort of another child ends it, and a
controller that was replaced installs nothing more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError, TakenOver
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.split import split_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.shared import (
    PartState,
    Shared,
    aborting,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.sharing import Sharing

from tests.fakes import driving
from tests.fakes.driving import Driving
from tests.fakes.fleet_port import START
from tests.fakes.plans import completed
from tests.fakes.shared import SharedInMemory

ME, OTHER = f"01-{'1' * 12}", f"02-{'2' * 12}"
Change = Callable[[Shared], Shared]


class Script(SharedInMemory):
    """Lets something happen at a number of the driver's reads."""

    def __init__(self, happens: dict[int, Change]) -> None:
        super().__init__()
        self._happens, self.reads = happens, 0

    def read(self) -> tuple[int, Shared]:
        self.reads += 1
        if change := self._happens.pop(self.reads, None):
            version, shared = super().read()
            assert self.write(change(shared), version)
        return super().read()


def other(used: int, failed: int = 0, minutes: int = 600) -> Change:
    """The other child has so many nodes out of service, and holds its claim for so long."""
    until = to_time(START + timedelta(minutes=minutes))
    found = PartState(token=1, holder="h", until=until, used={"rollout": [used, failed]})
    return lambda shared: replace(shared, parts={**shared.parts, OTHER: found})


def drive(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    happens: dict[int, Change],
    nodes: Sequence[str] = ("a",),
    **more: Any,
) -> tuple[Driving, Script]:
    """Drive a child plan with these nodes; the whole plan may have one node out of service."""

    def child(waves: Sequence[dict[str, Any]], **members: Any) -> dict[str, Any]:
        one = {**driving.planned("z", 1), "account": "2" * 12}
        parent = completed([{**wave, "nodes": [*wave["nodes"], one]} for wave in waves], **members)
        return split_plan(parent, "account")[0]

    monkeypatch.setattr(driving, "completed", child)
    store = Script(happens)
    work = Driving(folder, dict.fromkeys(nodes, 1), rules={"budgets": {"rollout": 1}}, **more)
    run = work.driver()
    run.permits.sharing = Sharing(run.rollout, store)
    assert run.rollout.plan["part"]["name"] == ME
    run.run("worked")
    return work, store


def used(store: SharedInMemory) -> dict[str, Sequence[int]]:
    return dict(store.read()[1].parts[ME].used)


def test_nodes_take_turns_within_the_budget_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, store = drive(tmp_path, monkeypatch, {}, nodes=("a", "b", "c"))
    assert set(work.statuses().values()) == {"succeeded"}
    assert [len(nodes) for nodes in work.begun_at("patch")] == [1, 1, 1]
    assert used(store) in ({}, {"rollout": [1, 0]})


def test_a_node_waits_until_another_child_has_returned_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Sequence[int]]] = []

    def look(shared: Shared) -> Shared:
        seen.append(dict(shared.parts[ME].used))
        return other(0)(shared) if len(seen) == 2 else shared

    work, _store = drive(tmp_path, monkeypatch, {1: other(1), 10: look, 11: look})
    assert seen == [{}, {}], "who waits uses no budget, or two children would wait for each other"
    assert work.statuses() == {"a": "succeeded"} and work.minute("a", "patch") > 4
    assert any("1 node wait" in line and "rollout: 1 nodes of all child plans" in line for line in work.lines)


def test_a_node_is_refused_if_nobody_returns_the_others_to_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, _store = drive(tmp_path, monkeypatch, {1: other(1, failed=1)})
    assert work.statuses() == {"a": "skipped"} and work.error("a")["code"] == "missed_budget"
    assert not work.begun("patch")


def test_an_abort_of_another_child_ends_this_one_before_its_installs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, _store = drive(tmp_path, monkeypatch, {1: lambda shared: aborting(shared, OTHER, "by ana")})
    assert work.rollout.state.status == "aborted" and not work.begun("patch")
    (decision,) = work.journal("decision")
    assert "child plan 02-" in decision["data"]["reason"]


def test_an_abort_is_learned_while_nodes_are_worked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, _store = drive(
        tmp_path, monkeypatch, {8: lambda shared: aborting(shared, OTHER, "by ana")}, nodes=("a", "b", "c")
    )
    assert work.rollout.state.status == "aborted" and 1 <= work.begun("patch") < 3


def test_a_controller_that_was_replaced_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(shared: Shared) -> Shared:
        return replace(shared, parts={**shared.parts, ME: PartState(token=2, holder="other")})

    with pytest.raises(TakenOver, match="is run by other now"):
        drive(tmp_path, monkeypatch, {1: taken})


def test_while_the_state_cannot_be_read_nodes_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_shared: Shared) -> Shared:
        raise ServiceError("read the state", "ThrottlingException", "later")

    work, _store = drive(tmp_path, monkeypatch, dict.fromkeys(range(1, 4), fail))
    assert work.statuses() == {"a": "succeeded"}
    assert any("ThrottlingException" in line for line in work.lines)


def test_a_window_that_ends_misses_the_nodes_that_still_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = driving.night(1, 0, 10, hours=2)
    work, _store = drive(tmp_path, monkeypatch, {1: other(1)}, nights={"a": 1}, occurrences=[night])
    assert work.statuses() == {"a": "skipped"} and work.error("a")["code"] == "missed_out_of_time"
