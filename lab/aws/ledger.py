# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What really happened in the lab, for tests that must not ask the code under test."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime
from typing import Any, Protocol

from .clock import to_iso

KINDS = ("installs", "reboots", "starts", "stops", "commands", "tags", "targets")


class _Named(Protocol):
    node_id: str
    name: str


class Ledger:
    """Counts API calls and records every install, reboot, start, stop, SendCommand, change of a tag or a target."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._calls: Counter[tuple[str, str, str, str, str]] = Counter()
            self._rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}

    def count(self, account: str, region: str, service: str, operation: str, status: str) -> None:
        with self._lock:
            self._calls[(account, region, service, operation, status)] += 1

    def note(self, kind: str, node: _Named, facts: dict[str, Any], at: datetime) -> None:
        row = {"at": to_iso(at), "node_id": node.node_id, "name": node.name, **facts}
        with self._lock:
            self._rows[kind].append(row)

    def command(self, facts: dict[str, Any], at: datetime) -> None:
        with self._lock:
            self._rows["commands"].append({"at": to_iso(at), **facts})

    def to_dict(self) -> dict[str, Any]:
        """Return calls as rows with a count, and the events in the order in which they happened."""
        names = ("account", "region", "service", "operation", "status")
        with self._lock:
            calls = [{**dict(zip(names, key, strict=True)), "count": n} for key, n in sorted(self._calls.items())]
            return {"calls": calls, **{kind: list(rows) for kind, rows in self._rows.items()}}
