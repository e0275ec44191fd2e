# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory adds to nodes only when asked: patch states, missing patches, custom inventory, next window."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .records import Node, Row, Spellings, first_of, iso, source_of, text
from .windows import Window, set_next_windows

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def add_facts(
    nodes: Mapping[str, Node],
    patch_states: Mapping[str, Row],
    missing: Mapping[str, Iterable[Row]],
    patch_information: Mapping[str, Mapping[str, str]],
    windows: Sequence[Window],
    connectors: Sequence[Row],
    keys: Spellings,
) -> None:
    """Add the facts that were asked for; all but windows and connectors by node id."""
    for node_id, row in patch_states.items():
        if node_id in nodes:
            nodes[node_id]["patch_state"] = to_patch_state(row)
    for node_id, rows in missing.items():
        if node_id in nodes:
            nodes[node_id]["missing_patches"] = sorted(map(to_missing, rows), key=lambda patch: str(patch["id"]))
    for node_id, content in patch_information.items():
        if node_id in nodes:
            _add_patch_information(nodes[node_id], content, keys)
    set_next_windows(list(nodes.values()), windows)
    if connectors:
        _add_connectors(nodes.values(), connectors)


def _add_connectors(nodes: Iterable[Node], connectors: Sequence[Row]) -> None:
    """Name the cloud connector of Azure and GCP nodes, where the place has just one for their cloud.

    SSM does not tell which of several connectors a node came through.
    """
    names: dict[str, list[str]] = {}
    for row in connectors:
        names.setdefault(text(row.get("Provider")).lower(), []).append(text(row.get("DisplayName")))
    for node in nodes:
        found = names.get(source_of(node), ())
        if len(found) == 1:
            node["cloud_connector"] = found[0]


def to_patch_state(row: Row) -> dict[str, Any]:
    """A row of DescribeInstancePatchStates in snake case, times as text: ``missing_count``, …"""
    return {
        _WORD.sub("_", name).lower(): iso(value) if name.endswith("Time") else value
        for name, value in sorted(row.items())
        if name != "InstanceId"
    }


def to_missing(row: Row) -> dict[str, Any]:
    """A row of DescribeInstancePatches with the members a scan result has."""
    cves = text(row.get("CVEIds"))
    return {
        "id": text(row.get("KBId")),
        "title": text(row.get("Title")),
        "classification": text(row.get("Classification")),
        "severity": text(row.get("Severity")),
        "state": text(row.get("State")),
        "cve_ids": sorted(item.strip() for item in cves.split(",") if item.strip()),
    }


def _add_patch_information(node: Node, content: Mapping[str, str], keys: Spellings) -> None:
    """A tag counts more than the custom inventory, from which tags are made."""
    node["patch_group"] = node["patch_group"] or first_of(content, keys.patch_group)
    node["maintenance_window"] = node["maintenance_window"] or first_of(content, keys.maintenance_window)
