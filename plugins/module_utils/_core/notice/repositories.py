# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notices of corrected repositories, from the history of all hosts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..nodes import Candidate
from ..report.rows import moment
from ..work.repositories.trend import CORRECTED
from .model import Notice


def repository_notices(history: Iterable[Mapping[str, Any]], nodes: Sequence[Candidate], policy: str) -> list[Notice]:
    """Return one notice for each day and kind of repair, from the records of ``repositories.jsonl``."""
    known = {name: node for node in nodes for name in (node.host, node.node_id)}
    days: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for item in history:
        if item.get("state") == CORRECTED and moment(str(item.get("at"))):
            days.setdefault((str(item["at"])[:10], str(item.get("repair") or "once")), []).append(item)
    notices = []
    for (day, repair), items in days.items():
        names = list(dict.fromkeys(str(item.get("node_id")) for item in items))
        notices.append(
            Notice(
                kind="repository_repaired",
                about=(policy, day, repair, *sorted(names)),
                facts={"policy": policy, "day": day, "repair": repair},
                at=max(found for item in items if (found := moment(str(item["at"])))),
                nodes=tuple(known.get(name) or Candidate(node_id=name, host=name) for name in names),
            )
        )
    return notices
