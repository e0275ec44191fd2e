# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guards cost: the inventory is asked only for what neither the plan nor the live tags tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.guard import ExceptionGuard
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.records import (
    ExceptionRecord,
    ExceptionStatus,
    Period,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate, Select
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive import watch
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.guards import FRESH_SECONDS, LiveTags

NOW = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)
BLOCKED = "2026-05-01/2026-07-01"


@dataclass
class World:
    """Nodes ``i-a`` and ``i-b`` in AWS and the host ``web``; a ledger, live tags, and an inventory that counts."""

    records: tuple[ExceptionRecord, ...] = ()
    live: dict[str, str] = field(default_factory=dict)
    failed: str = ""
    known: dict[str, Candidate] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    guards: watch.Watch | None = None

    def objections(self, nodes: Sequence[str] = ("i-a", "i-b"), seconds: float = 0) -> dict[str, str]:
        planned = {name: _planned(name) for name in ("i-a", "i-b", "web")}
        rollout: Any = SimpleNamespace(nodes=planned)
        self.guards = self.guards or watch.Watch(rollout, to_policy({"name": "p"}), {}, print, self.inventory)
        found = self.guards.objections(nodes, NOW + timedelta(seconds=seconds))
        return {node: code for node, (code, _text) in found.items()}

    def inventory(self, nodes: Sequence[Mapping[str, Any]]) -> list[Candidate | None]:
        self.asked += [node["node_id"] for node in nodes]
        return [self.known.get(node["node_id"]) for node in nodes]

    def read_tags(self, tags: LiveTags, place: Place) -> dict[str, str]:
        self.read.append(place.label)
        if self.failed:
            raise PatchtideError(self.failed)
        return self.live


def _planned(name: str) -> dict[str, Any]:
    place = {"account": "1", "region": "r"} if name.startswith("i-") else {"account": "", "region": ""}
    return {"node_id": name, "host": name, "expected_minutes": 20, **place}


def _candidate(name: str, tags: dict[str, str], *groups: str) -> Candidate:
    usual = {"name": name, "executor": "ssm", "platform": "linux"}
    return Candidate(node_id=name, host=name, **usual, tags=tags, groups=frozenset(groups))


def _record(select: Select) -> ExceptionRecord:
    return ExceptionRecord(
        exception_id="e1",
        select=select,
        period=Period(start=date(2026, 5, 1), end=date(2026, 7, 1)),
        reason="no",
        requested_by="dana",
        status=ExceptionStatus.APPROVED,
        decided_by="erin",
    )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World()

    def ask(tags: LiveTags, place: Place) -> dict[str, str]:
        return found.read_tags(tags, place)

    monkeypatch.setattr(LiveTags, "_ask", ask)
    monkeypatch.setattr(watch, "read_guard", lambda *_unused: ExceptionGuard(records=found.records, tag="Hold"))
    return found


def test_a_live_tag_is_enough(world: World) -> None:
    world.live["i-a"] = BLOCKED
    assert world.objections() == {"i-a": "exception"}
    assert world.asked == []


def test_an_exception_by_name_is_enough(world: World) -> None:
    world.records = (_record(Select(nodes=("i-b",))),)
    assert world.objections() == {"i-b": "exception"}
    assert world.asked == []


def test_an_exception_by_group_asks_the_inventory_as_it_is_now(world: World) -> None:
    world.records = (_record(Select(groups=("db",))),)
    world.known["i-b"] = _candidate("i-b", {}, "db")
    assert world.objections() == {"i-b": "exception"}
    assert world.asked == ["i-a", "i-b"]


def test_a_host_without_tags_in_aws_is_asked_for(world: World) -> None:
    world.known["web"] = _candidate("web", {"Hold": BLOCKED})
    assert world.objections(["i-a", "web"]) == {"web": "exception"}
    assert world.asked == ["web"]


def test_a_place_that_gives_no_answer_is_answered_for_by_the_inventory(world: World) -> None:
    world.failed = "no answer"
    world.known["i-a"] = _candidate("i-a", {"Hold": BLOCKED})
    assert world.objections() == {"i-a": "exception"}
    assert world.asked == ["i-a", "i-b"]


def test_a_place_is_read_once_a_minute_for_all_its_nodes(world: World) -> None:
    for seconds, nodes in ((0, ["i-a"]), (30, ["i-b"]), (FRESH_SECONDS - 1, ["i-a", "i-b"])):
        world.objections(nodes, seconds)
    assert world.read == ["1/r"]
    world.objections(["i-a"], FRESH_SECONDS)
    assert world.read == ["1/r", "1/r"]
