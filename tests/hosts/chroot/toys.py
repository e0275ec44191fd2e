# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Toy packages in repositories of a root's own: deb packages are built on this machine, rpm packages in the root."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.hosts.chroot.roots import Root


@dataclass(frozen=True, slots=True, kw_only=True)
class Deb:
    """A deb package. ``fields``: more of its control file. ``scripts``: maintainer scripts by name."""

    name: str
    version: str
    fields: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    conffiles: Sequence[str] = ()

    @property
    def id(self) -> str:
        return f"{self.name}.all:{self.version}"

    @property
    def file(self) -> str:
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.fields.get('Architecture', 'all')}.deb"

    def build(self, into: Path) -> Path:
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            control = {"Package": self.name, "Version": self.version, "Architecture": "all", **self.fields}
            control |= {"Maintainer": "Nobody <nobody@example.invalid>", "Description": "toy"}
            _write(tree / "DEBIAN/control", "".join(f"{key}: {value}\n" for key, value in control.items()))
            for name, text in self.scripts.items():
                _write(tree / f"DEBIAN/{name}", f"#!/bin/sh\n{text}\n", 0o755)
            for name, text in self.files.items():
                _write(tree / name, text)
            if self.conffiles:
                _write(tree / "DEBIAN/conffiles", "".join(f"/{name}\n" for name in self.conffiles))
            package = into / self.file
            subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "--build", str(tree), str(package)],
                           check=True, capture_output=True)  # fmt: skip
        return package


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def archive(
    root: Root,
    name: str,
    packages: Sequence[Deb],
    *,
    label: str = "Debian",
    origin: str = "Debian",
    suite: str = "",
    release: str = "",
) -> None:
    """Publish packages in an apt archive of the root; unsigned, and trusted all the same.

    :param release: more lines of its Release file; they win over the others.
    """
    folder = root.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    for package in packages:
        package.build(folder)
    index = subprocess.run(
        ["apt-ftparchive", "packages", "."], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    (folder / "Packages").write_text(index)
    fields = {"Origin": origin, "Label": label, "Suite": suite or f"stable-{name}", "Codename": suite or name}
    options = [f"-oAPT::FTPArchive::Release::{key}={value}" for key, value in fields.items()]
    text = subprocess.run(
        ["apt-ftparchive", *options, "release", str(folder)], capture_output=True, text=True, check=True
    ).stdout
    kept = [line for line in text.splitlines(True) if line.partition(":")[0] != release.partition(":")[0]]
    (folder / "Release").write_text(release + "".join(kept))
    root.write(f"/etc/apt/sources.list.d/{name}.list", f"deb [trusted=yes] file:/srv/{name} ./\n")


@dataclass(frozen=True, slots=True)
class Signer:
    """A key pair of gpg's in a directory of its own."""

    home: Path

    @classmethod
    def make(cls, home: Path, *, created: str = "", valid: str = "never") -> Signer:
        """Make a key. :param created: as gpg reads it, such as ``20200101T000000``; the present by default."""
        home.mkdir(mode=0o700)
        signer = cls(home)
        signer.gpg(*(["--faked-system-time", f"{created}!"] if created else []),
                   "--quick-generate-key", home.name, "rsa2048", "sign", valid)  # fmt: skip
        return signer

    @property
    def public(self) -> str:
        return self.gpg("--armor", "--export")

    def gpg(self, *arguments: str) -> str:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--passphrase", "", "--yes", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def sign_archive(self, folder: Path) -> None:
        """Sign an apt archive. Nothing in it is trusted without its key any more."""
        self.gpg("--clearsign", "--output", str(folder / "InRelease"), str(folder / "Release"))

    def sign_metadata(self, folder: Path) -> None:
        """Sign the metadata of an rpm repository, as SUSE does."""
        (folder / "repodata/repomd.xml.key").write_text(self.public)
        self.gpg("--armor", "--detach-sign", str(folder / "repodata/repomd.xml"))


def has(root: Root, *packages: Deb) -> None:
    """Install packages in the root, as those of last month."""
    for package in packages:
        package.build(root.folder / "old")
    names = " ".join(f"/srv/old/{package.file}" for package in packages)
    root.sh(f"dpkg -i --force-all {names}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rpm:
    """An rpm package of release 1. ``tags``: more lines of its spec file. ``scripts``: ``post``, ``preun``, …
    ``files``: texts by path."""

    name: str
    version: str
    tags: Sequence[str] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.name}.noarch:{self.epoch}:{self.version}-1".replace(":0:", ":")

    @property
    def epoch(self) -> str:
        return next((tag.split()[1] for tag in self.tags if tag.startswith("Epoch:")), "0")

    @property
    def file(self) -> str:
        return f"noarch/{self.name}-{self.version}-1.noarch.rpm"

    def spec(self) -> str:
        head = textwrap.dedent(f"""\
            Name: {self.name}
            Version: {self.version}
            Release: 1
            Summary: toy
            License: none
            BuildArch: noarch
            """)
        tags = "".join(f"{tag}\n" for tag in self.tags)
        scripts = "".join(f"%{name} -p /bin/sh\n{text}\n" for name, text in self.scripts.items())
        made = "".join(
            f"mkdir -p %{{buildroot}}{Path(name).parent}\ncat >%{{buildroot}}{name} <<'END'\n{text}\nEND\n"
            for name, text in self.files.items()
        )
        install = f"%install\n{made}" if made else ""
        return f"{head}{tags}%description\ntoy\n{install}{scripts}%files\n" + "".join(
            f"{name}\n" for name in self.files
        )


#: The interpreter of scriptlets, which no rpm package of a look-alike provides.
SHELL = Rpm(name="toy-shell", version="1", tags=["Provides: /bin/sh"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """An advisory for packages of a repository."""

    name: str
    packages: Sequence[Rpm]
    kind: str = "security"
    severity: str = "Important"
    reboot: bool = False
    restart: bool = False
    status: str = "stable"

    def xml(self) -> str:
        suggested = "<reboot_suggested>True</reboot_suggested>" if self.reboot else ""
        suggested += "<restart_suggested>True</restart_suggested>" if self.restart else ""
        packages = "".join(
            f'<package name="{item.name}" version="{item.version}" release="1" epoch="{item.epoch}"'
            ' arch="noarch" src="">'
            f"<filename>{Path(item.file).name}</filename>{suggested}</package>"
            for item in self.packages
        )
        return (
            f'<update from="x" status="{self.status}" type="{self.kind}" version="1"><id>{self.name}</id>'
            f"<title>{self.name}</title><severity>{self.severity}</severity>"
            '<issued date="2026-01-01 00:00:00"/><updated date="2026-01-01 00:00:00"/><description>d</description>'
            f'<references><reference href="x" id="CVE-2026-1" type="cve" title="CVE-2026-1"/></references>'
            f'<pkglist><collection short="t"><name>t</name>{packages}</collection></pkglist></update>'
        )


def build(root: Root, *packages: Rpm) -> None:
    """Build rpm packages below /srv/pool."""
    for package in packages:
        if (root.folder / "pool" / package.file).exists():
            continue
        (root.folder / "toy.spec").write_text(package.spec())
        root.sh("rpmbuild -bb --define '_topdir /tmp/rpm' --define '_rpmdir /srv/pool' /srv/toy.spec")


def repository(root: Root, name: str, packages: Sequence[Rpm], advisories: Sequence[Advisory] | None = ()) -> None:
    """Publish packages. :param advisories: ``None`` for a repository without updateinfo."""
    build(root, *packages)
    folder = root.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "noarch").mkdir(parents=True)
    for package in packages:
        shutil.copy(root.folder / "pool" / package.file, folder / package.file)
    root.sh(f"createrepo_c -q /srv/{name}")
    if advisories is not None:
        text = "".join(item.xml() for item in advisories)
        (root.folder / "updateinfo.xml").write_text(f'<?xml version="1.0"?><updates>{text}</updates>')
        root.sh(f"modifyrepo_c --mdtype=updateinfo /srv/updateinfo.xml /srv/{name}/repodata")
    text = f"[{name}]\nname={name}\nbaseurl=file:///srv/{name}\nenabled=1\ngpgcheck=0\n"
    where = "zypp/repos.d" if root.family == "zypper" else "yum.repos.d"
    root.write(f"/etc/{where}/{name}.repo", text)


def installed(root: Root, *packages: Rpm) -> None:
    """Install packages in the root, as those of last month, with the shell that scriptlets need."""
    build(root, SHELL, *packages)
    names = " ".join(f"/srv/pool/{package.file}" for package in (SHELL, *packages))
    root.sh(f"rpm -U --replacepkgs --nodeps {names}")
