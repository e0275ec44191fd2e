# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook itself, as a user runs it, is killed with all its processes or alone, and run again at once."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.kill.conftest import HERE, Night

ROOT = Path(__file__).parents[2]
#: Number of records to who dies then, and of what. A worker outlives its playbook where that alone is killed, where it
#: hangs up and where its terminal is closed; it must not send what the next run sends.
EVERY = {2: "all", 8: "alone", 13: "hangup", 40: "terminal", 66: "alone", 94: "all"}
DEATHS = {8: "alone", 40: "terminal"} if os.environ.get("PATCHTIDE_KILL") == "short" else EVERY
LIMIT_SECONDS = 300


def start(night: Night, terminal: int | None = None) -> subprocess.Popen[bytes]:
    """:param terminal: of the playbook, whose output is nobody's then."""
    variables = {
        "patchtide_dir": str(night.folder),
        "patchtide_policy_file": os.path.relpath(HERE / "policy.yml"),  # its hooks are found beside it
        "patchtide_poll_interval": 60,
        "patchtide_allow_changed_policy": True,  # the plan is made by hand
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    output = (night.folder / "output").open("ab") if terminal is None else terminal
    return subprocess.Popen(
        [
            *("env", "--default-signal=HUP"),  # under nohup, children ignore the signal that tells of a closed terminal
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("patchtide.hybrid.rollout_patches", "-i", "localhost,", "-e", json.dumps(variables)),
        ],
        env={**inherited, **night.environment, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree")},
        stdin=terminal,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=None if terminal is None else lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )


@contextmanager
def dying(night: Night, how: str) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], None]]]:
    """Start the playbook; yield it, and what kills it."""
    ours, theirs = pty.openpty() if how == "terminal" else (None, None)
    process = start(night, theirs)
    if ours is not None and theirs is not None:
        os.close(theirs)
        closed = threading.Event()
        reader = threading.Thread(target=show, args=(ours, night.folder / "output", closed))
        reader.start()
        try:
            yield process, closed.set
        finally:
            closed.set()
            reader.join()
        return
    deaths: dict[str, Callable[[], None]] = {
        "all": lambda: os.killpg(process.pid, signal.SIGKILL),
        "alone": lambda: os.kill(process.pid, signal.SIGKILL),
        "hangup": lambda: os.kill(process.pid, signal.SIGHUP),
    }
    yield process, deaths[how]


def show(terminal: int, path: Path, closed: threading.Event) -> None:
    """Show what is written to a terminal until its window is closed."""
    with path.open("ab") as output, suppress(OSError):
        while not closed.is_set():
            if select.select([terminal], [], [], 0.1)[0]:
                output.write(os.read(terminal, 65536))
    os.close(terminal)


def kill_at(night: Night, records: int, how: str) -> int:
    """Run the playbook, kill it once there are so many records; return how it ended."""
    journal, began = night.folder / "journal.jsonl", time.monotonic()
    with dying(night, how) as (process, kill):
        try:
            while process.poll() is None and time.monotonic() - began < LIMIT_SECONDS:
                if journal.exists() and journal.read_bytes().count(b"\n") >= records:
                    break
                time.sleep(0.01)
        finally:
            if process.poll() is None:
                kill()
        return process.wait(LIMIT_SECONDS)


def test_killed_and_run_again(night: Night) -> None:
    night.lose(2, 7)
    for records, how in DEATHS.items():
        ended = -signal.SIGKILL if how in ("all", "alone") else -signal.SIGHUP
        assert kill_at(night, records, how) == ended, (how, (night.folder / "output").read_text()[-3000:])
    assert start(night).wait(LIMIT_SECONDS) == 0, (night.folder / "output").read_text()[-3000:]
    night.check()
    finished = night.records()
    assert start(night).wait(LIMIT_SECONDS) == 0
    assert night.records() == finished, "run again, a finished rollout does nothing"


def test_a_second_controller_is_refused_while_the_first_one_lives(night: Night) -> None:
    """The first one stands still between an intent and its command: whoever resumed it now would send it again."""
    first, journal = start(night), night.folder / "journal.jsonl"
    try:
        while first.poll() is None and not (journal.exists() and b'"kind":"intent"' in journal.read_bytes()):
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGSTOP)
        assert start(night).wait(LIMIT_SECONDS) != 0
        assert f"by process {first.pid} on" in (night.folder / "output").read_text()
        os.killpg(first.pid, signal.SIGCONT)
        assert first.wait(LIMIT_SECONDS) == 0, (night.folder / "output").read_text()[-3000:]
    finally:
        if first.poll() is None:
            os.killpg(first.pid, signal.SIGKILL)
    night.check()
