# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection's probe says about packages: remembered on the machine before the work, compared after it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..node import Node

#: The line of the probe that says what it does about packages.
_LINE = re.compile(r"\$?packages ?= ?'(remember|compare)'; \$?packages_?[kK]ey ?= ?'([\w-]+)'")
#: Changes and characters that the document has room for, as in the probe.
_CAPS, _ROWS, _DOCUMENT, _ALL = (40, 30, 22, 15, 8, 0), 1800, 2400, 20_000


def versions(node: Node) -> dict[str, str]:
    """Every package with a version: what repositories have updates for. On Windows the KBs that are installed."""
    held = {key: row.patch for key, row in node.installed.items()}
    if node.is_windows:
        return {key: patch.version or "200" for key, patch in held.items()}
    before = {patch.patch_id: patch.was for patch in node.system.updates if not patch.dependency}
    return {**before, **{key: patch.version for key, patch in held.items()}}


def about_packages(node: Node, lines: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the members of the probe's document, and all changes."""
    found = next((told for line in lines if (told := _LINE.fullmatch(line))), None)
    if found is None:
        return {}, []
    mode, key = found.groups()
    known = node.packages_of is not None and node.packages_of[0] == key
    if mode == "remember":
        node.packages_of = node.packages_of if known else (key, versions(node))
        return {"packages_known": 0 if node.is_windows else len(versions(node))}, []
    if node.packages_of is None or not known:
        return {"packages": None}, []
    rows = sorted(_differences(node.packages_of[1], versions(node)))
    text = "".join(f"{row}\n" for row in rows)
    return {"packages": {"rows": rows, "total": len(rows), "sha256": hashlib.sha256(text.encode()).hexdigest()}}, rows


def _differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    names = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    return [f"{name} {old.get(name, '-')} {new.get(name, '-')}" for name in names]


def to_output(document: dict[str, Any], rows: Sequence[str]) -> str:
    """The document with as many changes as fit, and a line with the others."""
    for cap in _CAPS:
        if rows:
            document = {**document, "packages": {**document["packages"], "rows": _at_most(rows[:cap], _ROWS)}}
        text = json.dumps(document, separators=(",", ":"))
        if len(text) < _DOCUMENT or not rows:
            break
    if not rows:
        return text
    return f"{text}\n{json.dumps({'probe_packages': 1, 'rows': _at_most(rows, _ALL)}, separators=(',', ':'))}"


def _at_most(rows: Sequence[str], characters: int) -> list[str]:
    found: list[str] = []
    for row in rows:
        characters -= len(row) + 3
        if characters < 0:
            break
        found.append(row)
    return found
