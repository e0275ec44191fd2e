# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where this machine gets its packages from: the lab's hosts use the same mirrors, proxies and keys."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.hosts.running import HostsError, run

DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Settings of apt that decide whether and how a mirror is reached; all others are this machine's own affair.
CARRIED = re.compile(
    r'^(Acquire::(?:https?::[^\s"]+|Check-Valid-Until|Check-Date|Retries|ForceIPv[46])) "(.*)";$', re.MULTILINE
)
NOT_CARRIED = re.compile(r"Auto-?Detect|::(SslCert|SslKey|CaInfo|CaPath)$", re.IGNORECASE)
LOOPBACK = re.compile(r"(?<=://)(localhost|127(?:\.\d+){3}|\[::1\])(?=[:/]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One archive in apt's configuration."""

    uri: str
    suite: str
    keyring: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the hosts' packages come from. `settings` are apt options by name."""

    suite: str
    main: Archive
    security: Archive
    settings: dict[str, str] = field(default_factory=dict)

    def apt_conf(self, gateway: str = "") -> str:
        """apt.conf text; seen from a host, a proxy on this machine's loopback is at the gateway."""
        settings = {key: LOOPBACK.sub(gateway, value) if gateway else value for key, value in self.settings.items()}
        return "".join(f'{key} "{value}";\n' for key, value in settings.items())

    def stanzas(self, *, updates_only: bool = False) -> str:
        """deb822 text of both archives, or of that of the security updates alone."""
        return "\n".join(
            f"Types: deb\nURIs: {origin.uri}\nSuites: {origin.suite}\nComponents: main\nSigned-By: {origin.keyring}\n"
            for origin in ((self.security,) if updates_only else (self.main, self.security))
        )


def of_this_machine(
    suite: str = "", mirror: str = "", security_mirror: str = "", proxy: str = "", etc: Path = Path("/etc")
) -> Sources:
    """Read apt's configuration; arguments that are given win over it.

    Raises `HostsError` that says which option to give if the configuration names no archive.
    """
    codename = _os_release(etc).get("VERSION_CODENAME", "")
    suite = suite or codename
    archives = list(_archives(etc / "apt"))
    main = _pick(archives, codename, r"^[a-z]+$", Archive(uri=mirror, suite=suite), "--mirror")
    security = _pick(
        archives, codename, r"(-security|/updates)$", Archive(uri=security_mirror, suite=""), "--security-mirror"
    )
    return Sources(
        suite=suite,
        main=replace(main, suite=suite),
        security=replace(security, suite=f"{suite}-security"),
        settings=_settings(proxy),
    )


def _pick(archives: list[Archive], codename: str, suite_pattern: str, given: Archive, option: str) -> Archive:
    """The archive for a kind of suite, preferably one of the machine's own release."""
    fitting = [archive for archive in archives if re.search(suite_pattern, archive.suite)]
    fitting.sort(key=lambda archive: not archive.suite.startswith(codename))
    keyring = (fitting[0].keyring if fitting else "") or DEBIAN_KEYRING
    if given.uri:
        return replace(given, keyring=keyring)
    if not fitting:
        raise HostsError(f"apt's configuration on this machine names no such archive; give one with {option} URL")
    return replace(fitting[0], keyring=keyring)


def _archives(etc_apt: Path) -> Iterator[Archive]:
    for path in [etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*"))]:
        if not path.is_file():
            continue
        if path.suffix == ".list":
            yield from _one_line_entries(path.read_text())
        elif path.suffix == ".sources":
            yield from _deb822_entries(path.read_text())


def _one_line_entries(text: str) -> Iterator[Archive]:
    """`deb [options] URI suite component…`"""
    for line in text.splitlines():
        found = re.match(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)", line.split("#")[0].strip())
        if found and "main" in found[4].split():
            options = dict(part.partition("=")[::2] for part in shlex.split(found[1] or ""))
            yield Archive(uri=found[2], suite=found[3], keyring=_keyring(options.get("signed-by", "")))


def _deb822_entries(text: str) -> Iterator[Archive]:
    for paragraph in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        key = ""
        for line in paragraph.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[key] = f"{fields.get(key, '')} {line.strip()}"
            elif ":" in line:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
        wanted = "deb" in fields.get("types", "").split() and "main" in fields.get("components", "").split()
        if wanted and fields.get("enabled", "yes").lower() not in ("no", "false", "0"):
            keyring = _keyring(fields.get("signed-by", ""))
            for uri in fields.get("uris", "").split():
                for suite in fields.get("suites", "").split():
                    yield Archive(uri=uri, suite=suite, keyring=keyring)


def _keyring(signed_by: str) -> str:
    """A key file; keys written into the entry itself are of no use to another machine's tools."""
    path = signed_by.split(",")[0].strip()
    return path if path.startswith("/") and Path(path).is_file() else ""


def _settings(proxy: str) -> dict[str, str]:
    dump = run(["apt-config", "dump"])
    settings = {key: value for key, value in CARRIED.findall(dump) if value and not NOT_CARRIED.search(key)}
    for scheme in ("http", "https"):
        key = f"Acquire::{scheme}::Proxy"
        chosen = proxy or settings.get(key) or os.environ.get(f"{scheme}_proxy", "")
        if chosen:
            settings[key] = chosen
    return settings


def _os_release(etc: Path) -> dict[str, str]:
    return os_release((etc / "os-release").read_text())


def os_release(text: str) -> dict[str, str]:
    """Fields of an os-release file."""
    return dict(word.partition("=")[::2] for word in shlex.split(text, comments=True))
