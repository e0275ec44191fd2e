# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command and watches what it costs: memory of all its processes, forks, CPU, and how long it says nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_SECONDS = 0.2
#: Bytecode of what is installed, as ``pip install`` leaves it: where there is none, every run compiles Ansible again.
BYTECODE = ROOT / "build" / "bench" / "bytecode"
_INSTALLED = "import ansible.cli.playbook, ansible.plugins.strategy.linear, boto3, jsonschema"
#: What was set out to reach: of what, how much it is, how much it may be at most.
Goal = tuple[str, float, float]


@dataclass(slots=True)
class Cost:
    """``memory_mb`` counts a page that processes share once (PSS), ``rss_mb`` as often as it is shared.

    ``memory_at``: the task that took most.
    ``silence_s``: the longest time without a line, the start and the end included.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_mb: float = 0.0
    rss_mb: float = 0.0
    memory_at: str = ""
    processes: int = 0
    forks: int = 0
    silence_s: float = 0.0
    silence_after: str = ""
    status: int = 0
    lines: list[tuple[float, str]] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Return the figures without the output."""
        names = ("wall_s", "cpu_s", "memory_mb", "rss_mb", "silence_s")
        found = {name: round(getattr(self, name), 1) for name in names}
        counts = {"processes": self.processes, "forks": self.forks}
        return {**found, **counts, "silence_after": self.silence_after, "memory_at": self.memory_at}


def watch(command: Sequence[str], environment: Mapping[str, str] | None = None, log: Path | None = None) -> Cost:
    """Run a command to its end.

    :param log: where its output goes, each line with the second in which it came.
    """
    cost = Cost()
    with tempfile.NamedTemporaryFile() as forks:
        own = {
            **clean_environment(),
            **(environment or {}),
            "BENCH_FORKS": forks.name,
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "bench" / "forks", ROOT, ROOT / "build" / "tree"))),
        }
        begun = time.monotonic()
        process = subprocess.Popen(
            list(command), cwd=ROOT, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        over = threading.Event()
        sampler = threading.Thread(target=_sample, args=(process.pid, cost, over))
        sampler.start()
        try:
            _listen(process, cost, begun, log)
            _pid, status, usage = os.wait4(process.pid, 0)
            cost.wall_s = time.monotonic() - begun
        finally:
            over.set()
            sampler.join()
        process.returncode = cost.status = os.waitstatus_to_exitcode(status)
        cost.cpu_s = usage.ru_utime + usage.ru_stime
        cost.forks = Path(forks.name).stat().st_size
    return cost


def compile_installed() -> None:
    """Compile the libraries, so that no measurement does."""
    subprocess.run([sys.executable, "-c", _INSTALLED], check=True, env=clean_environment())


def clean_environment() -> dict[str, str]:
    """Return the environment without what would change a measurement."""
    foreign = ("AWS_", "ANSIBLE_", "PATCHTIDE_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {
        **kept,
        "PYTHONPYCACHEPREFIX": str(BYTECODE),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ROOT / "bench" / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
    }


def _listen(process: subprocess.Popen[str], cost: Cost, begun: float, log: Path | None) -> None:
    assert process.stdout is not None
    last, said = begun, "(the start)"
    for line in process.stdout:
        now = time.monotonic()
        if now - last > cost.silence_s:
            cost.silence_s, cost.silence_after = now - last, said
        last, said = now, line.strip() or said
        cost.lines.append((now - begun, line.rstrip()))
    if time.monotonic() - last > cost.silence_s:
        cost.silence_s, cost.silence_after = time.monotonic() - last, said
    if log:
        log.write_text("".join(f"{at:7.1f}  {line}\n" for at, line in cost.lines))


def _sample(pid: int, cost: Cost, over: threading.Event) -> None:
    while not over.wait(SAMPLE_SECONDS):
        family = list(_family(pid))
        sizes = [size for member in family if (size := _memory(member))]
        cost.processes = max(cost.processes, len(sizes))
        if (memory := sum(size[0] for size in sizes) / 1024) > cost.memory_mb:
            cost.memory_mb, cost.memory_at = memory, _task(cost)
        cost.rss_mb = max(cost.rss_mb, sum(size[1] for size in sizes) / 1024)


def _task(cost: Cost) -> str:
    """Return the task that the playbook is at."""
    lines = (line for _at, line in reversed(cost.lines.copy()) if line.startswith("TASK"))
    return next(lines, "").strip("* ")


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:  # it has just ended
        return
    for child in children:
        yield from _family(int(child))


def _memory(pid: int) -> tuple[int, int] | None:
    """Return (PSS, RSS) in kB."""
    try:
        rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        return int(rows["Pss"].split()[0]), int(rows["Rss"].split()[0])
    except (OSError, KeyError):
        return None


@contextmanager
def endpoint(**options: object) -> Iterator[str]:
    """Run the canned endpoint with these options; gives its URL."""
    command = [sys.executable, "-m", "bench.endpoint"]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


def control(url: str, path: str) -> dict[str, Any]:
    """Ask the endpoint what it counted (``calls``), or to forget it (``reset``)."""
    with urllib.request.urlopen(f"{url}/bench/{path}") as answer:
        return dict(json.load(answer))


def aws_environment(url: str, account: str = "111111111111") -> dict[str, str]:
    """Return the environment in which the SDK talks to the endpoint."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": f"AKIA{account}",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-bench-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
