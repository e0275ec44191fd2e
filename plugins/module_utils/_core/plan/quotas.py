# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service quotas that a plan may exceed, reported before the night instead of during it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..executors import SSM
from ..model import place_label

#: Managed nodes per account and Region by default (AWS General Reference, Systems Manager endpoints and quotas).
NODES_PER_PLACE = 2400
#: Hybrid nodes of the standard-instances tier (same source); the advanced tier has no such limit but is not free.
HYBRID_PER_PLACE = 1000
#: AWS Managed Services allows fewer instances than this in windows that are open at the same time.
AT_ONCE = 1000


def quota_warnings(waves: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each quota that a plan's waves may exceed."""
    nodes = [node for wave in waves for node in wave["nodes"] if node["executor"] == SSM.name]
    places = Counter(_place(node) for node in nodes)
    hybrid = Counter(_place(node) for node in nodes if node["node_id"].startswith("mi-"))
    for place, count in sorted(places.items()):
        if count > NODES_PER_PLACE:
            yield f"{place} has {count:,} nodes in this plan; the default quota is {NODES_PER_PLACE:,} managed nodes."
    for place, count in sorted(hybrid.items()):
        if count > HYBRID_PER_PLACE:
            yield f"{place} has {count:,} hybrid nodes; more than {HYBRID_PER_PLACE:,} require the advanced tier."
    for wave in waves:
        busiest = Counter(node["turn"] for node in wave["nodes"]).most_common(1)
        turn, count = busiest[0] if busiest else (1, 0)
        if count > AT_ONCE:
            where = f"Turn {turn} of wave {wave['name']}" if wave["turns"] > 1 else f"Wave {wave['name']}"
            yield f"{where} works on {count:,} nodes at once; use smaller waves or budgets to stay below {AT_ONCE:,}."


def _place(node: Mapping[str, Any]) -> str:
    return place_label(node["account"], node["region"])
