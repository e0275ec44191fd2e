# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Associations of one place, in memory."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.associations import Association
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.windows import only_one


class FakeAssociations:
    """An ``AssociationPort``."""

    def __init__(self) -> None:
        self.rows: dict[str, Association] = {}

    def find(self, name: str) -> Association | None:
        found = only_one("association", name, [key for key, row in self.rows.items() if row.name == name])
        return self.rows[found] if found else None

    def get(self, association_id: str) -> Association | None:
        return self.rows.get(association_id)

    def create(self, wanted: Association) -> str:
        association_id = str(uuid.uuid4())
        self.rows[association_id] = replace(wanted, association_id=association_id)
        return association_id

    def update(self, wanted: Association) -> None:
        before = self.rows[str(wanted.association_id)]
        assert before.document == wanted.document, "the service does not change the document of an association"
        self.rows[str(wanted.association_id)] = replace(wanted, tags=before.tags)

    def set_tags(self, association_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        assert self.rows[association_id].tags == before
        self.rows[association_id] = replace(self.rows[association_id], tags=dict(after))

    def delete(self, association_id: str) -> None:
        self.rows.pop(association_id, None)
