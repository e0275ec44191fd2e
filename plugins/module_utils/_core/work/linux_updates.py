# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Linux host could install, as its package manager tells: one script, three readers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..errors import PatchtideError
from ..model import Patch
from .node_answer import SIZE, BadAnswer, words

#: Prints the manager's name, then what it would install. Refreshes the package lists: they only cache the repositories.
LIST_SCRIPT = r"""#!/bin/sh
# patchtide:updates:1
LC_ALL=C; export LC_ALL; DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND
if command -v apt-get >/dev/null 2>&1 && [ -d /var/lib/dpkg/info ]; then
  echo "@manager apt"
  if ! apt-get -qq -o DPkg::Lock::Timeout=300 -o APT::Update::Error-Mode=any update 2>&1; then
    echo "@failed apt-get update"; exit 1
  fi
  echo "@list"
  if ! apt-get -s -o Debug::NoLocking=true -o APT::Get::Always-Include-Phased-Updates=true dist-upgrade; then
    echo "@failed apt-get dist-upgrade"; exit 1
  fi
elif command -v dnf >/dev/null 2>&1; then
  echo "@manager dnf"
  echo "@list"
  dnf -q --refresh check-update; rc=$?
  [ $rc -eq 0 ] || [ $rc -eq 100 ] || { echo "@failed dnf check-update"; exit 1; }
  echo "@security"
  dnf -q updateinfo list --updates --security 2>/dev/null
  echo "@metadata"
  dnf -q updateinfo summary --all 2>/dev/null | head -n 5
elif command -v zypper >/dev/null 2>&1; then
  echo "@manager zypper"
  zypper -q --non-interactive refresh 2>&1 || { echo "@failed zypper refresh"; exit 1; }
  echo "@list"
  zypper -q --non-interactive --terse list-updates || { echo "@failed zypper list-updates"; exit 1; }
  echo "@security"
  zypper -q --non-interactive --terse list-patches --category security
else
  echo "@failed no apt-get, dnf or zypper"; exit 1
fi
echo "@end"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """What a host could install. ``security_known``: its repositories say which updates are security updates."""

    manager: str
    patches: tuple[Patch, ...]
    security_known: bool = True


def parse_updates(output: str) -> Updates:
    """Read the output of ``LIST_SCRIPT``.

    :raises PatchtideError: the package manager failed; what it said is in the message.
    """
    parts = _sections(output[: SIZE + 1])
    manager = (parts.get("manager") or [""])[0]
    if "failed" in parts or "end" not in parts:
        said = words(" ".join(line for line in output[-SIZE:].splitlines() if line and not line.startswith("@"))[-300:])
        what = (parts.get("failed") or ["the list of updates is cut short"])[0]
        raise PatchtideError(f"{words(what, 100)}: {said}" if said else words(what, 100))
    if manager == "apt":
        return Updates(manager=manager, patches=tuple(_apt(parts.get("list", []))))
    if manager == "dnf":
        known = bool(parts.get("metadata"))
        patches = tuple(_dnf(parts.get("list", []), parts.get("security", [])))
        return Updates(manager=manager, patches=patches, security_known=known)
    return Updates(manager=manager, patches=tuple(_zypper(parts.get("list", []), parts.get("security", []))))


def _sections(output: str) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    name = ""
    for line in output.splitlines():
        if len(line) > _LINE:
            raise BadAnswer(f"the list of updates has a line of {len(line)} characters, expected at most {_LINE}")
        match = re.match(r"@(manager|list|security|metadata|failed|end)\b ?(.*)", line)
        if match:
            name = match[1]
            parts[name] = [match[2]] if match[2] else []
        elif name and line.strip():
            parts[name].append(line.rstrip())
    return parts


#: Characters of a line of a list, and what names and versions are made of (deb-version(7), rpm-version(7)).
_LINE = 4_000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:~^@%/-]{0,299}")

_APT = re.compile(r"^Inst (?P<name>\S+) (?:\[[^\]]*\] )?\((?P<version>\S+) (?P<origin>.*?) \[(?P<arch>[^\]]+)\]\)")


def _apt(lines: Iterable[str]) -> Iterable[Patch]:
    for line in lines:
        if match := _APT.match(line):
            security = "security" in match["origin"].lower()
            yield _patch(match["name"].split(":")[0], match["arch"], match["version"], security)


def _dnf(lines: Iterable[str], advisories: Sequence[str]) -> Iterable[Patch]:
    secure = _packages(advisories)
    for line in lines:
        fields = line.split()
        if line.startswith("Obsoleting"):
            return
        if len(fields) == 3 and "." in fields[0]:
            name, arch = fields[0].rsplit(".", 1)
            version = fields[1]
            yield _patch(name, arch, version, name in secure)


def _packages(advisories: Iterable[str]) -> set[str]:
    """Return the packages that advisories name, if only in an older build than the newest: ``name-version-release``."""
    builds = [fields[-1].rsplit("-", 2) for line in advisories if len(fields := line.split()) >= 3]
    return {name for name, *build in builds if len(build) == 2 and all(build)}


def _zypper(lines: Iterable[str], advisories: Sequence[str]) -> Iterable[Patch]:
    for line in lines:
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) >= 6 and cells[0] == "v":
            yield _patch(cells[2], cells[5], cells[4], security=False)
    for line in advisories:
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) >= 4 and cells[2] == "security":
            severity = cells[3].capitalize()
            name = _checked(f"patch:{cells[1]}")
            yield Patch(
                id=name, title=cells[1], classification="Security", severity=words(severity, 40), state="Missing"
            )


def _patch(name: str, arch: str, version: str, security: bool) -> Patch:
    """Name it as SSM names Linux patches: ``package.arch:version``."""
    kind = "Security" if security else "Bugfix"
    patch_id = _checked(f"{name}.{arch}:{version}")
    return Patch(id=patch_id, title=f"{name} {version}", classification=kind, state="Missing")


def _checked(name: str) -> str:
    """:raises BadAnswer: no package is called so."""
    if not _ID.fullmatch(name):
        raise BadAnswer(f"the list of updates names {words(name, 80)!r}, expected a package and its version")
    return name


def choose(patches: Iterable[Patch], *, security_only: bool, exclude: Sequence[str]) -> list[Patch]:
    """Return what is to be installed: only security updates if asked, nothing that matches an excluded pattern."""
    return [
        patch
        for patch in patches
        if (patch.classification == "Security" or not security_only)
        and not any(fnmatchcase(package_of(patch.id)[0], pattern) for pattern in exclude)
    ]


def package_of(patch_id: str) -> tuple[str, str, str]:
    """Return (name, architecture, version) of ``package.arch:version``."""
    left, _separator, version = patch_id.partition(":")
    name, _separator, arch = left.rpartition(".")
    return (name or left), (arch if name else ""), version


def to_spec(manager: str, patch_id: str) -> str:
    """Return how the package manager is asked for exactly this version."""
    name, arch, version = package_of(patch_id)
    if manager == "apt":
        return f"{name}={version}" if arch in ("", "all") else f"{name}:{arch}={version}"
    if manager == "dnf":
        return f"{name}-{version}.{arch}"
    return version if patch_id.startswith("patch:") else f"{name}={version}"
