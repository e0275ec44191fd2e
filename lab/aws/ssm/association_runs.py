# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of associations: commands of State Manager's own, which ListCommands does not show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..node import Node
from .documents import find_document
from .invocations import Command, Invocation, status_of

if TYPE_CHECKING:
    from .backend import Place


@dataclass(frozen=True, slots=True)
class Run:
    """One execution."""

    execution_id: str
    version: int
    started: datetime
    command: Command

    @property
    def detail(self) -> str:
        detail = self.command.detail
        return "Success" if detail == "NoInstancesInTag" else detail

    @property
    def status(self) -> str:
        """ "Pending, InProgress, Success, Failed" are what an execution shows; a run without nodes is a success."""
        found = status_of(self.detail)
        return found if found in ("Pending", "InProgress", "Success") else "Failed"

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(outcome(row) for row in self.command.invocations.values()))


def outcome(row: Invocation) -> str:
    """Status of one node in a run."""
    found = status_of(row.detail)
    if found in ("Pending", "Delayed"):
        return "Pending"
    return found if found in ("InProgress", "Success") else "Failed"


def start_run(place: Place, declared: Mapping[str, Any], version: int, nodes: Sequence[Node]) -> Run:
    """Start one execution on these nodes. Without a rate all of them run at once (MaxConcurrency: default 100%)."""
    document = find_document(declared["Name"])
    command = Command(
        place=place,
        command_id=place.uuid(),
        document=document,
        parameters=document.read(declared.get("Parameters", {})),
        request={
            "MaxConcurrency": declared.get("MaxConcurrency", "100%"),
            "MaxErrors": declared.get("MaxErrors", "100%"),
        },
        requested=place.sim.now,
        nodes=nodes,
    )
    command.start()
    return Run(execution_id=place.uuid(), version=version, started=place.sim.now, command=command)
