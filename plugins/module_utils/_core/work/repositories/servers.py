# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch servers that give each wave its own content: WSUS by group, Satellite by lifecycle environment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import BadInput
from ...nodes import Candidate, Select, matches
from ...text import nearest

WSUS, SATELLITE = "wsus", "satellite"
KINDS = (WSUS, SATELLITE)
_KB = re.compile(r"KB[0-9]{6,8}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_URL = re.compile(r"https?://[!-~]{1,500}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchServer:
    """A server and what it gives to which wave.

    :param address: the inventory's name of a WSUS server, the URL of a Satellite. :param targets: by wave, the computer
        group (WSUS) or lifecycle environment (Satellite) from which its nodes take patches. :param kbs: updates that
        the first of these waves gets; later ones get what an earlier one has proven, of these if any are named.
    :param version: of the content view, which passes through the environments. :param select: nodes that take their
        patches from a WSUS server.
    """

    kind: str
    address: str
    targets: Mapping[str, str] = field(default_factory=dict)
    kbs: tuple[str, ...] = ()
    organization: str = ""
    content_view: str = ""
    version: str = ""
    select: Select = field(default_factory=Select)

    def serves(self, node: Candidate, wave: str) -> bool:
        return wave in self.targets and matches(node, self.select)


def server_mistakes(items: Sequence[PatchServer], waves: Sequence[str], prefix: str) -> Iterator[BadInput]:
    """Yield what is wrong with patch servers, each with the option's path.

    :param waves: the names of the policy's waves, in order.
    """
    for index, item in enumerate(items):
        for name, value, expected in (*_mistakes(item), *_of_targets(item, waves)):
            yield BadInput(f"{prefix}[{index}].{name}", value, expected)


def _mistakes(item: PatchServer) -> Iterator[tuple[str, Any, str]]:
    """Yield (option, value, what would be right)."""
    if item.kind not in KINDS:
        yield "kind", item.kind, f"one of {', '.join(KINDS)}"
    elif item.kind == WSUS:
        if not _HOST.fullmatch(item.address):
            yield "address", item.address, "the inventory's name of the WSUS server"
        for name in ("organization", "content_view", "version"):
            if value := getattr(item, name):
                yield name, value, "nothing: WSUS has groups and updates only"
        for index, kb in enumerate(item.kbs):
            if not _KB.fullmatch(kb):
                yield f"kbs[{index}]", kb, "a KB number such as KB5070884"
    else:
        if not _URL.fullmatch(item.address) or "@" in item.address:
            yield "address", item.address, "a URL without a login, such as https://satellite.example.com"
        for name, example in (("organization", "Contoso"), ("content_view", "rhel9"), ("version", "12.0")):
            if not getattr(item, name):
                yield name, "", f"the {name.replace('_', ' ')} to promote, such as {example}"
        if item.kbs:
            yield "kbs", list(item.kbs), "nothing: a Satellite promotes versions of a content view"


def _of_targets(item: PatchServer, waves: Sequence[str]) -> Iterator[tuple[str, Any, str]]:
    if not item.targets:
        yield "targets", {}, "a computer group or lifecycle environment for at least one wave"
    taken: dict[str, str] = {}
    for wave in sorted(item.targets, key=lambda name: waves.index(name) if name in waves else -1):
        name = item.targets[wave]
        if wave not in waves:
            near = nearest(wave, waves)
            yield f"targets.{wave}", name, f"a wave of this policy{f' (did you mean {near!r}?)' if near else ''}"
        if not name.strip():
            yield f"targets.{wave}", name, "a computer group or lifecycle environment"
        elif name.casefold() in taken:
            yield (
                f"targets.{wave}",
                name,
                f"another one than that of wave {taken[name.casefold()]}, which would get it first",
            )
        taken.setdefault(name.casefold(), wave)
