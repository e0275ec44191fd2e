"""Run a command for a check, and say how much was really checked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
PYTHON = sys.executable


def run(command: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None, quiet: bool = False) -> str:
    """Run a command, return what it prints; its failure ends the check.

    :param quiet: show the output only if the command fails.
    """
    code, output = attempt(command, cwd=cwd, env=env, show=(lambda _line: False) if quiet else (lambda _line: True))
    if code:
        if quiet:
            print(output, end="")
        fail(f"{' '.join(command[:4])} … ended with status {code}")
    return output


def attempt(
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    show: Callable[[str], bool] = lambda _line: True,
) -> tuple[int, str]:
    """Run a command without input and show the lines that ``show`` picks; return its status and all its output."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if show(line):
            print(line, end="", flush=True)
    return process.wait(), "".join(lines)


def ran(count: int, what: str) -> None:
    """Print the proof that something was checked; a check of nothing fails."""
    if count < 1:
        fail(f"no {what} found: a check of nothing proves nothing")
    print(f"ran: {count} {what}", flush=True)


def fail(message: str) -> NoReturn:
    """End the check as failed."""
    print(f"{Path(sys.argv[0]).name}: {message}", file=sys.stderr, flush=True)
    sys.exit(1)
