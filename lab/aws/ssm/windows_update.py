# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS-InstallWindowsUpdates on a node.

Sources: AWS's payload as published with AWSUpdateWindowsInstance (Install-AwsUwiWindowsUpdates.ps1, 2018) for what it
installs, its words and exit codes; aws/amazon-ssm-agent issue 681 for the shape of its log and for exit 1 after a
reboot of its own though nothing is left. It writes no patch state, whatever it did.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ..catalogue import Patch
from ..node import Node

#: PowerShell's ``exit -1`` as the agent reports it.
_MINUS_ONE = 2**32 - 1


def install_everything(
    node: Node, now: Callable[[], Any], *, install: bool, may_reboot: bool, reboot: object
) -> Generator[Any, None, tuple[int, str]]:
    """Install all that is offered; return the exit code and the log. Again after each reboot, until nothing is left."""
    lines: list[str] = []
    rebooted = False
    while True:
        lines.append("Searching for Windows Updates.")
        yield node.seconds(40, 90, f"search {now()}")
        if node.faults["fails_early"] is not None:
            lines.append("Searching for updates resulted in error: Exception from HRESULT: 0x8024402C")
            return _MINUS_ONE, _log(lines)
        found = [item for item in node.system.updates if item.offered(now()) and item.patch_id not in node.installed]
        lines += [f"Found {len(found)} available Windows Updates.", *(_title(item) for item in found)]
        if not install or not found:
            return (1 if rebooted else 0), _log(lines)
        failed = yield from _install(node, found, lines, f"install {now()}")
        if failed:
            lines.append(f"0 download and {failed} installation errors occurred.")
            return _MINUS_ONE, _log(lines)
        if not may_reboot:
            return 0, _log(lines)
        lines.append("Windows Updates were successfully installed. Rebooting.")
        rebooted = True
        yield reboot


def _install(node: Node, found: list[Patch], lines: list[str], purpose: str) -> Generator[Any, None, int]:
    whole, failed = node.seconds(1800, 2500, purpose), 0
    for patch in found:
        yield whole / len(found)
        if node.install(patch, awaits_reboot=False):
            lines.append(f"Installed: {patch.title}")
        else:
            failed += 1
            lines.append(f"Installation of {patch.title} resulted in error: Exception from HRESULT: 0x80240022")
    return failed


def _title(patch: Patch) -> str:
    return f"{patch.title} - Published date: {patch.released:%m/%d/%Y}"


def _log(lines: list[str]) -> str:
    return "".join(f"| Info | {line}\n" for line in lines)
