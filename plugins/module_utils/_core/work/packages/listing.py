# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the policy says about packages of directly reached hosts, and what a host could install. Values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from ...errors import BadInput
from ...model import Patch
from ..node_answer import words
from .names import PATCH, Package, package_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRules:
    """How packages are chosen and installed.

    :param security_sources: patterns of repositories whose updates are all security updates.
    :param other_sources: patterns of repositories without security updates.
    :param releasever: the value of ``--releasever`` on Amazon Linux 2023.
    """

    security_only: bool = False
    exclude: tuple[str, ...] = ()
    lock_seconds: int = 300
    allow_removals: bool = False
    repair: bool = False
    restart_services: bool = False
    security_sources: tuple[str, ...] = ()
    other_sources: tuple[str, ...] = ()
    releasever: str = ""

    def __post_init__(self) -> None:
        if self.releasever and not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", self.releasever):
            raise BadInput("releasever", self.releasever, "a release such as latest or 2023.6.20250107")
        for pattern in self.exclude:
            if not re.fullmatch(r"[A-Za-z0-9+._*?\[\]!:@~-]{1,200}", pattern):
                raise BadInput("exclude", pattern, "a pattern of package names, such as linux-image-*")

    def excludes(self, name: str) -> bool:
        """Tell whether a package is excluded by name."""
        return any(fnmatchcase(name, pattern) for pattern in self.exclude)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An update that is offered and will not be installed.

    :param why: ``hold``, ``pinned``, ``excluded``, ``removes`` or ``blocked``. :param text: the reason as a sentence.
    """

    patch: Patch
    why: str
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``id``, ``title``, ``classification``, ``why`` and ``text``."""
        item = self.patch
        return {
            "id": item.id,
            "title": item.title,
            "classification": item.classification,
            "why": self.why,
            "text": words(self.text, 300),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something an administrator should know. ``code`` names the kind, ``text`` is a sentence."""

    code: str
    text: str

    def to_dict(self) -> dict[str, str]:
        return {"code": self.code, "text": words(self.text, 400)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What installing all offered updates would change besides them; ``None`` is what the package manager did not say.

    ``removes`` and ``downgrades`` are names, ``adds`` new packages, ``download_bytes`` what must be fetched.
    """

    removes: tuple[str, ...] | None = None
    downgrades: tuple[str, ...] | None = None
    adds: tuple[str, ...] | None = None
    download_bytes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; what is not known is left out."""
        lists = {name: getattr(self, name) for name in ("removes", "downgrades", "adds")}
        found: dict[str, Any] = {name: list(value[:100]) for name, value in lists.items() if value is not None}
        return found if self.download_bytes is None else {**found, "download_bytes": self.download_bytes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a host could install.

    :param removals: packages that the updates would remove. :param unclear: repositories with pending updates that do
        not say which of them are security updates. :param broken: packages that are not completely installed, with
        their state. :param kernels: ``running``, ``installed`` (the newest) and ``available``, where known.
    """

    manager: str
    patches: tuple[Patch, ...] = ()
    held: tuple[Held, ...] = ()
    removals: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    security_known: bool = True
    broken: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    kernels: Mapping[str, str] = field(default_factory=dict)
    forecast: Forecast = field(default_factory=Forecast)

    @property
    def security_unknown(self) -> str:
        """Why it can't be told which updates are security updates; ``""`` if it can."""
        if not self.security_known:
            return "its repositories do not say which updates are security updates"
        if self.unclear:
            names = ", ".join(self.unclear[:5])
            return f"updates are pending from repositories that do not say which are security updates: {names}"
        return ""

    def chosen(self, rules: PackageRules) -> Listing:
        """Return the listing as the policy wants it: other updates than security updates left out if it says so, what
        it excludes moved to ``held``."""
        kept = [item for item in self.patches if _concerns(item, rules)]
        out = [item for item in kept if rules.excludes(package_of(item.id).name)]
        held = [item for item in self.held if _concerns(item.patch, rules)]
        held += [Held(patch=item, why="excluded", text="excluded by the policy") for item in out]
        return replace(self, patches=tuple(item for item in kept if item not in out), held=tuple(held))


def _concerns(patch: Patch, rules: PackageRules) -> bool:
    return not rules.security_only or patch.classification == "Security"


def to_patch(
    package: Package, *, security: bool, severity: str = "", cves: Sequence[str] = (), size: int | None = None
) -> Patch:
    """Return a missing patch. :param size: bytes to download. :raises BadAnswer: no package is called so."""
    title = package.name.removeprefix(PATCH) if package.name.startswith(PATCH) else f"{package.name} {package.version}"
    return Patch(
        id=package.id,
        title=words(title, 300),
        classification="Security" if security else "Bugfix",
        severity=words(severity, 40),
        state="Missing",
        cve_ids=tuple(words(cve, 40) for cve in list(cves)[:100]),
        download_bytes=size,
    )


def read_sizes(lines: Iterable[Sequence[str]]) -> dict[Package, int] | None:
    """Read ``name, arch, version, bytes`` of what has to be fetched; ``None`` if a line is something else."""
    found: dict[Package, int] = {}
    for line in lines:
        if len(line) != 4 or not re.fullmatch(r"[0-9]{1,15}", line[3]):
            return None
        found[Package(*line[:3])] = int(line[3])
    return found


def matches(patterns: Iterable[str], *texts: str) -> bool:
    """Tell whether one of the texts matches one of the patterns, upper and lower case alike."""
    return any(fnmatchcase(text.lower(), pattern.lower()) for pattern in patterns for text in texts)
