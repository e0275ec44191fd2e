# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that nobody else may read or replace."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..module_utils._core.errors import JournalError, PatchtideError

_EXPECTED = {
    errno.ENOSPC: "free space on its file system",
    errno.EDQUOT: "room in the quota of the user who runs the rollout",
    errno.EFBIG: "a higher limit for the size of files (ulimit -f)",
    errno.EROFS: "a file system that is mounted for writing",
    errno.EACCES: "a file and a directory that the user who runs the rollout may read and write",
    errno.EPERM: "a file that the user who runs the rollout may write",
    errno.ELOOP: "a regular file, not a symbolic link",
    errno.ENXIO: "a regular file",
    errno.EISDIR: "a regular file",
    errno.ENOTDIR: "only directories in its path",
    errno.EEXIST: "only directories in its path",
    errno.ENAMETOOLONG: "a shorter name",
    errno.ENOLCK: "a file system that honours flock",
    errno.EOPNOTSUPP: "a file system that honours flock",
}


def open_private(path: Path, flags: int) -> int:
    """Open a file, new ones with mode 0600, and return its descriptor. Symbolic links are not followed.

    :raises OSError: as ``os.open``.
    :raises JournalError: it is not a regular file, or is not owned by this user, root or the directory's owner.
    """
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise JournalError(f"{path} is not a file of ours, expected a regular file")
        if found.st_uid not in (os.geteuid(), 0, path.parent.stat().st_uid):
            raise JournalError(
                f"{path} belongs to user {found.st_uid}, expected user {os.geteuid()}, who runs the rollout"
            )
    except BaseException:
        os.close(handle)
        raise
    return handle


def make_directory(path: Path) -> None:
    """Create a directory and its missing parents, accessible only to their owner."""
    for parent in (*reversed(path.parents), path):
        if not parent.exists():
            parent.mkdir(mode=0o700, exist_ok=True)


def check_replaceable(path: Path) -> None:
    """:raises OSError: the file to be replaced is not a regular file, but a symbolic link or a device for example."""
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            number = errno.ELOOP if stat.S_ISLNK(mode) else errno.EISDIR if stat.S_ISDIR(mode) else errno.ENXIO
            raise OSError(number, os.strerror(number), str(path))


@contextmanager
def disk_errors(path: Path, action: str, error_class: type[PatchtideError] = JournalError) -> Iterator[None]:
    """Turn a system error about a file into an error that names the file and what is expected."""
    try:
        yield
    except OSError as error:
        expected = _EXPECTED.get(error.errno or 0, "a file system without errors")
        raise error_class(f"could not {action} {path}: {error.strerror}, expected {expected}") from error


def write_all(handle: int, data: bytes) -> None:
    """Write all bytes: a nearly full disk accepts a part and fails at the next attempt."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def sync_directory(path: Path) -> None:
    """Make new entries of a directory durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
