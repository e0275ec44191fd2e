# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages before the work: remembered on the node, compared after it (the sh probe, run for real)."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tree_sitter
import tree_sitter_powershell
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.host_probe import to_probe
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import parse_probe

from .probe_host import ProbeHost

SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]
BEFORE = ("ii |curl.amd64|7.88.1-10", "ii |bash.amd64|5.2-2", "rc |old.amd64|1", "iF |half.amd64|3", "ii |gone.all|1:9")


def stock(host: ProbeHost, *lines: str) -> None:
    """What dpkg-query prints for the format that it is asked for."""
    host.command("apt-get", "exit 0")
    text = "".join(f"{line}\n" for line in lines)
    host.command("dpkg-query", f"cat <<'END'\n{text}END")


def probed(host: ProbeHost, mode: str, key: str = "r-1") -> dict[str, Any]:
    done = host.run(to_probe("linux", "", key, mode))
    document = parse_probe(done.stdout)
    assert document is not None, done.stderr
    return document


@pytest.fixture
def host(tmp_path: Path) -> ProbeHost:
    found = ProbeHost(tmp_path)
    stock(found, *BEFORE)
    return found


@pytest.mark.parametrize("shell", SHELLS)
def test_what_changed_is_told_with_old_and_new_versions(tmp_path: Path, shell: str) -> None:
    host = ProbeHost(tmp_path, shell)
    stock(host, *BEFORE)
    assert probed(host, "remember")["packages_known"] == 3
    stock(host, "ii |curl.amd64|7.88.1-10+deb12u15", "ii |bash.amd64|5.2-2", "ii |half.amd64|3", "ii |new.amd64|2")
    found = probed(host, "compare")["packages"]
    rows = ["curl.amd64 7.88.1-10 7.88.1-10+deb12u15", "gone.all 1:9 -", "half.amd64 - 3", "new.amd64 - 2"]
    assert (found["rows"], found["total"]) == (rows, 4)


def test_a_half_configured_package_counts_as_installed_no_more(host: ProbeHost) -> None:
    """dpkg(1): the first letter is what is wanted, the second what is; "F" is half-configured."""
    stock(host, "ii |curl.amd64|7.88.1-10", "ii |bash.amd64|5")
    probed(host, "remember")
    stock(host, "iF |curl.amd64|7.88.1-11", "ii |bash.amd64|5")
    assert probed(host, "compare")["packages"]["rows"] == ["curl.amd64 7.88.1-10 -"]


def test_nothing_changed(host: ProbeHost) -> None:
    probed(host, "remember")
    found = probed(host, "compare")["packages"]
    assert (found["rows"], found["total"]) == ([], 0)


def test_a_second_look_before_the_work_keeps_the_first_ones_list(host: ProbeHost) -> None:
    probed(host, "remember")
    stock(host, *BEFORE, "ii |new.amd64|2")
    probed(host, "remember")
    assert probed(host, "compare")["packages"]["rows"] == ["new.amd64 - 2"]
    assert probed(host, "compare")["packages"]["rows"] == ["new.amd64 - 2"]


def test_another_rollouts_list_is_never_compared(host: ProbeHost) -> None:
    probed(host, "remember")
    assert probed(host, "compare", "r-2")["packages"] is None
    probed(host, "remember", "r-2")
    assert probed(host, "compare")["packages"] is None


@pytest.mark.parametrize("mode", ["remember", "compare"])
def test_a_list_that_can_not_be_read_is_not_known(tmp_path: Path, mode: str) -> None:
    host = ProbeHost(tmp_path)
    stock(host, *BEFORE)
    if mode == "compare":
        probed(host, "remember")
    host.command("dpkg-query", "exit 2")
    assert probed(host, mode).get("packages" if mode == "compare" else "packages_known") is None


def test_of_rpm_the_epoch_is_always_there_and_a_kernel_beside_another_is_new(tmp_path: Path) -> None:
    host = ProbeHost(tmp_path)
    host.command("dnf", "exit 0")
    before = "kernel.x86_64|0:5.14-1\nsudo.x86_64|0:1.9-1\ngpg-pubkey.(none)|0:fd431d51-1\n"
    host.command("rpm", f"cat <<'END'\n{before}END")
    assert probed(host, "remember")["packages_known"] == 2
    host.command("rpm", f"cat <<'END'\n{before}kernel.x86_64|0:5.14-2\nEND")
    assert probed(host, "compare")["packages"]["rows"] == ["kernel.x86_64 - 0:5.14-2"]


@pytest.mark.parametrize("count", [1, 20, 40, 60, 200])
def test_a_list_of_run_command_shows_as_many_as_fit_and_says_how_many_there_are(host: ProbeHost, count: int) -> None:
    """ListCommandInvocations shows 2,500 characters of a plugin's output, GetCommandInvocation 24,000."""
    (host.bin / "sha256sum").symlink_to(str(shutil.which("sha256sum")))
    probed(host, "remember")
    lines = [f"ii |package-with-a-name-{number:03}.amd64|1:12.3.4-5ubuntu{number}" for number in range(count)]
    stock(host, *BEFORE, *lines)
    output = host.run(to_probe("linux", "", "r-1", "compare")).stdout
    short = json.loads(output.splitlines()[0])["packages"]
    assert len(output.splitlines()[0]) < 2400 and len(short["rows"]) <= 40
    whole = parse_probe(output)
    assert whole is not None and short["total"] == whole["packages"]["total"] == len(whole["packages"]["rows"]) == count
    text = "".join(f"{row}\n" for row in whole["packages"]["rows"])
    assert hashlib.sha256(text.encode()).hexdigest() == short["sha256"]
    assert len(output) < 24_000 and (count > 1 or short["rows"] == whole["packages"]["rows"])
    seen = parse_probe(output[:2500])
    assert seen is not None and seen["packages"] == short


def test_names_of_a_broken_package_manager_stay_text(host: ProbeHost) -> None:
    probed(host, "remember")
    stock(host, *BEFORE, 'ii |"},{"x":"|$(reboot)')
    (row,) = probed(host, "compare")["packages"]["rows"]
    assert row == '"},{"x":" - $(reboot)'


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize("mode", ["remember", "compare"])
def test_shellcheck_finds_nothing(tmp_path: Path, mode: str) -> None:
    script = tmp_path / "probe.sh"
    script.write_text(to_probe("linux", mode, "abc-1", mode))
    done = subprocess.run(["shellcheck", "-s", "sh", str(script)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("mode", ["remember", "compare"])
def test_the_powershell_part_is_powershell(mode: str) -> None:
    language = tree_sitter.Language(tree_sitter_powershell.language())
    tree = tree_sitter.Parser(language).parse(to_probe("windows", mode, "r-1", mode).encode())
    assert not tree.root_node.has_error


@pytest.mark.parametrize(("packages", "key"), [("forget", "r-1"), ("remember", "'; reboot"), ("compare", "")])
def test_a_mode_or_key_that_is_none_is_refused(packages: str, key: str) -> None:
    with pytest.raises(BadInput):
        to_probe("linux", "", key, packages)


@pytest.mark.parametrize(
    ("release", "beside", "own"),
    [
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"', "apt-get", "zypper"),  # zypper-aptitude has an apt-get
        ("ID=fedora", "apt-get", "dnf"),
        ("ID=debian", "dnf", "apt-get"),
        ("ID=ubuntu\nID_LIKE=debian", "zypper", "apt-get"),
    ],
)
def test_a_package_manager_beside_the_system_s_own_is_not_asked(
    tmp_path: Path, release: str, beside: str, own: str
) -> None:
    host = ProbeHost(tmp_path)
    host.file("etc/os-release", f"{release}\n")
    for name in (beside, own):
        host.command(name, "exit 0")
    assert host.probe()["manager"] == own.removesuffix("-get")
