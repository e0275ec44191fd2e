# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports to the stores of a rollout's journal and claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from .claims import Claim
from .journal import Record
from .journal_head import Head


class JournalStore(Protocol):
    """An append-only, hash-chained list of records that several writers share."""

    def read(self) -> list[Record]:
        """Return the complete records not read before, in order; ``JournalError`` if the chain is broken."""

    def stream(self) -> Iterator[Record]:
        """Yield what ``read`` returns one by one, so that a journal of any length fits in memory."""

    def append(
        self,
        kind: str,
        data: Mapping[str, Any],
        at: datetime,
        guard: Callable[[Sequence[Record]], None] | None = None,
    ) -> Record:
        """Add one record and return it once it is durable.

        :param guard: called under the store's lock with what others wrote meanwhile; an error refuses the record.
        """

    def grouped(self) -> AbstractContextManager[None]:
        """Make records appended in this context durable together, by its end at the latest, if this is cheaper."""


class HeadStore(Protocol):
    """A note of a journal's head, kept apart from the journal."""

    def read(self) -> Head:
        """Return the head, or that of an empty journal if none was noted; ``JournalError`` if it is not a head."""

    def write(self, head: Head) -> None:
        """Note the head of a journal whose last record is durable."""


class ClaimStore(Protocol):
    """Who holds which node, shared by all controllers. It has no clock; callers pass the times."""

    def claim(self, nodes: Sequence[str], *, owner: str, window: str, until: datetime, now: datetime) -> list[Claim]:
        """Claim nodes independently, and return who holds each afterwards: ``owner``, or somebody else.

        Claims that the owner already holds are renewed; expired claims are taken over.
        """

    def release(self, nodes: Sequence[str], *, owner: str) -> None:
        """Release the owner's claims on these nodes; claims of others remain."""
