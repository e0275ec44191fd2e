# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A notice: something that happened, or will happen, and the nodes it concerns. Pure.

Notices are derived from plan, journal and ledgers, never from the memory of a process. The same evidence gives the same
key, so that a notice is recognized when it is derived again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from ..canonical import to_digest
from ..nodes import Candidate, Select, matches
from ..policy.notice_rules import KINDS, SEVERITIES
from ..stamp import to_time
from ..text import plain
from .words import to_text, to_title

SCHEMA = "patchtide/notice/1"
#: Number of nodes that a message lists.
LISTED = 100


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One notice.

    :param about: what identifies it among the notices of its kind.
    :param facts: what its words need, see ``words``; texts from outside are allowed.
    :param at: when it happened or became due; ``None`` if nobody recorded it.
    :param until: when it becomes pointless.
    :param nodes: the nodes it concerns. :param points: by node ID, what is wrong with it.
    """

    kind: str
    about: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    severity: str = ""
    at: datetime | None = None
    until: datetime | None = None
    nodes: tuple[Candidate, ...] = ()
    points: Mapping[str, str] = field(default_factory=dict)
    rehearsal: bool = False

    @cached_property
    def key(self) -> str:
        """The same for the same event, whatever is known about it later."""
        return to_digest([self.kind, *self.about])

    @property
    def rank(self) -> int:
        """Position of its severity; a higher one is more severe."""
        return SEVERITIES.index(self.severity or KINDS[self.kind])

    def key_for(self, route: str) -> str:
        """Return the deduplication key of its message to a route."""
        return to_digest([self.key, route])

    def only(self, select: Select) -> Notice | None:
        """Return the notice for the receiver of these nodes: without all others, ``None`` if it is not about them.

        A notice about unknown nodes is only for receivers of all nodes.
        """
        if select == Select():
            return self
        mine = tuple(node for node in self.nodes if matches(node, select))
        if not mine:
            return None
        known = {node.node_id for node in mine}
        points = {node: text for node, text in self.points.items() if node in known}
        return replace(self, nodes=mine, points=points)

    def to_data(self) -> dict[str, Any]:
        """Return it as plain data, see docs/notices.md. Every text is one line without control characters."""
        facts = {name: plain(value) for name, value in self.facts.items()}
        order = sorted(self.nodes, key=lambda node: (node.node_id not in self.points, node.name or node.host))
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "severity": SEVERITIES[self.rank],
            "at": to_time(self.at) if self.at else None,
            "title": to_title(self.kind, facts, len(self.nodes), len(self.points)),
            "text": to_text(self.kind, facts),
            **{name: facts.get(name, "") for name in ("policy", "rollout", "wave", "window", "exception")},
            "node_count": len(self.nodes),
            "point_count": len(self.points),
            "nodes": [_row(node, self.points.get(node.node_id, "")) for node in order[:LISTED]],
            "rehearsal": self.rehearsal,
        }


def _row(node: Candidate, point: str) -> dict[str, str]:
    names = ("node_id", "host", "name", "account", "region")
    return {**{name: plain(getattr(node, name)) for name in names}, "point": plain(point)}
