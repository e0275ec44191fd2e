# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which ways a host's repositories differ from those that the policy expects. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..node_answer import BadAnswer, words
from ..packages.document import Document, parse_document
from ..trouble import to_cause
from .expected import ExpectedRepository
from .openpgp import Key, read_keys
from .sources import Source, read_sources

#: A clock that differs by more seconds makes signatures and certificates invalid sooner or later.
SKEW_SECONDS = 300
#: Keys that rpm trusts for all repositories.
_RPM_KEYS = "rpm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One difference. ``code``: ``missing``, ``disabled``, ``wrong_url``, ``wrong_snapshot``, ``wrong_components``,
    ``unsigned``, ``wrong_key``, ``key_expired``, ``clock``, ``unreadable``, ``open`` or ``unproven``. ``text``: a
    sentence."""

    repository: str
    code: str
    text: str

    @property
    def sentence(self) -> str:
        return words(f"repository {self.repository}: {self.text}" if self.repository else self.text, 300)

    def to_dict(self) -> dict[str, str]:
        return {"repository": self.repository, "code": self.code, "text": words(self.text, 300)}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRepositories:
    """What a host says. ``files``: text of its configuration by path, ``keys``: content of its keyrings by path.

    :param answers: by URL that must not answer, ``yes``, ``no`` or ``unknown``.
    :param refresh: why its package lists could not be refreshed, ``""`` if they could, ``None`` if that was not tried.
    """

    manager: str
    release: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, bytes] = field(default_factory=dict)
    clock: int | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    refresh: str | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        return read_sources(self.files)

    def text(self, path: str) -> str | None:
        """Return the text of a file, a key or one of the configuration."""
        key = self.keys.get(path)
        return self.files.get(path) if key is None else key.decode("utf-8", "surrogateescape")

    def trusted(self, source: Source) -> tuple[Key, ...]:
        """Return the keys that a repository trusts."""
        shared = [key for key in self.keys if key == _RPM_KEYS or "/trusted.gpg" in key]
        own = [item.removeprefix("file://") for item in source.keys]
        if self.manager != "apt":
            own += shared  # what rpm has imported is trusted for every repository
        found: list[Key] = []
        for item in own or shared:
            found += read_keys(item.encode() if "BEGIN PGP" in item else self.keys.get(item, b""))
        return tuple(found)


def read_host(output: str) -> HostRepositories:
    """Read what the script printed. :raises BadAnswer: it is no document."""
    document = parse_document(output)
    if refused := document.part("refused").out:
        raise BadAnswer(f"its repositories can't be checked: {words(refused[0], 200)}")
    seconds = "".join(document.lines("clock"))[:12]
    return HostRepositories(
        manager="dnf" if document.manager == "yum" else document.manager,
        release=words("".join(document.lines("release")), 60),
        files={path: data.decode("utf-8", "surrogateescape") for path, data in _files(document, "files")},
        keys=dict(_files(document, "keys")),
        clock=int(seconds) if seconds.isdigit() else None,
        answers={url: state for state, _space, url in (line.partition(" ") for line in document.lines("closed"))},
        refresh=_refresh(document),
    )


def _refresh(document: Document) -> str | None:
    part = document.part("refresh")
    if holder := document.part("lock").out:
        return f"the package manager is locked by {words(holder[0], 60)}"
    if part.rc < 0:
        return None
    return "" if part.rc == 0 else to_cause(part.said)


def _files(document: Document, name: str) -> Iterator[tuple[str, bytes]]:
    path = ""
    lines: list[str] = []
    for line in (*document.lines(name), "F "):
        if line.startswith("F "):
            if path:
                try:
                    yield path, base64.b64decode("".join(lines), validate=True)
                except (binascii.Error, ValueError) as why:
                    raise BadAnswer(f"its file {words(path, 100)} can't be read") from why
            path, lines = line[2:], []
        else:
            lines.append(line)


def drifts(host: HostRepositories, expected: Iterable[ExpectedRepository], now: datetime | None) -> tuple[Drift, ...]:
    """Return every difference, in the order of the policy.

    :param now: the present time; ``None`` where that of the hosts is another one, as in a rehearsal.
    """
    sources = [item for item in host.sources if item.enabled]
    found: list[Drift] = []
    for item in of_manager(expected, host.manager):
        found += _differences(item, host, sources, now)
    if now and host.clock is not None and abs(skew := host.clock - int(now.timestamp())) > SKEW_SECONDS:
        text = f"its clock is {abs(skew)} seconds {'ahead' if skew > 0 else 'behind'}: signatures and certificates fail"
        found.append(Drift(repository="", code="clock", text=text))
    for url, state in host.answers.items():
        if state == "yes":
            text = f"{url} answers from this host, which has to take patches from its own repositories only"
            found.append(Drift(repository="", code="open", text=text))
        elif state != "no":
            text = f"whether {url} answers from this host is not known: a proxy refused, or there is no tool to try"
            found.append(Drift(repository="", code="unproven", text=text))
    if host.refresh:
        found.append(Drift(repository="", code="unreadable", text=f"its package lists: {host.refresh}"))
    return tuple(found)


def of_manager(expected: Iterable[ExpectedRepository], manager: str) -> tuple[ExpectedRepository, ...]:
    return tuple(item for item in expected if item.manager == manager)


def _differences(
    item: ExpectedRepository, host: HostRepositories, sources: Sequence[Source], now: datetime | None
) -> Iterator[Drift]:
    mine = [source for source in sources if _is_mine(item, source)]
    if item.manager == "apt":
        for suite in item.suites:
            if not any(suite in source.suites for source in mine):
                yield _absent(item, host, suite)
    elif not mine:
        yield _absent(item, host, "")
    for source in mine:
        yield from _trust(item, host, source, now)
        lacking = set(item.components) - set(source.components)
        if item.manager == "apt" and lacking and not _others_have(item, source, mine):
            text = f"{source.shown} lacks {', '.join(sorted(lacking))}"
            yield Drift(repository=item.name, code="wrong_components", text=text)
    for source in sources:
        if any(item.is_replaced(url) for url in (*source.urls, source.listed)) and source.name != item.name:
            text = f"{source.shown} is used, {_wanted(item)} expected ({source.file})"
            yield Drift(repository=item.name, code="wrong_url", text=text)


def _is_mine(item: ExpectedRepository, source: Source) -> bool:
    """Tell whether a source of a host is the expected repository, where it has to be."""
    if item.manager == "apt":
        return bool(set(item.suites) & set(source.suites)) and any(map(item.is_at, source.urls))
    return source.name == item.name and bool(source.urls) and all(map(item.is_at, source.urls)) and not source.listed


def _others_have(item: ExpectedRepository, source: Source, mine: Sequence[Source]) -> bool:
    suites = set(item.suites) & set(source.suites)
    had = {word for other in mine if suites <= set(other.suites) for word in other.components}
    return set(item.components) <= had


def _absent(item: ExpectedRepository, host: HostRepositories, suite: str) -> Drift:
    """Say what is there instead of an expected repository."""
    what = f"{_wanted(item)} {suite}".strip()
    for source in host.sources:
        near = suite in source.suites if suite else source.name == item.name
        if not near:
            continue
        if not source.enabled and _is_mine(item, source):
            return Drift(repository=item.name, code="disabled", text=f"{what} is disabled in {source.file}")
        other = next(filter(None, map(item.other_snapshot, source.urls)), "")
        if other and source.enabled:
            text = f"it is at snapshot {other}, {item.snapshot} expected ({source.file})"
            return Drift(repository=item.name, code="wrong_snapshot", text=text)
        if not suite and source.enabled:
            text = f"{source.shown} is used, {what} expected ({source.file})"
            return Drift(repository=item.name, code="wrong_url", text=text)
    return Drift(repository=item.name, code="missing", text=f"{what} is not configured")


def _wanted(item: ExpectedRepository) -> str:
    return " or ".join(item.addresses[:3])


def _trust(item: ExpectedRepository, host: HostRepositories, source: Source, now: datetime | None) -> Iterator[Drift]:
    if source.signed is False or (item.manager != "apt" and source.signed is None):
        text = f"its signatures are not checked ({source.file})"
        yield Drift(repository=item.name, code="unsigned", text=text)
    trusted = host.trusted(source)
    if item.keys and not any(key.fingerprint in item.keys for key in trusted):
        names = ", ".join(key.fingerprint[-16:] for key in trusted[:5]) or "none"
        text = f"it trusts the keys {names}, {', '.join(sorted(item.keys))} expected ({source.file})"
        yield Drift(repository=item.name, code="wrong_key", text=text)
    good = [key for key in trusted if not item.keys or key.fingerprint in item.keys]
    if now and good and all(key.is_expired(now) for key in good):
        names = ", ".join(f"{key.fingerprint[-16:]} on {key.expires:%Y-%m-%d}" for key in good[:3])
        yield Drift(repository=item.name, code="key_expired", text=f"its signing key has expired: {names}")
