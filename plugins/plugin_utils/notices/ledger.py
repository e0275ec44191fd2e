# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which notice reached which route: JSON lines, mode 0600, appended after each delivery. It contains no secrets."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.exceptions.tags import Alarm
from ...module_utils._core.notice.coverage import to_coverage
from ...module_utils._core.stamp import from_time, to_time
from ..files import write_text
from ..line_file import LineFile, LineFileError
from ..private_file import disk_errors, make_directory, open_private
from .message import Message

NAME = "notices.jsonl"
_POLL_SECONDS = 0.1
#: In place of a route: what nobody needs to be sent. No route has this name.
_NOBODY = ""
_ALARM = ("kind", "text", "node_id", "exception_id")


class Busy(PatchtideError):
    """Another process sends notices."""

    code = "Busy"


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says. ``sent`` and ``digests``: by route. ``alarms``: those that were raised, with their time.

    ``settled``: keys of notices (``Notice.key``) that turned out to have nothing to say.
    """

    sent: Mapping[str, frozenset[str]]
    digests: Mapping[str, frozenset[str]]
    alarms: tuple[tuple[datetime, Alarm], ...]
    settled: frozenset[str] = frozenset()


class NoticeLedger:
    """One file for each policy. :param path: the file, made with its first record."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = LineFile(path, "the module notices")

    def read(self) -> Known:
        """:raises LineFileError: it can't be read, or is not such a file."""
        sent: dict[str, set[str]] = {}
        digests: dict[str, set[str]] = {}
        alarms = []
        for record in self._file.read():
            try:
                if "alarm" in record:
                    alarm = Alarm(**{name: str(record["alarm"][name]) for name in _ALARM})
                    alarms.append((from_time(record["at"]), alarm))
                    continue
                route = str(record["route"])
                sent.setdefault(route, set()).update(map(str, record["keys"]))
                digests.setdefault(route, set()).add(str(record["digest"]))
            except (KeyError, TypeError, ValueError) as error:
                raise LineFileError(f"{self.path} has a wrong record, expected route, keys and digest") from error
        return Known(
            {route: frozenset(keys) for route, keys in sent.items()},
            {route: frozenset(moments) for route, moments in digests.items()},
            tuple(alarms),
            frozenset(sent.get(_NOBODY, ())),
        )

    def note(self, message: Message, at: datetime) -> None:
        """Record durably that a message was delivered. :raises LineFileError: it could not be written."""
        record = {"at": to_time(at), "route": message.route, "key": message.key, "keys": list(message.keys)}
        self._file.append([{**record, "digest": message.digest, "kind": message.kind, "subject": message.subject}])

    def raise_alarms(self, alarms: Iterable[Alarm], at: datetime) -> None:
        """Record alarms before they are sent, because the tags that caused them are corrected in the meantime."""
        rows = [{name: getattr(alarm, name) for name in _ALARM} for alarm in alarms]
        self._file.append({"at": to_time(at), "alarm": row} for row in rows)

    def settle(self, keys: Iterable[str], at: datetime) -> None:
        """Record that notices have nothing to say, so that they are not derived again."""
        self._file.append({"at": to_time(at), "route": _NOBODY, "keys": [key], "digest": ""} for key in keys)

    @property
    def coverage(self) -> Path:
        """The file beside it with what ``enroll_nodes`` found last; each run replaces it."""
        return self.path.with_name("coverage.json")

    def keep_coverage(self, rows: Iterable[Mapping[str, Any]], at: datetime) -> None:
        """Replace the findings, before they are sent. :param rows: ``nodes`` of ``node_enrollment``."""
        make_directory(self.coverage.parent)
        write_text(self.coverage, json.dumps(to_coverage(rows, at), indent=1, ensure_ascii=False) + "\n")

    @contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        """Be the only process that sends. :raises Busy: another one does for longer than that."""
        lock = self.path.with_name(f"{self.path.name}.lock")
        with disk_errors(lock, "lock", LineFileError):
            make_directory(lock.parent)
            handle = open_private(lock, os.O_RDWR | os.O_CREAT)
        try:
            _lock(handle, time.monotonic() + seconds, lock)
            yield
        finally:
            os.close(handle)


def _lock(handle: int, until: float, path: Path) -> None:
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Busy(f"another process sends notices ({path}); what it leaves is sent by the next run") from None
            time.sleep(_POLL_SECONDS)
