# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver's journal events and the messages about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils._core.events import Event, Intent, Outcome, Sent
from ...module_utils._core.model import Status
from ...module_utils._core.rollout.earlier import with_earlier
from ...module_utils._core.rollout.state import NOT_BEGUN
from ...module_utils._core.stamp import to_time
from ...module_utils._core.text import plain
from ...module_utils._core.work.node_answer import bounded
from ..executors.base import Result, Work
from ..rollout.folder import RETRY_SECONDS, RolloutDir

#: Stage and status of a node on which the stage did not begin, and the message about it.
_REFUSED = {("patch", Status.SKIPPED.value): "not patched", ("reboot", Status.REBOOT_PENDING.value): "not rebooted"}
#: Number of nodes to name; the others are in the journal and in the report.
LISTED = 8


def within_bounds(result: Result) -> dict[str, Any]:
    """Return a node's result in a form that the journal accepts, whatever the node answered."""
    return {**bounded(result), "node_id": result["node_id"]}


@dataclass(slots=True)
class Notes:
    """Records the driver's events, in the loop's thread. Every event sets ``changed``.

    The caller waits until the event is durable. Events of the same moment become durable together: the disk takes
    as long for one as for all.
    """

    rollout: RolloutDir
    say: Callable[[str], None]
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _named: set[str] = field(default_factory=set)
    _waiting: list[tuple[Event, asyncio.Future[None]]] = field(default_factory=list)

    async def intent(self, wave: str, work: Work) -> None:
        """Announce work before it is begun."""
        await self._record(
            Intent(
                wave=wave,
                stage=work.stage,
                attempt=work.attempt,
                nodes=tuple(work.nodes),
                token=work.token,
                snapshot_id=work.snapshot_id,
            )
        )

    async def sent(self, wave: str, work: Work) -> None:
        """Record the name of work at the service or host that runs it."""
        await self._record(
            Sent(
                wave=wave,
                stage=work.stage,
                token=work.token,
                place=work.place,
                command_id=work.handle,
                nodes=tuple(work.nodes),
                begun_at=to_time(work.at),
            )
        )

    async def outcome(self, wave: str, stage: str, results: Sequence[Result]) -> None:
        """Record how a stage ended for nodes, and name those that did not complete it."""
        if not results:
            return
        if stage == "verify":
            nodes = self.rollout.state.nodes
            results = [with_earlier(nodes[item["node_id"]], item) for item in results]
        await self._record(Outcome(wave=wave, stage=stage, results=tuple(map(within_bounds, results))))
        again = [item for item in results if self._is_tried_again(stage, item)]
        if again:
            more = f"{plain(self._name(again[0]))} {again[0].get('status')}: {_reason(again[0])}"
            self.say(f"{wave} {stage}: {len(again)} to be tried again in {RETRY_SECONDS} seconds; {more}")
        for item in results:
            if item not in again:
                self._tell(wave, stage, item)

    def _is_tried_again(self, stage: str, item: Result) -> bool:
        state = self.rollout.state.nodes[item["node_id"]]
        return state.stage == stage and item.get("status") != NOT_BEGUN

    async def _record(self, event: Event) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((event, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._write)
        await future
        self.changed.set()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            answers = self.rollout.record_all([event for event, _future in waiting])
        except BaseException as why:
            answers = [why] * len(waiting)
        for (_event, future), refused in zip(waiting, answers, strict=True):
            if future.cancelled():
                continue
            if refused is None:
                future.set_result(None)
            else:
                future.set_exception(refused)

    def _name(self, item: Result) -> str:
        return str(self.rollout.nodes[item["node_id"]]["name"] or item["node_id"])

    def _tell(self, wave: str, stage: str, item: Result) -> None:
        """Name a node that does not continue, with what was not done or failed, and why; only the first ones."""
        if not (item.get("outcome") == "skip" or item.get("error")):
            return
        if item["node_id"] in self._named:
            return
        self._named.add(str(item["node_id"]))
        if len(self._named) == LISTED + 1:
            self.say(f"{wave}: more nodes did not get through; all are in the journal and in the report")
        if len(self._named) > LISTED:
            return
        word = "skipped" if item.get("outcome") == "skip" else str(item.get("status"))
        word = _REFUSED.get((stage, word), word)
        self.say(f"{wave} {stage}: {plain(self._name(item))} {word}: {_reason(item)}")


def _reason(item: Result) -> str:
    """Return why a node did not complete the stage, as one plain line."""
    reasons = [str(row["text"]) for row in item.get("findings", []) if not row["ok"]]
    return plain("; ".join(reasons) or str((item.get("error") or {}).get("text", "")))
