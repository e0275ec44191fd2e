# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node's answer is that node's matter: the others of its chunk get their outcomes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import (
    AccessDenied,
    PatchtideError,
    ServiceError,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Patch
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.node_answer import BadAnswer
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import Invocation, PatchState
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stagerun import Ended
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stages import (
    InstallStage,
    ScanStage,
    VerifyStage,
)

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
NODES = ("i-1", "i-2", "i-3")
ROWS = {node: Invocation(node_id=node, status="Success") for node in NODES}


class Fleet:
    def __init__(self, counts: dict[str, Any], trouble: Exception | None = None) -> None:
        self.counts = counts
        self.trouble = trouble

    def patch_states(self, _nodes: object) -> list[PatchState]:
        good = {"failed_count": 0, "missing_count": 0}
        found = {"i-1": good, "i-2": self.counts, "i-3": good, "i-stranger": good}
        return [
            PatchState(node_id=node, operation="Install", operation_ended_at=NOW, counts=counts)
            for node, counts in found.items()
        ]

    def patches(self, node_id: str, _states: object) -> list[Patch]:
        if self.trouble:
            raise self.trouble
        return [Patch(id="KB1", state="FAILED")]


def statuses(fleet: Fleet, *final: str) -> tuple[dict[str, str], Ended]:
    ended = Ended(ROWS, NOW, frozenset(final))
    return {item["node_id"]: item["status"] for item in InstallStage().evaluate(ended, fleet)}, ended


@pytest.mark.parametrize("count", ["many", 10**400, None, 1.5, [], True])
def test_a_state_that_makes_no_sense_is_unknown_for_that_node_alone(count: Any) -> None:
    found, _ended = statuses(Fleet({"failed_count": count}))
    assert found == {"i-1": "succeeded", "i-2": "unknown", "i-3": "succeeded"}


@pytest.mark.parametrize("trouble", [BadAnswer("too many patches"), RuntimeError("?"), RecursionError()])
def test_patches_that_can_t_be_read_are_that_node_s_outcome(trouble: Exception) -> None:
    found, _ended = statuses(Fleet({"failed_count": 1}, trouble))
    assert found == {"i-1": "succeeded", "i-2": "unknown", "i-3": "succeeded"}


def test_a_call_that_fails_for_one_node_is_repeated_for_it_alone() -> None:
    fleet = Fleet({"failed_count": 1}, ServiceError("read patches", "InternalServerError", "later"))
    found, ended = statuses(fleet)
    assert found == {"i-1": "succeeded", "i-3": "succeeded"} and len(ended.troubles) == 1
    assert statuses(fleet, *NODES)[0]["i-2"] == "unknown"


def test_a_right_that_is_missing_is_the_place_s_matter() -> None:
    with pytest.raises(AccessDenied):
        statuses(Fleet({"failed_count": 1}, AccessDenied("read patches", "AccessDeniedException", "no")))


def test_a_state_of_a_time_without_a_zone_does_not_count() -> None:
    fleet = Fleet({})
    naive = PatchState(node_id="i-2", operation="Scan", operation_ended_at=datetime(2026, 12, 1), counts={})
    fleet.patch_states = lambda _nodes: [naive]
    results = ScanStage().evaluate(Ended({"i-2": ROWS["i-2"]}, NOW - timedelta(hours=1), frozenset({"i-2"})), fleet)
    assert [item["status"] for item in results] == ["unknown"]


def test_a_final_look_at_what_an_earlier_stage_left_broken() -> None:
    nodes = {"i-1": {"node_id": "i-1", "executor": "ssm", "patches": []}}
    stage = VerifyStage(nodes, {"i-1": {"scan": {"status": "no such"}}}, "never", lambda: "now")
    rows = {"i-1": Invocation(node_id="i-1", status="Success", output='{"probe": 1}')}
    (found,) = stage.evaluate(Ended(rows, NOW), Fleet({}))
    assert found["status"] == "unknown" and found["error"]["code"] == "unreadable"
    assert "no such" in found["error"]["text"] and issubclass(BadAnswer, PatchtideError)
