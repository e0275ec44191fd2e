# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts on the host of the play: bounded, with their end proved and their errors told."""

from __future__ import annotations

import subprocess
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connections import LIMIT
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.direct import DirectAction


class Local(DirectAction):
    """Runs on this machine. ``cut``: so much of what is sent arrives."""

    cut: int | None = None
    received = 0

    def _low_level_execute_command(self, cmd: str, *, in_data: bytes, **_more: Any) -> dict[str, Any]:  # type: ignore[override]  # by name
        done = subprocess.run(cmd.split(), input=in_data[: self.cut], capture_output=True, check=False)
        self.received = len(done.stdout) + len(done.stderr)
        return {"rc": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode()}


def local() -> Local:
    return Local(Mock(), Mock(), Mock(), Mock(), Mock(), None)


def test_what_a_script_prints_is_returned_even_if_it_fails() -> None:
    assert local().shell("echo a; echo b >&2; exit 3") == "a\n"


def test_a_host_that_prints_without_end_fills_no_memory() -> None:
    action = local()
    output = action.shell("head -c 50000000 /dev/zero | tr '\\0' x; head -c 50000000 /dev/zero >&2")
    assert len(output) == LIMIT and action.received < 3 * LIMIT


def test_errors_alone_are_an_error() -> None:
    with pytest.raises(PatchtideError, match=r"failed on the host \(exit code 5\): it broke"):
        local().shell("echo it broke >&2; exit 5")


@pytest.mark.parametrize("left", [40, 400])
def test_half_a_script_is_no_success(left: int) -> None:
    action = local()
    action.cut = left
    with pytest.raises(PatchtideError, match="did not run to its end"):
        action.shell(f"echo {'x' * 500}")
