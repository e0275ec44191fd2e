# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repositories that the policy expects on Linux hosts. Values, checked when they are made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from ...errors import BadInput
from ...nodes import Candidate, Select, matches
from ...read import read
from .openpgp import fingerprint, read_keys
from .servers import WSUS, PatchServer

MANAGERS = ("apt", "dnf", "zypper")
SNAPSHOT = "{snapshot}"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_URL = re.compile(r"(https?|ftp|file)://?[!-~]{1,500}")
_WORD = re.compile(r"[A-Za-z0-9./_~+-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRepository:
    """A repository that hosts must have.

    :param name: the repository ID with dnf and zypper, the name of its file with apt. :param urls: where it may be, the
        first one is written by a repair; ``{snapshot}`` stands for ``snapshot``. :param snapshot: a date or a content
        view. :param snapshots: by wave, that of its hosts if it is another one. :param replaces: patterns of URLs that
        are wrong where this repository is expected. :param fingerprints: keys that may sign it; with ``key``, an
        armoured public key, that one as well.
    """

    name: str
    manager: str
    urls: tuple[str, ...]
    snapshot: str = ""
    snapshots: Mapping[str, str] = field(default_factory=dict)
    suites: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    key: str = ""
    select: Select = field(default_factory=Select)

    def in_wave(self, wave: str) -> ExpectedRepository:
        """Return it as the hosts of a wave must have it."""
        return replace(self, snapshot=self.snapshots.get(wave, self.snapshot), snapshots={})

    @property
    def addresses(self) -> tuple[str, ...]:
        """The URLs with the snapshot filled in, without a final slash."""
        return tuple(url.replace(SNAPSHOT, self.snapshot).rstrip("/") for url in self.urls)

    @property
    def keys(self) -> frozenset[str]:
        """Fingerprints of the keys that may sign it; empty if the policy names none."""
        own = (key.fingerprint for key in read_keys(self.key.encode()))
        return frozenset((*map(fingerprint, self.fingerprints), *own))

    def is_at(self, url: str) -> bool:
        return url.rstrip("/") in self.addresses

    def is_replaced(self, url: str) -> bool:
        """Tell whether a URL is one that this repository takes the place of."""
        return not self.is_at(url) and any(fnmatchcase(url.rstrip("/"), item.rstrip("/")) for item in self.replaces)

    def other_snapshot(self, url: str) -> str:
        """Return which snapshot a URL stands for, ``""`` if it is none of this repository."""
        for template in self.urls:
            if SNAPSHOT in template:
                before, _mark, after = template.rstrip("/").partition(SNAPSHOT)
                match = re.fullmatch(f"{re.escape(before)}([^/]+){re.escape(after)}", url.rstrip("/"))
                if match and match[1] != self.snapshot:
                    return match[1]
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRules:
    """From ``permanent_after`` incidents of a host in ``trend_days`` on, a permanent repair is proposed.

    :param repair: what the pre-check of a rollout does about differences: ``none``, ``once`` or ``permanent``.
    :param closed: URLs that must not answer from hosts. :param servers: give each wave its own content.
    """

    expected: tuple[ExpectedRepository, ...] = ()
    servers: tuple[PatchServer, ...] = ()
    repair: str = "none"
    closed: tuple[str, ...] = ()
    trend_days: int = 90
    permanent_after: int = 3

    def of(self, node: Candidate, wave: str) -> tuple[ExpectedRepository, ...]:
        """Return what is expected on a node; in no wave, no repository that has snapshots for waves only."""
        found = (item.in_wave(wave) for item in self.expected if matches(node, item.select))
        return tuple(item for item in found if item.snapshot or not any(SNAPSHOT in url for url in item.urls))

    def group_of(self, node: Candidate, wave: str) -> str:
        """Return the computer group of WSUS from which a node of a wave takes its updates, ``""`` for none."""
        found = (item.targets[wave] for item in self.servers if item.kind == WSUS and item.serves(node, wave))
        return next(found, "")


def to_expected(data: Sequence[Mapping[str, Any]], prefix: str) -> tuple[ExpectedRepository, ...]:
    """Read and check a list of repositories. :raises BadInput: the option's path."""
    items = tuple(read(ExpectedRepository, item) for item in data)
    for index, item in enumerate(data):
        unknown = sorted(set(item) - {item.name for item in fields(ExpectedRepository)})
        if unknown:
            known = ", ".join(item.name for item in fields(ExpectedRepository))
            raise BadInput(f"{prefix}[{index}].{unknown[0]}", item[unknown[0]], f"one of the keys {known}")
    for mistake in mistakes(items, prefix):
        raise mistake
    return items


def check_closed(urls: Sequence[str], option: str) -> Iterator[BadInput]:
    """Yield what is wrong with URLs that must not answer; each takes up to 20 seconds of every pre-check."""
    if len(urls) > 5:
        yield BadInput(option, len(urls), "at most 5 URLs")
    for index, url in enumerate(urls):
        if not _is_url(url) or not url.startswith(("http://", "https://")):
            yield BadInput(f"{option}[{index}]", url, "a URL such as http://deb.example/")


def mistakes(items: Sequence[ExpectedRepository], prefix: str) -> Iterator[BadInput]:
    """Yield what is wrong with expected repositories, each with the option's path."""
    for index, item in enumerate(items):
        for name, value, expected in _mistakes(item):
            yield BadInput(f"{prefix}[{index}].{name}", value, expected)


def _mistakes(item: ExpectedRepository) -> list[tuple[str, Any, str]]:
    """Return (option, value, what would be right)."""
    found: list[tuple[str, Any, str]] = []
    if not _NAME.fullmatch(item.name):
        found.append(("name", item.name, "a repository ID such as debian-security"))
    if item.manager not in MANAGERS:
        found.append(("manager", item.manager, f"one of {', '.join(MANAGERS)}"))
    if not item.urls:
        found.append(("urls", [], "at least one URL"))
    found += [("urls", url, "a URL such as https://mirror.example/debian") for url in item.urls if not _is_url(url)]
    if any(SNAPSHOT in url for url in item.urls) != bool(item.snapshot or item.snapshots):
        found.append(("snapshot", item.snapshot, "a date or a content view, together with {snapshot} in the URLs"))
    given = {"snapshot": item.snapshot, **{f"snapshots.{wave}": word for wave, word in item.snapshots.items()}}
    for name, word in given.items():
        if not _WORD.fullmatch(word) and (word or name != "snapshot"):
            found.append((name, word, "a date or a content view such as 20260601T000000Z"))
    if item.manager == "apt" and not item.suites:
        found.append(("suites", [], "at least one suite such as bookworm-security"))
    words = [("suites", word) for word in item.suites] + [("components", word) for word in item.components]
    found += [(name, word, "a name such as main") for name, word in words if not _WORD.fullmatch(word)]
    for text in item.fingerprints:
        if not re.fullmatch(r"[0-9A-F]{40}|[0-9A-F]{64}", fingerprint(text)):
            found.append(("fingerprints", text, "a fingerprint of 40 or 64 hexadecimal digits"))
    if item.key and not read_keys(item.key.encode()):
        found.append(("key", item.key[:40], "an armoured OpenPGP public key"))
    return found


def _is_url(url: str) -> bool:
    return bool(_URL.fullmatch(url)) and not re.search(r"[\"'`\\]|//[^/]*@", url)
