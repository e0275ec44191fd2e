# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port that every executor implements: begin work on nodes, find it again, poll it, cancel it.

The driver announces work in the journal before it calls ``begin``, and records what ``begin`` returned. All calls block
and run in threads; apart from caches, an executor keeps no state that a new controller would miss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.executors import Executor
from ...module_utils._core.work.ssm.ports import sure

#: Longest pause between two polls, unless the executor polls less often; progress is never known later than that.
LONG_LOOK_SECONDS = 30.0
#: A node's result of a stage, as in the journal: ``node_id``, ``status`` and the members that the stage adds.
Result = Mapping[str, Any]


class Unknown(PatchtideError):
    """Whether work began is unknown: the answer was lost. The driver looks it up until the answer is clear."""

    code = "Unknown"


@dataclass(slots=True, kw_only=True)
class Work:
    """A stage on nodes of one executor, from its intent to the last outcome.

    :param token: identifies the work on the node or at the service; one for each attempt, never reused.
    :param place: the account-Region, or the host itself where it is reached directly.
    :param nodes: IDs of the nodes without an outcome.
    :param at: when it was announced. :param deadline: when it must have ended.
    :param snapshot_id: a GUID of this attempt, which distinguishes its patch state from older ones.
    :param handle: what ``begin`` or ``look_up`` returned, such as a command ID; ``""`` before that.
    :param confirm: ``begin`` calls it right before each call that may send the work to a node.
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
    """One executor in one wave. Implementations are in the files beside this one."""

    row: Executor
    #: Seconds between two polls of work.
    poll_seconds: float

    def batches(self, stage: str, nodes: Sequence[str]) -> list[tuple[str, list[str]]]:
        """Return (place, node IDs) for each piece of work that one ``begin`` accepts."""

    def deadline(self, stage: str, at: datetime) -> datetime:
        """Return the deadline of work that is announced now."""

    def begin(self, work: Work) -> str:
        """Begin announced work and return its handle, ``""`` if the poll itself does the work. A repeated call with the
        same token never does the work twice, or the executor's look-up finds that it was done. Errors of
        ``work.confirm`` are passed on, and nothing has begun then.

        :raises Unknown: it may have begun. :raises PatchtideError: it was refused; nothing runs.
        """

    def look_up(self, work: Work, *, final: bool) -> str | None:
        """Return the handle of work that an earlier controller may have begun. For work that has not begun, return
        ``""`` if ``begin`` may be called with its token, ``None`` if it can never begin under this token.

        :param final: it must no longer begin; the answer is never ``""``.
        :raises PatchtideError: this is not known now.
        """

    def poll(self, work: Work) -> list[Result]:
        """Return the results of nodes that ended since the last call, as reported by the node, never assumed.

        :raises PatchtideError: no answer is available now; poll again.
        """

    def service_time(self) -> datetime | None:
        """Return the time where the work is done; ``None`` if it is unknown or does not matter."""

    def give_up(self, work: Work, why: PatchtideError | None) -> list[Result]:
        """Return the results of the remaining nodes.

        :param why: why ``begin`` was refused; ``None`` if the deadline has passed: the work is stopped where possible.
        """


def seconds_to_look(port: ExecutorPort, work: Work, now: datetime) -> float:
    """Return when to poll work again. Each poll takes a call or a connection, so long-running work is polled less
    often: after half of the time that it has taken so far."""
    taken = (now - work.at).total_seconds()
    return max(port.poll_seconds, min(taken / 2, LONG_LOOK_SECONDS))
