# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A make-believe host for the shell scripts: a root directory of its own and a PATH with only what it has."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.host_probe import to_probe

_BASICS = "awk cat cut grep head ls mkdir mktemp mv nproc printf readlink rm sed sh sort sync tail timeout tr wc"
KERNEL = "5.14.0-427.13.1.el9_4.x86_64"
DF_HEAD = "Filesystem 1024-blocks Used Available Capacity Mounted on"
DF = f"{DF_HEAD}\n/dev/vda1 10485760 5242880 5242880 50% /\n"


class ProbeHost:
    """Write files and commands, then ``run`` a script or ``probe``."""

    def __init__(self, base: Path, shell: str = "sh") -> None:
        self.root = base / "root"
        self.bin = base / "bin"
        self.shell = shutil.which(shell)
        self.bin.mkdir(parents=True)
        for name in _BASICS.split():
            (self.bin / name).symlink_to(str(shutil.which(name)))
        self.file("proc/uptime", "4321.5 8000.0\n")
        self.file("proc/loadavg", "0.25 0.10 0.05 1/100 4242\n")
        self.file("proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n")
        self.command("df", f"cat <<'END'\n{DF}END")
        self.command("uname", f"case $1 in -r) echo {KERNEL} ;; -m) echo x86_64 ;; -s) echo Linux ;; esac")

    def file(self, path: str, text: str = "") -> Path:
        found = self.root / path
        found.parent.mkdir(parents=True, exist_ok=True)
        found.write_text(text)
        return found

    def command(self, name: str, script: str) -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        if name == "apt-get":
            (self.root / "var/lib/dpkg/info").mkdir(parents=True, exist_ok=True)

    def curl(self, **answers: str) -> None:
        """Let curl answer by a word of the URL with an HTTP status or an error text, else with 200. Logs its calls."""
        rows = "".join(
            f"*{word}*) {f'printf {text}' if text.isdigit() else f'echo {text!r} >&2; exit 6'};;\n"
            for word, text in answers.items()
        )
        log = self.root / "curl.log"
        self.command(
            "curl",
            f'for url; do :; done\necho "$* proxy=$http_proxy" >>{log}\ncase $url in\n{rows}*) printf 200;; esac',
        )

    def fetched(self) -> list[str]:
        """Return the URLs that curl was asked for, sorted."""
        lines = (self.root / "curl.log").read_text().splitlines()
        return sorted(line.rsplit(" proxy=", 1)[0].split()[-1] for line in lines)

    def process(self, pid: int, comm: str, *opened: str) -> None:
        self.file(f"proc/{pid}/comm", f"{comm}\n")
        for number, path in enumerate(opened):
            link = self.root / f"proc/{pid}/fd/{number}"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "PATCHTIDE_ROOT": str(self.root), "TMPDIR": str(self.bin)}
        return subprocess.run(
            [str(self.shell), "-s"],
            input=script,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
            check=False,
        )

    def services(self, *units: str) -> None:
        """Let systemd know services, each as ``Id Type SubState UnitFileState``; those in ``root/up`` are active."""
        rows = [dict(zip(("Id", "Type", "SubState", "UnitFileState"), unit.split(), strict=True)) for unit in units]
        self.file("run/systemd/system/x")
        self.file("shown", "\n".join("".join(f"{key}={value}\n" for key, value in row.items()) for row in rows))
        self.file("up", "".join(f"{row['Id']}\n" for row in rows if row["SubState"] == "running"))
        self.command(
            "systemctl",
            f"case $1 in show) cat {self.root}/shown ;;"
            f' is-active) if grep -qx -- "$2" {self.root}/up; then echo active; else echo inactive; fi ;; esac',
        )
        self.command("sleep", f"echo $1 >>{self.root}/slept; [ ! -x {self.root}/on_sleep ] || {self.root}/on_sleep")

    def probe(self, services: str = "", key: str = "") -> dict[str, Any]:
        """Run the probe; it must say nothing else, stay small and leave nothing behind."""
        before = sorted(self.bin.iterdir())
        done = self.run(to_probe("linux", services, key))
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(self.bin.iterdir()) == before
        assert len(done.stdout) <= 2400
        assert done.stdout.count("\n") == 1
        found: dict[str, Any] = json.loads(done.stdout)
        return found
