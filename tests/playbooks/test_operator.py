# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator meets: a part of a run is refused, check mode, progress in a pipe, a playbook that is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.process_tree import command_line, descendants

from tests.playbooks.playing import ROOT
from tests.playbooks.test_rollout import Cycle, cycle, small

__all__ = ["cycle", "small"]

GENEROUS_SECONDS = 240.0
#: Each begins with the same first play (``tests/checks/test_playbooks.py``), so CI runs one of them.
PLAYBOOKS = [
    name if name == "apply_policy" else pytest.param(name, marks=pytest.mark.slow)
    for name in sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
]
PARTS = {"--limit": "all[0]", "--tags": "patch", "--skip-tags": "gate"}


def refused(cycle: Cycle, playbook: str, *options: str) -> None:
    cycle.aws.post("ledger/reset")
    done = cycle.play(playbook, *options)
    told = " ".join(f"{done.output}{done.errors}".split())
    assert done.status != 0 and f"{' '.join(options)} would run a part of this playbook" in told, done.output
    assert "in AWX empty the fields Limit, Job tags and Skip tags" in told
    assert not cycle.writes() and not (cycle.folder / "run" / "journal.jsonl").exists()


def test_a_part_of_a_rollout_is_refused_and_poisons_nothing(cycle: Cycle) -> None:
    cycle.prepare()
    for option, value in PARTS.items():
        refused(cycle, "rollout_patches", option, value)


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_playbook_refuses_a_limit(cycle: Cycle, playbook: str) -> None:
    refused(cycle, playbook, "--limit", "all[0]")
    assert not (cycle.folder / "run").exists()


def test_check_mode_says_what_would_be_done_at_any_time_and_judges_nothing(cycle: Cycle) -> None:
    cycle.prepare()
    cycle.aws.post("ledger/reset")
    checked = cycle.play("rollout_patches", "--check", "-e", "patchtide_window_wait_minutes=1")
    assert checked.status == 0, checked.output + checked.errors
    night = r"\w{3} [-: \d]+ UTC to \w{3} [-: \d]+ UTC \(.* UTC\)"
    line = rf"^    (\w+): {night} would check (\d+) nodes,.* install up to \d+ patches, reboot"
    told = Counter[str]()
    for wave, nodes in re.findall(line, checked.output, re.MULTILINE):
        told[wave] += int(nodes)
    assert told == {"canary": 3, "production": 7}, checked.output
    for wave in told:
        assert f"{wave} gate: nothing is judged in check mode" in checked.output
    assert "PROMOTE" not in checked.output and checked.changed > 0
    assert not cycle.writes() and not (cycle.folder / "run" / "journal.jsonl").exists()


@contextmanager
def rollout_in_a_pipe(cycle: Cycle, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Run a rollout as a pipeline does: its output is a pipe, and nothing tells Python not to buffer it."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHONUNBUFFERED"))}
    more = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "true", **more}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "patchtide.hybrid.rollout_patches"]
    process = subprocess.Popen(
        [*command, *cycle.options()],
        env={**given, **cycle.aws.environment(), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def commands(cycle: Cycle) -> int:
    return len(cycle.aws.get("ledger")["commands"])


@pytest.mark.parametrize("skipped", ["true", "false"])
def test_progress_comes_while_the_work_goes_on_and_below_its_banner(cycle: Cycle, skipped: str) -> None:
    cycle.prepare()
    lines: list[str] = []
    with rollout_in_a_pipe(cycle, ANSIBLE_DISPLAY_SKIPPED_HOSTS=skipped) as process:
        assert process.stdout
        for line in process.stdout:
            lines.append(line)
            if line.startswith("    canary: ") and " of 3" in line:
                break
        journal = cycle.journal()
    # In a buffer of 8 kB the line would come with the next task, when all work on the wave is over.
    assert lines and not [row for row in journal if row["data"].get("stage") == "verify"], "".join(lines)
    banner = next(index for index, line in enumerate(lines) if "TASK [Patch, reboot and verify the nodes]" in line)
    assert banner < next(index for index, line in enumerate(lines) if line.startswith("    canary: "))


def test_after_a_killed_playbook_no_further_command_is_sent(cycle: Cycle) -> None:
    """Only the playbook's own process is killed, as the kernel or a person does it; its worker has to notice."""
    cycle.prepare()
    before = commands(cycle)
    with rollout_in_a_pipe(cycle) as process:
        until = time.monotonic() + GENEROUS_SECONDS
        while commands(cycle) == before and time.monotonic() < until:
            time.sleep(0.05)
        workers = descendants([process.pid]) - {process.pid}
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(5)  # 2 seconds are promised
        left = {pid for pid in workers if command_line(pid)}
        sent, journal = commands(cycle), cycle.journal()
        time.sleep(10)
    assert sent > before and workers and not left
    assert commands(cycle) == sent and cycle.journal() == journal
    assert "rollout_finished" not in {row["kind"] for row in journal}
