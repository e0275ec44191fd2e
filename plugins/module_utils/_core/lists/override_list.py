# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of an install override list, and the lists that a plan needs: which nodes share one. Pure.

There is one list for each account-Region, product with its major version, and effective baseline. A node reads one
list, so a list holds the planned patches of all its nodes. An exception excludes a node from the plan completely;
there is no exception for single patches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .address import to_name
from .per_object import PerObject

#: Maximum rows of a list. A node compares each row with each version in its repositories: 1,000 rows take minutes.
MOST_ROWS = 500
#: A row with one of these names more than one patch: "You can use wildcards" (user guide, InstallOverrideList).
_WILDCARDS = frozenset("*?[")
Row = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What nodes of one list have in common."""

    account: str
    region: str
    product: str
    baseline_id: str
    platform: str

    @property
    def by_title(self) -> bool:
        """On Windows the KB number counts, and the title is decoration (user guide, InstallOverrideList)."""
        return self.platform != "windows"

    @property
    def label(self) -> str:
        """Return ``222222222222/eu-central-1 Ubuntu 22 pb-0123456789abcdef0``."""
        place = "/".join(part for part in (self.account, self.region) if part)
        return " ".join(part for part in (place, self.product, self.baseline_id) if part)


@dataclass(slots=True, kw_only=True)
class Draft:
    """A list while it is filled. ``rows`` are keyed by what must be unique in it."""

    shared: Shared
    rows: dict[str, Row] = field(default_factory=dict)
    nodes: list[str] = field(default_factory=list)

    def takes(self, patches: Iterable[Row]) -> bool:
        """Return whether the list has room for the patches and none of them in another version."""
        fresh = 0
        for row in patches:
            held = self.rows.get(_key(row[0]))
            if held is not None and self.shared.by_title and held != row:
                return False
            fresh += held is None
        return len(self.rows) + fresh <= MOST_ROWS

    def add(self, patches: Iterable[Row], nodes: Iterable[str]) -> None:
        """Add the patches of nodes."""
        for row in patches:
            self.rows.setdefault(_key(row[0]), row)
        self.nodes += nodes


def _key(patch_id: str) -> str:
    """Return the form in which IDs are compared: the document ignores their case."""
    return patch_id.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideList:
    """A list of a plan. ``name`` is the digest of its text."""

    name: str
    shared: Shared
    rows: tuple[Row, ...]
    nodes: tuple[str, ...]


def why_not_listed(patches: Sequence[Row], by_title: bool) -> str:
    """Return why a list can't name exactly these patches of a node; "" if it can."""
    if len(patches) > MOST_ROWS:
        return f"its {len(patches):,} missing patches do not fit a list, which has at most {MOST_ROWS} rows"
    for patch_id, title in patches:
        if not patch_id or (by_title and not title):
            return f"its patch {patch_id or title!r} has no {'title' if patch_id else 'id'}"
        if _WILDCARDS & set(f"{patch_id}{title}" if by_title else patch_id):
            return f"the name of its patch {patch_id} would match other patches as well"
    return ""


def make_lists(members: Iterable[tuple[str, Shared, Sequence[Row]]]) -> list[OverrideList]:
    """Return as few lists as hold the patches of all nodes.

    :param members: node ID, what it shares with others, and its patches; a node without patches needs no list.
    """
    sets: dict[Shared, dict[tuple[Row, ...], list[str]]] = {}
    ordered = PerObject(lambda patches: tuple(sorted(set(patches))))
    for node_id, shared, patches in members:
        if patches:
            sets.setdefault(shared, {}).setdefault(ordered(patches), []).append(node_id)
    drafts = [draft for shared in sorted(sets, key=_order) for draft in _fill(shared, sets[shared])]
    return [_finish(draft) for draft in drafts]


def _order(shared: Shared) -> tuple[str, ...]:
    return shared.account, shared.region, shared.product, shared.baseline_id, shared.platform


def _fill(shared: Shared, sets: Mapping[tuple[Row, ...], Sequence[str]]) -> list[Draft]:
    """Add each set of patches to the first list that can take it, the largest sets first."""
    drafts: list[Draft] = []
    for patches in sorted(sets, key=lambda rows: (-len(rows), rows)):
        draft = next((item for item in drafts if item.takes(patches)), None)
        if draft is None:
            draft = Draft(shared=shared)
            drafts.append(draft)
        draft.add(patches, sets[patches])
    return drafts


def _finish(draft: Draft) -> OverrideList:
    rows = tuple(sorted(draft.rows.values()))
    name = to_name(to_text(draft.shared.label, rows))
    return OverrideList(name=name, shared=draft.shared, rows=rows, nodes=tuple(sorted(draft.nodes)))


def to_text(label: str, rows: Iterable[Row]) -> str:
    """Return the list as YAML. Its values are quoted: the document can't read a title that is a number."""
    return "".join([f"# {json.dumps(label)}\n", "patches:\n", *_lines(rows)])


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    for patch_id, title in rows:
        yield f"  - id: {_quoted(patch_id)}\n    title: {_quoted(title)}\n"


def _quoted(text: str) -> str:
    """Return a JSON string, which YAML reads as the same text."""
    return json.dumps(text, ensure_ascii=False)


def text_of(listed: Mapping[str, Any]) -> str:
    """Return the text of a list in the plan."""
    return to_text(str(listed["label"]), [(row["id"], row["title"]) for row in listed["patches"]])


def is_whole(listed: Mapping[str, Any]) -> bool:
    """Return whether the content of a plan's list matches its name."""
    return to_name(text_of(listed)) == str(listed["name"])
