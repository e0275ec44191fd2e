# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure is asked for."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.azure.requests import (
    command_body,
    command_name,
    install_body,
    probe_script,
    restart_script,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.node_answer import BadAnswer


def test_exact_versions_on_linux() -> None:
    """Masks are name=version; classes would select more (LinuxPatchExtension, PackageFilter.py)."""
    body = install_body("linux", [{"id": "openssl", "title": "openssl:1:3.0-2"}, {"id": "bash", "title": ""}], 7200)
    assert body == {
        "maximumDuration": "PT120M",
        "rebootSetting": "Never",
        "linuxParameters": {"packageNameMasksToInclude": ["openssl=1:3.0-2", "bash"]},
    }


def test_exact_numbers_on_windows() -> None:
    body = install_body("windows", [{"id": "KB5031234", "title": "2026-05 Update"}], 7200)
    assert body["windowsParameters"] == {"kbNumbersToInclude": ["5031234"]}


@pytest.mark.parametrize(("seconds", "text"), [(0, "PT30M"), (5400, "PT90M"), (10**6, "PT240M")])
def test_duration(seconds: float, text: str) -> None:
    assert install_body("linux", [{"id": "a", "title": "a:1"}], seconds)["maximumDuration"] == text


@pytest.mark.parametrize(
    ("platform", "row"),
    [
        ("linux", {"id": "lib*", "title": "lib*:1"}),
        ("linux", {"id": "lib", "title": "lib:[0-9]"}),
        ("windows", {"id": "2026-05 Cumulative Update", "title": ""}),
        ("windows", {"id": "KB", "title": ""}),
    ],
)
def test_a_name_that_would_select_more_is_refused(platform: str, row: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        install_body(platform, [row], 7200)


def test_run_commands_have_a_name_for_each_work_and_a_limit() -> None:
    one, other = command_name("r w/patch/1.1", "proof"), command_name("r w/patch/1.2", "proof")
    assert one != other and one == command_name("r w/patch/1.1", "proof")
    assert set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and len(one) < 60
    assert command_body("westeurope", "x", 600)["properties"]["timeoutInSeconds"] == 600


@pytest.mark.parametrize("platform", ["linux", "windows"])
def test_scripts_name_themselves(platform: str) -> None:
    assert "# patchtide:probe:1" in probe_script(platform, "", "k", "").splitlines()
    assert "# patchtide:restart:1" in restart_script(platform).splitlines()


def test_each_platform_is_restarted_by_its_own_script() -> None:
    windows, linux = restart_script("windows"), restart_script("linux")
    assert "shutdown.exe /r" in windows and "systemctl" not in windows
    assert linux.startswith("#!/bin/sh\n") and "systemctl reboot" in linux and "shutdown.exe" not in linux


@pytest.mark.parametrize("script", [probe_script("linux", "remember", "k", "compare"), restart_script("linux")])
def test_scripts_are_posix_sh(script: str) -> None:
    assert subprocess.run(["/bin/sh", "-n"], input=script, text=True, check=False).returncode == 0


def test_only_the_document_is_printed() -> None:
    """Run Command keeps the last 4,096 bytes, so that a long second line would cut the document."""
    assert probe_script("linux", "", "k", "compare").rstrip().endswith("| head -n 1")
    assert "Select-Object -First 1" in probe_script("windows", "", "k", "compare")
