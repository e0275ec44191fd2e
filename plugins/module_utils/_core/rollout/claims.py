# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims: one rollout owns one node for one window. Two controllers never both hold a node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..stamp import from_time, to_time

#: Maximum difference between the clocks of two controllers; another's lease counts that much longer.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who holds a node, for which window ("" without one) and until when. An expired claim blocks nobody.

    :param owner: names the rollout, so that a resumed rollout keeps its claims.
    """

    node_id: str
    owner: str
    window: str
    until: datetime

    def to_dict(self) -> dict[str, str]:
        """Return plain values; the time with milliseconds."""
        return {"node_id": self.node_id, "owner": self.owner, "window": self.window, "until": to_time(self.until)}


def from_dict(data: Mapping[str, Any]) -> Claim:
    """The reverse of ``Claim.to_dict``."""
    return Claim(**{**data, "until": from_time(data["until"])})


def bars(held: Claim | None, owner: str, now: datetime) -> bool:
    """Return whether a claim blocks ``owner``: it is another's, and has not certainly expired."""
    return held is not None and held.owner != owner and now < held.until + SKEW


def wanted(nodes: Iterable[str], owner: str, window: str, until: datetime) -> list[Claim]:
    """Return the requested claims, one for each node."""
    return [Claim(node_id=node, owner=owner, window=window, until=until) for node in dict.fromkeys(nodes)]


def merge(held: Mapping[str, Claim], asked: Sequence[Claim], now: datetime) -> tuple[dict[str, Claim], list[Claim]]:
    """Return (all claims afterwards, without expired ones; the resulting holder of each requested node)."""
    kept = {node: claim for node, claim in held.items() if now < claim.until + SKEW}
    for claim in asked:
        if not bars(kept.get(claim.node_id), claim.owner, now):
            kept[claim.node_id] = claim
    return kept, [kept.get(claim.node_id, claim) for claim in asked]


def refused(answer: Iterable[Claim], owner: str) -> list[Claim]:
    """Return the claims of other owners."""
    return [claim for claim in answer if claim.owner != owner]
