# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three families of package managers: Debian's apt, and look-alikes of the RPM and SUSE families.

A look-alike is Debian with Debian's own dnf, rpm, createrepo_c and zypper, dressed up by /etc/os-release. It shows how
the tools behave, not how RHEL or SLES do. A host of a look-alike has two toy packages of version 1.0, and a repository
that offers 1.1 of both: `patchtide-toy-agent` by a security advisory, `patchtide-toy-docs` by one of another kind.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.hosts.running import run
from lab.hosts.sources import Sources

#: What a root needs beyond Debian's own.
PACKAGES: Mapping[str, Sequence[str]] = {
    "apt": ("apt-utils", "ca-certificates"),
    "dnf": ("dnf", "rpm", "createrepo-c", "dnf-plugins-core", "gpg", "gpg-agent"),
    "zypper": ("zypper", "rpm", "createrepo-c"),
}
LOOK_ALIKES = ("dnf", "zypper")
_RELEASES: Mapping[str, str] = {"dnf": "fedora", "zypper": "suse"}
#: Where its file is, an update of the agent fails.
BREAK = "/etc/patchtide-toy-break"
_REPOSITORY = "/srv/patchtide-toy"
_REPOSITORIES: Mapping[str, str] = {"dnf": "etc/yum.repos.d", "zypper": "etc/zypp/repos.d"}
_SPEC = """\
Name: {name}
Version: {version}
Release: 1
Summary: Toy package of the patchtide lab
License: none
BuildArch: noarch
{tags}%description
Toy package of the patchtide lab.
{scripts}%files
"""
_ADVISORY = """\
<update from="lab" status="stable" type="{kind}" version="1"><id>TOY-2026:{number}</id><title>{name}</title>
<severity>{severity}</severity><issued date="2026-01-01 00:00:00"/><updated date="2026-01-01 00:00:00"/>
<description>toy</description><references/><pkglist><collection short="toy"><name>toy</name>
<package name="{name}" version="1.1" release="1" epoch="0" arch="noarch" src="">
<filename>{name}-1.1-1.noarch.rpm</filename></package></collection></pkglist></update>
"""
_TOYS = (("patchtide-toy-agent", "security", "Important"), ("patchtide-toy-docs", "bugfix", "Low"))
#: Mounts an overlay on the base where only this process sees it, and runs the recipe in it.
_IN_LAYER = """
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"; mount --rbind /dev "$2/root/dev"; mount -t tmpfs tmpfs "$2/root/run"
mount -t tmpfs tmpfs "$2/root/tmp"
exec chroot "$2/root" sh -euc "$3"
"""


def dress(root: Path, family: str) -> None:
    """Make a Debian root with the packages of a look-alike's family look like one."""
    release = root / "etc/os-release"
    release.unlink(missing_ok=True)
    release.parent.mkdir(parents=True, exist_ok=True)
    release.write_text(f'NAME="Look-alike"\nID=lookalike\nID_LIKE="{_RELEASES[family]}"\nVERSION_ID=1\n')
    (root / "etc/rpm").mkdir(exist_ok=True)
    (root / "etc/rpm/macros").write_text("%_dbpath /var/lib/rpm\n")
    for plugin in ("local", "copr", "debuginfo-install", "post-transaction-actions"):
        (root / f"etc/dnf/plugins/{plugin}.conf").unlink(missing_ok=True)
    if family == "dnf":
        (root / "etc/dnf/vars").mkdir(parents=True, exist_ok=True)
        (root / "etc/dnf/vars/releasever").write_text("1\n")
        (root / "etc/dnf/dnf.conf").write_text("[main]\ngpgcheck=0\ninstallonly_limit=3\nbest=False\n")


def ensure_layer(folder: Path, base: Path, family: str, sources: Sources) -> Path:
    """Return the layer that turns hosts on this base into look-alikes, built if `folder` doesn't hold it yet."""
    recipe = json.dumps([Path(__file__).read_text(), base.name, sources.stanzas()])
    layer = folder / f"layer-{family}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"
    if layer.is_dir():
        return layer
    print(f"building the {family} layer (once)", flush=True)
    for old in folder.glob(f"layer-{family}-????????"):
        shutil.rmtree(old)
    unfinished = layer.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in ("upper", "work", "root"):
        (unfinished / part).mkdir(parents=True)
    upper = unfinished / "upper"
    carried = {"etc/resolv.conf": Path("/etc/resolv.conf").read_text(), "etc/apt/apt.conf.d/90lab": sources.apt_conf()}
    for name, text in carried.items():
        (upper / name).parent.mkdir(parents=True, exist_ok=True)
        (upper / name).write_text(text)
    install = f"apt-get update -qq; apt-get install -qq --yes --no-install-recommends {' '.join(PACKAGES[family])}"
    _inside(base, unfinished, f"export DEBIAN_FRONTEND=noninteractive; {install} >/dev/null; apt-get clean")
    dress(upper, family)
    _inside(base, unfinished, _toys(family))
    for name in carried:
        (upper / name).unlink()
    upper.rename(layer)
    shutil.rmtree(unfinished)
    return layer


def _inside(base: Path, layer: Path, script: str) -> None:
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", _IN_LAYER, "sh"]
    run([*command, str(base), str(layer), script])


def _toys(family: str) -> str:
    """Return the script that builds the toys, publishes their updates and installs the old ones."""
    steps, advisories = [f"mkdir -p {_REPOSITORY} /{_REPOSITORIES[family]}; cd /tmp"], []
    shell = _SPEC.format(name="toy-shell", version="1.0", tags="Provides: /bin/sh\n", scripts="")
    specs = {"toy-shell-1.0": shell}
    for number, (name, kind, severity) in enumerate(_TOYS, 1):
        advisories.append(_ADVISORY.format(name=name, kind=kind, severity=severity, number=number))
        for version in ("1.0", "1.1"):
            scripts = f"%pre -p /bin/sh\n[ ! -e {BREAK} ]\n" if name.endswith("agent") else ""
            specs[f"{name}-{version}"] = _SPEC.format(name=name, version=version, tags="", scripts=scripts)
    for name, spec in specs.items():
        steps.append(f"cat >{name}.spec <<'END'\n{spec}END")
        steps.append(f"rpmbuild -bb --quiet --define '_topdir /tmp/rpm' --define '_rpmdir /tmp/pool' {name}.spec")
    steps += [
        "rpm -U --nodeps pool/noarch/*-1.0-1.noarch.rpm",
        f"cp pool/noarch/*-1.1-1.noarch.rpm {_REPOSITORY}; createrepo_c -q {_REPOSITORY}",
        f"cat >updateinfo.xml <<'END'\n<?xml version=\"1.0\"?><updates>{''.join(advisories)}</updates>\nEND",
        f"modifyrepo_c --mdtype=updateinfo updateinfo.xml {_REPOSITORY}/repodata >/dev/null",
        f"printf '[toy]\\nname=toy\\nbaseurl=file://{_REPOSITORY}\\nenabled=1\\ngpgcheck=0\\n'"
        f" >/{_REPOSITORIES[family]}/toy.repo",
    ]
    return "\n".join(steps)
