# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of assumed roles, shared by the Regions of a process and, in a private directory, by the tasks of a play.

Credentials from a Regional endpoint of STS are valid in all Regions (IAM user guide, "Manage AWS STS in an AWS
Region").
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .._core.errors import BadInput

Credentials = Mapping[str, str]
#: botocore renews credentials from 15 minutes before they expire.
_LEAST = timedelta(minutes=16)
#: Seconds to wait for another Region's AssumeRole; its STS may be down.
_PATIENCE = 3.0
_MEMBERS = frozenset(("access_key", "secret_key", "token", "expiry_time"))


class RoleCache:
    """Thread-safe.

    :param folder: an existing directory of this user that nobody else can read; without it, only memory is used.
    :raises BadInput: the directory is missing, or others can read it.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._folder = _checked(Path(folder)) if folder else None
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, Credentials] = {}

    def get(self, role: tuple[str, ...], assume: Callable[[], Credentials]) -> Credentials:
        """Return the credentials of a role, with at least 16 minutes left; ``assume`` gets new ones.

        :param role: what the credentials depend on: ARN, external ID, session name, the caller's credentials.
        """
        key = hashlib.sha256(json.dumps(role).encode()).hexdigest()
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        waited = lock.acquire(timeout=_PATIENCE)
        try:
            found = self._known.get(key) or self._read(key)
            if not found or not _lasts(found):
                found = assume()
                self._write(key, found)
            self._known[key] = found
            return found
        finally:
            if waited:
                lock.release()

    def _read(self, key: str) -> Credentials | None:
        if self._folder is None:
            return None
        try:
            found = json.loads((self._folder / key).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and set(found) == _MEMBERS else None

    def _write(self, key: str, credentials: Credentials) -> None:
        """Write the file under another name first, so that no task reads half of it."""
        if self._folder is None:
            return
        draft = self._folder / f"{key}.{os.getpid()}.{threading.get_ident()}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(dict(credentials), file)
        draft.replace(self._folder / key)


def _lasts(credentials: Credentials) -> bool:
    left = datetime.fromisoformat(credentials["expiry_time"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
    return left > _LEAST


def _checked(folder: Path) -> Path:
    try:
        found = folder.lstat()
    except OSError as error:
        raise BadInput("role_cache", str(folder), f"an existing directory ({error.strerror})") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise BadInput("role_cache", str(folder), "a directory of this user that nobody else can read (mode 0700)")
    return folder
