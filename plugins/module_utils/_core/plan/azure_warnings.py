# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What approvers must know about machines of Azure: old assessments, and who else patches them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import BadInput
from ..nodes import Candidate
from ..stamp import from_time
from ..text import counted
from ..work.azure.maintenance import opens_between
from .exclude import AUTO_PATCHED
from .warnings import are, named

Records = Mapping[str, Mapping[str, Any]]
#: Assessments of Azure are periodic every 24 hours (Microsoft Learn, "Assessment options in Update Manager").
_OLD_HOURS = 24


def assessment_warnings(records: Records, scanned_at: str, waves: Iterable[Sequence[Candidate]]) -> Iterator[str]:
    """Yield a sentence about the nodes of waves whose missing patches are from an assessment of an earlier day."""
    old: dict[str, float] = {}
    for node in (node for members in waves for node in members):
        at = str((records.get(node.node_id) or {}).get("assessed_at") or "")
        if at and scanned_at:
            hours = (from_time(scanned_at) - from_time(at)).total_seconds() / 3600
            if hours >= _OLD_HOURS:
                old[node.name or node.host or node.node_id] = hours
    if old:
        names = sorted(old, key=lambda name: (-old[name], name))
        yield (
            f"{are(len(old))} planned from an assessment that was at least {_OLD_HOURS} hours old at the scan, the "
            f"oldest {max(old.values()):.0f} hours ({named(names)}): patches released since are not in this plan."
        )


def auto_patching_warnings(waves: Iterable[Sequence[Candidate]]) -> Iterator[str]:
    """Yield a sentence for each way in which nodes of waves are patched by somebody else as well."""
    found: dict[str, list[str]] = {}
    for node in (node for members in waves for node in members if node.auto_patching):
        found.setdefault(node.auto_patching, []).append(_name(node))
    for kind, names in sorted(found.items()):
        count = "1 node" if len(names) == 1 else f"{len(names):,} nodes"
        yield (
            f"{count} ({named(sorted(names))}): {AUTO_PATCHED[kind]}, before, during or after the window. Change the "
            "patch mode with azure_patch_settings, or set patching.auto_patched to exclude."
        )


def maintenance_warnings(plan_waves: Iterable[Mapping[str, Any]], records: Records) -> Iterator[str]:
    """Yield a sentence for each maintenance configuration of Azure that patches planned nodes in the same night.

    :param plan_waves: the plan's waves with nights and nodes.
    """
    conflicts: dict[str, dict[str, str]] = {}
    unknown: dict[str, str] = {}
    for wave in plan_waves:
        nights = {night["number"]: night for night in wave["nights"]}
        for node in wave["nodes"]:
            night = nights.get(node.get("night", 1))
            record = records.get(node["node_id"]) or {}
            if night is None or "maintenance" not in record:
                continue
            name = str(node["name"] or node["host"] or node["node_id"])
            if record["maintenance"] is None:
                unknown[name] = "they could not be read"
            for item in record["maintenance"] or ():
                try:
                    at = opens_between(item, from_time(night["start"]), from_time(night["end"]))
                except BadInput:
                    unknown[name] = f"the schedule of {item['name']} can't be read"
                    continue
                if at:
                    when = f"{at:%Y-%m-%d %H:%M} UTC"
                    conflicts.setdefault(str(item["name"]), {})[name] = when
    for configuration, nodes in sorted(conflicts.items()):
        yield (
            f"The maintenance configuration {configuration} of Azure patches {counted(len(nodes))} in the same night, "
            f"first at {min(nodes.values())} ({named(sorted(nodes))}): whichever begins second finds the machine "
            "busy or patched. Remove the assignment, or move one of the two."
        )
    if unknown:
        yield (
            f"Whether maintenance configurations of Azure patch {counted(len(unknown))} in the same night is not known "
            f"({named(sorted(unknown))}): {min(unknown.values())}."
        )


def _name(node: Candidate) -> str:
    return node.name or node.host or node.node_id
