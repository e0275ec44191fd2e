# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exception ledger as a JSON file: locked during changes, replaced atomically, intact after a kill."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...module_utils._core.errors import BadInput
from ...module_utils._core.exceptions.ledger import Decide
from ...module_utils._core.exceptions.records import ExceptionRecord
from ..files import locked, read_json, write_text

SCHEMA = "patchtide/exceptions/1"


class LedgerFile:
    """A ``Ledger`` on a local file system with flock; the lock is a separate file in the same directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[ExceptionRecord]:
        if not self._path.exists():
            return []
        data = read_json(self._path, "ledger")
        if (
            not isinstance(data, Mapping)
            or data.get("schema") != SCHEMA
            or not isinstance(data.get("exceptions"), list)
        ):
            raise BadInput("ledger", str(self._path), f"a file of the schema {SCHEMA}")
        found = [
            ExceptionRecord.from_dict(item, f"{self._path.name}: exceptions[{index}].")
            for index, item in enumerate(data["exceptions"])
        ]
        return sorted(found, key=lambda record: record.exception_id)

    def change(
        self, exception_id: str, decide: Decide, *, write: bool = True
    ) -> tuple[ExceptionRecord | None, ExceptionRecord | None]:
        if not write:
            before = self._find(exception_id)
            return before, decide(before)
        with self._locked():
            before = self._find(exception_id)
            after = decide(before)
            if after != before:
                rest = [item for item in self.read() if item.exception_id != exception_id]
                self._write([*rest, after] if after else rest)
            return before, after

    def _find(self, exception_id: str) -> ExceptionRecord | None:
        return next((item for item in self.read() if item.exception_id == exception_id), None)

    def _write(self, records: list[ExceptionRecord]) -> None:
        rows = [item.to_dict() for item in sorted(records, key=lambda record: record.exception_id)]
        write_text(self._path, json.dumps({"schema": SCHEMA, "exceptions": rows}, indent=1, ensure_ascii=False) + "\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with locked(self._path.with_name(f".{self._path.name}.lock")):
            yield
