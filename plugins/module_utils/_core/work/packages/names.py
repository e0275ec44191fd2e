# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How packages are named: ``name.arch:version`` as SSM names Linux patches, ``patch:NAME`` for a patch of SUSE."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..node_answer import BadAnswer, words

#: What names and versions are made of (deb-version(7), rpm-version(7)).
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:~^@%/-]{0,299}")
PATCH = "patch:"


class Package(NamedTuple):
    """``version`` is ``""`` for a patch of SUSE, whose name stands in ``name`` with its prefix."""

    name: str
    arch: str
    version: str

    @property
    def id(self) -> str:
        """The id of its update. :raises BadAnswer: no package is called so."""
        return checked(self.name if self.name.startswith(PATCH) else f"{self.name}.{self.arch}:{self.version}")


def checked(patch_id: str) -> str:
    """Return an id that is one. :raises BadAnswer: no package is called so."""
    if not _ID.fullmatch(patch_id):
        raise BadAnswer(f"the list of updates names {words(patch_id, 80)!r}, expected a package and its version")
    return patch_id


def package_of(patch_id: str) -> Package:
    """Read an id."""
    if patch_id.startswith(PATCH):
        return Package(patch_id, "", "")
    left, _separator, version = patch_id.partition(":")
    name, _separator, arch = left.rpartition(".")
    return Package(name or left, arch if name else "", version)


def from_nevra(text: str) -> Package | None:
    """Read ``name-[epoch:]version-release.arch``; ``None`` if it is none."""
    match = re.fullmatch(r"(.+)-([^-]+)-([^-]+)\.([A-Za-z0-9_]+)", text)
    if not match:
        return None
    name, version, release, arch = match.groups()
    return Package(name, arch, f"{version.removeprefix('0:')}-{release}")
