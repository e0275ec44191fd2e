# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names the cause in what a package manager said: the repository, the disk, the clock, the lock, the package."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from .node_answer import words

#: Cause of an update whose exact version is in no repository any more.
NOT_OFFERED = "this version is no longer offered"
#: What the tools print, and what an administrator would call it. The first that fits wins.
_CAUSES: tuple[tuple[str, str], ...] = (
    (r"No space left on device|Disk quota exceeded|needs? .{0,40} more space|insufficient space", "a disk is full"),
    (r"Read-only file system", "a file system is read-only"),
    (r"certificate has expired|certificate is not yet valid", "its certificate has expired, or the clock is wrong"),
    (r"is not valid yet|is expired|Release file .* expired", "its metadata has expired, or the clock is wrong"),
    (r"certificate verif|SSL certificate problem|unable to get local issuer", "its certificate is not trusted"),
    (r"EXPKEYSIG|KEYEXPIRED|key .{0,60}expired", "its signing key has expired"),
    (r"NOSPLIT|Clearsigned file isn't valid", "a proxy or a login page answered instead of the repository"),
    (
        r"NO_PUBKEY|[Pp]ublic key .{0,80}is not|is not signed|ignature verification failed|GPG check FAILED|BADSIG",
        "its signature can't be verified: the key is missing or wrong",
    ),
    (r"Conflicting values set for option", "two of its source files disagree"),
    (r"lists or status file could not be parsed", "a package list, or dpkg's status file, is damaged"),
    (r"407 |[Pp]roxy", "the proxy refused, or it can't be reached"),
    (r"Could(?: not|n't) resolve|emporary failure resolving|Name or service not known", "DNS can't resolve the name"),
    (r"401 |403 |Unauthorized|Forbidden", "the repository refused access: credentials or subscription"),
    (r"changed its '\w+' value", "the repository became another one, which has to be confirmed"),
    (r"Mirror sync in progress|unexpected size|[Hh]ash [Ss]um mismatch", "the mirror is being updated"),
    (r"no enabled repos|No repositories defined", "no repository is enabled: is the host registered?"),
    (r"404|Not Found|does not have a Release file|Valid metadata not found", "the repository has no such file"),
    (
        r"(ould(?: not|n't)|Unable to) connect|Connection (refused|timed out)|ailed to connect|imeout|No route to host",
        "it can't be reached",
    ),
    (r"ould not get lock|already locked|rpm transaction lock|management is locked", "the package manager is locked"),
    (r"dpkg was interrupted", "an earlier dpkg run was interrupted"),
    (r"remove lock to", "it is locked"),
    (
        r"Version '[^']*' for '[^']*' was not found|No match for argument|nable to find a match|No provider of",
        NOT_OFFERED,
    ),
    (r"nmet dependencies|nothing provides|conflicting requests|held broken", "its dependencies can't be fulfilled"),
    (r"trying to overwrite|conflicts with file from package", "another package has one of its files"),
    (r"Packages were downgraded", "a newer version is installed"),
    (r"Held packages were changed", "it is on hold"),
    (r"remove is disabled", "it would remove packages"),
    (r"removing the following protected packages", "it would remove a protected package"),
    (r"in statoverride file", "a user or group that dpkg-statoverride names is gone"),
    (
        r"script(let)? failed|Error in \w+ scriptlet|installation script|error exit status",
        "its maintainer script failed",
    ),
)
_CULPRIT = (
    re.compile(r"dpkg: error processing (?:package|archive) (\S+)"),
    re.compile(r"(?:Error in|warning:) (?:%?\w+) ?scriptlet in rpm package (\S+)"),
    re.compile(r"%\w+\(([^)\s]+)\) scriptlet failed"),
    re.compile(r"(\S+)[.]rpm %\w+ script failed"),  # libzypp, of %posttrans
)
_NOISE = re.compile(
    r"^(Reading|Building|Hit:|Get:|Ign:|Last metadata|\(Reading|Selecting|Preparing|Fetched|NOTE:)|^=+$"
)
_LOUD = re.compile(
    r"overwrite|error|fail|problem|no space|conflict|nothing provides|^E:|^W:|not found|lock|unknown|depends:",
    re.IGNORECASE,
)


def to_cause(lines: Iterable[str], *, package: str = "") -> str:
    """Return a sentence: the package that failed, the cause by name, and the lines that say so."""
    plain = (html.unescape(re.sub(r"<[^>]*>", "", line)).strip() for line in lines)
    told = [line for line in plain if line and not _NOISE.match(line)]
    text = "\n".join(told)
    cause = next((name for pattern, name in _CAUSES if re.search(pattern, text)), "")
    culprits = {match[1] for pattern in _CULPRIT for match in pattern.finditer(text)} - {package}
    loud = [line for line in told if _LOUD.search(line)]
    shown = list(dict.fromkeys([*loud, *told[-2:]]))[:4]
    parts = (cause, f"package {', '.join(sorted(culprits)[:3])}" if culprits else "", " | ".join(shown))
    return words("; ".join(part for part in parts if part) or "it said nothing", 500)
