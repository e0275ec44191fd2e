# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What really happened in the lab, for tests that must not ask the code under test."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from .clock import from_iso, to_iso

KINDS = (
    "installs",
    "install_runs",
    "reboots",
    "starts",
    "stops",
    "terminations",
    "commands",
    "tags",
    "targets",
    "alarms",
)


class _Named(Protocol):
    node_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which nodes may be patched; without nodes it is for all of them."""

    name: str
    start: datetime
    end: datetime
    nodes: frozenset[str] = frozenset()

    def holds(self, row: dict[str, Any], moment: datetime) -> bool:
        return self.start <= moment < self.end and (not self.nodes or not self.nodes.isdisjoint(_names(row)))


def _names(row: dict[str, Any]) -> tuple[str, str]:
    return row["node_id"], row["name"]


class Ledger:
    """Counts API calls and the IAM actions of roles. Records every install, reboot, start, stop, SendCommand, change of
    a tag, a target, an alarm's actions; and each run of an Install on a node from its begin to its end there, inside
    which window.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: tuple[Window, ...] = ()
        self.reset()

    def set_windows(self, windows: Iterable[Window]) -> None:
        """Say when nodes may be patched; runs of Install are held against it when the ledger is read."""
        self._windows = tuple(windows)

    def reset(self) -> None:
        with self._lock:
            self._windows = ()
            self._calls: Counter[tuple[str, str, str, str, str]] = Counter()
            self._actions: Counter[tuple[str, str, str, bool]] = Counter()
            self._rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}

    def count(self, account: str, region: str, service: str, operation: str, status: str) -> None:
        with self._lock:
            self._calls[(account, region, service, operation, status)] += 1

    def acted(self, account: str, role: str, actions: Iterable[str], *, refused: bool) -> None:
        """Note the IAM actions that a call of a role needs."""
        with self._lock:
            self._actions.update((account, role, action, refused) for action in actions)

    def install_begins(self, node: _Named, facts: dict[str, Any], at: datetime) -> dict[str, Any]:
        """Note that a node began an Install; returns the row for ``install_ends``."""
        row = {"at": to_iso(at), "node_id": node.node_id, "name": node.name, **facts, "ended": None, "outcome": None}
        with self._lock:
            self._rows["install_runs"].append(row)
        return row

    def install_ends(self, row: dict[str, Any], outcome: str, at: datetime) -> None:
        with self._lock:
            row.update(ended=to_iso(at), outcome=outcome)

    def fact(self, kind: str, facts: dict[str, Any], at: datetime) -> None:
        """Note what belongs to no node."""
        with self._lock:
            self._rows[kind].append({"at": to_iso(at), **facts})

    def _placed(self, row: dict[str, Any]) -> dict[str, Any]:
        """A run of Install with the window in which it began, and whether it ended in it."""
        window = next((item for item in self._windows if item.holds(row, from_iso(row["at"]))), None)
        ended_in = window.holds(row, from_iso(row["ended"])) if window and row["ended"] else None
        return {**row, "window": window.name if window else None, "ended_in": ended_in}

    def note(self, kind: str, node: _Named, facts: dict[str, Any], at: datetime) -> None:
        row = {"at": to_iso(at), "node_id": node.node_id, "name": node.name, **facts}
        with self._lock:
            self._rows[kind].append(row)

    def to_dict(self) -> dict[str, Any]:
        """Return calls and IAM actions as rows with a count, and the events in the order in which they happened."""
        names = ("account", "region", "service", "operation", "status")
        with self._lock:
            calls = [{**dict(zip(names, key, strict=True)), "count": n} for key, n in sorted(self._calls.items())]
            done = ("account", "role", "action", "refused")
            actions = [{**dict(zip(done, key, strict=True)), "count": n} for key, n in sorted(self._actions.items())]
            rows = {kind: list(found) for kind, found in self._rows.items()}
            runs = [self._placed(row) for row in rows["install_runs"]]
            return {"calls": calls, "actions": actions, **rows, "install_runs": runs}
