# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the driver says of nodes that did not get through: the first ones by name, each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.notes import LISTED, Notes, within_bounds

from tests.fakes.driving import Driving


def test_the_first_ones_are_named_and_everything_is_in_the_journal(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {f"n{number}": 1 for number in range(LISTED + 5)})
    notes = Notes(driving.rollout, driving.lines.append)
    failed = [
        {"node_id": node, "status": "failed", "error": {"code": "x", "text": "no\x1b[2J"}} for node in driving.turns
    ]
    notes.outcome("w", "precheck", failed)
    notes.outcome("w", "patch", failed)
    assert driving.lines[0] == "w precheck: n0 failed: no [2J"
    assert len(driving.lines) == LISTED + 1 and "are in the journal" in driving.lines[-1]
    assert [len(row["data"]["results"]) for row in driving.journal("outcome")] == [LISTED + 5] * 2


def test_what_holds_a_node_is_named(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1})
    notes = Notes(driving.rollout, driving.lines.append)
    findings = [{"check": "disk", "ok": False, "text": "/ is full"}, {"check": "lock", "ok": True, "text": "free"}]
    held = {"node_id": "a", "outcome": "skip", "findings": findings, "facts": {}}
    notes.outcome("w", "precheck", [held, {"node_id": "b", "outcome": "pass"}])
    notes.outcome("w", "precheck", [])
    assert driving.lines == ["w precheck: a skipped: / is full"] and len(driving.journal("outcome")) == 1


def test_who_is_tried_again_is_told_and_named_only_when_it_fails_for_good(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, rules={"retries": {"execution": 1}})
    for stage in ("precheck", "patch", "patch"):
        result = (
            {"outcome": "pass"} if stage == "precheck" else {"status": "failed", "error": {"code": "x", "text": "no"}}
        )
        Notes(driving.rollout, driving.lines.append).outcome("w", stage, [{"node_id": "a", **result}])
    assert driving.lines == ["w patch: 1 to be tried again in 60 seconds; a failed: no", "w patch: a failed: no"]


@pytest.mark.parametrize(
    ("stage", "status", "told"),
    [
        ("patch", "skipped", "not patched"),
        ("reboot", "reboot_pending", "not rebooted"),
        ("verify", "skipped", "skipped"),
    ],
)
def test_what_does_not_begin_on_a_node_is_told(tmp_path: Path, stage: str, status: str, told: str) -> None:
    driving = Driving(tmp_path, {"a": 1})
    refused = {"node_id": "a", "status": status, "error": {"code": "freeze", "text": "frozen"}}
    driving.rollout.state.nodes["a"].stage = stage
    Notes(driving.rollout, driving.lines.append).outcome("w", stage, [refused])
    assert driving.lines == [f"w {stage}: a {told}: frozen"]


def test_what_is_recorded_is_within_bounds() -> None:
    result: Any = {"node_id": "h\u202e", "counts": {"a": 10**400, "b": float("nan")}, "text": "x" * 10**5}
    found = within_bounds(result)
    assert found["node_id"] == "h\u202e" and found["counts"] == {"a": None, "b": None} and len(found["text"]) == 2000
