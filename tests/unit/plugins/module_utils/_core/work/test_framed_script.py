# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame around a script, run by the shells of this machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.framed_script import (
    Output,
    from_framed,
    to_framed,
)

SHELLS = [shell for shell in (["sh"], ["bash", "--posix"], ["dash"], ["busybox", "sh"]) if shutil.which(shell[0])]
LIMIT = 1000


def run(payload: str, shell: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*shell, "-s"], input=payload, capture_output=True, text=True, timeout=30, check=False)


def ask(script: str, shell: list[str], stdin: str = "") -> tuple[Output | None, str]:
    done = run(to_framed(script, "m-1", stdin=stdin, limit=LIMIT), shell)
    return from_framed(done.stdout, "m-1", LIMIT), done.stderr


@pytest.fixture(params=SHELLS, ids=" ".join)
def shell(request: pytest.FixtureRequest) -> list[str]:
    found: list[str] = request.param
    return found


@pytest.mark.parametrize(
    ("script", "rc", "stdout"),
    [
        ("echo one; exit 7", 7, "one\n"),
        ("printf 'no newline'", 0, "no newline"),
        ("cat; echo after", 0, "after\n"),
        ("exit 255", 255, ""),
        ("case x in x) echo '}';; esac # comment", 0, "}\n"),
        ("cat <<'X'\n) }\nX", 0, ") }\n"),
        ("kill -9 $(sh -c 'echo $PPID')", 137, ""),
        ('echo "$#"', 0, "0\n"),
    ],
)
def test_a_script_ends_with_its_own_code_and_output(shell: list[str], script: str, rc: int, stdout: str) -> None:
    found, _stderr = ask(script, shell)
    assert found == Output(rc, stdout, False)


def test_streams_are_apart(shell: list[str]) -> None:
    found, stderr = ask("echo out; echo err >&2", shell)
    assert (found, stderr) == (Output(0, "out\n", False), "err\n")


@pytest.mark.parametrize("text", ["a $b `c` \\n 'd'\n", "no newline", "x" * 200_000])
def test_standard_input_arrives_as_it_is(shell: list[str], text: str) -> None:
    found, _stderr = ask("wc -c; exit 3", shell, stdin=text)
    assert found and found.rc == 3
    assert int(found.stdout) == len(text.rstrip("\n")) + 1


def test_what_exceeds_the_limit_is_read_and_thrown_away(shell: list[str]) -> None:
    script = "i=0; while [ $i -lt 3000 ]; do echo 0123456789; echo 0123456789 >&2; i=$((i+1)); done; exit 5"
    found, stderr = ask(script, shell)
    assert found and (found.rc, len(found.stdout), found.truncated) == (5, LIMIT, True)
    assert len(stderr) == LIMIT + 1


def test_a_script_that_arrives_in_part_does_not_run(shell: list[str], tmp_path: Path) -> None:
    mark = f"{tmp_path}/ran"
    payload = to_framed(f"touch {mark}; cat >{mark}", "m-1", stdin="one\ntwo\n", limit=LIMIT)
    body = payload.rstrip("\n")
    for end in range(len(body)):
        if end < len(body) - 80 and end % 7:
            continue
        run(body[:end], shell)
        assert not Path(mark).exists(), body[:end]
    run(payload, shell)
    assert Path(mark).exists()


def test_what_the_shell_prints_first_is_dropped() -> None:
    assert from_framed("Welcome!\nm-1 begin\nyes\n\nm-1 end 0\n", "m-1", LIMIT) == Output(0, "yes\n", False)


def test_a_script_without_an_end_has_no_code() -> None:
    assert from_framed("m-1 begin\nhalf", "m-1", LIMIT) == Output(None, "half", False)
    assert from_framed("This account is not available.\n", "m-1", LIMIT) is None
