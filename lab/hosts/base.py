# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian root that all hosts share read-only: the release as first published, its security updates still to come.

It is made from `<suite> main` alone. The security archive is added afterwards, and its packages are fetched but not
installed, so that a host has the updates pending which a real host of that release would have today.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.hosts import cgroups, toy
from lab.hosts.running import HostsError, run
from lab.hosts.sources import DEBIAN_KEYRING, Sources

PACKAGES = (
    *("systemd-sysv", "dbus", "udev", "kmod", "procps", "iproute2", "openssh-server", "cron", "sudo"),
    *("python3", "python3-apt", "ca-certificates"),
)
MASKED = ("dpkg-db-backup.timer", "systemd-networkd-wait-online.service")
APT = 'Acquire::GzipIndexes "true";\nAcquire::Languages "none";\n'
SSHD = "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUseDNS no\n"


def ensure_base(folder: Path, sources: Sources, *, lab: str, fresh: bool = False, pending: int | None = None) -> Path:
    """The root of this suite, built if `folder` doesn't hold it yet (20 to 30 s, with `pending` some more).

    :param lab: the lab that asks, to which alone the bases belong if no other is there.
    :param fresh: rebuild it, so that today's updates are pending, not those of the day it was built.
    :param pending: how many updates are pending, and those that need them; all others are installed. `None`: all.
    """
    name = f"base-{sources.suite}" if pending is None else f"base-{sources.suite}-{pending}-pending"
    base = folder / f"{name}-{_digest(sources)}"
    if base.is_dir() and not fresh:
        return base
    print(f"building the {sources.suite} base (once)", flush=True)
    unfinished = base.with_suffix(".unfinished")
    _clear(unfinished)
    unfinished.mkdir(parents=True)
    _bootstrap(unfinished, sources)
    _configure(unfinished, sources)
    _fetch_updates(unfinished, sources, pending)
    if not cgroups.others(lab):  # whose hosts would stand on theirs
        for old in folder.glob(f"{name}-????????"):
            shutil.rmtree(old)
    elif base.exists():
        raise HostsError("the base can't be rebuilt while hosts run on it; take them down first")
    unfinished.rename(base)
    return base


def _clear(unfinished: Path) -> None:
    """Remove what an interrupted build has left, with the mounts that a killed mmdebstrap leaves in it."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if Path(mount).is_relative_to(unfinished)), reverse=True):
        run(["umount", "--lazy", mount])
    shutil.rmtree(unfinished, ignore_errors=True)


def _digest(sources: Sources) -> str:
    """Changes with the recipe, which is this file and the toys, and with where packages come from."""
    parts = [*(Path(module).read_text() for module in (__file__, toy.__file__)), sources.stanzas()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]


def _bootstrap(root: Path, sources: Sources) -> None:
    for archive in (sources.main, sources.security):
        if not Path(archive.keyring).is_file():
            raise HostsError(f"the keyring {archive.keyring} of {archive.uri} is missing")
    options = [f'--aptopt={key} "{value}"' for key, value in sources.settings.items()]
    options += [f"--dpkgopt=path-exclude=/usr/share/{unread}/*" for unread in ("man", "doc", "locale", "info")]
    line = f"deb [signed-by={sources.main.keyring}] {sources.main.uri} {sources.main.suite} main"
    include = f"--include={','.join(PACKAGES)}"
    run(["mmdebstrap", "--mode=root", "--variant=minbase", include, *options, sources.suite, str(root), line])


def _configure(root: Path, sources: Sources) -> None:
    apt = root / "etc/apt"
    (apt / "sources.list").unlink(missing_ok=True)
    (apt / "sources.list.d/debian.sources").write_text(sources.stanzas())
    (apt / "apt.conf.d/80patchtide-base").write_text(APT)
    for keyring in {sources.main.keyring, sources.security.keyring} - {DEBIAN_KEYRING}:
        (root / keyring.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(keyring, root / keyring.lstrip("/"))
    for unit in MASKED:
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    (root / "etc/ssh/sshd_config.d/lab.conf").write_text(SSHD)
    (root / "etc/default/locale").write_text("LANG=C.UTF-8\n")
    # Every host gets its own.
    for path in [*(root / "etc/ssh").glob("ssh_host_*"), root / "etc/hostname", root / "etc/machine-id"]:
        path.unlink(missing_ok=True)


def _fetch_updates(root: Path, sources: Sources, pending: int | None) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    conf = root / "etc/apt/apt.conf.d/90patchtide-lab"
    conf.write_text(sources.apt_conf())
    (root / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
    resolv_conf = root / "etc/resolv.conf"
    shutil.copy("/etc/resolv.conf", resolv_conf)
    try:
        apt_get = ["chroot", str(root), "apt-get", "--yes", "-qq"]
        run([*apt_get, "update"], env=env)
        if pending is not None:
            _install_all_but(root, pending, apt_get, env)
        run([*apt_get, "dist-upgrade", "--download-only"], env=env)
        toy.install_old(root)
    finally:
        resolv_conf.unlink()
        conf.unlink()


def _install_all_but(root: Path, pending: int, apt_get: Sequence[str], env: Mapping[str, str]) -> None:
    """Install updates, but not the smallest ones: hosts have those pending, and they take little time."""
    lines = run([*apt_get, "--print-uris", "dist-upgrade"], env=env).splitlines()  # 'URI' NAME_VERSION_ARCH.deb BYTES …
    sizes = {file.partition("_")[0]: int(size) for _uri, file, size, *_hash in map(str.split, lines)}
    kept = sorted(sizes, key=lambda name: (sizes[name], name))[:pending]
    held = "".join(f"{name} hold\n" for name in kept)
    run(["chroot", str(root), "dpkg", "--set-selections"], text=held)
    run([*apt_get, "dist-upgrade"], env=env)
    run(["chroot", str(root), "dpkg", "--set-selections"], text=held.replace(" hold", " install"))
    run([*apt_get, "clean"], env=env)
