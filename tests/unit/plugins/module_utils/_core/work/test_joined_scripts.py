# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts in one: each in its own shell, in order, up to the first that fails; what is cut off is told."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.joined_scripts import (
    Part,
    from_joined,
    to_joined,
)

MARK = "part-1"


def run(scripts: Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(
        ["/bin/sh", "-s"], input=to_joined(scripts, MARK), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_each_runs_in_a_shell_of_its_own() -> None:
    code, text = run(
        ["#!/bin/sh\nset -u\nx=1\ntrap 'echo bye' EXIT\nexit 0", "cat <<'END'\nit's ${x-gone}\nEND\necho ${x-gone}"]
    )
    assert code == 0
    assert from_joined(text, MARK) == [Part(0, "bye\n"), Part(0, "it's ${x-gone}\ngone\n")]


@pytest.mark.parametrize("code", [1, 7, 255])
def test_after_one_that_fails_nothing_runs(code: int) -> None:
    ended, text = run([f"echo a; exit {code}", "echo b"])
    assert ended == code and from_joined(text, MARK) == [Part(code, "a\n")]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("a", [Part(None, "a")]),
        ("a\n\npart-1 0\n", [Part(0, "a\n")]),
        ("a\n\npart-1 0\nb", [Part(0, "a\n"), Part(None, "b")]),
        ("a\n part-1 0\n", [Part(None, "a\n part-1 0\n")]),
        ("a\npart-1 1234\n", [Part(None, "a\npart-1 1234\n")]),
    ],
)
def test_what_was_cut_off_has_no_exit_code(text: str, parts: list[Part]) -> None:
    assert from_joined(text, MARK) == parts
