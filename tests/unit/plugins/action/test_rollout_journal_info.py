# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_journal_info: whole journals are proved; every way of changing one is told by its first record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_journal_info import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import WaveStarted
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import next_record
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time

from tests.report import samples


def ask(folder: Path, **options: Any) -> dict[str, Any]:
    task = Mock(args={"dir": str(folder), **options}, check_mode=False, diff=False, async_val=0, environment=[])
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    samples.completed().write(tmp_path)
    return tmp_path


def lines_of(folder: Path) -> list[str]:
    return (folder / "journal.jsonl").read_text("utf-8").splitlines(keepends=True)


def test_a_whole_journal_is_proved_and_summed_up(folder: Path) -> None:
    found = ask(folder)
    assert (found["valid"], found["first_damaged"], found["torn"]) == (True, None, False)
    assert found["records"] == len(lines_of(folder)) == sum(found["events"].values())
    assert found["head"] == json.loads(lines_of(folder)[-1])["hash"]
    assert (found["status"], found["finished"], found["open_intents"]) == ("completed", True, [])
    assert all(wave["finished_nodes"] == wave["nodes"] for wave in found["waves"])
    assert [row["verdict"] for row in found["gates"]] == ["promote"] * len(found["waves"])


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda lines: [*lines[:6], lines[6].replace('"at":"2026', '"at":"2027'), *lines[7:]], "7 was changed"),
        (lambda lines: [*lines[:6], *lines[7:]], "7 is missing"),
        (lambda lines: [*lines[:6], lines[7], lines[6], *lines[8:]], "7 is missing"),
        (lambda lines: [*lines[:6], "no record\n", *lines[7:]], "not a journal record"),
        (lambda lines: [*lines[:6], "[1]\n", *lines[7:]], "not a journal record"),
    ],
    ids=["edited", "removed", "swapped", "garbled", "foreign"],
)
def test_the_first_damaged_record_is_named(folder: Path, damage: Any, expected: str) -> None:
    (folder / "journal.jsonl").write_text("".join(damage(lines_of(folder))), "utf-8")
    found = ask(folder, strict=False)
    assert not found["valid"] and found["records"] == 6 and found["first_damaged"]["seq"] == 7
    assert expected in found["first_damaged"]["reason"]
    failed = ask(folder)
    assert failed["failed"] and expected in failed["msg"]


def test_half_a_line_of_a_killed_writer_never_counted(folder: Path) -> None:
    with (folder / "journal.jsonl").open("a") as file:
        file.write('{"seq":')
    assert (ask(folder)["valid"], ask(folder)["torn"]) == (True, True)


def test_a_head_noted_elsewhere_tells_that_records_were_cut_off(folder: Path) -> None:
    head = ask(folder)["head"]
    assert ask(folder, head=head)["valid"]
    (folder / "journal.jsonl").write_text("".join(lines_of(folder)[:-1]), "utf-8")
    assert ask(folder)["valid"], "a shorter chain is whole in itself"
    assert "cut off" in ask(folder, head=head)["msg"]


def test_what_the_plan_does_not_allow_is_damage_though_the_chain_is_whole(tmp_path: Path) -> None:
    run = samples.completed()
    first = run.records[0]
    begun = WaveStarted(wave=run.plan["waves"][1]["name"])
    run.records[1:] = [next_record(first, begun.kind, begun.to_data(), from_time(first.at))]
    run.write(tmp_path)
    assert "record 2 does not fit the plan: wave_started" in ask(tmp_path)["msg"]


def test_without_its_plan_the_chain_is_still_proved(folder: Path) -> None:
    (folder / "plan.json").unlink()
    found = ask(folder)
    assert found["valid"] and "status" not in found


def test_a_missing_journal_is_named(tmp_path: Path) -> None:
    assert "expected an existing journal" in ask(tmp_path)["msg"]
