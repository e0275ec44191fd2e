# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the tags of the machines of a subscription with rules, and writes what is missing if asked to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .._core.errors import PatchtideError
from .._core.fleet.azure import ARC, SCALE_SET_VM, from_row
from .._core.fleet.records import Node, Spellings
from .._core.policy.required_tags import TagFinding, TagRule, judge
from . import machines
from .arm import Arm
from .places import Subscription
from .tags import merge_tags, read_tags, respell_tags

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagAudit:
    """What to look at, and whether to write.

    :param write: write defaults of missing tags. :param respell: also correct upper and lower case of tag names.
    :param predict: show what would be written, as check mode does.
    """

    rules: Sequence[TagRule]
    resource_groups: Collection[str] = ()
    include_arc: bool = True
    write: bool = False
    respell: bool = False
    predict: bool = False

    def run(self, arm: Arm, place: Subscription) -> list[Row]:
        """Return a row for each machine. One whose tags can't be written has an ``error``; the others go on."""
        rows = machines.by_graph(arm, [place.id], scale_sets=False)
        nodes = [node for row in rows if (node := from_row(row, {place.id: place.name}, Spellings()))]
        wanted = {name.casefold() for name in self.resource_groups}
        chosen = [
            node
            for node in nodes
            if node["resource_type"] != SCALE_SET_VM
            and (self.include_arc or node["resource_type"] != ARC)
            and (not wanted or _group(node).casefold() in wanted)
        ]
        with ThreadPoolExecutor(max_workers=8) as pool:
            return list(pool.map(lambda node: self._one(arm, node), chosen))

    def _one(self, arm: Arm, node: Node) -> Row:
        before = dict(node["tags"])
        finding = judge(before, self.rules)
        row = self._row(node, before, finding)
        if not self._writes(finding):
            return row
        try:
            before = read_tags(arm, node["node_id"])
        except PatchtideError as error:
            return {**row, "status": "failed", "error": error.to_dict()}
        finding = judge(before, self.rules)
        row = self._row(node, before, finding)
        if not self._writes(finding):
            return row
        after = {**before, **finding.defaults}
        if self.respell:
            for new, old in finding.misspelt.items():
                after[new] = after.pop(old)
        if not self.predict:
            try:
                after = self._written(arm, node["node_id"], finding, before)
            except PatchtideError as error:
                return {**row, "status": "failed", "error": error.to_dict()}
        row = self._row(node, after, judge(after, self.rules))
        return {**row, "changed": after != before, "before": before}

    def _writes(self, finding: TagFinding) -> bool:
        return self.write and bool(finding.defaults or (self.respell and finding.misspelt))

    def _written(self, arm: Arm, node_id: str, finding: TagFinding, before: Mapping[str, str]) -> dict[str, str]:
        found = dict(before)
        if finding.defaults:
            found = merge_tags(arm, node_id, finding.defaults)
        if self.respell and finding.misspelt:
            found = respell_tags(arm, node_id, finding.misspelt, found)
        return found

    def _row(self, node: Node, tags: Mapping[str, str], finding: TagFinding) -> Row:
        return {
            "id": node["node_id"],
            "name": node["name"],
            "resource_type": node["resource_type"],
            "resource_group": _group(node),
            "subscription": node["account"],
            "subscription_name": node["account_name"],
            "location": node["region"],
            "status": "compliant" if finding.compliant else "not_compliant",
            "missing": list(finding.missing),
            "invalid": dict(finding.invalid),
            "misspelt": dict(finding.misspelt),
            "tags": dict(tags),
            "changed": False,
            "error": None,
        }


def _group(node: Node) -> str:
    return str(node["node_id"]).split("/")[4]
