# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch groups through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.ssm.patch_groups import Bound, PatchGroup
from .errors import aws_errors
from .paging import read_all, to_filters


class SsmPatchGroups:
    """The ``PatchGroupPort`` of one account-Region; ``client`` is its SSM client.

    It lists the baselines once: registering groups does not change them.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._candidates: list[Bound] | None = None

    def find(self, name: str) -> PatchGroup | None:
        rows = read_all(
            self._client,
            f"read patch group {name}",
            "describe_patch_groups",
            "Mappings",
            100,
            Filters=to_filters(NAME_PREFIX=name),
        )
        bound = sorted(_bound(row["BaselineIdentity"]) for row in rows if row["PatchGroup"] == name)
        return PatchGroup(name=name, baselines=tuple(bound)) if bound else None

    def candidates(self) -> list[Bound]:
        if self._candidates is None:
            rows = read_all(self._client, "list patch baselines", "describe_patch_baselines", "BaselineIdentities", 100)
            self._candidates = [_bound(row) for row in rows]
        return self._candidates

    def register(self, name: str, baseline_id: str) -> None:
        with aws_errors(f"register patch group {name} with {baseline_id}"):
            self._client.register_patch_baseline_for_patch_group(BaselineId=baseline_id, PatchGroup=name)

    def deregister(self, name: str, baseline_id: str) -> None:
        with aws_errors(f"deregister patch group {name} from {baseline_id}"):
            self._client.deregister_patch_baseline_for_patch_group(BaselineId=baseline_id, PatchGroup=name)


def _bound(row: Mapping[str, Any]) -> Bound:
    return Bound(
        operating_system=row.get("OperatingSystem", "WINDOWS"), name=row["BaselineName"], baseline_id=row["BaselineId"]
    )
