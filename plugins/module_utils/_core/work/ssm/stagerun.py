# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One stage on chunks of nodes by Run Command: what ended, what is late, what was refused.

Cost: one SendCommand per 50 nodes, one ListCommandInvocations page per 50 nodes and look; nothing per node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from ...clock import Clock
from ...errors import PatchtideError
from .commands import Chunk, Gather, expire, poll, refuse, rest_of, send, tally
from .ports import FleetPort, Invocation

#: How long a node's patch state may take to arrive after its invocation ended; a minute is usual.
PATIENCE = timedelta(minutes=4)
#: While so many chunks are looked at and their nodes' states read, there is a line for the operator.
_SHOWN = 32


@dataclass(frozen=True, slots=True)
class Ended:
    """Invocations that ended, by node.

    :param since: when the command was announced: what the place shows from before is not its work.
    :param final: nodes whose effect was waited for long enough.
    :param troubles: why nodes could not be judged at this look; filled by the stage.
    :param parameters: what the document was given.
    """

    rows: Mapping[str, Invocation]
    since: datetime
    final: frozenset[str] = frozenset()
    troubles: list[PatchtideError] = field(default_factory=list)
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    command_id: str = ""


class Stage(Protocol):
    """What differs from stage to stage."""

    name: str
    with_output: bool

    def evaluate(self, ended: Ended, port: FleetPort) -> list[dict[str, Any]]:
        """Return the stage's results for nodes whose invocation ended; may read more from the place.

        A node without a result here is asked again at the next look, unless it is in ``ended.final``.
        """

    def unreadable(self, node_id: str, why: PatchtideError) -> dict[str, Any]:
        """Return the result of a node that was worked on but whose state could not be read."""


@dataclass(frozen=True, slots=True)
class ChunkStage:
    """One stage on one chunk: what the driver and a stage that runs alone have in common."""

    stage: Stage
    clock: Clock

    def look(self, chunk: Chunk, port: FleetPort) -> list[dict[str, Any]]:
        """Return the results of the nodes that ended since the last look; what is past its deadline is cancelled."""
        try:
            fresh = poll(chunk, port, with_output=self.stage.with_output, now=self.clock.now())
            chunk.error = None
        except PatchtideError as error:
            chunk.error, chunk.queued, fresh = error, frozenset(), {}  # whoever waited may have begun since
        late = self._stop(chunk, port) if self.clock.now() >= chunk.deadline else {}
        return self._evaluate(chunk, {**fresh, **late}, port)

    def give_up(self, chunk: Chunk, port: FleetPort) -> list[dict[str, Any]]:
        """Stop what still runs; return the results of all nodes that have none, whatever the place shows by now."""
        return self._evaluate(chunk, self._stop(chunk, port), port, patience=timedelta())

    def refused(self, chunk: Chunk, why: PatchtideError, port: FleetPort) -> list[dict[str, Any]]:
        """Return the results of the nodes of a chunk that could not be sent."""
        return self._evaluate(chunk, refuse(chunk, why, self.clock.now()), port, patience=timedelta())

    def _stop(self, chunk: Chunk, port: FleetPort) -> dict[str, Invocation]:
        """Ask the service to stop what nobody waits for any more; it gives no guarantee, the scan tells the truth."""
        cancelled = False
        if chunk.command_id and len(chunk.ended) < len(chunk.request.node_ids):
            try:
                port.cancel(chunk.command_id)
                cancelled = True
            except PatchtideError as error:
                chunk.error = error
        return expire(chunk, self.clock.now(), cancelled=cancelled)

    def _evaluate(
        self, chunk: Chunk, fresh: Mapping[str, Invocation], port: FleetPort, patience: timedelta = PATIENCE
    ) -> list[dict[str, Any]]:
        """Return the results of invocations that ended, with the evidence that leads to the command.

        Those whose effect the place does not show yet are asked again, for a while.
        """
        ended = {**{node: row for node, (row, _at) in chunk.unsettled.items()}, **fresh}
        if not ended:
            return []
        now = self.clock.now()
        seen = {node: chunk.unsettled.get(node, (row, now))[1] for node, row in ended.items()}
        final = frozenset(node for node, at in seen.items() if now - at >= patience)
        try:
            look = Ended(
                ended, chunk.intended_at, final, parameters=chunk.request.parameters, command_id=chunk.command_id or ""
            )
            results = self.stage.evaluate(look, port)
            chunk.error = next(iter(look.troubles), chunk.error)
        except PatchtideError as error:
            chunk.error = error
            results = [self.stage.unreadable(node_id, error) for node_id in final]
        settled = {item["node_id"] for item in results}
        chunk.unsettled = {node: (row, seen[node]) for node, row in ended.items() if node not in settled}
        evidence = {"command_id": chunk.command_id, "place": chunk.place}
        return [{**item, "evidence": {**(item.get("evidence") or {}), **evidence}} for item in results]


@dataclass(slots=True, kw_only=True)
class StageRun:
    """A stage that runs alone, outside of a rollout: sends its chunks and waits for them.

    :param title: what progress lines call it. :param ports: by place label.
    :param progress: is given one tidy line for the operator at every look; it may leave out what says nothing new.
    """

    stage: Stage
    ports: Mapping[str, FleetPort]
    clock: Clock
    gather: Gather[Any, Any]
    progress: Callable[[str], None]
    title: str = ""
    poll_seconds: float = 15

    def begin(self, chunks: list[Chunk], *, look_first: bool = False) -> list[dict[str, Any]]:
        """Send chunks; return the results of those that the service refused.

        :param chunks: is extended by those of nodes that had to be left out of another one.
        :param look_first: an earlier controller may have sent them.
        """

        def one(chunk: Chunk) -> PatchtideError | None:
            try:
                chunk.command_id = send(chunk, self.ports[chunk.place], look_first=look_first, clock=self.clock)
            except PatchtideError as error:
                return error
            return None

        results, fresh = [], chunks
        while fresh:
            for chunk, why in zip(fresh, self.gather(one, fresh), strict=True):
                if why:
                    results += self._on_chunk.refused(chunk, why, self.ports[chunk.place])
            fresh = [rest_of(chunk) for chunk in fresh if chunk.unsent]
            chunks += fresh
        return results

    def wait(self, chunks: Sequence[Chunk]) -> list[dict[str, Any]]:
        """Wait until every chunk has ended or is past its deadline; return the results."""
        results: list[dict[str, Any]] = []
        while open_chunks := [chunk for chunk in chunks if chunk.waiting]:
            rounds = self.gather(lambda chunk: self._on_chunk.look(chunk, self.ports[chunk.place]), open_chunks)
            for number, found in enumerate(rounds, 1):
                results += found
                if number % _SHOWN == 0:
                    self.progress(self._line(chunks))
            self.progress(self._line(chunks))
            if any(chunk.waiting for chunk in chunks):
                self.clock.sleep(self.poll_seconds)
        return results

    @property
    def _on_chunk(self) -> ChunkStage:
        return ChunkStage(self.stage, self.clock)

    def _line(self, chunks: Sequence[Chunk]) -> str:
        counts = tally(chunks)
        total = sum(len(chunk.request.node_ids) for chunk in chunks)
        words = ", ".join(f"{counts[name]} {name}" for name in ("done", "failing", "running", "left"))
        troubled = sorted({chunk.place for chunk in chunks if chunk.error and chunk.waiting})
        line = f"{self.title or self.stage.name}: {words} of {total}"
        return line + (f"; no answer from {', '.join(troubled)}" if troubled else "")
