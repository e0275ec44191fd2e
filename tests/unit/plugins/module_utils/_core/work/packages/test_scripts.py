# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts themselves: valid POSIX sh that begins with its marker and carries nothing that is not ours."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages import zypper
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.dnf import SKIPPED
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.scripts import (
    install_script,
    list_script,
    reboot_script,
)

RULES = PackageRules(exclude=("docker*", "linux-image-[0-9]*"), releasever="latest", restart_services=True)
IDS = ("openssl.amd64:3.0.17-1~deb12u3", "patch:SUSE-SLE-Module-2026-1", "bind.x86_64:32:9.16.23-1.el9")
SCRIPTS = {"list": list_script(RULES), "install": install_script(IDS, RULES, 600), "reboot": reboot_script(RULES)}


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("shell", [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)])
def test_every_shell_reads_them(name: str, shell: str) -> None:
    command = [shell, *(["sh"] if shell == "busybox" else []), "-n"]
    done = subprocess.run(command, input=SCRIPTS[name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_finds_nothing(tmp_path: Path, name: str) -> None:
    script = tmp_path / "script.sh"
    script.write_text(SCRIPTS[name])
    done = subprocess.run(["shellcheck", "-s", "sh", str(script)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_marker_comes_first_and_everything_is_filled_in(name: str) -> None:
    assert SCRIPTS[name].splitlines()[:2] == ["#!/bin/sh", "# patchtide:packages:1"]
    for mark in ("LOCK", "ITEMS", "EXCLUDE", "STEPS", "SECONDS", "RELEASEVER", "REPAIR", "REMOVALS", "RESTART"):
        assert f"@{mark}@" not in SCRIPTS[name]


def test_the_list_is_in_the_script_word_for_word() -> None:
    for line in (
        "openssl.amd64:3.0.17-1~deb12u3|openssl|amd64|3.0.17-1~deb12u3",
        "patch:SUSE-SLE-Module-2026-1|patch:SUSE-SLE-Module-2026-1||",
        "bind.x86_64:32:9.16.23-1.el9|bind|x86_64|32:9.16.23-1.el9",
    ):
        assert line in SCRIPTS["install"].splitlines()


@pytest.mark.parametrize("patch_id", ["a b.all:1", "a.all:1\nreboot", "$(reboot).all:1", "a|b.all:1"])
def test_an_id_that_is_no_package_never_becomes_part_of_a_script(patch_id: str) -> None:
    with pytest.raises(Exception, match="expected a package and its version"):
        install_script([patch_id], RULES, 60)


@pytest.mark.parametrize(
    ("line", "skipped"),
    [
        ("Ignoring repositories: hashicorp", True),  # dnf 4
        ('Failed to download metadata (metalink: "https://m.example/x") for repository "updates": Usable URL', True),
        ("Last metadata expiration check: 2:20:53 ago on Sun 04 Aug 2024 12:10:03 PM CDT.", False),
    ],
)
def test_a_skipped_repository_is_seen_by_the_script_and_by_the_listing(line: str, skipped: bool) -> None:
    assert f"grep -Eq '{SKIPPED}'" in SCRIPTS["install"]
    assert (re.search(SKIPPED, line) is not None) is skipped


@pytest.mark.parametrize(
    ("codes", "calls", "status"),
    [("103 0", 2, 0), ("103 103 103 0", 3, 0), ("104 0", 1, 104), ("102 0", 1, 0)],
    ids=["again", "no more than three times", "an error", "a reboot is suggested"],
)
def test_zypper_goes_on_after_it_has_updated_itself(tmp_path: Path, codes: str, calls: int, status: int) -> None:
    """103: "one of the patches affects the package manager itself … run this command once more" (zypper(8))."""
    stub = f"""
    left="{codes}"; count=0
    zypper_run() {{ count=$((count + 1)); code=${{left%% *}}; left=${{left#* }}; return "$code"; }}
    zypper_install toy; status=$?; echo "$count $status"
    """
    done = subprocess.run(["sh", "-c", zypper.SHELL + stub], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == [str(calls), str(status)]
