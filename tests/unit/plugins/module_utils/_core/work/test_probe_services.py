# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that ran before the work: remembered on the node, compared after it (the sh probe, run for real)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.host_probe import to_probe

from .probe_host import ProbeHost

SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]
KEEP = "var/lib/patchtide/services"
UNITS = (
    "shop.service simple running enabled",
    "db@main.service notify running enabled-runtime",
    "old.service forking running generated",
    "dbus.service notify running static",
    "by-hand.service simple running disabled",
    "run-u1.service simple running transient",
    "user@0.service notify running static",
    "getty@tty1.service idle running enabled",
    "setup.service oneshot exited enabled",
    "loop.service oneshot running enabled",
    "idle.service simple dead enabled",
)
KEPT = ["db@main.service", "old.service", "shop.service"]


@pytest.fixture
def host(tmp_path: Path) -> ProbeHost:
    found = ProbeHost(tmp_path)
    found.services(*UNITS)
    return found


def remembered(host: ProbeHost) -> list[str]:
    return (host.root / KEEP).read_text().splitlines()


def only_up(host: ProbeHost, *units: str) -> None:
    host.file("up", "".join(f"{unit}.service\n" for unit in units))


@pytest.mark.parametrize("shell", SHELLS)
def test_what_systemd_starts_and_keeps_running_is_remembered_for_root_alone(tmp_path: Path, shell: str) -> None:
    host = ProbeHost(tmp_path, shell)
    host.services(*UNITS)
    assert host.probe("remember", "r-1")["services"] == 3
    assert remembered(host) == ["r-1", *KEPT]
    assert (host.root / KEEP).stat().st_mode & 0o777 == 0o600
    assert (host.root / KEEP).parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (host.root / KEEP).parent.iterdir()] == ["services"]


@pytest.mark.parametrize("shell", SHELLS)
def test_all_run_again_and_nothing_is_left_behind(tmp_path: Path, shell: str) -> None:
    host = ProbeHost(tmp_path, shell)
    host.services(*UNITS)
    host.probe("remember", "r-1")
    found = host.probe("compare", "r-1")
    assert (found["services_down"], found["services_down_total"]) == ([], 0)
    assert not (host.root / KEEP).exists() and not (host.root / "slept").exists()


def test_who_stays_down_is_named_after_a_finite_wait_and_again_when_asked_again(host: ProbeHost) -> None:
    host.probe("remember", "r-1")
    only_up(host, "old")
    found = host.probe("compare", "r-1")
    assert (found["services_down"], found["services_down_total"]) == (["db@main", "shop"], 2)
    assert (host.root / "slept").read_text().split() == ["3"] * 19
    assert host.probe("compare", "r-1")["services_down"] == ["db@main", "shop"]


def test_who_comes_up_meanwhile_is_waited_for(host: ProbeHost) -> None:
    host.probe("remember", "r-1")
    only_up(host, "old", "shop")
    script = host.file("on_sleep", f"#!/bin/sh\necho db@main.service >>{host.root}/up\n")
    script.chmod(0o755)
    assert host.probe("compare", "r-1")["services_down"] == []
    assert (host.root / "slept").read_text().split() == ["3"]


def test_the_first_look_of_a_rollout_counts_and_another_rollouts_list_is_not_compared(host: ProbeHost) -> None:
    host.probe("remember", "r-1")
    host.services("shop.service simple failed enabled")
    assert host.probe("remember", "r-1")["services"] == 3
    assert host.probe("compare", "r-2")["services_down"] is None
    assert remembered(host) == ["r-1", *KEPT]
    assert host.probe("remember", "r-2")["services"] == 0
    assert remembered(host) == ["r-2"]
    assert host.probe("compare", "r-2")["services_down"] == []


def test_no_systemd_or_no_place_to_write_is_unknown(tmp_path: Path, host: ProbeHost) -> None:
    bare = ProbeHost(tmp_path / "bare")
    assert bare.probe("remember", "r-1")["services"] is None
    assert bare.probe("compare", "r-1")["services_down"] is None
    host.file("var/lib/patchtide", "in the way")
    assert host.probe("remember", "r-1")["services"] is None
    assert host.probe("compare", "r-1")["services_down"] is None


def test_a_plain_look_neither_reads_nor_writes_the_list(host: ProbeHost) -> None:
    assert not {"services", "services_down"} & set(host.probe())
    assert not (host.root / KEEP).exists()


def test_many_long_names_still_fit(host: ProbeHost) -> None:
    host.services(*(f"{number:02}{'x' * 90}.service simple running enabled" for number in range(60)))
    host.probe("remember", "r-1")
    only_up(host)
    found = host.probe("compare", "r-1")
    assert found["services_down_total"] == 60 and 9 <= len(found["services_down"]) <= 20
    assert found["services_down"][0] == "00" + "x" * 58


@pytest.mark.parametrize("key", ["", "a b", "a'b", "$(id)", "a\n", "../x", "a" * 101])
def test_a_key_that_could_leave_the_script_is_refused(key: str) -> None:
    with pytest.raises(BadInput, match=r"^key: "):
        to_probe("linux", "remember", key)


def test_another_mode_is_refused() -> None:
    with pytest.raises(BadInput, match=r"^services: 'forget' is not valid, expected one of remember, compare"):
        to_probe("linux", "forget", "a")


@pytest.mark.parametrize("mode", ["", "remember", "compare"])
def test_the_scripts_are_whole(mode: str, tmp_path: Path) -> None:
    key = "abc-1" if mode else ""
    for platform in ("linux", "macos", "windows"):
        script = to_probe(platform, mode, key)
        assert "@SERVICES@" not in script and "@MODE@" not in script and "@KEY@" not in script
        assert not [mark for mark in ("{{", "{%", "{#") if mark in script]
        assert script.isascii()
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert parser.parse(to_probe("windows", mode, key).encode()).root_node.has_error is False


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize("mode", ["remember", "compare"])
def test_shellcheck_finds_nothing(tmp_path: Path, mode: str) -> None:
    script = tmp_path / "probe.sh"
    script.write_text(to_probe("linux", mode, "abc-1"))
    done = subprocess.run(["shellcheck", "-s", "sh", str(script)], capture_output=True, text=True, check=False)
    assert done.stdout == ""
