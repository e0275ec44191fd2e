# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands, writes all of their output to a log, and shows the lines that a reader needs on the terminal."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: Progress of a wave: one such line is shown in ``PROGRESS_SECONDS``, as the sign that work goes on.
PROGRESS = re.compile(r"^ {4}\S.* of \d+$")
PROGRESS_SECONDS = 20.0
#: A text that a task displays, in the quotes of its result.
QUOTED = re.compile(r'^\s+(?:"msg": )?"(.*)",?$')
WIDTH = 118


@dataclass(slots=True)
class Screen:
    """``log`` gets every line of every command."""

    log: Path
    printed: int = 0
    _last: float = field(default=0.0, repr=False)

    def say(self, text: str = "") -> None:
        for line in text.split("\n"):
            print(line, flush=True)
            self.printed += 1

    def run(
        self, command: Sequence[str], shown: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> tuple[int, list[str]]:
        """Run a command; show the lines that match an expression of ``shown``, each only once.

        :returns: exit status, and all lines.
        """
        wanted = re.compile("|".join(shown)) if shown else None
        lines: list[str] = []
        seen: set[str] = set()
        self._last = time.monotonic()
        pipe, both = subprocess.PIPE, subprocess.STDOUT
        with (
            self.log.open("a", encoding="utf-8") as log,
            subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=both, text=True) as process,
        ):
            assert process.stdout is not None
            log.write(f"\n$ {' '.join(command)}\n")
            try:
                for line in map(str.rstrip, process.stdout):
                    log.write(f"{line}\n")
                    log.flush()
                    lines.append(line)
                    if wanted and line not in seen and wanted.search(line):
                        seen.add(line)
                        self._show(line)
                    elif PROGRESS.match(line) and time.monotonic() - self._last > PROGRESS_SECONDS:
                        self._show(line)
            except KeyboardInterrupt:
                process.terminate()  # where only this process was interrupted
                raise
        return process.returncode, lines

    def fail(self, status: int, lines: Sequence[str]) -> None:
        """Show why a command failed: the error, or its last lines where there is none."""
        errors = [line for line in lines if line.startswith("[ERROR]")]
        for line in errors[:3] or lines[-15:]:
            self.say(line)
        self.say(f"exit status {status}; everything that was printed is in {self.log}")

    def _show(self, line: str) -> None:
        self._last = time.monotonic()
        quoted = QUOTED.match(line)
        text = f"    {quoted[1]}" if quoted else line
        self.say(text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…")
