# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PowerShell shell of a simulated host: psrpcore's server side, and a thread for each pipeline that runs."""

from __future__ import annotations

import base64
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psrpcore
from psrpcore.types import HostMethodIdentifier, NETException

from .scripts import Output

#: Runs a script: its text and its input.
Runner = Callable[[str, str], Output]


@dataclass(slots=True)
class Pipeline:
    """A command of a client."""

    pipeline: Any
    script: str
    lines: list[str] = field(default_factory=list)
    thread: threading.Thread | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Shell:
    """One runspace pool. ``lock`` is held around psrpcore's objects, never while a script runs."""

    def __init__(self, run: Runner, creation: bytes) -> None:
        self._run = run
        self._pool = psrpcore.ServerRunspacePool()
        self._pipelines: dict[str, Pipeline] = {}
        self._output: dict[str, list[bytes]] = {}
        self._lock = threading.Lock()
        self._feed(creation, None)

    def command(self, command: str, payload: bytes) -> None:
        """Begin a command; its pipeline has to be there before psrpcore gets the payload."""
        with self._lock:
            psrpcore.ServerPipeline(self._pool, uuid.UUID(command))
        self._feed(payload, command)

    def send(self, command: str, payload: bytes) -> None:
        self._feed(payload, command or None)

    def receive(self, command: str, seconds: float) -> tuple[bytes, bool] | None:
        """Return output and whether the command has ended; ``None``: there is nothing yet."""
        key = command.upper()
        found = self._pipelines.get(key)
        if found is not None:
            if found.thread is None:
                found.thread = threading.Thread(target=self._work, args=(found,), daemon=True)
                found.thread.start()
            if not found.done.wait(seconds):
                return None
        with self._lock:
            self._drain()
            return b"".join(self._output.pop(key, [])), found is not None

    def _work(self, found: Pipeline) -> None:
        output = self._run(found.script, "\n".join(found.lines))
        try:
            self._answer(found, output)
        finally:
            found.done.set()

    def _answer(self, found: Pipeline, output: Output) -> None:
        with self._lock:
            found.pipeline.start()
            for line in output.lines:
                found.pipeline.write_output(line)
            if output.error:
                found.pipeline.write_error(NETException(Message=output.error))
            if output.code:
                found.pipeline.host_call(HostMethodIdentifier.SetShouldExit, [output.code])
            found.pipeline.complete()

    def _feed(self, payload: bytes, command: str | None) -> None:
        with self._lock:
            kind, name = psrpcore.StreamType.default, uuid.UUID(command) if command else None
            self._pool.receive_data(psrpcore.PSRPPayload(payload, kind, name))
            while (event := self._pool.next_event()) is not None:
                self._note(event)
            self._drain()

    def _note(self, event: Any) -> None:
        if isinstance(event, psrpcore.CreatePipelineEvent):
            pipeline = self._pool.pipeline_table[event.pipeline_id]
            script = str(event.pipeline.commands[0].command_text)
            self._pipelines[str(event.pipeline_id).upper()] = Pipeline(pipeline, script)
        elif isinstance(event, psrpcore.PipelineInputEvent):
            self._pipelines[str(event.pipeline_id).upper()].lines.append(str(event.data))

    def _drain(self) -> None:
        while (data := self._pool.data_to_send(10**7)) is not None:
            key = str(data.pipeline_id).upper() if data.pipeline_id else ""
            self._output.setdefault(key, []).append(bytes(data.data))


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
