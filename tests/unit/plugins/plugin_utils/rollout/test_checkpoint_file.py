# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A checkpoint spares the folding of a long journal, and hides nothing that was done to the journal."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Decision
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout import journal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal_head import Head
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout import checkpoint_file, journal_file
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.head_file import HeadFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import Stores

from tests.contract.executor_worlds import begun_rollout
from tests.fakes.fleet_port import FakeClock

READ = journal_file.from_line


@pytest.fixture
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(checkpoint_file, "LEAST_BYTES", 1)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "rollout").mkdir()
    return tmp_path / "state"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the records that were read."""
    seen: list[int] = []

    def note(line: bytes) -> journal.Record:
        record = READ(line)
        seen.append(record.seq)
        return record

    monkeypatch.setattr(journal_file, "from_line", note)
    return seen


def decide(rollout: RolloutDir, reason: str) -> None:
    rollout.record(Decision(by="ann", action="accept_policy", what="f" * 64, reason=reason))


def begun(folder: Path) -> RolloutDir:
    rollout = begun_rollout(folder / "rollout", FakeClock(), "host-a", "linux")
    decide(rollout, "one")
    rollout.keep_checkpoint()
    return rollout


def opened(folder: Path, *, claims: str = "") -> RolloutDir:
    place = folder / "rollout"
    return RolloutDir(place, FakeClock(), Stores(place, claims=claims))


def test_only_what_came_after_it_is_read(tmp_path: Path, state_home: Path, read: list[int]) -> None:
    rollout = begun(tmp_path)
    decide(rollout, "two")
    read.clear()
    again = opened(tmp_path)
    assert read == [3]
    assert (again.state, again.head, again.origin) == (rollout.state, rollout.head, rollout.origin)
    decide(again, "three")
    rollout.confirm()
    assert rollout.head == again.head
    (kept,) = (state_home / "patchtide" / "checkpoints").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def damaged(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        file.write_bytes(change(file.read_bytes()))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        damaged(lambda data: data.replace(b'"one"', b'"two"')),
        damaged(lambda data: data[: data.rindex(b'{"at"')]),
        damaged(lambda data: data[data.index(b"\n") + 1 :]),
        damaged(lambda data: b""),
    ],
    ids=["changed", "cut back", "first record gone", "emptied"],
)
def test_damage_before_it_is_found_as_without_it(
    tmp_path: Path, state_home: Path, damage: Callable[[Path], None]
) -> None:
    begun(tmp_path)
    damage(tmp_path / "rollout" / "journal.jsonl")
    with pytest.raises(JournalError):
        opened(tmp_path)


@pytest.mark.parametrize("number", [1, 2])
def test_heads_that_name_its_records_are_no_reason_against_it(
    tmp_path: Path, state_home: Path, read: list[int], number: int
) -> None:
    rollout = begun(tmp_path)
    hashes = [json.loads(line)["hash"] for line in (tmp_path / "rollout" / "journal.jsonl").read_text().splitlines()]
    HeadFile(tmp_path / "heads" / f"{'5eed' * 8}.head").write(Head(number, hashes[number - 1]))
    read.clear()
    assert opened(tmp_path, claims=f"file:{tmp_path / 'claims.json'}").state == rollout.state and read == []


@pytest.mark.parametrize("place", ["journal", "claims"])
def test_a_journal_that_was_written_again_is_found_by_the_noted_head(
    tmp_path: Path, state_home: Path, place: str
) -> None:
    """Whoever also wrote a fitting checkpoint is still stopped by what was noted in another place."""
    begun(tmp_path)
    folder = tmp_path / "rollout"
    claims = f"file:{tmp_path / 'claims.json'}"
    head = {"journal": folder / "journal.head", "claims": tmp_path / "heads" / f"{'5eed' * 8}.head"}[place]
    text = json.loads((folder / "journal.head").read_text())
    head.parent.mkdir(exist_ok=True)
    head.write_text(json.dumps({**text, "seq": 1, "hash": "0" * 64}).ljust(255) + "\n")
    with pytest.raises(JournalError, match="is not the one that was written"):
        opened(tmp_path, claims=claims)


def test_one_that_is_damaged_or_of_other_code_is_not_used(
    tmp_path: Path, state_home: Path, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = begun(tmp_path)
    with monkeypatch.context() as other:
        other.setattr(checkpoint_file, "_code", lambda: "other")
        read.clear()
        assert opened(tmp_path).state == rollout.state and read == [1, 2]
    (kept,) = (state_home / "patchtide" / "checkpoints").iterdir()
    kept.write_text(kept.read_text().replace('"running"', '"aborted"'))
    assert opened(tmp_path).state.status == "running"


def test_a_finished_rollout_leaves_none(tmp_path: Path, state_home: Path) -> None:
    rollout = begun(tmp_path)
    rollout.state.finished = True
    rollout.keep_checkpoint()
    assert not list((state_home / "patchtide" / "checkpoints").iterdir())
