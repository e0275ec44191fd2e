# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing in an estate before it can be patched, who owns it, and what to do next. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..tags import TagKeys
from ..text import plain
from .records import Node

#: By code: what it means, and the next step. The first codes are those of ``coverage``.
MEANINGS: Mapping[str, tuple[str, str]] = {
    "unmanaged": ("run, and Systems Manager does not know them", "Install the SSM Agent and give it a role."),
    "no_instance_profile": (
        "have no instance profile",
        "Attach one with ssm_instance_role, or use the default host role.",
    ),
    "stale_ping": ("have an agent that no longer answers", "Check that it runs and reaches its endpoints."),
    "no_patch_group": ("have no patch group, so no policy patches them", "Set the tag {patch_group}."),
    "no_maintenance_window": ("state no window", "Set the tag {maintenance_window}, or let waves name a window."),
    "no_owner": ("name no owner", "Set the tag {owner}: alarms and left-out nodes need somebody to ask."),
    "no_environment": (
        "name no environment, so that waves cannot tell test from production",
        "Set the tag {environment}.",
    ),
    "no_answer": ("are reached over SSH and did not answer", "Check address, user and key in the inventory."),
}
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Nodes with the same gap. ``owners``: how many nodes each owner has; "" for nodes without one."""

    code: str
    nodes: Sequence[str]
    owners: Mapping[str, int]
    meaning: str
    next_step: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "code": self.code,
            "nodes": list(self.nodes),
            "owners": dict(self.owners),
            "meaning": self.meaning,
            "next_step": self.next_step,
        }

    def lines(self) -> Iterator[str]:
        """Yield how the terminal shows it; texts of nodes and tags are made harmless."""
        named = ", ".join(plain(name) for name in self.nodes[:_SHOWN])
        more = f" and {len(self.nodes) - _SHOWN} more" if len(self.nodes) > _SHOWN else ""
        owners = ", ".join(f"{plain(owner) or 'no owner'} ({count})" for owner, count in self.owners.items())
        yield f"{len(self.nodes)} {self.meaning}: {named}{more}"
        yield f"  Owners: {owners}"
        yield f"  Next: {self.next_step}"


def find_gaps(nodes: Sequence[Node], keys: TagKeys) -> list[Finding]:
    """Return what is missing, in the order of ``MEANINGS``; ``coverage`` of the nodes must be set."""
    gaps: dict[str, list[Node]] = {}
    for node in nodes:
        for code in _codes(node, keys):
            gaps.setdefault(code, []).append(node)
    words = {name: getattr(keys, name) for name in ("patch_group", "maintenance_window", "owner", "environment")}
    return [
        Finding(
            code=code,
            nodes=tuple(sorted(str(node["name"] or node["node_id"]) for node in gaps[code])),
            owners=dict(Counter(str(node["tags"].get(keys.owner, "")) for node in gaps[code]).most_common()),
            meaning=meaning,
            next_step=step.format(**words),
        )
        for code, (meaning, step) in MEANINGS.items()
        if code in gaps
    ]


def _codes(node: Node, keys: TagKeys) -> Iterator[str]:
    yield from (code for code in node["coverage"] if code in MEANINGS)
    for code, key in (("no_owner", keys.owner), ("no_environment", keys.environment)):
        if not node["tags"].get(key):
            yield code
