# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The place of a history: a directory, or a bucket as ``s3://name/prefix``."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ...module_utils._aws.history_bucket import HistoryBucket
from ...module_utils._core.errors import BadInput
from ...module_utils._core.history.store import HistoryStore, Stored
from ...module_utils._core.model import Place
from ..aws_options import own_region, to_sessions
from ..files import FileError
from ..private_file import check_replaceable, disk_errors, make_directory, sync_directory

_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9._=-]+)*)/?")


class HistoryDirectory:
    """A directory. Files are durable and whole before their name appears, and readable by their owner only."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.where = str(root)

    def read(self, name: str) -> bytes | None:
        path = self._root / name
        with disk_errors(path, "read", FileError):
            return path.read_bytes() if path.exists() else None

    def write(self, name: str, source: str | bytes) -> None:
        path = self._root / name
        with disk_errors(path, "write", FileError):
            make_directory(path.parent)
            check_replaceable(path)
            handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
            try:
                with os.fdopen(handle, "wb") as file:
                    if isinstance(source, bytes):
                        file.write(source)
                    else:
                        with Path(source).open("rb") as data:
                            shutil.copyfileobj(data, file)
                    file.flush()
                    os.fsync(file.fileno())
                Path(draft).replace(path)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
            sync_directory(path.parent)

    def local(self, name: str, folder: str) -> str:
        return str(self._root / name)

    def names(self, folder: str) -> Iterator[str]:
        found = (path for path in sorted((self._root / folder).rglob("*")) if not path.name.startswith("."))
        yield from (path.relative_to(self._root).as_posix() for path in found if path.is_file())

    def files(self, folder: str) -> Iterator[Stored]:
        for name in self.names(folder):
            found = (self._root / name).stat()
            modified = datetime.fromtimestamp(found.st_mtime, timezone.utc)
            yield Stored(name=name, modified=modified, size=found.st_size)

    def remove(self, name: str) -> None:
        path = self._root / name
        with disk_errors(path, "remove", FileError):
            path.unlink(missing_ok=True)


def open_history(text: str, options: Mapping[str, Any], option: str = "history") -> HistoryStore:
    """Return the place of a history.

    :param text: a directory, or ``s3://bucket/prefix``. :param options: with the AWS connection and ``kms_key``.
    :param option: what names the place. :raises BadInput: the address is not valid.
    """
    if not text.startswith("s3:"):
        return HistoryDirectory(Path(text).expanduser())
    match = _ADDRESS.fullmatch(text)
    if not match:
        raise BadInput(option, text, "a directory, or s3:// with bucket and prefix (letters, digits and . _ = -)")
    sessions = to_sessions(options)
    region = own_region(options, sessions)
    if not region:
        raise BadInput("region", None, "the Region of the bucket: set region or AWS_REGION")
    client = sessions.client("s3", Place(region=region))
    return HistoryBucket(client, match[1], match[2].strip("/"), options.get("kms_key") or "")
