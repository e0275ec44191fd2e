# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that need attention for the same reason, as one entry: a reader sees causes, not a list of nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .next_steps import next_step
from .rows import EXCLUDED, LABELS

#: Code of nodes that were patched and are still not compliant, or not known to be.
NOT_COMPLIANT = "not_compliant"

_NUMBERS = re.compile(r"\d+")
#: Groups with the most urgent tone first.
_URGENT = ("bad", "unknown", "pending", "held")


def group_alike(attention: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the groups, most urgent and largest first.

    Nodes are alike if status, code and reason are the same but for numbers and their own names; ``reason`` is that of
    the first node, ``same`` says whether all have it word by word.

    :param attention: as the summary's ``attention`` has it.
    :returns: ``status, tone, label, code, reason, same, next_step, waves, count``, ``nodes`` with their reasons.
    """
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for item in attention:
        groups.setdefault((item["status"], item["code"], _shape(item)), []).append(item)
    return sorted((_group(items) for items in groups.values()), key=_order)


def _order(group: Mapping[str, Any]) -> tuple[int, int, str, str]:
    urgency = _URGENT.index(group["tone"]) if group["tone"] in _URGENT else len(_URGENT)
    return urgency, -group["count"], group["code"], group["reason"]


def _group(items: list[Mapping[str, Any]]) -> dict[str, Any]:
    one = items[0]
    return {
        **{name: one[name] for name in ("status", "tone", "code", "reason")},
        "label": _label(one),
        "same": all(item["reason"] == one["reason"] for item in items),
        "next_step": next_step(one["status"], one["code"]),
        "waves": list(dict.fromkeys(item["wave"] for item in items if item["wave"])),
        "count": len(items),
        "nodes": [
            {name: item[name] for name in ("node_id", "wave", "reason")}
            | {"name": item["name"] or item["host"] or item["node_id"]}
            for item in items
        ],
    }


def _label(item: Mapping[str, Any]) -> str:
    """Return what nodes are called that have this outcome; left-out ones by what keeps them out."""
    if item["code"] == NOT_COMPLIANT or item["status"] == EXCLUDED:
        return str(item["code"]).replace("_", " ")
    return LABELS.get(item["status"], str(item["status"]))


def _shape(item: Mapping[str, Any]) -> str:
    """Return the reason without what is the node's own: its names and all numbers."""
    text = str(item["reason"])
    for name in ("node_id", "name", "host"):
        if len(str(item[name])) > 2:
            text = text.replace(str(item[name]), "*")
    return _NUMBERS.sub("#", text)
