# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store without locks may ask the guard again, after somebody else was first: the state is then told anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Event, RolloutStarted, WaveStarted
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import fold
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.journal_file import JournalFile

from tests.fakes.events import resumed, started
from tests.fakes.fleet_port import START, FakeClock
from tests.fakes.plans import completed


class OvertakenStore(JournalFile):
    """Asks the guard once in vain: before the record is stored, another controller writes its own."""

    def __init__(self, path: Path, overtake: Callable[[JournalFile], Any]) -> None:
        super().__init__(path)
        self._overtake = overtake

    def append(self, kind: str, data: Any, at: Any, guard: Any = None) -> Any:
        guard(self.read())
        self._overtake(JournalFile(self._path))
        return super().append(kind, data, at, guard)


def overtaken(folder: Path, event: Event) -> RolloutDir:
    """Return a started rollout of one node whose next record comes after another controller's."""
    plan = completed([{"name": "canary", "nodes": [{"node_id": "i-1"}]}])
    (folder / "plan.json").write_text(json.dumps(plan))
    rollout = RolloutDir(folder, FakeClock())
    rollout.record(started(plan["digest"]))
    data = event.to_data()
    rollout._store = OvertakenStore(folder / "journal.jsonl", lambda store: store.append(event.kind, data, START))
    rollout._store.read()
    return rollout


def test_written_after_the_other_ones_record(tmp_path: Path) -> None:
    rollout = overtaken(tmp_path, resumed())
    assert rollout.record(WaveStarted(wave="canary")).seq == 3
    assert rollout.state == fold(rollout.plan, JournalFile(tmp_path / "journal.jsonl").read())


def test_refused_if_it_does_not_fit_any_more(tmp_path: Path) -> None:
    rollout = overtaken(tmp_path, WaveStarted(wave="canary"))
    with pytest.raises(JournalError, match="wave_started: canary is running"):
        rollout.record(WaveStarted(wave="canary"))
    records = JournalFile(tmp_path / "journal.jsonl").read()
    assert [item.kind for item in records] == [RolloutStarted.kind, WaveStarted.kind]
    assert rollout.state == fold(rollout.plan, records)
