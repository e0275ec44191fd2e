# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files in which a host's repositories are configured: read, and changed without touching anything else. Pure.

apt: lines of ``.list`` and stanzas of ``.sources`` (sources.list(5)). dnf, yum and zypper: sections of ``.repo`` files
(dnf.conf(5)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_OFF = re.compile(r"(no|false|off|0|without|disable)\b", re.IGNORECASE)
_LINE = re.compile(r"\s*deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<url>\S+)\s+(?P<suite>\S+)\s*(?P<components>[^#]*)")
_FIELD = re.compile(r"(?P<name>[^\s:#][^\s:]*)\s*:\s*(?P<value>.*)")
_VALUE = re.compile(r"(?P<name>[^\s=#;\[][^=]*?)\s*=\s*(?P<value>.*)")
DISABLED = "# disabled, the policy expects another one: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A repository as a host has it. ``at``: index of its line, its stanza or its section in the file.

    :param signed: whether signatures are checked, ``None`` where the package manager's default decides.
    :param keys: files and armoured blocks that it trusts; empty for those that all repositories trust.
    """

    file: str
    at: int
    name: str = ""
    urls: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    enabled: bool = True
    signed: bool | None = None
    keys: tuple[str, ...] = ()
    listed: str = ""

    @property
    def shown(self) -> str:
        return " ".join((*(self.urls or (self.listed,)), *self.suites))


def read_sources(files: Mapping[str, str]) -> tuple[Source, ...]:
    """Return the repositories in a host's files, by path."""
    found: list[Source] = []
    for path, text in files.items():
        if path.endswith(".repo"):
            found += _sections(path, text)
        elif path.endswith(".sources"):
            found += _stanzas(path, text)
        elif path.endswith(".list"):
            found += _lines(path, text)
    return tuple(found)


def without(text: str, source: Source) -> str:
    """Return a file's text in which a repository is disabled."""
    if source.file.endswith(".list"):
        lines = text.splitlines(keepends=True)
        lines[source.at] = f"{DISABLED}{lines[source.at]}"
        return "".join(lines)
    if source.file.endswith(".sources"):
        parts = _split_stanzas(text)
        lines = [line for line in parts[source.at].splitlines(keepends=True) if not line.lower().startswith("enabled:")]
        first = next(index for index, line in enumerate(lines) if not line.startswith("#"))
        parts[source.at] = "".join((*lines[:first], "Enabled: no\n", *lines[first:]))
        return "".join(parts)
    return with_values(text, source, {"enabled": "0"})


def with_values(text: str, source: Source, values: Mapping[str, str | None]) -> str:
    """Return a ``.repo`` file's text in which a section has these values; ``None`` removes one."""
    parts = _split_sections(text)
    lines, skipping, seen = [], False, set()
    for line in parts[source.at].splitlines(keepends=True):
        match = _VALUE.match(line)
        if match:
            name = match["name"].lower()
            skipping = name in values
            value = values.get(name)
            if skipping and value is not None and name not in seen:
                lines.append(f"{name}={value}\n")
            seen.add(name)
        elif not line[:1].isspace() or not line.strip():
            skipping = False
        if not skipping:
            lines.append(line if line.endswith("\n") else f"{line}\n")
    more = [f"{name}={value}\n" for name, value in values.items() if value is not None and name not in seen]
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    parts[source.at] = "".join((*lines[:end], *more, *lines[end:]))
    return "".join(parts)


def _lines(path: str, text: str) -> Iterator[Source]:
    for index, line in enumerate(text.splitlines()):
        match = _LINE.match(line)
        if match:
            options = dict(word.partition("=")[::2] for word in (match["options"] or "").lower().split())
            raw = dict(word.partition("=")[::2] for word in (match["options"] or "").split())
            keys = next((value for key, value in raw.items() if key.lower() == "signed-by"), "")
            yield Source(
                file=path,
                at=index,
                urls=(match["url"],),
                suites=(match["suite"],),
                components=tuple(match["components"].split()),
                signed=False if options.get("trusted") == "yes" else None,
                keys=tuple(key for key in keys.split(",") if key),
            )


def _stanzas(path: str, text: str) -> Iterator[Source]:
    for index, stanza in enumerate(_split_stanzas(text)):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split():
            continue
        keys = fields.get("signed-by", "")
        yield Source(
            file=path,
            at=index,
            urls=tuple(fields.get("uris", "").split()),
            suites=tuple(fields.get("suites", "").split()),
            components=tuple(fields.get("components", "").split()),
            enabled=not _OFF.match(fields.get("enabled", "yes")),
            signed=False if fields.get("trusted", "").lower() == "yes" else None,
            keys=(_block(keys),) if "BEGIN PGP" in keys else tuple(keys.replace(",", " ").split()),
        )


def _sections(path: str, text: str) -> Iterator[Source]:
    for index, section in enumerate(_split_sections(text)):
        name = re.match(r"\[([^\]]*)\]", section)
        if not name or name[1] == "main":
            continue
        values = _values(section)
        check = values.get("gpgcheck", "")
        yield Source(
            file=path,
            at=index,
            name=name[1],
            urls=tuple(values.get("baseurl", "").replace(",", " ").split()),
            listed=values.get("metalink") or values.get("mirrorlist", ""),
            enabled=not _OFF.match(values.get("enabled", "1")),
            signed=None if not check else not _OFF.match(check),
            keys=tuple(values.get("gpgkey", "").replace(",", " ").split()),
        )


def _split_stanzas(text: str) -> list[str]:
    """Return the stanzas, each with the empty line behind it."""
    parts = [""]
    for line in text.splitlines(keepends=True):
        parts[-1] += line
        if not line.strip():
            parts.append("")
    return parts


def _split_sections(text: str) -> list[str]:
    return [part for part in re.split(r"^(?=\[)", text, flags=re.MULTILINE) if part]


def _fields(stanza: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        match = _FIELD.match(line)
        if match:
            name = match["name"].lower()
            found[name] = match["value"]
        elif name and line[:1] in (" ", "\t"):
            found[name] += f"\n{line.strip()}"
    return found


def _block(text: str) -> str:
    """An empty line of an armoured key is a dot in a field (deb822(5))."""
    return "\n".join("" if line == "." else line for line in text.splitlines())


def _values(section: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        match = _VALUE.match(line)
        if match:
            name = match["name"].lower()
            found.setdefault(name, match["value"].strip())
        elif name and line[:1].isspace() and line.strip():
            found[name] += f" {line.strip()}"
    return found
