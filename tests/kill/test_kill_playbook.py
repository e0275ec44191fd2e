# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook itself, as a user runs it, is killed with all its processes and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.kill.conftest import HERE, Night

ROOT = Path(__file__).parents[2]
#: As soon as so many records are there, it dies.
DEATHS = (8, 40) if os.environ.get("PATCHTIDE_KILL") == "short" else (2, 8, 13, 40, 66, 94)
LIMIT_SECONDS = 300


def start(night: Night) -> subprocess.Popen[bytes]:
    variables = {
        "patchtide_dir": str(night.folder),
        "patchtide_policy_file": os.path.relpath(HERE / "policy.yml"),  # its hooks are found beside it
        "patchtide_poll_interval": 60,
        "patchtide_allow_changed_policy": True,  # the plan is made by hand
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.Popen(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("patchtide.hybrid.rollout_patches", "-i", "localhost,", "-e", json.dumps(variables)),
        ],
        env={**inherited, **night.environment, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree")},
        stdout=(night.folder / "output").open("ab"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def kill_at(night: Night, records: int) -> int:
    """Run the playbook, kill its process group once there are so many records; return how it ended."""
    process, journal = start(night), night.folder / "journal.jsonl"
    began = time.monotonic()
    try:
        while process.poll() is None and time.monotonic() - began < LIMIT_SECONDS:
            if journal.exists() and journal.read_bytes().count(b"\n") >= records:
                break
            time.sleep(0.01)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait(30)


def test_killed_and_run_again(night: Night) -> None:
    night.lose(2, 7)
    for records in DEATHS:
        assert kill_at(night, records) == -signal.SIGKILL, (night.folder / "output").read_text()[-3000:]
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
