# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command shell (WinRS) of a simulated host, as pywinrm opens it: processes with arguments, input, output, exit code.

Sources: MS-WSMV 3.1.4 (messages of the shell), and Microsoft, "Command prompt line string limitation".
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field

from .scripts import Output
from .shell import Runner

#: Characters that cmd.exe takes, which starts a command unless the client asks to skip it.
LONGEST_LINE = 8191


@dataclass(slots=True)
class Process:
    """A command. ``reads``: it has input, whose end has to be sent before it runs."""

    line: str
    reads: bool
    stdin: bytes = b""
    ended: bool = False
    output: Output = field(default_factory=Output)
    thread: threading.Thread | None = None
    done: threading.Event = field(default_factory=threading.Event)


class CommandShell:
    """One shell."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._processes: dict[str, Process] = {}

    def command(self, line: str, *, reads: bool, by_cmd: bool) -> str:
        """Begin a command and return its ID, which the host chooses."""
        key, process = str(uuid.uuid4()).upper(), Process(line, reads)
        if by_cmd and len(line) > LONGEST_LINE:
            process.output = Output(error="The command line is too long.", code=1)
            process.done.set()
        self._processes[key] = process
        return key

    def send(self, command: str, data: bytes, *, end: bool) -> None:
        """:raises KeyError: there is no such command."""
        process = self._processes[command]
        process.stdin += data
        process.ended = end

    def receive(self, command: str, seconds: float) -> Output | None:
        """Return what a command has written once it has ended; ``None``: not yet. :raises KeyError: no such command."""
        process = self._processes[command]
        if process.reads and not process.ended and not process.done.is_set():
            return None
        if process.thread is None and not process.done.is_set():
            process.thread = threading.Thread(target=self._work, args=(process,), daemon=True)
            process.thread.start()
        return process.output if process.done.wait(seconds) else None

    def signal(self, command: str) -> None:
        """``terminate``: the command is forgotten."""
        self._processes.pop(command, None)

    def _work(self, process: Process) -> None:
        try:
            process.output = self._run(process.line, process.stdin.decode())
        finally:
            process.done.set()
