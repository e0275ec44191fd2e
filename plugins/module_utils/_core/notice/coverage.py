# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notice of nodes that the next plan would miss or cannot patch, from what ``enroll_nodes`` found last. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..errors import BadInput
from ..nodes import Candidate
from ..report.rows import moment
from ..stamp import to_time
from .model import Notice

SCHEMA = "patchtide/coverage/1"
_MEMBERS = ("node_id", "name", "account", "region", "owner", "text")


def to_coverage(rows: Iterable[Mapping[str, Any]], at: datetime) -> dict[str, Any]:
    """Return what is kept of the findings. :param rows: ``nodes`` of ``node_enrollment``."""
    found = [
        {
            **{name: str(row.get(name) or "") for name in _MEMBERS},
            "text": "; ".join(f"{item['what']}. {item['fix']}" for item in row["findings"]),
        }
        for row in rows
        if row.get("findings")
    ]
    return {"schema": SCHEMA, "at": to_time(at), "nodes": found}


def coverage_notices(data: Any, nodes: Sequence[Candidate], owner_tag: str, policy: str) -> list[Notice]:
    """Return the notice of a day, if there are findings.

    :param data: of ``to_coverage``. :param nodes: the inventory; a machine that it lacks has its owner's tag alone.
    :raises BadInput: it is something else.
    """
    at = moment(str(data.get("at"))) if isinstance(data, Mapping) and data.get("schema") == SCHEMA else None
    rows = data.get("nodes") if at else None
    if at is None or not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise BadInput("coverage", "coverage.json", f"a file of the schema {SCHEMA}")
    if not rows:
        return []
    known = {node.node_id: node for node in nodes}
    texts = [{name: str(row.get(name) or "") for name in _MEMBERS} for row in rows]
    found = [(known.get(row["node_id"]) or _machine(row, owner_tag), row["text"]) for row in texts]
    return [
        Notice(
            kind="coverage_found",
            about=(policy, at.date().isoformat()),
            facts={"policy": policy, "found": f"{at:%Y-%m-%d %H:%M} UTC"},
            at=at,
            nodes=tuple(node for node, _text in found),
            points={node.node_id: text for node, text in found},
        )
    ]


def _machine(row: Mapping[str, str], owner_tag: str) -> Candidate:
    tags = {owner_tag: row["owner"]} if row["owner"] else {}
    return Candidate(
        node_id=row["node_id"] or row["name"],
        host=row["name"],
        name=row["name"],
        account=row["account"],
        region=row["region"],
        tags=tags,
    )
