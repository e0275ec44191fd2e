# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the driver says of nodes that did not get through: the first ones by name, each once."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.notes import LISTED, Notes, within_bounds
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.driving import Driving


def tell(notes: Notes, stage: str, results: list[dict[str, Any]]) -> None:
    asyncio.run(notes.outcome("w", stage, results))


def test_the_first_ones_are_named_and_everything_is_in_the_journal(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {f"n{number}": 1 for number in range(LISTED + 5)})
    notes = Notes(driving.rollout, driving.lines.append)
    failed = [
        {"node_id": node, "status": "failed", "error": {"code": "x", "text": "no\x1b[2J"}} for node in driving.turns
    ]
    tell(notes, "precheck", failed)
    tell(notes, "patch", failed)
    assert driving.lines[0] == "w precheck: n0 failed: no [2J"
    assert len(driving.lines) == LISTED + 1 and "are in the journal" in driving.lines[-1]
    assert [len(row["data"]["results"]) for row in driving.journal("outcome")] == [LISTED + 5] * 2


def test_what_holds_a_node_is_named(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1, "b": 1})
    notes = Notes(driving.rollout, driving.lines.append)
    findings = [{"check": "disk", "ok": False, "text": "/ is full"}, {"check": "lock", "ok": True, "text": "free"}]
    held = {"node_id": "a", "outcome": "skip", "findings": findings, "facts": {}}
    tell(notes, "precheck", [held, {"node_id": "b", "outcome": "pass"}])
    tell(notes, "precheck", [])
    assert driving.lines == ["w precheck: a skipped: / is full"] and len(driving.journal("outcome")) == 1


def test_who_is_tried_again_is_told_and_named_only_when_it_fails_for_good(tmp_path: Path) -> None:
    driving = Driving(tmp_path, {"a": 1}, rules={"retries": {"execution": 1}})
    for stage in ("precheck", "patch", "patch"):
        result = (
            {"outcome": "pass"} if stage == "precheck" else {"status": "failed", "error": {"code": "x", "text": "no"}}
        )
        tell(Notes(driving.rollout, driving.lines.append), stage, [{"node_id": "a", **result}])
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
    tell(Notes(driving.rollout, driving.lines.append), stage, [refused])
    assert driving.lines == [f"w {stage}: a {told}: frozen"]


def test_events_of_one_moment_become_durable_together(tmp_path: Path, monkeypatch: Any) -> None:
    """One that does not fit is refused alone, before or after the others."""
    driving, synced = Driving(tmp_path, dict.fromkeys("abc", 1)), list[int]()
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), fsync(handle))[1])
    notes = Notes(driving.rollout, driving.lines.append)

    async def all_at_once() -> list[Any]:
        stages = {"a": "precheck", "b": "scan", "c": "precheck"}
        records = [notes.outcome("w", stage, [{"node_id": node, "outcome": "pass"}]) for node, stage in stages.items()]
        return await asyncio.gather(*records, return_exceptions=True)

    first, second, third = asyncio.run(all_at_once())
    assert first is third is None and isinstance(second, JournalError)
    assert len(synced) == 1 and [driving.rollout.state.nodes[node].stage for node in "abc"] == [
        "patch",
        "precheck",
        "patch",
    ]
    again = RolloutDir(tmp_path, driving.clock)
    assert [again.state.nodes[node].stage for node in "abc"] == ["patch", "precheck", "patch"]


def test_what_does_not_become_durable_did_not_happen(tmp_path: Path, monkeypatch: Any) -> None:
    driving = Driving(tmp_path, {"a": 1})
    before = (tmp_path / "journal.jsonl").read_bytes()
    notes = Notes(driving.rollout, driving.lines.append)

    def broken(handle: int) -> None:
        raise OSError(5, "input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(JournalError, match="could not write"):
        tell(notes, "precheck", [{"node_id": "a", "outcome": "pass"}])
    assert (tmp_path / "journal.jsonl").read_bytes() == before and driving.rollout.state.nodes["a"].stage == "precheck"
    monkeypatch.undo()
    tell(notes, "precheck", [{"node_id": "a", "outcome": "pass"}])
    assert driving.rollout.state.nodes["a"].stage == "patch"


def test_what_is_recorded_is_within_bounds() -> None:
    result: Any = {"node_id": "h\u202e", "counts": {"a": 10**400, "b": float("nan")}, "text": "x" * 10**5}
    found = within_bounds(result)
    assert found["node_id"] == "h\u202e" and found["counts"] == {"a": None, "b": None} and len(found["text"]) == 2000
