# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's terminal: the lines that were asked for, as a person reads them; the log has all of them as they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.screen import WIDTH, Screen

OUTPUT = """\
TASK [Show the result]
ok: [localhost] => {
    "msg": "77 nodes scanned"
    "msg": [
        "111111111111/eu-central-1: baselines 5 created",
        "111111111111/eu-central-1: baselines 5 created",
    canary gate: PROMOTE
"""


def test_wanted_lines_are_shown_once_without_quotes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(tmp_path / "demo.log")
    wanted = ("nodes scanned", "baselines", "gate: ")
    status, lines = screen.run(["printf", "%s", OUTPUT], wanted, os.environ, tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        "    77 nodes scanned",
        "    111111111111/eu-central-1: baselines 5 created",
        "    canary gate: PROMOTE",
    ]
    assert (status, lines, screen.printed) == (0, OUTPUT.splitlines(), 3)
    assert (tmp_path / "demo.log").read_text().endswith(OUTPUT)


def test_a_long_line_is_cut_at_the_width_of_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Screen(tmp_path / "demo.log").run(["printf", "%s", "gate " * 40], ("gate",), os.environ, tmp_path)
    (line,) = capsys.readouterr().out.splitlines()
    assert len(line) == WIDTH and line.endswith("…")
