# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout does about nodes that another one holds, before, during and after work on them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Event,
    Intent,
    Outcome,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.next_steps import next_step
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import apply
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import initial
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.claim_file import ClaimFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.claims import give_up, take
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import Stores

from tests.fakes.events import started
from tests.fakes.fleet_port import START, FakeClock

IDS = ("i-1", "i-2")
END = START + timedelta(hours=4)
WINDOW = {"name": "night", "start": to_time(START), "cutoff_at": to_time(END), "end": to_time(END)}


@pytest.fixture
def rollout(tmp_path: Path) -> Any:
    """A wave of two nodes that has begun, with claims in a file."""
    member = {"account": "111111111111", "region": "eu-central-1", "executor": "ssm", "platform": "linux"}
    nodes = {node: {"node_id": node, "name": node, **member} for node in IDS}
    wave = {"name": "canary", "nodes": list(nodes.values()), "window": WINDOW}
    state = initial({"digest": "d", "waves": [wave]})
    for begun in (started("d"), WaveStarted(wave="canary")):
        apply(state, begun, "")
    stores = Stores(tmp_path, claims=f"file:{tmp_path}/claims.json")
    plan = {"rollout": "mine"}
    given = {
        "origin": "0123456789ab",
        "plan": plan,
        "stores": stores,
        "clock": FakeClock(),
        "state": state,
        "nodes": nodes,
    }
    return SimpleNamespace(**given)


def held_by_another(rollout: Any, *nodes: str, window: str = "day") -> list[str]:
    """Let another rollout claim nodes; return who holds them."""
    store = ClaimFile(Path(rollout.stores.claims.removeprefix("file:")))
    answer = store.claim(nodes, owner="rollout other", window=window, until=END, now=START)
    return [item.owner for item in answer]


def event(rollout: Any, event_type: type[Event], **data: Any) -> None:
    apply(rollout.state, event_type(wave="canary", **data), "")


def test_free_nodes_are_ours_until_given_up(rollout: Any) -> None:
    assert take(rollout, "canary") == []
    assert held_by_another(rollout, *IDS) == ["rollout mine/01234567"] * 2
    give_up(rollout)
    assert held_by_another(rollout, *IDS) == ["rollout other"] * 2


def test_another_ones_node_is_skipped_and_its_holder_named(rollout: Any) -> None:
    held_by_another(rollout, "i-2")
    (record,) = take(rollout, "canary")
    assert (record["node_id"], record["status"]) == ("i-2", "skipped")
    assert record["error"]["code"] == "claimed_elsewhere"
    assert record["error"]["text"] == "rollout other holds it for day until 2026-06-02T00:00:00.000Z"


def test_a_holder_without_a_window_is_named_without_one(rollout: Any) -> None:
    held_by_another(rollout, "i-2", window="")
    (record,) = take(rollout, "canary")
    assert record["error"]["text"] == "rollout other holds it until 2026-06-02T00:00:00.000Z"
    assert next_step(record["status"], record["error"]["code"]).startswith("Finish or abort the rollout")


def test_one_that_was_worked_on_fails_but_open_work_is_awaited(rollout: Any) -> None:
    event(rollout, Claimed, nodes=IDS)
    results = tuple({"node_id": node, "outcome": "pass"} for node in IDS)
    event(rollout, Outcome, stage="precheck", results=results)
    event(rollout, Intent, stage="patch", attempt=1, nodes=("i-1",), token="t")
    held_by_another(rollout, *IDS)
    assert [(item["node_id"], item["status"]) for item in take(rollout, "canary")] == [("i-2", "failed")]


def test_without_a_store_nothing_is_claimed(rollout: Any, tmp_path: Path) -> None:
    rollout.stores = Stores(tmp_path)
    assert take(rollout, "canary") == []
    give_up(rollout)
    assert not list(tmp_path.iterdir())


def test_two_runs_of_one_plan_are_two_owners(rollout: Any) -> None:
    """Two containers with journals of their own, started with the same plan: only one may work on a node."""
    assert take(rollout, "canary") == []
    rollout.origin = "ba9876543210"
    assert [(row["node_id"], row["status"]) for row in take(rollout, "canary")] == [(node, "skipped") for node in IDS]
