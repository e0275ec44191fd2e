# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reboot scripts, the choice by platform, and the grammar of what runs on Windows."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.host_probe import to_probe, to_reboot_script

from .probe_host import ProbeHost

BOOT_ID = "proc/sys/kernel/random/boot_id"
SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]
REBOOT = to_reboot_script("linux", "abc-1")


@pytest.mark.parametrize("shell", SHELLS)
def test_reboot_asks_the_agent_then_proves_it(tmp_path: Path, shell: str) -> None:
    host = ProbeHost(tmp_path, shell)
    host.file(BOOT_ID, "before-1\n")
    first = host.run(REBOOT)
    # Source: SSM user guide: exit status 194 makes the agent reboot the node and run the script again.
    assert (first.returncode, first.stdout, first.stderr) == (194, "", "")
    host.file(BOOT_ID, "after-2\n")
    second = host.run(REBOOT)
    assert second.returncode == 0
    assert json.loads(second.stdout) == {"boot_id_before": "before-1", "boot_id_after": "after-2"}
    assert list((host.root / "var/lib/patchtide").iterdir()) == []


def test_agent_restarted_without_a_reboot_is_a_failure(tmp_path: Path) -> None:
    host = ProbeHost(tmp_path)
    host.file(BOOT_ID, "same\n")
    host.run(REBOOT)
    again = host.run(REBOOT)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == "not rebooted: the boot id is still same\n"


def test_another_token_is_another_reboot(tmp_path: Path) -> None:
    host = ProbeHost(tmp_path)
    host.run(REBOOT)
    assert host.run(to_reboot_script("linux", "abc-2")).returncode == 194


def test_no_reboot_where_it_could_not_be_proved(tmp_path: Path) -> None:
    host = ProbeHost(tmp_path)
    host.file("var/lib", "not a directory")
    assert host.run(REBOOT).returncode == 1
    (host.root / BOOT_ID).unlink()
    done = host.run(REBOOT)
    assert (done.returncode, done.stderr) == (1, "no reboot: the boot id can not be read\n")


@pytest.mark.parametrize("token", ["", "a b", "a'b", "$(reboot)", "../x", "a\n", "ä", "a" * 101])
def test_token_that_could_leave_the_script_is_refused(token: str) -> None:
    with pytest.raises(BadInput, match=r"^token: "):
        to_reboot_script("linux", token)


@pytest.mark.parametrize("platform", ["linux", "windows"])
def test_nothing_in_a_script_is_taken_for_a_template(platform: str) -> None:
    # SSM documents expand {{ }} in parameters, Ansible all three.
    for script in (to_probe(platform), to_reboot_script(platform, "t")):
        assert [mark for mark in ("{{", "{%", "{#") if mark in script] == []


def test_unknown_platform_is_refused() -> None:
    for make in (to_probe, lambda name: to_reboot_script(name, "t")):
        with pytest.raises(BadInput, match=r"^platform: 'solaris' is not valid, expected one of linux, macos, windows"):
            make("solaris")


def test_every_script_begins_with_its_marker() -> None:
    assert to_probe("windows").splitlines()[0] == "# patchtide:probe:1"
    assert to_reboot_script("windows", "t").splitlines()[0] == "# patchtide:reboot:1"
    assert REBOOT.splitlines()[:2] == ["#!/bin/sh", "# patchtide:reboot:1"]
    assert "'reboot-abc-1'" in to_reboot_script("windows", "abc-1")


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    script = tmp_path / "reboot.sh"
    script.write_text(REBOOT)
    done = subprocess.run(["shellcheck", "-s", "sh", str(script)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("script", [to_probe("windows"), to_reboot_script("windows", "t")])
def test_powershell_grammar(script: str) -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert parser.parse(script.encode()).root_node.has_error is False
    assert parser.parse(f"{script}\n}} if (".encode()).root_node.has_error is True
    assert script.isascii()
