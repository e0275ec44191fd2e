# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detached work, for real: the scripts run in a shell of this machine, in a folder of the test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work import detached
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.detached import (
    Look,
    begin_script,
    look_script,
    name_of,
    parse_look,
    stop_script,
)

TOKEN = "r1 canary 'web'/patch/1.1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(detached, "FOLDER", str(tmp_path))
    return tmp_path


def sh(script: str) -> Look:
    script = script.replace("/run/systemd/system", "/nonexistent")  # also where systemd runs: its units are root's
    done = subprocess.run(["/bin/sh", "-s"], input=script, capture_output=True, text=True, timeout=30, check=False)
    return parse_look(done.stdout)


def look(*, final: bool = False) -> Look:
    return sh(look_script(TOKEN, final=final))


def until(done: Callable[[], bool]) -> None:
    for _number in range(600):
        if done():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 30 seconds")


def ended() -> Look:
    until(lambda: look().state == "ended")
    return look()


def is_alive(pid: str) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(") ")[2][0] != "Z"


def test_it_goes_on_by_itself_and_tells_how_it_ended(folder: Path) -> None:
    work = "echo out; echo err >&2; sleep 0.5; test ! -t 0; read -r line; exit 7"
    assert sh(begin_script(TOKEN, work, 60)).state == "begun"
    until(lambda: look().state == "running")
    found = ended()
    assert (found.rc, found.out, found.err) == (7, "out", "err")
    assert found.boot_before == found.boot_now != ""


def test_begun_a_dozen_times_at_once_it_runs_once(folder: Path) -> None:
    script = begin_script(TOKEN, f"echo x >>'{folder}/ran'\nsleep 1\n", 60).replace(
        "/run/systemd/system", "/nonexistent"
    )
    shells = [
        subprocess.Popen(["/bin/sh", "-s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _n in range(12)
    ]
    for shell in shells:
        assert shell.stdin is not None
        shell.stdin.write(script)
        shell.stdin.flush()
    answers = [parse_look(shell.communicate(timeout=30)[0]).state for shell in shells]
    assert answers == ["begun"] * 12
    assert ended().rc == 0 and (folder / "ran").read_text() == "x\n"
    sh(begin_script(TOKEN, "echo again", 60))
    assert (folder / "ran").read_text() == "x\n"


def test_never_begun_is_final_once_somebody_was_told_so(folder: Path) -> None:
    assert look().state == "starting"
    assert look(final=True).state == "absent"
    sh(begin_script(TOKEN, f"touch '{folder}/ran'", 60))
    time.sleep(0.5)
    assert look(final=True).state == look().state == "absent" and not (folder / "ran").exists()


def test_a_final_look_at_work_that_began_takes_nothing(folder: Path) -> None:
    sh(begin_script(TOKEN, "sleep 0.5", 60))
    until(lambda: look().state in ("running", "ended"))
    assert look(final=True).state in ("running", "ended")
    assert ended().rc == 0


@pytest.mark.parametrize("end", ["limit", "stop"])
def test_at_its_limit_or_on_request_all_its_processes_end(folder: Path, end: str) -> None:
    work = f"sleep 300 &\necho $! >'{folder}/child'\necho $$ >'{folder}/parent'\nsleep 300\n"
    sh(begin_script(TOKEN, work, 3 if end == "limit" else 60))
    until(lambda: (folder / "parent").exists() and bool((folder / "parent").read_text()))
    pids = [(folder / name).read_text().strip() for name in ("parent", "child")]
    if end == "stop":
        assert sh(stop_script(TOKEN)).state == "stopped"
    until(lambda: not any(map(is_alive, pids)))
    if end == "limit":
        assert ended().rc == 124
    else:
        assert look().state == "unknown"


def test_after_a_reboot_nobody_knows_how_it_ended(folder: Path) -> None:
    began = folder / name_of(TOKEN) / "began"
    began.mkdir(parents=True)
    (began / "pid").write_text("1\n")
    (began / "start").write_text("1\n")
    (began / "boot").write_text("another-boot\n")
    found = look()
    assert (found.state, found.boot_before) == ("unknown", "another-boot") and found.boot_now != "another-boot"


def test_another_process_with_its_number_is_not_taken_for_it(folder: Path) -> None:
    sh(begin_script(TOKEN, "true", 60))
    ended()
    home = folder / name_of(TOKEN)
    (home / "rc").unlink()
    (home / "began" / "pid").write_text("1\n")
    assert look().state == "unknown"


def test_a_host_where_nothing_can_be_written_refuses(folder: Path) -> None:
    (folder / name_of(TOKEN)).write_text("in the way")
    assert sh(begin_script(TOKEN, "true", 60)).state == "refused"


def test_what_the_work_holds_is_left_as_it_is(folder: Path) -> None:
    work = "cat <<'@MARK@'\n@FOLDER@ $HOME `id` \\n ü\n@MARK@\n"
    sh(begin_script(TOKEN, work, 60))
    assert ended().out == "@FOLDER@ $HOME `id` \\n ü"


@pytest.mark.parametrize("output", ["", "Permission denied", "@@out\nstate=ended\n@@err\n"])
def test_what_is_none_of_our_answers_is_an_error(output: str) -> None:
    with pytest.raises(PatchtideError, match="did not say how the work goes"):
        parse_look(output)


@pytest.mark.parametrize(("code", "rc"), [("0", 0), ("137", 137), ("", None), ("x", None), ("9999999", None)])
def test_exit_codes(code: str, rc: int | None) -> None:
    assert parse_look(f"banner\nstate=ended\nrc={code}\n@@out\nrc=5\n@@err\n").rc == rc
