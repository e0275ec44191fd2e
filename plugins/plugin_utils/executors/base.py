# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the driver asks of an executor: begin work on nodes, find it again, see how it goes, stop it.

The driver announces work in the journal before it calls ``begin``, and records what ``begin`` returned. All calls block
and run in threads; an executor keeps no state that a new controller would miss, but for caches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.executors import Executor
from ...module_utils._core.work.ssm.ports import sure

#: The longest pause between two looks at a host that is reached directly.
LONG_LOOK_SECONDS = 30.0
#: A node's result of a stage, as the journal has it: ``node_id``, ``status`` and what the stage adds.
Result = Mapping[str, Any]


class Unknown(PatchtideError):
    """Work may have begun or not: the answer was lost. The driver looks it up until there is a clear answer."""

    code = "Unknown"


@dataclass(slots=True, kw_only=True)
class Work:
    """A stage on nodes of one executor, from its intent to the last outcome.

    :param token: names it on the node or at the service; one for each attempt, never used twice.
    :param place: the account-Region, or the host itself where it is reached directly.
    :param nodes: ids of the nodes without an outcome yet.
    :param at: when it was announced. :param deadline: when it must have ended.
    :param snapshot_id: a GUID of this attempt, by which the patch state that it leaves is told from older ones.
    :param handle: what ``begin`` or ``look_up`` returned, such as a command id; ``""`` before that.
    :param confirm: ``begin`` calls it right before each call by which the work may reach a node.
    """

    stage: str
    attempt: int
    token: str
    place: str
    nodes: tuple[str, ...]
    at: datetime
    deadline: datetime
    handle: str = ""
    snapshot_id: str = ""
    trouble: str = field(default="", compare=False)
    confirm: Callable[[], None] = field(default=sure, compare=False, repr=False)


class ExecutorPort(Protocol):
    """One executor at work in one wave. Implementations are in the files beside this one."""

    row: Executor
    #: Seconds between two looks at work.
    poll_seconds: float

    def batches(self, stage: str, nodes: Sequence[str]) -> list[tuple[str, list[str]]]:
        """Return (place, node ids) for each piece of work that one ``begin`` takes."""

    def deadline(self, stage: str, at: datetime) -> datetime:
        """Return when work that is announced now must have ended."""

    def begin(self, work: Work) -> str:
        """Begin announced work and return its handle, ``""`` where the look at it is all the work. Repeating it with
        the same token never does the work twice, or the executor's look-up tells that it was done. What
        ``work.confirm`` raises is passed on, and nothing was begun.

        :raises Unknown: it may have begun. :raises PatchtideError: it was refused; nothing runs.
        """

    def look_up(self, work: Work, *, final: bool) -> str | None:
        """Return the handle of work that an earlier controller may have begun, or that it was not begun: ``""`` where
        ``begin`` may be called with its token, ``None`` where it never begins under this token.

        :param final: it must not begin any more; the answer is never ``""``.
        :raises PatchtideError: that can't be told now.
        """

    def poll(self, work: Work) -> list[Result]:
        """Return the results of nodes that ended since the last call; what the node says, never what was hoped.

        :raises PatchtideError: nobody can be asked now; ask again.
        """

    def service_time(self) -> datetime | None:
        """Return what time it is where the work is done; ``None`` where that can't be told or does not matter."""

    def give_up(self, work: Work, why: PatchtideError | None) -> list[Result]:
        """Return the results of the nodes that are left.

        :param why: ``begin`` was refused; ``None``: the deadline is over, and the work is stopped as far as it can be.
        """


def seconds_to_look(port: ExecutorPort, work: Work, now: datetime) -> float:
    """Return when to look at work again. A host takes a connection for each look, so one that works for long is looked
    at less often: after half of the time it took so far."""
    taken = (now - work.at).total_seconds()
    return max(port.poll_seconds, min(taken / 2, LONG_LOOK_SECONDS)) if port.row.is_direct else port.poll_seconds
