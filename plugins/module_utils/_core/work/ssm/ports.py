# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the work on SSM nodes needs of a place: Run Command and patch states."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ...model import Patch, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One node's part of a command: SSM's StatusDetails without spaces, and the first 2,500 characters of output."""

    node_id: str
    status: str
    code: int = -1
    output: str = ""
    started_at: str | None = None
    ended_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchState:
    """A node's summary after its last Scan or Install (DescribeInstancePatchStates)."""

    node_id: str
    operation: str
    operation_ended_at: datetime | None
    counts: Mapping[str, int]
    baseline_id: str | None = None
    snapshot_id: str = ""
    override_list: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """What SendCommand is asked. At most 50 nodes."""

    document: str
    parameters: Mapping[str, Sequence[str]]
    node_ids: Sequence[str]
    comment: str
    delivery_timeout: int = 600
    max_concurrency: str = "100%"
    max_errors: str = "100%"


def sure() -> None:
    """Confirm nothing: who sends for no rollout shares its work with nobody."""


class FleetPort(Protocol):
    """Run Command and patch state of one place. All errors are ``PatchtideError``."""

    place: Place

    def send(self, request: CommandRequest, confirm: Callable[[], None] = sure) -> str:
        """Send once, never retried behind our back, and return the command id.

        :param confirm: is called right before each attempt; what it raises is passed on.
        :raises Ambiguous: the answer was lost, so the command may or may not exist.
        """

    def find(self, comment: str, document: str, after: datetime) -> str | None:
        """Return the command with that comment, if there is one: SendCommand has no idempotency token."""

    def invocations(self, command_id: str, with_output: bool, nodes: Collection[str] = ()) -> list[Invocation]:
        """Return every node's part of the command: all pages, or those up to the last one of ``nodes``."""

    def service_time(self) -> datetime | None:
        """Return the service's time; ``None`` where it says none."""

    def refusal(self, command_id: str) -> str:
        """Return why the service ended a command before any node had a part of it; ``""`` where it did not."""

    def cancel(self, command_id: str) -> None:
        """Ask for its end; the service gives no guarantee."""

    def patch_states(self, node_ids: Sequence[str]) -> list[PatchState]:
        """Return the patch states of these nodes, 50 a call; a node never scanned is missing from the answer."""

    def patches(self, node_id: str, states: Sequence[str], ids: Sequence[str] = ()) -> list[Patch]:
        """Return the node's patches in these states (Missing, Failed, …), of ``ids`` alone if there are any."""

    def output(self, command_id: str, node_id: str) -> str:
        """Return the first 24,000 characters that a script printed on a node."""
