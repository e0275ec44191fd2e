# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Linux host in a directory: the production scripts run in it, with stand-ins for the package manager and systemd."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connection_errors import (
    Interrupted,
    Unreachable,
)

PROBE = {
    "probe": 1,
    "platform": "linux",
    "boot_id": "b1",
    "disks": [{"mount": "/", "free_mb": 20480, "size_mb": 102400}],
    "pending_reboot": False,
    "lock_held_by": "",
    "repos": [],
    "failed_units": [],
    "agent": "active",
    "time_synced": True,
}


@dataclass(frozen=True)
class Answer:
    rc: int
    stdout: str
    stderr: str


#: Stand-ins of package managers that have one package with updates, whose version is in a file.
#: ``installs`` gets a line for each real install.
_INSTALL = """
    echo "$@" >>"$root/installs"
    [ -z "$(cat "$root/hangs")" ] || exec /bin/sleep 300
    [ -z "$(cat "$root/fails")" ] || { echo "E: broken" >&2; exit 100; }
    echo 3.0.17 >"$root/version" ;;
"""
_DPKG = """case "$*" in
*'} ${Package}'*) echo 'ii  openssl' ;;
*) echo "openssl amd64 $(cat "$root/version") ii "; echo 'curl amd64 7.0 ii ' ;;
esac"""
_APT = (
    """case " $* " in
*' update '*) ;;
*' -s '*)
    [ "$(cat "$root/version")" = 3.0.17 ] || echo 'Inst openssl [1.0] (3.0.17 Debian:12/stable [amd64])' ;;
*' install '*)"""
    + _INSTALL
    + "esac"
)
_RPM = """case "$*" in
*--qf*) echo "openssl amd64 (none):$(cat "$root/version") ii" | sed 's/(none)://' ;;
esac"""
_DNF = (
    """case " $* " in
*' --version '*) echo 4.14.0 ;;
*' --assumeno '*) printf 'Upgrading:\n openssl amd64 3.0.17 base 1 k\n\nTransaction Summary\n'; exit 1 ;;
*' install '*)"""
    + _INSTALL
    + "esac"
)
_ZYPPER = (
    """case " $* " in
*' --dry-run '*)
    echo '<to-upgrade><solvable type="package" name="openssl" edition="3.0.17" arch="amd64"></to-upgrade>' ;;
*' install '*)"""
    + _INSTALL
    + "esac"
)
FAMILIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "apt": (
        "debian",
        {"apt-get": _APT, "dpkg-query": _DPKG, "dpkg": ":", "apt-cache": ":", "apt-mark": ":", "apt-config": ":"},
    ),
    "dnf": ("fedora", {"dnf": _DNF, "rpm": _RPM}),
    "zypper": ("suse", {"zypper": _ZYPPER, "rpm": _RPM}),
}


class StubShell:
    """Runs the scripts in a root of its own, where package manager, sleep and reboot are stand-ins.

    The root outlives the processes that use it: another one opens it by its path.
    """

    def __init__(self, root: Path, family: str) -> None:
        self.root, self.word = root, "ok"
        if not (root / "boot_id").exists():
            self._make(family)

    def _make(self, family: str) -> None:
        distribution, programs = FAMILIES[family]
        for folder in ("bin", "etc", "var/lib/dpkg/info"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "etc/os-release").write_text(f"ID_LIKE={distribution}\n")
        for name, text in programs.items():
            self._program(name, text)
        self._program("sleep", "exec /bin/sleep 0.05")
        self._program(
            "systemctl", 'echo x >>"$root/installs"; [ -n "$(cat "$root/stays")" ] || echo b2 >"$root/boot_id"'
        )
        (self.root / "version").write_text("1.0\n")
        self.act("ok")
        (self.root / "boot_id").write_text("b1\n")

    def _program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\nroot='{self.root}'\n{text}\n")
        path.chmod(0o700)

    def act(self, word: str) -> None:
        self.word = word
        for name, words in (("hangs", ("hangs",)), ("fails", ("failed",)), ("stays", ("no reboot",))):
            (self.root / name).write_text("yes" if word in words else "")
        if word == "nothing":
            (self.root / "version").write_text("3.0.17\n")

    def began(self) -> list[str]:
        """Return what really ran on the host, in order: ``install`` and ``reboot``."""
        ran = self.root / "installs"
        lines = ran.read_text().splitlines() if ran.exists() else []
        return ["reboot" if line == "x" else "install" for line in lines]

    def run(self, host: str, script: str, *, timeout: float) -> Answer:
        if self.word == "away":
            raise Unreachable(host, "no route to host")
        if "patchtide:begin:1" in script and self.word == "refused":
            return Answer(1, "state=refused\n", "the disk is full")
        done = subprocess.run(
            ["/bin/sh", "-s"],
            input=self.to_run(script),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={"PATH": f"{self.root}/bin:/usr/bin:/bin", "PATCHTIDE_ROOT": str(self.root)},
        )
        if "patchtide:begin:1" in script and self.word == "lost":
            self.word = "ok"
            raise Interrupted(host, "the connection broke")
        return Answer(done.returncode, done.stdout, done.stderr)

    @property
    def _with_boot_id(self) -> str:
        return f"sed \"s/@BOOT@/$(cat '{self.root}/boot_id')/\""

    def to_run(self, script: str) -> str:
        """Return the script with this host's boot ID, and with an answer in place of the host probe.

        The ID is read when the probe would read it: the host may reboot after its script was made.
        """
        probe = json.dumps({**PROBE, "boot_id": "@BOOT@"})
        script = answered(script, "# patchtide:probe:1", probe)
        script = script.replace(f"cat <<'ANSWER'\n{probe}", f"{self._with_boot_id} <<'ANSWER'\n{probe}")
        for theirs, ours in (("/proc/sys/kernel/random/boot_id", "boot_id"), ("/run/systemd/system", "nowhere")):
            script = script.replace(theirs, str(self.root / ours))
        return script


def answered(script: str, sign: str, answer: str) -> str:
    """Return the script with what it would run under a sign, to its end or that of its part, replaced by an answer."""
    return re.sub(
        rf"#!/bin/sh\n{re.escape(sign)}\n.*?(\npatchtide-part-\w+-script\n|\n\)\npatchtide_part=|\Z)",
        lambda found: f"cat <<'ANSWER'\n{answer}\nANSWER{found[1]}",
        script,
        flags=re.DOTALL,
    )
