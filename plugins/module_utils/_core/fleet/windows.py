# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Determines each node's next maintenance window from the windows of its account-Region and their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .records import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """An enabled window: its next start (ISO 8601) and its targets as the API lists them."""

    name: str
    next_at: str
    targets: Sequence[Sequence[Mapping[str, Any]]] = ()


def set_next_windows(nodes: Sequence[Node], windows: Sequence[Window]) -> None:
    """Set ``next_window`` and ``next_window_name`` to the earliest window that targets each node.

    Targets by resource group cannot be resolved here and match no node.
    """
    ordered = sorted((window for window in windows if window.next_at), key=lambda window: (window.next_at, window.name))
    for node in nodes:
        for window in ordered:
            if any(_targets(target, node) for target in window.targets):
                node["next_window"], node["next_window_name"] = window.next_at, window.name
                break


def _targets(conditions: Sequence[Mapping[str, Any]], node: Node) -> bool:
    """Return whether a node meets all conditions of a target; any value of a condition suffices."""
    return bool(conditions) and all(
        _holds(item.get("Key") or "", item.get("Values") or (), node) for item in conditions
    )


def _holds(key: str, values: Sequence[str], node: Node) -> bool:
    if key == "InstanceIds":
        return node["node_id"] in values
    if key == "tag-key":
        return any(value in node["tags"] for value in values)
    if key.startswith("tag:"):
        return node["tags"].get(key[4:]) in values
    return False
