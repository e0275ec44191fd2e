# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom inventory, custom compliance and resource data syncs of one place, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.data_syncs import FROM_SOURCE, DataSync
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.inventory import Captured, ComplianceItem


class FakeInventory:
    """An ``InventoryPort``; what is put is captured at ``now``."""

    def __init__(self, nodes: Sequence[str], now: str) -> None:
        self.nodes, self.now = nodes, now
        self.rows: dict[str, Captured] = {}

    def _check(self, node_id: str) -> None:
        if node_id not in self.nodes:
            raise ServiceError(f"reach {node_id}", "InvalidInstanceId", "is no managed node")

    def read(self, node_ids: Sequence[str]) -> Mapping[str, Captured]:
        for node_id in node_ids:
            self._check(node_id)
        return {node_id: self.rows.get(node_id, Captured()) for node_id in node_ids}

    def put(self, node_id: str, entries: Sequence[Mapping[str, str]]) -> None:
        self._check(node_id)
        self.rows[node_id] = Captured(entries=tuple(entries), at=self.now)

    def exists(self) -> bool:
        return bool(self.rows)

    def delete_type(self) -> None:
        self.rows.clear()


class FakeComplianceItems:
    """A ``ComplianceItemPort``."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[ComplianceItem, ...]] = {}

    def items(self, node_ids: Sequence[str]) -> Mapping[str, tuple[ComplianceItem, ...]]:
        return {node_id: self.rows.get(node_id, ()) for node_id in node_ids}

    def put(self, node_id: str, items: Sequence[ComplianceItem]) -> None:
        self.rows[node_id] = tuple(items)


class FakeDataSyncs:
    """A ``DataSyncPort``."""

    def __init__(self) -> None:
        self.rows: dict[str, DataSync] = {}

    def find(self, name: str) -> DataSync | None:
        return self.rows.get(name)

    def create(self, wanted: DataSync) -> None:
        assert wanted.name not in self.rows, "the name of a sync is taken"
        self.rows[wanted.name] = wanted

    def update(self, wanted: DataSync) -> None:
        assert wanted.sync_type == FROM_SOURCE, "the service updates no other type"
        self.rows[wanted.name] = wanted

    def delete(self, sync: DataSync) -> None:
        self.rows.pop(sync.name, None)
