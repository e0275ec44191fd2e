# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How installed patches of a wave differ from its plan, counted by patch for the gate. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..text import plain

#: The codes of differences that each rule of the gate counts.
COUNTED: Mapping[str, tuple[str, ...]] = {"unplanned": ("unplanned", "removed"), "withdrawn": ("withdrawn",)}
ALLOW, PAUSE, ABORT = "allow", "pause", "abort"
CHOICES = (ALLOW, PAUSE, ABORT)
_WORDS: Mapping[str, str] = {
    "unplanned": "Changes that the plan does not contain",
    "withdrawn": "Planned patches that were not installed because they are no longer offered",
}
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """The differences for one rule: nodes, the number of nodes by patch, and a text that explains one."""

    nodes: int
    patches: Mapping[str, int]
    texts: Mapping[str, str]


def count_differences(
    records: Iterable[Mapping[str, Any]], accepted: Iterable[Mapping[str, Any]] = ()
) -> dict[str, Differences]:
    """Count the differences of final records, by rule.

    :param accepted: final records of promoted waves: their unplanned changes are known and do not stop later waves.
        Withdrawn patches are reported for each wave.
    """
    known = {(item["code"], item["id"]) for record in accepted for item in record.get("differences") or ()}
    found = {}
    for rule, codes in COUNTED.items():
        skip = known if rule == "unplanned" else frozenset()
        one = _count(records := list(records), codes, skip)
        if one.nodes:
            found[rule] = one
    return found


def _count(
    records: Iterable[Mapping[str, Any]], codes: Collection[str], skip: Collection[tuple[str, str]]
) -> Differences:
    nodes, patches, texts = 0, Counter[str](), dict[str, str]()
    for record in records:
        rows = [
            item
            for item in record.get("differences") or ()
            if item["code"] in codes and (item["code"], item["id"]) not in skip
        ]
        nodes += bool(rows)
        for item in rows:
            patches[item["id"]] += 1
            texts.setdefault(item["id"], " ".join(part for part in (item.get("title"), item.get("text")) if part))
    return Differences(nodes=nodes, patches=patches, texts=texts)


def sentence(rule: str, found: Differences) -> str:
    """Return the gate's text: it names the patches on the most nodes."""
    ranked = sorted(found.patches, key=lambda name: (-found.patches[name], name))
    named = [f"{name} on {found.patches[name]} ({plain(found.texts[name])})" for name in ranked[:_NAMED]]
    more = f", and {len(ranked) - _NAMED} more" if len(ranked) > _NAMED else ""
    count = "1 node" if found.nodes == 1 else f"{found.nodes} nodes"
    return f"{_WORDS[rule]}, on {count}: {', '.join(named)}{more}."
