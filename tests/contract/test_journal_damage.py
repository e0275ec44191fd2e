# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal that lost records, was removed or replaced is refused by every store, before anything is written to it."""

from __future__ import annotations

import multiprocessing
import resource
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.stores import DynamoJournal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import verify
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.stores import JournalStore
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.journal_file import JournalFile

AT = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)
FORK = multiprocessing.get_context("fork")


class Kept(ABC):
    """A journal where it is kept, for a test to damage."""

    @abstractmethod
    def open(self) -> JournalStore:
        """Open it, as a controller does."""

    @abstractmethod
    def keep(self, count: int) -> None:
        """Remove all records but the first ones; the head stays."""

    def write(self, *kinds: str) -> None:
        for kind in kinds:
            self.open().append(kind, {"text": "é" * 20}, AT)


class KeptInFile(Kept):
    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.jsonl"
        self.head = folder / "journal.head"

    def open(self) -> JournalStore:
        return JournalFile(self.path)

    def keep(self, count: int) -> None:
        self.path.write_bytes(b"".join(self.path.read_bytes().splitlines(keepends=True)[:count]))


class KeptInTable(Kept):
    def __init__(self, client: Any) -> None:
        self.client, self.table = client, f"journal-{uuid.uuid4().hex[:8]}"
        keys = {"rollout": ("S", "HASH"), "seq": ("N", "RANGE")}
        client.create_table(
            TableName=self.table,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, (kind, _role) in keys.items()],
            KeySchema=[{"AttributeName": key, "KeyType": role} for key, (_kind, role) in keys.items()],
            BillingMode="PAY_PER_REQUEST",
        )

    def open(self) -> JournalStore:
        return DynamoJournal(self.client, self.table, "r")

    def keep(self, count: int) -> None:
        for row in self.client.scan(TableName=self.table)["Items"]:
            if row["rollout"]["S"] == "r" and int(row["seq"]["N"]) > count:
                self.client.delete_item(TableName=self.table, Key={key: row[key] for key in ("rollout", "seq")})


@pytest.fixture(params=["file", "dynamodb"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "file":
        return KeptInFile(tmp_path)
    return KeptInTable(request.getfixturevalue("aws").client("dynamodb"))


@pytest.fixture
def file(tmp_path: Path) -> KeptInFile:
    found = KeptInFile(tmp_path)
    found.write("a", "b", "c")
    return found


@pytest.mark.parametrize("count", [0, 1, 2])
def test_records_cut_off_are_missed_at_the_next_open(kept: Kept, count: int) -> None:
    kept.write("a", "b", "c")
    last = kept.open().read()[-1]
    kept.keep(count)
    for work in (lambda: kept.open().read(), lambda: kept.open().append("d", {}, AT)):
        with pytest.raises(JournalError, match=f"expected 3 records, the last with the hash {last.hash}.*Restore"):
            work()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_records_cut_off_are_missed_by_who_follows(kept: Kept, count: int) -> None:
    kept.write("a", "b", "c")
    store = kept.open()
    store.read()
    kept.keep(count)
    for work in (store.read, lambda: store.append("d", {}, AT)):
        with pytest.raises(JournalError, match=r"cut back.*record 3, hash"):
            work()


def test_other_records_in_their_place_are_noticed(kept: Kept) -> None:
    kept.write("a", "b")
    store = kept.open()
    store.read()
    kept.keep(1)
    if isinstance(kept, KeptInFile):
        kept.head.unlink()
        kept.write("x")
    else:
        noted = kept.open()
        noted._noted = type(noted._last)()  # type: ignore[attr-defined]  # a journal in DynamoDB
        noted.append("x", {"text": "é" * 20}, AT)  # type: ignore[attr-defined]  # a journal in DynamoDB
        with pytest.raises(JournalError, match="record 2 is not the one that was written"):
            kept.open().read()
    with pytest.raises(JournalError, match=r"was changed|cut back or replaced"):
        store.read()


def test_a_head_behind_the_journal_is_followed(file: KeptInFile) -> None:
    old = file.head.read_bytes()
    file.write("d")
    file.head.write_bytes(old)
    assert len(file.open().read()) == 4
    assert file.open().append("e", {}, AT).seq == 5
    file.keep(4)
    with pytest.raises(JournalError, match="expected 5 records"):
        file.open().read()


def test_removed_or_replaced(file: KeptInFile) -> None:
    store = file.open()
    store.read()
    copy = file.path.read_bytes()
    file.path.unlink()
    for opened in (store, file.open()):
        with pytest.raises(JournalError, match=r"journal\.jsonl is missing: expected 3 records"):
            opened.append("d", {}, AT)
    assert not file.path.exists()
    other = file.path.with_name("other")
    other.write_bytes(copy)
    other.rename(file.path)
    assert file.open().append("d", {}, AT).seq == 4, "restored from a backup it goes on"


def test_replaced_by_another_file_while_in_use(file: KeptInFile) -> None:
    store = file.open()
    store.read()
    other = file.path.with_name("other")
    other.write_bytes(file.path.read_bytes())
    other.rename(file.path)
    with pytest.raises(JournalError, match="replaced while it was in use"):
        store.append("d", {}, AT)


@pytest.mark.parametrize("garbage", [b"\n", b"x\n", b"{}\n", b"\xff\n", b"\x00\x00\x00\n"])
def test_garbage_behind_the_records_is_refused_and_kept_for_whoever_looks(file: KeptInFile, garbage: bytes) -> None:
    with file.path.open("ab") as out:
        out.write(garbage)
    whole = file.path.read_bytes()
    with pytest.raises(JournalError, match=r"journal\.jsonl: not a journal record"):
        file.open().append("d", {}, AT)
    assert file.path.read_bytes() == whole


@pytest.mark.parametrize("tail", [b'{"at":"2026', b'{"at":"\xc3', b"\x00"])
def test_a_torn_last_line_never_counted(file: KeptInFile, tail: bytes) -> None:
    store = file.open()
    with file.path.open("ab") as out:
        out.write(tail)
    assert len(store.read()) == 3
    assert store.append("d", {}, AT).seq == 4 and len(file.open().read()) == 4


@pytest.mark.parametrize("name", ["journal.jsonl", "journal.head"])
def test_no_symbolic_link_is_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "precious").write_bytes(b"")
    (tmp_path / name).symlink_to(tmp_path / "precious")
    with pytest.raises(JournalError, match=f"{name}.*expected a regular file, not a symbolic link"):
        KeptInFile(tmp_path).write("a")
    assert (tmp_path / "precious").read_bytes() == b""


def test_only_the_owner_may_read(file: KeptInFile) -> None:
    assert [path.stat().st_mode & 0o777 for path in (file.path, file.head)] == [0o600, 0o600]


def in_a_child(work: Callable[[], None]) -> int | None:
    process = FORK.Process(target=work)
    process.start()
    process.join(60)
    return process.exitcode


def test_a_file_that_may_not_grow_is_told_and_the_record_never_counted(file: KeptInFile) -> None:
    size = file.path.stat().st_size

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))
        with pytest.raises(JournalError, match=r"could not write .*journal\.jsonl: File too large, expected a higher"):
            file.open().append("d", {"text": "x" * 1000}, AT)

    assert in_a_child(work) == 0
    assert file.path.stat().st_size == size, "the part that found room is taken back"
    assert file.open().append("d", {}, AT).seq == 4


def test_two_processes_append_at_once(kept: Kept) -> None:
    def work(name: str) -> None:
        store = kept.open()
        for number in range(10):
            store.append("note", {"writer": name, "number": number}, AT)

    processes = [FORK.Process(target=work, args=(name,)) for name in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert {process.exitcode for process in processes} == {0}, "a writer failed, or was too slow"
    records = kept.open().read()
    assert verify(records) == records[-1] and len(records) == 20
