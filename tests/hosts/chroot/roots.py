# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roots of three families to run the real package managers in: plain chroots without systemd, thrown away after a test.

What the families are stands in ``lab/hosts/families.py``.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import Listing, PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.proof import Proof, read_proof
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.scripts import (
    install_script,
    list_script,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.updates import read_list

from lab.hosts import families
from lab.hosts.base import APT
from lab.hosts.running import run
from lab.hosts.sources import Archive, Sources, of_this_machine

CACHE = Path(__file__).parents[3] / "build" / "hosts"
WORK = "/var/lib/patchtide/work"
RULES = PackageRules(lock_seconds=20)
#: Suites of Ubuntu. They are looked for beside this machine's Debian mirror, unless PATCHTIDE_UBUNTU_MIRROR is set.
UBUNTU = ("jammy", "noble")
#: Debian's unstable suite is the only one that has dnf 5, with rpm 6.
DNF5 = ("dnf5", "rpm", "createrepo-c", "gpg", "gpg-agent")


def base(family: str, suite: str = "") -> Path:
    """Return the shared root of a family, built once."""
    sources = _ubuntu(suite) if suite in UBUNTU else of_this_machine(suite=suite)
    parts = (
        inspect.getsource(_build),
        inspect.getsource(families.dress),
        repr((families.PACKAGES, DNF5)),
        sources.stanzas(),
    )
    recipe = hashlib.sha256("".join(parts).encode()).hexdigest()[:8]
    found = CACHE / f"root-{family}-{sources.suite}-{recipe}"
    if not found.is_dir():
        for old in CACHE.glob(f"root-{family}-{sources.suite}-*"):
            shutil.rmtree(old)
        unfinished = found.with_suffix(".unfinished")
        unfinished.mkdir(parents=True)
        _build(unfinished, family, sources)
        unfinished.rename(found)
    return found


def _ubuntu(suite: str) -> Sources:
    """Sources of Ubuntu, whose keys come from a package of Debian's."""
    debian = of_this_machine(suite="trixie")
    name, keys = "usr/share/keyrings/ubuntu-archive-keyring.gpg", CACHE / "ubuntu-keys"
    if not (keys / name).is_file():
        line = f"deb [signed-by={debian.main.keyring}] {debian.main.uri} trixie main"
        run(["mmdebstrap", "--mode=root", "--variant=extract", "--include=ubuntu-keyring", "trixie", str(keys), line])
    mirror = os.environ.get("PATCHTIDE_UBUNTU_MIRROR") or f"{debian.main.uri.rstrip('/').rpartition('/')[0]}/ubuntu"
    archive = Archive(uri=mirror, suite=suite, keyring=str(keys / name))
    return replace(debian, suite=suite, main=archive, security=archive)


def _build(root: Path, family: str, sources: Sources) -> None:
    options = [f'--aptopt={key} "{value}"' for key, value in sources.settings.items()]
    options += [f"--dpkgopt=path-exclude=/usr/share/{unread}/*" for unread in ("man", "doc", "locale", "info")]
    line = f"deb [signed-by={sources.main.keyring}] {sources.main.uri} {sources.main.suite} main"
    packages = DNF5 if (family, sources.suite) == ("dnf", "sid") else families.PACKAGES[family]
    include = f"--include={','.join(packages)}"
    run(["mmdebstrap", "--mode=root", "--variant=minbase", include, *options, sources.suite, str(root), line])
    (root / "etc/apt/sources.list").write_text("")
    (root / "etc/apt/apt.conf.d/80patchtide").write_text(APT)
    (root / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
    if family in families.LOOK_ALIKES:
        families.dress(root, family)
    if packages is DNF5:
        (root / "usr/bin/dnf").symlink_to("dnf5")  # as Fedora has it since 41


@dataclass(slots=True)
class Root:
    """A root of one test. ``folder`` is visible at /srv in it."""

    family: str
    holder: subprocess.Popen[str]
    folder: Path
    pid: str = ""

    @classmethod
    def up(cls, family: str, folder: Path, suite: str = "") -> Root:
        """Mount the shared root under one of our own, in namespaces that end with it."""
        script = """
        set -e
        mount -t tmpfs tmpfs "$2"; mkdir "$2/upper" "$2/work" "$2/root"
        mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
        mount -t proc proc "$2/root/proc"; mount -t tmpfs tmpfs "$2/root/run"; mount -t tmpfs tmpfs "$2/root/tmp"
        mount --bind /dev "$2/root/dev"; mount --bind "$3" "$2/root/srv"
        echo ready; exec sleep infinity
        """
        shared, mounts = base(family, suite), folder / "mounts"
        files = folder / "srv"
        mounts.mkdir()
        files.mkdir()
        command = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--propagation",
            "private",
        ]
        command += ["sh", "-c", script, "sh", str(shared), str(mounts), str(files)]
        holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n", "the root could not be mounted"
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        return cls(family, holder, files, children[0])

    def down(self) -> None:
        self.holder.kill()
        self.holder.wait()

    def sh(self, script: str, *, check: bool = True, stdin: str = "") -> str:
        """Run a shell script in the root and return what it prints on both streams."""
        done = self._run(["sh", "-c", script], stdin=stdin)
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self, script: str) -> subprocess.Popen[str]:
        """Start a shell script in the root and go on."""
        return subprocess.Popen(self._argv(["sh", "-c", script]), stdin=subprocess.DEVNULL, text=True)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        self.sh(f"mkdir -p '{Path(path).parent}'; cat >'{path}'; chmod {mode:o} '{path}'", stdin=text)

    def listing(self, rules: PackageRules = RULES) -> Listing:
        """List updates as a scan does. :raises PatchtideError: the package manager failed."""
        return read_list(self._run(["sh", "-s"], stdin=list_script(rules)).stdout, rules)[0]

    def install(self, *ids: str, rules: PackageRules = RULES, seconds: int = 600) -> Proof:
        """Install a list, and read what the root proves."""
        self.write(f"{WORK}/work.sh", install_script(ids, rules, seconds))
        self.sh(f"sh {WORK}/work.sh >{WORK}/out 2>{WORK}/err", check=False)
        return self.proof(*ids)

    def proof(self, *ids: str) -> Proof:
        return read_proof(self._run(["sh", f"{WORK}/work.sh", "prove"]).stdout, ids)

    def _argv(self, command: Sequence[str]) -> list[str]:
        inside = f"/proc/{self.pid}/root{self.folder.parent}/mounts/root"
        return ["nsenter", "-t", self.pid, "-m", "-p", "chroot", inside.replace(f"/proc/{self.pid}/root", ""), *command]

    def _run(self, command: Sequence[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        return subprocess.run(
            self._argv(command), input=stdin, capture_output=True, text=True, check=False, timeout=300, env=environment
        )
