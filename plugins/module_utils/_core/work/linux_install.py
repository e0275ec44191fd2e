# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts that install an exact list of packages on a Linux host. POSIX sh: the host needs no Python. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from .linux_updates import to_spec

#: Nobody is there to answer questions, and services restart with the host, not by needrestart.
_ENVIRONMENT = (
    "LC_ALL=C DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l "
    "APT_LISTCHANGES_FRONTEND=none"
)
_COMMANDS = {
    "apt": "apt-get -y -q -o DPkg::Lock::Timeout={lock} -o Dpkg::Options::=--force-confdef "
    "-o Dpkg::Options::=--force-confold install",
    "dnf": "dnf -y --setopt=exit_on_lock=False install",
    "zypper": "ZYPP_LOCK_TIMEOUT={lock} zypper --non-interactive install --auto-agree-with-licenses",
}
REBOOT_SCRIPT = """sleep 3
systemctl reboot 2>/dev/null || reboot 2>/dev/null || shutdown -r now
sleep 600
"""


def install_script(manager: str, patch_ids: Sequence[str], lock_seconds: int) -> str:
    """Return the script that installs exactly these versions.

    :param manager: ``apt``, ``dnf`` or ``zypper``. :param patch_ids: as the plan names them.
    """
    names = " ".join(shlex.quote(to_spec(manager, patch_id)) for patch_id in patch_ids)
    command = _COMMANDS[manager].format(lock=int(lock_seconds))
    return f"exec env {_ENVIRONMENT} {command} {names}\n"
