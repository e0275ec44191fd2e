# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one stage over many nodes by Run Command: intents first, sent exactly once, awaited together.

Cost: one SendCommand per 50 nodes, one ListCommandInvocations page per 50 nodes and look; nothing per node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...clock import Clock
from ...errors import PatchtideError
from ...events import Event, Intent, Outcome, Sent
from .commands import Chunk, Gather, Recorder, expire, look_up, poll, refuse, send, tally
from .ports import FleetPort, Invocation

#: An operator sees at least one line in so many seconds.
PROGRESS_SECONDS = 30
#: While so many chunks are looked at and their nodes' states read, there is a line for the operator.
_SHOWN = 32


class NoRecorder:
    """The recorder of a stage that belongs to no rollout."""

    def record(self, event: Event) -> None:
        """Write nothing."""


class Stage(Protocol):
    """What differs from stage to stage."""

    name: str
    with_output: bool

    def evaluate(self, ended: Mapping[str, Invocation], port: FleetPort) -> list[dict[str, Any]]:
        """Return the stage's results for nodes whose invocation ended; may read more from the place."""

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
            fresh = poll(chunk, port, with_output=self.stage.with_output)
            chunk.error = None
        except PatchtideError as error:
            chunk.error, fresh = error, {}
        late = self.stop(chunk, port) if self.clock.now() >= chunk.deadline else {}
        ended = {**fresh, **late}
        return self.evaluate(chunk, ended, port) if ended else []

    def stop(self, chunk: Chunk, port: FleetPort) -> dict[str, Invocation]:
        """Ask the service to stop what nobody waits for any more; it gives no guarantee, the scan tells the truth."""
        late = expire(chunk, self.clock.now())
        if late and chunk.command_id:
            try:
                port.cancel(str(chunk.command_id))
            except PatchtideError as error:
                chunk.error = error
        return late

    def refused(self, chunk: Chunk, why: PatchtideError, port: FleetPort) -> list[dict[str, Any]]:
        """Return the results of the nodes of a chunk that could not be sent."""
        return self.evaluate(chunk, refuse(chunk, why, self.clock.now()), port)

    def evaluate(self, chunk: Chunk, ended: Mapping[str, Invocation], port: FleetPort) -> list[dict[str, Any]]:
        """Return the results of invocations that ended, with the evidence that leads to the command."""
        try:
            results = self.stage.evaluate(ended, port)
        except PatchtideError as error:
            results = [self.stage.unreadable(node_id, error) for node_id in ended]
        evidence = {"command_id": chunk.command_id, "place": chunk.place}
        return [{**item, "evidence": {**(item.get("evidence") or {}), **evidence}} for item in results]


@dataclass(slots=True, kw_only=True)
class StageRun:
    """One stage of one wave (or of no wave: then ``recorder`` records nothing).

    :param ports: by place label.
    :param progress: is given one tidy line for the operator at every look; it may leave out what says nothing new.
    """

    stage: Stage
    wave: str
    ports: Mapping[str, FleetPort]
    clock: Clock
    gather: Gather[Any, Any]
    recorder: Recorder
    progress: Callable[[str], None]
    poll_seconds: float = 15

    def begin(self, chunks: Sequence[Chunk], attempt: int = 1) -> list[dict[str, Any]]:
        """Announce and send new chunks; returns the results of those the service refused."""
        for chunk in chunks:
            self.recorder.record(
                Intent(
                    wave=self.wave,
                    stage=self.stage.name,
                    attempt=attempt,
                    nodes=tuple(chunk.request.node_ids),
                    token=chunk.token,
                )
            )
        return self._send(chunks, look_first=False)

    def reattach(self, chunks: Sequence[Chunk], *, send_missing: bool = True) -> list[dict[str, Any]]:
        """Take up chunks that an earlier call or run announced: find their commands, or send what never was.

        :param send_missing: false after an abort, when nothing is sent any more.
        """
        lost = [chunk for chunk in chunks if chunk.command_id is None]
        return self._send(lost, look_first=True, may_send=send_missing)

    def _send(self, chunks: Sequence[Chunk], *, look_first: bool, may_send: bool = True) -> list[dict[str, Any]]:
        def one(chunk: Chunk) -> PatchtideError | None:
            port = self.ports[chunk.place]
            try:
                if may_send:
                    chunk.command_id = send(chunk, port, look_first=look_first, clock=self.clock)
                else:
                    chunk.command_id = look_up(chunk, port, clock=self.clock)
            except PatchtideError as error:
                return error
            return None

        results = []
        for chunk, why in zip(chunks, self.gather(one, chunks), strict=True):
            if why:
                results += self._record(self._on_chunk.refused(chunk, why, self.ports[chunk.place]))
                continue
            self.recorder.record(
                Sent(
                    wave=self.wave,
                    stage=self.stage.name,
                    token=chunk.token,
                    place=chunk.place,
                    command_id=str(chunk.command_id),
                    nodes=tuple(chunk.request.node_ids),
                )
            )
        return results

    def wait(self, chunks: Sequence[Chunk]) -> list[dict[str, Any]]:
        """Wait until every chunk has ended or is past its deadline; records outcomes as they come."""
        results: list[dict[str, Any]] = []
        while open_chunks := [chunk for chunk in chunks if chunk.waiting]:
            rounds = self.gather(lambda chunk: self._on_chunk.look(chunk, self.ports[chunk.place]), open_chunks)
            for number, found in enumerate(rounds, 1):
                results += self._record(found)
                if number % _SHOWN == 0:
                    self.progress(self._line(chunks))
            self.progress(self._line(chunks))
            if any(chunk.waiting for chunk in chunks):
                self.clock.sleep(self.poll_seconds)
        return results

    @property
    def _on_chunk(self) -> ChunkStage:
        return ChunkStage(self.stage, self.clock)

    def _record(self, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if results:
            self.recorder.record(Outcome(wave=self.wave, stage=self.stage.name, results=tuple(results)))
        return results

    def _line(self, chunks: Sequence[Chunk]) -> str:
        counts = tally(chunks)
        total = sum(len(chunk.request.node_ids) for chunk in chunks)
        words = ", ".join(f"{counts[name]} {name}" for name in ("done", "failing", "running", "left"))
        title = f"{self.wave} {self.stage.name}" if self.wave else self.stage.name
        troubled = sorted({chunk.place for chunk in chunks if chunk.error and chunk.waiting})
        return f"{title}: {words} of {total}" + (f"; no answer from {', '.join(troubled)}" if troubled else "")
