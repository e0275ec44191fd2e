# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that only their owner may read; what the disk refuses is named with what would be right."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.private_file import disk_errors, open_private


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "No space left on device, expected free space"),
        (errno.EDQUOT, "expected room in the quota"),
        (errno.EROFS, "expected a file system that is mounted for writing"),
        (errno.EACCES, "may read and write"),
        (errno.EIO, "expected a file system without errors"),
    ],
)
def test_what_the_disk_refuses_is_named(number: int, expected: str) -> None:
    with pytest.raises(JournalError, match=f"could not write /run/journal.jsonl: .*{expected}"):  # noqa: SIM117
        with disk_errors(Path("/run/journal.jsonl"), "write"):
            raise OSError(number, os.strerror(number))


def test_new_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        os.close(open_private(tmp_path / "new", os.O_RDWR | os.O_CREAT))
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(JournalError, match="expected a regular file"):
        open_private(tmp_path / "pipe", os.O_RDONLY)


def test_a_stranger_s_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").touch()
    kind = os.stat_result
    real = os.fstat

    def strange(handle: int) -> os.stat_result:
        fields = list(real(handle))
        fields[4] = 4711
        return kind(fields)

    monkeypatch.setattr(os, "fstat", strange)
    with pytest.raises(JournalError, match="belongs to user 4711"):
        open_private(tmp_path / "x", os.O_RDONLY)
