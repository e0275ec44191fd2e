# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small signed apt repository with toy updates, for tests that must not depend on what Debian publishes today.

Every host has version 1.0 of two packages; the repository offers 1.1 of both. `patchtide-toy-agent` is a service whose
update comes from an archive that says it is Debian-Security, and asks for a reboot as a kernel's would.
`patchtide-toy-docs` is an ordinary update of another archive, which a security-only policy must leave alone.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path

from lab.hosts.running import run

OLD, NEW = "1.0", "1.1"
KEY_IN_GUEST = "/etc/apt/keyrings/patchtide-lab.gpg"
AGENT_UNIT = textwrap.dedent("""\
    [Unit]
    Description=Toy agent of the lab
    [Service]
    ExecStart=/bin/sh -c 'while :; do sleep 3600; done'
    [Install]
    WantedBy=multi-user.target
    """)
# What a kernel's or libc's maintainer script does for the update to count only after a reboot.
AGENT_POSTINST = textwrap.dedent("""\
    #!/bin/sh
    set -e
    [ "$1" = configure ] || exit 0
    systemctl enable --quiet patchtide-toy-agent.service
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl restart patchtide-toy-agent.service
    fi
    if [ -n "$2" ]; then
        echo "*** System restart required ***" > /run/reboot-required
        echo patchtide-toy-agent >> /run/reboot-required.pkgs
    fi
    """)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy:
    """A toy package and the archive that publishes its update."""

    name: str
    files: dict[str, str]
    postinst: str
    archive: str
    label: str


TOYS = (
    Toy(
        name="patchtide-toy-agent",
        files={"lib/systemd/system/patchtide-toy-agent.service": AGENT_UNIT},
        postinst=AGENT_POSTINST,
        archive="security",
        label="Debian-Security",
    ),
    Toy(
        name="patchtide-toy-docs",
        files={"usr/share/patchtide-toy/README": "Nothing to read.\n"},
        postinst="",
        archive="updates",
        label="Debian",
    ),
)


def install_old(root: Path) -> None:
    """Install version 1.0 of all toys into a Debian root."""
    with tempfile.TemporaryDirectory(dir=root / "tmp") as folder:
        packages = [_build(toy, OLD, Path(folder)) for toy in TOYS]
        inside = [str(Path("/") / package.relative_to(root)) for package in packages]
        run(["chroot", str(root), "dpkg", "--install", *inside])


def ensure_repository(folder: Path, suite: str) -> Path:
    """A signed repository of version 1.1 below `folder`, with its public key in `key.gpg`; made once per recipe."""
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    repository = folder / f"toy-{suite}-{digest}"
    if (repository / "key.gpg").is_file():
        return repository
    shutil.rmtree(repository, ignore_errors=True)
    architecture = run(["dpkg", "--print-architecture"]).strip()
    with tempfile.TemporaryDirectory() as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback"]
        run(
            [*gpg, "--passphrase", "", "--quick-generate-key", "Toy repository of the patchtide lab", "ed25519", "sign"]
        )
        try:
            for toy in TOYS:
                _publish(toy, repository, suite, architecture, gpg)
            run([*gpg, "--output", str(repository / "key.gpg"), "--export"])
        finally:
            run(["gpgconf", "--homedir", home, "--kill", "all"])
    return repository


def stanzas(url: str, suite: str) -> str:
    """deb822 text of both archives at this address."""
    archives = " ".join(f"{suite}-{toy.archive}" for toy in TOYS)
    return f"Types: deb\nURIs: {url}\nSuites: {archives}\nComponents: main\nSigned-By: {KEY_IN_GUEST}\n"


def _publish(toy: Toy, repository: Path, suite: str, architecture: str, gpg: list[str]) -> None:
    pool = repository / "pool" / toy.archive
    pool.mkdir(parents=True)
    _build(toy, NEW, pool)
    release = repository / f"dists/{suite}-{toy.archive}"
    index = release / f"main/binary-{architecture}/Packages"
    index.parent.mkdir(parents=True)
    index.write_text(
        run(["sh", "-c", 'cd "$1" && apt-ftparchive packages "$2"', "sh", str(repository), f"pool/{toy.archive}"])
    )
    fields = {
        "Origin": "Debian",
        "Label": toy.label,
        "Suite": f"stable-{toy.archive}",
        "Codename": f"{suite}-{toy.archive}",
        "Components": "main",
        "Architectures": architecture,
    }
    options = [f"-oAPT::FTPArchive::Release::{key}={value}" for key, value in fields.items()]
    text = run(["apt-ftparchive", *options, "release", str(release)])
    (release / "Release").write_text(text)
    run([*gpg, "--clearsign", "--output", str(release / "InRelease"), str(release / "Release")])


def _build(toy: Toy, version: str, into: Path) -> Path:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / toy.name
        control = {
            "Package": toy.name,
            "Version": version,
            "Architecture": "all",
            "Maintainer": "The patchtide.hybrid contributors <nobody@example.invalid>",
            "Description": f"Toy package of the patchtide lab, version {version}",
        }
        _write(tree / "DEBIAN/control", "".join(f"{key}: {value}\n" for key, value in control.items()))
        if toy.postinst:
            _write(tree / "DEBIAN/postinst", toy.postinst, 0o755)
        for name, text in toy.files.items():
            _write(tree / name, text)
        package = into / f"{toy.name}_{version}_all.deb"
        run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(package)])
    return package


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
