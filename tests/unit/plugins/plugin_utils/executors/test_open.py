# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A further executor is one row of the registry and one opener: nothing else from plan to gate knows it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action import rollout_gate, rollout_journal, rollout_wave
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import (
    AZURE,
    EXECUTORS,
    SSM,
    Executor,
    Library,
    Reach,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import ExecutorPort
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.open import (
    OPENERS,
    WaveContext,
    open_executors,
    open_linux,
    open_windows,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.executor import FakeExecutor
from tests.fakes.fleet_port import FakeClock
from tests.fakes.plans import AT, candidate

#: Nobody but this test serves it.
TOY = Executor(
    name="toy", title="A toy", text="in memory", reach=Reach.SERVICE, platforms=("linux",), pin="versions", chunk=3
)
POLICY = {"name": "seam", "version": 1, "waves": [{"name": "all"}], "patching": {"pin": "baseline"}}


@dataclass
class World:
    """A wave of nodes of three executors: ``opened`` has the executors that were opened, by name."""

    folder: Path
    opened: dict[str, FakeExecutor]

    def act(self, action: Any, **options: Any) -> dict[str, Any]:
        """Run an action as the playbook does."""
        task = Mock(args={"dir": str(self.folder), **options}, check_mode=False, diff=False, async_val=0)
        plugin = action.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None)
        plugin.say = lambda line: None
        result: dict[str, Any] = plugin.run(task_vars={})
        assert not result.get("failed"), result
        return result


def planned() -> dict[str, Any]:
    """Return a plan of five nodes of three executors."""
    more = {"account": "", "region": "", "zone": "", "ping_status": "", "state": ""}
    names = {"toy-1": TOY.name, "toy-2": TOY.name, "vm-1": AZURE.name}
    nodes = [candidate(node_id, executor=name, **more) for node_id, name in names.items()]
    nodes += [candidate("i-1"), candidate("i-2")]
    record = {"status": "succeeded", "missing": [{"id": "curl.amd64:8"}], "counts": {"missing_count": 1}}
    scan = {"at": AT, "nodes": {node.node_id: record for node in nodes}, "failed_places": []}
    return build_plan(nodes, to_policy(POLICY), scan, policy_digest="", created_at=AT, rollout="5eed" * 8)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    opened: dict[str, FakeExecutor] = {}
    clock = FakeClock()

    def opener(row: Executor) -> Any:
        def open_it(context: WaveContext) -> ExecutorPort:
            opened[row.name] = FakeExecutor(context.rollout.clock, size=row.chunk, row=row)
            return opened[row.name]

        return open_it

    monkeypatch.setitem(EXECUTORS, TOY.name, TOY)  # type: ignore[arg-type] # a dict behind a read-only type
    for row in (TOY, SSM, AZURE):
        monkeypatch.setitem(OPENERS, row.name, opener(row))  # type: ignore[arg-type] # as above
    for action in (rollout_journal, rollout_wave, rollout_gate):
        monkeypatch.setattr(action, "find_clock", lambda: clock)
    monkeypatch.setattr(rollout_wave, "is_rehearsal", lambda: True)
    (tmp_path / "plan.json").write_text(json.dumps(planned()), "utf-8")
    return World(tmp_path, opened)


def test_one_wave_holds_the_nodes_of_all_executors_also_of_one_that_nobody_else_knows(world: World) -> None:
    world.act(rollout_journal, state="opened")
    worked = world.act(rollout_wave, wave="all", policy=POLICY)
    assert worked["counts"] == {"succeeded": 5}
    assert {
        name: {node for _what, _stage, nodes in port.calls for node in nodes} for name, port in world.opened.items()
    } == {
        TOY.name: {"toy-1", "toy-2"},
        SSM.name: {"i-1", "i-2"},
        AZURE.name: {"vm-1"},
    }
    assert ("begin", "patch", ("toy-1", "toy-2")) in world.opened[TOY.name].calls and worked["hosts"] == []
    assert world.act(rollout_gate, wave="all")["verdict"] == "promote"


@pytest.mark.parametrize("why", ["no row", "no library"])
def test_a_wave_of_one_that_is_not_served_is_not_opened(
    world: World, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "no row":
        monkeypatch.delitem(EXECUTORS, TOY.name)  # type: ignore[arg-type] # as above
    else:
        row = replace(TOY, requires=(Library("patchtide_no_such_module", "the-package"),))
        monkeypatch.setitem(EXECUTORS, TOY.name, row)  # type: ignore[arg-type] # as above
    context = WaveContext(Mock(), RolloutDir(world.folder, FakeClock()), {"wave": "all"}, Mock(), Mock(), {})
    with pytest.raises(BadInput, match="toy"):
        open_executors(context)
    assert not world.opened


@pytest.mark.parametrize(("poll", "linux", "windows"), [(60, 5, 15), (2, 2, 2)])
def test_hosts_are_polled_often_whatever_the_limits_of_services_ask_for(
    poll: float, linux: float, windows: float
) -> None:
    context = Mock(nodes=[], poll_seconds=poll)
    assert (open_linux(context).poll_seconds, open_windows(context).poll_seconds) == (linux, windows)
