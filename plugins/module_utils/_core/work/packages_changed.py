# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node says changed on it: the host probe's lines, read and matched with patches. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .node_answer import words

NONE = "-"


@dataclass(frozen=True, slots=True)
class PackageChange:
    """``old`` and ``new`` are versions, ``""`` for none; commas separate those of a package that has several."""

    name: str
    old: str
    new: str

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that came in."""
        return tuple(version for version in self.new.split(",") if version)

    def to_dict(self) -> dict[str, str]:
        """Return plain data."""
        return {"id": self.name, "old": self.old, "new": self.new}


def read_changes(facts: Mapping[str, Any] | None) -> tuple[tuple[PackageChange, ...], bool] | None:
    """Return a probe's changes and whether these are all; ``None``: the node does not know.

    Complete is a list of as many lines as the node counted, whose SHA-256 is the one that it made.
    """
    packages = (facts or {}).get("packages")
    if not isinstance(packages, Mapping) or not isinstance(packages.get("rows"), list):
        return None
    rows = [row for row in packages["rows"] if isinstance(row, str)]
    changes = tuple(change for row in rows if (change := _read(row)) is not None)
    said, total = str(packages.get("sha256") or ""), packages.get("total")
    mine = hashlib.sha256("".join(f"{row}\n" for row in rows).encode()).hexdigest()
    return changes, total == len(changes) and said in ("", mine)


def _read(row: str) -> PackageChange | None:
    parts = row.split(" ")
    if len(parts) != 3 or not all(parts):
        return None
    name, old, new = (words(part, 300) for part in parts)
    return PackageChange(name, "" if old == NONE else old, "" if new == NONE else new)


def is_patch(change: PackageChange, patch_id: str, title: str, *, by_title: bool) -> bool:
    """Tell whether a change brought a patch in.

    Names are those of dpkg-query and rpm. Patch Manager gives packages for all architectures the node's own. Where the
    patch's id has its version, as with executor ``linux``, the title says nothing.
    """
    if not by_title:
        return change.name.lower() == patch_id.lower() and bool(change.new)
    wanted_name, _colon, wanted = patch_id.partition(":")
    if not wanted:
        wanted = title.partition(":")[2]
    if not _same_package(change.name, wanted_name):
        return False
    return _plain(wanted) in map(_plain, change.versions)


def _same_package(installed: str, wanted: str) -> bool:
    """Azure names packages without an architecture."""
    name, _dot, arch = installed.rpartition(".")
    return wanted in (installed, name) or (arch in ("all", "noarch") and name == wanted.rpartition(".")[0])


def _plain(version: str) -> str:
    """An epoch of 0 may be left out."""
    return version.removeprefix("0:")
