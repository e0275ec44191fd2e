# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pinned node gets an install with the address of its list, and none if its list is empty."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.address import to_name
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.override_list import text_of
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.ssm import SsmExecutor

from tests.contract.executor_worlds import RULES, begun_rollout
from tests.fakes.fleet_port import FakeClock, FakeFleet

NODE = "i-0000000000000000a"
PATCHES = [{"id": "openssl.x86_64", "title": "openssl.x86_64:1:3.0.8-1"}]


@dataclass
class World:
    fleet: FakeFleet
    executor: SsmExecutor
    address: str

    def install(self) -> Work:
        at = self.executor.clock.now()
        ((place, nodes),) = self.executor.batches("patch", [NODE])
        deadline = self.executor.deadline("patch", at)
        return Work(
            stage="patch",
            attempt=1,
            token="t",
            place=place,
            nodes=tuple(nodes),
            at=at,
            deadline=deadline,
            snapshot_id="g",
        )


def pinned(folder: Path, monkeypatch: pytest.MonkeyPatch, patches: list[dict[str, str]]) -> World:
    listed: dict[str, Any] = {"label": "WEB", "patches": PATCHES}
    listed["name"] = to_name(text_of(listed))
    listed["address"] = f"s3://bucket/{listed['name']}"
    clock = FakeClock()
    more = {"account": "1" * 12, "pin": "list", "list": listed["name"], "patches": patches}
    rollout = begun_rollout(folder, clock, NODE, "ssm", **more)
    monkeypatch.setitem(rollout.plan, "lists", [listed])
    fleet = FakeFleet(clock)
    executor = SsmExecutor(rollout=rollout, wave="w", rules=RULES, clock=clock, ports=lambda place: fleet)
    return World(fleet, executor, listed["address"])


def test_the_install_names_the_list_of_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = pinned(tmp_path, monkeypatch, PATCHES)
    assert world.executor.begin(world.install())
    ((request, _at),) = world.fleet.commands.values()
    assert request.parameters["InstallOverrideList"] == [world.address]


def test_nothing_is_sent_for_an_empty_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS-RunPatchBaseline without a list installs what the baseline approves."""
    world = pinned(tmp_path, monkeypatch, [])
    work = world.install()
    work.handle = world.executor.begin(work)
    (result,) = world.executor.poll(work)
    assert (result["node_id"], result["status"], world.fleet.commands) == (NODE, "no_op", {})


def test_nothing_is_kept_of_work_that_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wave of ten thousand nodes has a thousand commands; what they said is in the journal."""
    world = pinned(tmp_path, monkeypatch, PATCHES)
    work = world.install()
    work.handle = world.executor.begin(work)
    for seconds in (0, 60):  # it runs, then its patch state is waited for
        world.executor.clock.sleep(seconds)
        assert (world.executor.poll(work), len(world.executor._chunks)) == ([], 1)
    world.executor.clock.sleep(300)
    (result,) = world.executor.poll(work)
    assert result["node_id"] == NODE
    assert (world.executor._chunks, world.executor._stages) == ({}, {})


def test_nothing_is_kept_of_work_that_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = pinned(tmp_path, monkeypatch, PATCHES)
    work = world.install()
    work.handle = world.executor.begin(work)
    assert world.executor.poll(work) == []
    (result,) = world.executor.give_up(work, None)
    assert (result["node_id"], world.executor._chunks, world.executor._stages) == (NODE, {}, {})
