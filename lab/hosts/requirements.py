# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine must have to run real hosts: root, namespaces and cgroups, and a few Debian packages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from lab.hosts import cgroups
from lab.hosts.running import HostsError, LeftOut, run, succeeds

# command -> the Debian package that brings it
HOST_COMMANDS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "iptables": "iptables",
    "ssh": "openssh-client",
    "unshare": "util-linux",
}
TOY_COMMANDS = {"apt-ftparchive": "apt-utils", "dpkg-deb": "dpkg", "gpg": "gnupg"}


def ensure_able(commands: dict[str, str]) -> None:
    """Install what is missing; `LeftOut` with one line that says why this machine can't run hosts."""
    if os.geteuid() != 0:
        raise LeftOut("real hosts need root (systemd-nspawn), and this is not root")
    if not shutil.which("apt-get"):
        raise LeftOut("real hosts need Debian's tools, and this machine has no apt-get")
    if not succeeds(["unshare", "--mount", "--propagation", "unchanged", "--net", "--pid", "--fork", "true"]):
        raise LeftOut("real hosts need namespaces of their own, and root may not create them here")
    if not cgroups.roots():
        raise LeftOut("real hosts need a cgroup file system, and none is mounted (in a chroot: mount /proc and /sys)")
    _install(package for command, package in commands.items() if not shutil.which(command))
    if missing := sorted(command for command in commands if not shutil.which(command)):
        raise LeftOut(f"real hosts need {', '.join(missing)}, which apt-get could not install")


def _install(packages: Iterable[str]) -> None:
    wanted = sorted(set(packages))
    if not wanted:
        return
    print(f"installing {', '.join(wanted)}", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *wanted]
    try:
        if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
            run(["apt-get", "update", "-qq"], env=env)
        try:
            run(install, env=env)
        except HostsError:  # lists that have aged name versions that are gone
            run(["apt-get", "update", "-qq"], env=env)
            run(install, env=env)
    except HostsError as error:
        raise LeftOut(f"real hosts need {', '.join(wanted)}: {error}") from error
