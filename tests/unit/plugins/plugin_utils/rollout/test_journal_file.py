# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's file: many writers, a kill at any byte, damage; and the rollout's directory over it."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, JournalError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import WaveStarted
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import verify
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.journal_file import JournalFile

from tests.fakes.events import started
from tests.fakes.fleet_port import FakeClock
from tests.fakes.plans import completed

AT = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)
FORK = multiprocessing.get_context("fork")


def write(path: Path, writer: int, count: int) -> None:
    journal = JournalFile(path)
    for number in range(count):
        journal.append("claimed", {"writer": writer, "number": number, "text": "é" * 50}, AT)


def test_concurrent_writers_lose_nothing_and_keep_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "run" / "journal.jsonl"
    writers = [FORK.Process(target=write, args=(path, writer, 25)) for writer in range(4)]
    for process in writers:
        process.start()
    for process in writers:
        process.join(60)
    records = JournalFile(path).read()
    last = verify(records)
    assert last is not None and last.seq == 100
    for writer in range(4):
        mine = [record.data["number"] for record in records if record.data["writer"] == writer]
        assert mine == list(range(25))


def test_killed_while_writing_the_journal_reads_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for _round in range(5):
        process = FORK.Process(target=write, args=(path, _round, 10_000))
        process.start()
        end = time.monotonic() + 20
        while (not path.exists() or path.stat().st_size < 2000) and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(0.02)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join(10)
        before = JournalFile(path).read()
        record = JournalFile(path).append("resumed", {}, AT)
        assert record.seq == len(before) + 1
        assert verify(JournalFile(path).read()) == record


def test_cut_at_any_byte_only_the_torn_line_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, 1, 2)
    before, head = path.stat().st_size, path.with_suffix(".head").read_bytes()
    write(path, 1, 1)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        path.with_suffix(".head").write_bytes(head)  # the last record was not safely stored, so it was not noted
        if cut < before:
            with pytest.raises(JournalError, match=r"cut back: it .*, expected 2 records"):
                JournalFile(path).read()
        else:
            assert len(JournalFile(path).read()) == 2
            assert cut % 7 or JournalFile(path).append("resumed", {}, AT).seq == 3


def test_a_reader_sees_only_what_is_new(tmp_path: Path) -> None:
    reader, writer = JournalFile(tmp_path / "j"), JournalFile(tmp_path / "j")
    assert reader.read() == []
    writer.append("claimed", {"number": 1}, AT)
    assert [record.seq for record in reader.read()] == [1]
    assert reader.read() == []
    writer.append("claimed", {"number": 2}, AT)
    assert [record.seq for record in reader.read()] == [2]


def test_the_guard_sees_what_others_wrote_and_can_refuse(tmp_path: Path) -> None:
    mine, other = JournalFile(tmp_path / "j"), JournalFile(tmp_path / "j")
    other.append("claimed", {"number": 1}, AT)

    def refuse(news: Any) -> None:
        raise JournalError(f"{len(news)} news")

    with pytest.raises(JournalError, match="1 news"):
        mine.append("claimed", {"number": 2}, AT, refuse)
    assert len(JournalFile(tmp_path / "j").read()) == 1
    assert mine.append("claimed", {"number": 3}, AT).seq == 2


@pytest.mark.parametrize("damage", [b"not json\n", b"\xff\xfe\n", b'{"seq": 1}\n'])
def test_damage_in_the_middle_is_an_error_and_nothing_is_added(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, 1, 2)
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + damage + second)
    with pytest.raises(JournalError):
        JournalFile(path).append("claimed", {}, AT)
    assert path.read_bytes() == first + damage + second


def plan() -> dict[str, Any]:
    return completed([{"name": "canary", "nodes": [{"node_id": "a"}]}])


def opened(folder: Path) -> RolloutDir:
    (folder / "plan.json").write_text(json.dumps(plan()), encoding="utf-8")
    return RolloutDir(folder, FakeClock())


def test_the_state_is_the_fold_of_the_journal(tmp_path: Path) -> None:
    rollout = opened(tmp_path)
    rollout.record(started(plan()["digest"]))
    rollout.record(WaveStarted(wave="canary"))
    assert opened(tmp_path).state == rollout.state
    assert (rollout.events, opened(tmp_path).events) == (2, 0)


def test_two_runs_cannot_both_begin(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    one.record(started(plan()["digest"]))
    with pytest.raises(JournalError, match="started before"):
        two.record(started(plan()["digest"]))
    assert len((tmp_path / "journal.jsonl").read_text("utf-8").splitlines()) == 1
    assert two.state == one.state


def test_what_the_state_refuses_is_not_written(tmp_path: Path) -> None:
    rollout = opened(tmp_path)
    with pytest.raises(JournalError):
        rollout.record(WaveStarted(wave="canary"))
    assert (tmp_path / "journal.jsonl").read_bytes() == b"" and rollout.events == 0


def test_rehearsing_writes_nothing(tmp_path: Path) -> None:
    rollout = opened(tmp_path)
    rollout.write(started(plan()["digest"]), check_mode=True)
    assert rollout.state.status == "running" and not (tmp_path / "journal.jsonl").exists()


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="run plan_rollout first"):
        RolloutDir(tmp_path, FakeClock())
    rollout = opened(tmp_path)
    with pytest.raises(BadInput, match="a wave of the plan: canary"):
        rollout.wave("x")
    with pytest.raises(BadInput, match="a node of the plan"):
        rollout.state_of_node("x")


def test_an_edited_plan_is_not_opened(tmp_path: Path) -> None:
    edited = plan()
    edited["waves"][0]["nodes"].append({**edited["waves"][0]["nodes"][0], "node_id": "b"})
    (tmp_path / "plan.json").write_text(json.dumps(edited), encoding="utf-8")
    with pytest.raises(BadInput, match="changed after"):
        RolloutDir(tmp_path, FakeClock())
