# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts that travel to nodes, by platform. Each begins with a comment, ``patchtide:<what>:<version>``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import BadInput
from .probe_linux import POSIX_PROBE
from .probe_packages import package_part
from .probe_services import service_part
from .probe_ways import way_part
from .probe_windows import POWERSHELL_PROBE
from .reboot_script import POSIX_REBOOT, POWERSHELL_REBOOT

__all__ = ["POSIX_PROBE", "POWERSHELL_PROBE", "to_probe", "to_reboot_script"]

_PROBES = {"linux": POSIX_PROBE, "macos": POSIX_PROBE, "windows": POWERSHELL_PROBE}
_REBOOTS = {"linux": POSIX_REBOOT, "macos": POSIX_REBOOT, "windows": POWERSHELL_REBOOT}


def to_probe(
    platform: str, services: str = "", key: str = "", packages: str = "", endpoints: Sequence[str] = ()
) -> str:
    """Return the probe of a platform (``linux``, ``macos`` or ``windows``).

    :param services: ``remember`` the services that run on the node, or ``compare`` with what was remembered.
    :param key: whose list it is: the rollout's name.
    :param packages: ``remember`` the packages that are installed, or ``compare`` with what was remembered.
    :param endpoints: addresses to try from the node.
    :raises BadInput: another platform, or one of the others.
    """
    probe = _PROBES[_known(platform)]
    parts = service_part(platform, services, key) + package_part(platform, packages, key)
    parts += way_part(platform, endpoints)
    return probe.replace("@PARTS@\n", parts.lstrip("\n"))


def to_reboot_script(platform: str, token: str) -> str:
    """Return the reboot script of a platform.

    :param token: names this reboot; letters, digits and hyphens, since it becomes part of a script and of a file name.
    :raises BadInput: the platform or the token.
    """
    if not re.fullmatch(r"[a-zA-Z0-9-]{1,100}", token):
        raise BadInput("token", token, "1 to 100 letters, digits and hyphens")
    return _REBOOTS[_known(platform)].replace("@TOKEN@", token)


def _known(platform: str) -> str:
    if platform not in _PROBES:
        raise BadInput("platform", platform, f"one of {', '.join(_PROBES)}")
    return platform
