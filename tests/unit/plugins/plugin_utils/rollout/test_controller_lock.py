# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A living controller keeps its directory; a dead one, and one of another machine, does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.controller_lock import (
    NAME,
    AnotherController,
    _began,
    take_over,
)


def note(folder: Path, pid: int, **changes: str) -> None:
    row = {"host": os.uname().nodename, "pid": pid, "began": _began(pid), **changes}
    (folder / NAME).write_text(json.dumps(row))


def test_taken_again_by_the_same_controller(tmp_path: Path) -> None:
    take_over(tmp_path)
    take_over(tmp_path)
    assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getppid()


def test_refused_while_another_one_lives_and_taken_over_from_the_dead(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        note(tmp_path, other.pid)
        with pytest.raises(AnotherController, match=f"process {other.pid} on"):
            take_over(tmp_path)
        other.kill()
        other.wait()
    take_over(tmp_path)


@pytest.mark.parametrize("change", [{"began": "1"}, {"host": "elsewhere"}], ids=["number-used-again", "other-machine"])
def test_another_process_of_that_number_is_not_it(tmp_path: Path, change: dict[str, str]) -> None:
    note(tmp_path, os.getpid(), **change)
    take_over(tmp_path)


def test_a_torn_note_is_replaced(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"host": "')
    take_over(tmp_path)
    assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getppid()
