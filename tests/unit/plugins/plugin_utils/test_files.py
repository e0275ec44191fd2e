# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's files are for their owner alone, whole or not at all, and never somebody else's."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.exceptions.ledger_file import LedgerFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.files import (
    FileError,
    locked,
    read_json,
    write_pieces,
    write_text,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.claim_file import ClaimFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.controller_lock import LOCK, NAME, taking_over


def take_over(folder: Path) -> None:
    with taking_over(folder):
        pass


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_files_and_the_directories_to_them_are_private(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "scan.json"
    assert write_text(path, "x") and not write_text(path, "x")
    write_pieces(tmp_path / "a" / "plan.json", iter(["x"]))
    modes = [mode(found) for found in (path, path.parent, tmp_path / "a", tmp_path / "a" / "plan.json")]
    assert modes == [0o600, 0o700, 0o700, 0o600]
    take_over(tmp_path)
    assert mode(tmp_path / NAME) == mode(tmp_path / LOCK) == 0o600


def test_a_file_that_was_open_to_all_is_private_once_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    (tmp_path / "x").chmod(0o666)
    assert write_text(tmp_path / "x", "new") and mode(tmp_path / "x") == 0o600


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    for name in ("scan.json", NAME, "claims.json.lock", ".ledger.json.lock"):
        (tmp_path / name).symlink_to(tmp_path / "precious")
    for work in (
        lambda: write_text(tmp_path / "scan.json", "mine"),
        lambda: write_pieces(tmp_path / "scan.json", ["x"]),
        lambda: take_over(tmp_path),
        lambda: ClaimFile(tmp_path / "claims.json").release([], owner="x"),
        lambda: LedgerFile(tmp_path / "ledger.json").change("x", lambda record: record),
    ):
        with pytest.raises(FileError, match="expected a regular file, not a symbolic link"):
            work()
    (tmp_path / NAME).unlink()
    (tmp_path / LOCK).unlink()
    (tmp_path / LOCK).symlink_to(tmp_path / "precious")
    with pytest.raises(FileError, match="not a symbolic link"):
        take_over(tmp_path)
    assert (tmp_path / "precious").read_text() == "mine" and (tmp_path / "scan.json").is_symlink()


def test_what_is_no_file_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(FileError, match=f"could not write .*{name}: .*expected a regular file"):
            write_text(tmp_path / name, "x")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="expected only directories in its path"):
        write_text(tmp_path / "file" / "scan.json", "x")


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, "free space"), (errno.EROFS, "mounted for writing")])
def test_what_the_disk_refuses_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: str
) -> None:
    def full(*_more: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FileError, match=f"could not write .*scan.json: .*{expected}"):
        write_text(tmp_path / "scan.json", "x")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_private_and_left(tmp_path: Path) -> None:
    with locked(tmp_path / "x.lock"):
        assert mode(tmp_path / "x.lock") == 0o600


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": NaN}', "not valid in JSON"),
        ('{"a": 1e999}', "not valid in JSON"),
        ('{"a": 1, "a": 2}', "duplicate members"),
        ("[" * 100_000, "fewer levels"),
        ("9" * 5000, "a readable JSON file"),
        ("\x9b\u202e{", "a readable JSON file"),
    ],
)
def test_json_that_readers_differ_about_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "x.json").write_text(text, "utf-8")
    with pytest.raises(BadInput, match=expected) as caught:
        read_json(tmp_path / "x.json", "dir")
    assert "x.json" in str(caught.value) and str(caught.value).isprintable()
