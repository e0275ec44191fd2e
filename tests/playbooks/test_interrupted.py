# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C in the middle of a rollout: the terminal interrupts the process group, and the same command goes on."""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.process_tree import command_line, descendants

from tests.playbooks.test_operator import GENEROUS_SECONDS, rollout_in_a_pipe
from tests.playbooks.test_rollout import Cycle, cycle, small

__all__ = ["cycle", "small"]
#: A record of this text is the moment of the interruption: an install was announced, a wave was prepared.
INSTALL, OPENED = '"stage":"patch","token"', '"kind":"rollout_started"'


def wait_for(path: Path, text: str) -> None:
    until = time.monotonic() + GENEROUS_SECONDS
    while not (path.exists() and text in path.read_text("utf-8")):
        assert time.monotonic() < until, f"{text} never came"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [INSTALL, OPENED])
def test_ctrl_c_is_one_message_and_the_same_command_goes_on(cycle: Cycle, moment: str) -> None:
    cycle.prepare()
    with rollout_in_a_pipe(cycle) as process:
        wait_for(cycle.folder / "run" / "journal.jsonl", moment)
        workers = descendants([process.pid])
        os.killpg(process.pid, signal.SIGINT)
        output, _none = process.communicate(timeout=60)
        time.sleep(2)
        left = [pid for pid in workers if command_line(pid)]
    journal = cycle.journal()
    assert process.returncode != 0 and not left
    assert "Traceback" not in output and re.findall(r"\[ERROR\].*", output) == ["[ERROR]: User interrupted execution"]
    assert "the same command continues here" in output
    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    planned = Counter(node["node_id"] for wave in cycle.file("plan.json")["waves"] for node in wave["nodes"])
    assert cycle.installs() == planned and cycle.journal()[: len(journal)] == journal
    assert "resumed" in {row["kind"] for row in cycle.journal()}
