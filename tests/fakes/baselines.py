# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch baselines and patch groups of one place, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.baselines import Baseline, only_one
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.patch_groups import Bound, PatchGroup

from lab.aws.ssm.patch_properties import values_of

AWS_OWNED = (
    Bound(
        operating_system="UBUNTU",
        name="AWS-UbuntuDefaultPatchBaseline",
        baseline_id="arn:aws:ssm:eu-central-1:000000000000:patchbaseline/pb-0c7e89f711c3095f4",
    ),
)


class FakeBaselines:
    """A ``BaselinePort``. Keeps what it was given; ``groups`` binds (group, operating system) to an id."""

    def __init__(self) -> None:
        self.rows: dict[str, Baseline] = {}
        self.defaults: dict[str, str] = {}
        self.groups: dict[tuple[str, str], str] = {}
        self.calls: list[str] = []

    def _seen(self, row: Baseline) -> Baseline:
        own = row.baseline_id
        groups = tuple(sorted(group for (group, _unused), bound in self.groups.items() if bound == own))
        return replace(row, is_default=self.defaults.get(row.operating_system) == own, patch_groups=groups)

    def find(self, name: str) -> Baseline | None:
        return only_one(name, [self._seen(row) for row in self.rows.values() if row.name == name])

    def get(self, baseline_id: str) -> Baseline | None:
        row = self.rows.get(baseline_id)
        return self._seen(row) if row else None

    def create(self, wanted: Baseline) -> str:
        self.calls.append("create")
        baseline_id = f"pb-{len(self.calls):017x}"
        self.rows[baseline_id] = replace(wanted, baseline_id=baseline_id, is_default=False, patch_groups=())
        return baseline_id

    def update(self, wanted: Baseline) -> None:
        self.calls.append("update")
        before = self.rows[str(wanted.baseline_id)]
        self.rows[str(wanted.baseline_id)] = replace(wanted, tags=before.tags)

    def set_tags(self, baseline_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        self.calls.append("set_tags")
        self.rows[baseline_id] = replace(self.rows[baseline_id], tags=dict(after))

    def filter_values(self, operating_system: str, key: str, patch_set: str) -> tuple[str, ...]:
        return values_of(operating_system, key, patch_set)

    def set_default(self, baseline_id: str) -> None:
        self.calls.append("set_default")
        self.defaults[self.rows[baseline_id].operating_system] = baseline_id

    def restore_default(self, operating_system: str) -> None:
        self.calls.append("restore_default")
        self.defaults.pop(operating_system, None)

    def delete(self, baseline_id: str) -> None:
        self.calls.append("delete")
        self.rows.pop(baseline_id, None)


class FakePatchGroups:
    """A ``PatchGroupPort`` over the baselines of a ``FakeBaselines``."""

    def __init__(self, baselines: FakeBaselines) -> None:
        self._baselines = baselines

    def find(self, name: str) -> PatchGroup | None:
        known = {str(item.baseline_id): item for item in self.candidates()}
        bound = sorted(known[owner] for (group, _unused), owner in self._baselines.groups.items() if group == name)
        return PatchGroup(name=name, baselines=tuple(bound)) if bound else None

    def candidates(self) -> list[Bound]:
        rows = self._baselines.rows.values()
        own = [Bound(operating_system=r.operating_system, name=r.name, baseline_id=r.baseline_id) for r in rows]
        return [*AWS_OWNED, *own]

    def register(self, name: str, baseline_id: str) -> None:
        system = next(item.operating_system for item in self.candidates() if item.baseline_id == baseline_id)
        if self._baselines.groups.get((name, system), baseline_id) != baseline_id:
            raise AssertionError(f"{name} is bound to another baseline for {system}")
        self._baselines.groups[(name, system)] = baseline_id

    def deregister(self, name: str, baseline_id: str) -> None:
        bound = self._baselines.groups
        for key in [key for key, owner in bound.items() if key[0] == name and owner == baseline_id]:
            del bound[key]
