# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout needs of the places that keep its journal and its claims."""

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
        """Return the whole records not read before, in order; ``JournalError`` if the chain is broken."""

    def stream(self) -> Iterator[Record]:
        """Yield what ``read`` returns one by one, so that a journal of any length fits."""

    def append(
        self,
        kind: str,
        data: Mapping[str, Any],
        at: datetime,
        guard: Callable[[Sequence[Record]], None] | None = None,
    ) -> Record:
        """Add one record and return it once it is safely stored.

        :param guard: called under the store's lock with what others wrote meanwhile; raising refuses the record.
        """

    def grouped(self) -> AbstractContextManager[None]:
        """Let what is appended inside become safe together, at the end at the latest, where that is cheaper."""


class HeadStore(Protocol):
    """A note of a journal's head in another place than the journal."""

    def read(self) -> Head:
        """Return the head, that of an empty journal if none was noted; ``JournalError`` if it is something else."""

    def write(self, head: Head) -> None:
        """Note the head of a journal whose last record is durable."""


class ClaimStore(Protocol):
    """Who holds which node, shared by all controllers. Its times are given: it has no clock of its own."""

    def claim(self, nodes: Sequence[str], *, owner: str, window: str, until: datetime, now: datetime) -> list[Claim]:
        """Claim nodes, each by itself, and return for each who holds it afterwards: ``owner``, or somebody else.

        What the owner holds already is renewed; what is past its time is taken over.
        """

    def release(self, nodes: Sequence[str], *, owner: str) -> None:
        """Give up what the owner holds of these nodes; what others hold is left alone."""
