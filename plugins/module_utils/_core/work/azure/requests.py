# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure is asked to do on a machine: bodies of requests, names of run commands, and the restart script. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..host_probe import to_probe
from ..node_answer import BadAnswer, words

#: Update Manager begins nothing with less than 25 minutes left and keeps 10 for a reboot (Microsoft Learn, "About Azure
#: Update Manager"); its Linux extension keeps 15, and 5 for a package (LinuxPatchExtension, Constants.py).
LEAST_SECONDS = 30 * 60
#: installPatches takes 4 hours at most in examples and portal; more is not documented.
MOST_SECONDS = 4 * 3600
#: Characters of fnmatch that would turn the name of a package into a pattern (LinuxPatchExtension, PackageFilter.py).
_PATTERN = frozenset("*?[]")


def install_body(platform: str, patches: Sequence[Mapping[str, Any]], seconds: float) -> dict[str, Any]:
    """Return the body of installPatches for exactly these patches. The reboot is a stage of its own.

    On Linux a mask is ``name=version``, on Windows the number of a KB. Without a class of updates and another mask,
    nothing else is selected (Microsoft.Compute 2024-07-01, VirtualMachineInstallPatchesParameters).

    :raises BadAnswer: a patch has a name that is a pattern, or no KB number.
    """
    minutes = int(min(max(seconds, LEAST_SECONDS), MOST_SECONDS) // 60)
    body: dict[str, Any] = {"maximumDuration": f"PT{minutes}M", "rebootSetting": "Never"}
    if platform == "windows":
        body["windowsParameters"] = {"kbNumbersToInclude": [_number(str(row["id"])) for row in patches]}
    else:
        body["linuxParameters"] = {"packageNameMasksToInclude": [_mask(row) for row in patches]}
    return body


def command_name(token: str, purpose: str) -> str:
    """Return the name of a run command: one for each piece of work and purpose, letters, digits and hyphens."""
    return f"patchtide-{purpose}-{hashlib.sha256(token.encode()).hexdigest()[:20]}"


def command_body(location: str, script: str, seconds: int) -> dict[str, Any]:
    """Return the body of a managed run command. Without a time limit one may never return (azure-cli issue 28172)."""
    properties = {"source": {"script": script}, "asyncExecution": True, "timeoutInSeconds": seconds}
    return {"location": location, "properties": properties}


def probe_script(
    platform: str, services: str = "", key: str = "", packages: str = "", endpoints: Sequence[str] = ()
) -> str:
    """Return the host probe, whose document fits into the 4,096 bytes that are kept; the line after it does not.

    The parameters are those of ``to_probe``.
    """
    probe = to_probe("windows" if platform == "windows" else "linux", services, key, packages, endpoints)
    if platform == "windows":
        return f"$patchtideLines = @(& {{\n{probe}\n}})\n$patchtideLines | Select-Object -First 1\n"
    return f"#!/bin/sh\n(\n{probe}\n) | head -n 1\n"


def restart_script(platform: str) -> str:
    """Return the script that restarts a server of Azure Arc, for which there is no power call. It returns before."""
    if platform == "windows":
        return "# patchtide:restart:1\nshutdown.exe /r /t 15 /d p:2:17\n"
    restart = "sleep 10; systemctl reboot || shutdown -r now"
    return f"#!/bin/sh\n# patchtide:restart:1\nnohup sh -c '{restart}' >/dev/null 2>&1 &\n"


def _number(patch_id: str) -> str:
    number = patch_id.upper().removeprefix("KB")
    if not number.isdigit():
        raise BadAnswer(f"{words(patch_id, 80)!r} has no KB number, by which Azure could be asked for it")
    return number


def _mask(row: Mapping[str, Any]) -> str:
    name, _colon, version = str(row.get("title") or row["id"]).partition(":")
    if _PATTERN & set(f"{name}{version}"):
        raise BadAnswer(f"the package {words(name, 80)!r} has a name or version that is a pattern")
    return f"{name}={version}" if version else name
