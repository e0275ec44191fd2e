# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a compliance scan covers, how it reaches each, and why it leaves out the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..nodes import Candidate


@dataclass(frozen=True, slots=True)
class ScanTargets:
    """``direct``: scanned over their own connections; ``ssm``: by Systems Manager; ``unscanned``: with the reason."""

    direct: tuple[Candidate, ...]
    ssm: tuple[Candidate, ...]
    unscanned: tuple[tuple[Candidate, str], ...]


def scan_targets(nodes: Iterable[Candidate]) -> ScanTargets:
    """Sort the nodes by how they are scanned, each kind by host name."""
    rows = [(node, why_unscanned(node)) for node in sorted(nodes, key=lambda node: node.host)]
    return ScanTargets(
        direct=tuple(node for node, why in rows if not why and node.executor == "linux"),
        ssm=tuple(node for node, why in rows if not why and node.executor == "ssm"),
        unscanned=tuple((node, why) for node, why in rows if why),
    )


def why_unscanned(node: Candidate) -> str:
    """Return why a node can't be scanned now; nothing if it can."""
    if not node.executor or (node.executor == "ssm" and not node.managed):
        return "not a managed node: Systems Manager does not know it"
    if node.executor == "ssm" and node.ping_status != "Online":
        return f"its agent is not online ({node.ping_status or 'never seen'})"
    return "" if node.executor in ("ssm", "linux") else f"no scan exists for the executor {node.executor}"
