# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of the machine the lab runs on, and what stops the lab from using them."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence


class HostsError(Exception):
    """The hosts can't be brought up or down, although this machine should be able to."""


class LeftOut(HostsError):
    """This machine can't run real hosts; the caller may continue without them."""


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None, text: str | None = None) -> str:
    """What the command prints; its failure is a `HostsError` with the end of its complaint."""
    try:
        done = subprocess.run(command, env=env, input=text or "", capture_output=True, text=True, check=False)
    except OSError as error:
        raise HostsError(f"{command[0]} can't be run: {error.strerror}") from error
    if done.returncode:
        complaint = (done.stderr or done.stdout).strip().splitlines()[-8:]
        raise HostsError(f"`{shlex.join(command)}` failed ({done.returncode}): " + "\n  ".join(complaint))
    return done.stdout


def succeeds(command: Sequence[str]) -> bool:
    """True if the command can be run and ends with 0; what it prints is dropped."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
