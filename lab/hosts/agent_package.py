# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of the stand-in for the SSM Agent, with a detached signature and its key, as AWS publishes them.

python -m lab.hosts.agent_package FOLDER    # amazon-ssm-agent.deb, .rpm, their .sig, and key.asc
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.hosts.running import run
from lab.hosts.ssm_agent import VERSION

NAME = "amazon-ssm-agent"
AGENT = Path(__file__).with_name("ssm_agent.py")
#: aws/amazon-ssm-agent, packaging/linux/amazon-ssm-agent.service
UNIT = """\
[Unit]
Description=amazon-ssm-agent
After=network-online.target
[Service]
ExecStart=/usr/bin/amazon-ssm-agent
KillMode=process
Restart=always
RestartSec=90
[Install]
WantedBy=multi-user.target
"""
#: The packages start the service (packaging/ubuntu/postinst). A host without registration cannot run it yet and keeps
#: the package, and one that has stopped it may remove it: hence ``|| true`` on these two commands.
STARTS = f"systemctl enable --quiet {NAME}\nsystemctl start {NAME} || true\n"
STOPS = f"systemctl disable --quiet --now {NAME} || true\n"
POSTINST = f"#!/bin/sh\nset -e\n{STARTS}"
PRERM = f"#!/bin/sh\n{STOPS}"
CONTROL = f"""\
Package: {NAME}
Version: {VERSION}-1
Architecture: all
Maintainer: The patchtide.hybrid contributors <nobody@example.invalid>
Description: Stand-in for the SSM Agent, of the patchtide lab
"""
SPEC = f"""\
Name: {NAME}
Version: {VERSION}
Release: 1
Summary: Stand-in for the SSM Agent, of the patchtide lab
License: GPL-3.0-or-later
BuildArch: noarch
%description
Stand-in for the SSM Agent
%post
set -e
{STARTS}
%preun
{STOPS}
%files
/usr/bin/{NAME}
/usr/lib/systemd/system/{NAME}.service
"""


@dataclass(frozen=True, slots=True)
class Package:
    """A package, its signature, and the key that belongs to it."""

    path: Path
    signature: Path
    key: Path

    @property
    def checksum(self) -> str:
        return f"sha256:{hashlib.sha256(self.path.read_bytes()).hexdigest()}"


def build(folder: Path, kind: str = "deb") -> Package:
    """Build and sign a package, ``deb`` or ``rpm``, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{NAME}.{kind}"
    with tempfile.TemporaryDirectory() as work:
        tree = Path(work) / "tree"
        _write(tree / "usr/bin" / NAME, AGENT.read_text(), 0o755)
        _write(tree / "usr/lib/systemd/system" / f"{NAME}.service", UNIT)
        if kind == "deb":
            for name, text, mode in (
                ("control", CONTROL, 0o644),
                ("postinst", POSTINST, 0o755),
                ("prerm", PRERM, 0o755),
            ):
                _write(tree / "DEBIAN" / name, text, mode)
            run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(path)])
        else:
            (Path(work) / "agent.spec").write_text(SPEC)
            top = f"_topdir {work}/rpm"
            run(["rpmbuild", "-bb", "--define", top, "--buildroot", str(tree), f"{work}/agent.spec"])
            (made,) = Path(work).glob("rpm/RPMS/*/*.rpm")
            shutil.copy(made, path)
    return _signed(path)


def _signed(path: Path) -> Package:
    key, signature = path.with_name("key.asc"), path.with_name(f"{path.name}.sig")
    for old in (key, signature):
        old.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback"]
        run([*gpg, "--passphrase", "", "--quick-generate-key", "SSM Agent of the patchtide lab", "ed25519", "sign"])
        try:
            run([*gpg, "--output", str(signature), "--detach-sign", str(path)])
            run([*gpg, "--armor", "--output", str(key), "--export"])
        finally:
            run(["gpgconf", "--homedir", home, "--kill", "all"])
    return Package(path, signature, key)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
