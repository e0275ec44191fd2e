# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which planned patches a wave may install if ``promote_from`` limits it to those proven by an earlier wave. Pure.

Promotion removes patches and never adds any: a node installs a planned patch only if a successful node of the earlier
wave shows it as installed, and if it is still offered. Anything new needs a new plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..lists.address import to_name
from ..lists.override_list import text_of
from ..lists.planned import list_of, needs_list
from ..model import Status
from ..work.proof import Row, rows_of
from .state import Rollout, final_results

#: Code of a planned patch that the earlier wave has not proven.
NOT_PROMOTED = "not_promoted"


@dataclass(slots=True)
class Promotion:
    """The nodes and lists of one wave as carried out; without ``promote_from`` those of the plan.

    The earlier wave is finished before this one begins, so what it has proven is read once.
    """

    state: Rollout
    wave: str
    _proven: frozenset[Row] | None = None
    _nodes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _lists: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def node(self, node_id: str) -> Mapping[str, Any]:
        """Return the plan's node with the patches that it may install; ``not_promoted`` has the others."""
        planned = self.state.planned[node_id]
        if not self.source:
            return planned
        if node_id not in self._nodes:
            patches = list(planned["patches"])
            kept = [item for item, row in zip(patches, rows_of(patches), strict=True) if self._is_proven(row)]
            left = [item for item in patches if item not in kept]
            self._nodes[node_id] = {**planned, "patches": kept, NOT_PROMOTED: left}
        return self._nodes[node_id]

    def list_of(self, node_id: str) -> Mapping[str, Any] | None:
        """Return the list of a node, ``None`` if it needs none; a reduced list has its own name.

        Each list is checked once, when the first of its nodes asks.

        :raises ListTrouble: the plan has no such list, or its content does not match.
        """
        node = self.node(node_id)
        if not needs_list(node):
            return None
        name = str(node.get("list"))
        if name not in self._lists:
            listed = list_of(self.state.plan, node)
            self._lists[name] = self._narrow(listed) if self.source else listed
        return self._lists[name]

    @property
    def source(self) -> str:
        """Return the wave that is promoted from; "" for none."""
        wave = next(item for item in self.state.plan["waves"] if item["name"] == self.wave)
        return str(wave.get("promote_from") or "")

    def _narrow(self, listed: Mapping[str, Any]) -> Mapping[str, Any]:
        rows = rows_of(listed["patches"])
        patches = [item for item, row in zip(listed["patches"], rows, strict=True) if self._is_proven(row)]
        narrowed = {**listed, "patches": patches}
        name = to_name(text_of(narrowed))
        return {**narrowed, "name": name, "address": str(listed["address"]).removesuffix(str(listed["name"])) + name}

    def _is_proven(self, row: Row) -> bool:
        if self._proven is None:
            self._proven = self._read()
        return row in self._proven or (row[0].upper().startswith("KB") and (row[0], "") in self._proven)

    def _read(self) -> frozenset[Row]:
        """Return the patches that successful nodes of the earlier wave show as installed; Windows ones by KB."""
        found: set[Row] = set()
        for record in final_results(self.state, [self.source]):
            if not Status(record["status"]).is_good:
                continue
            installed = frozenset(record.get("installed") or ())
            for row in rows_of(self.state.planned[record["node_id"]].get("patches")):
                if row[0] in installed:
                    found |= {row, (row[0], "")} if row[0].upper().startswith("KB") else {row}
        return frozenset(found)
