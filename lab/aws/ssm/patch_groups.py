# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch groups: names bound to one baseline per operating system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..node import Node
from .baselines import default_id, existing, find
from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place

#: "Patch groups per patch baseline" (service quotas)
MOST_GROUPS = 25


def baseline_of(place: Place, node: Node) -> dict[str, Any]:
    """The baseline a node is patched by: its group's for its OS or, silently, the default of its OS."""
    system = node.system.baseline_os
    bound = place.patch_groups.get((node.patch_group, system))
    found = find(place, bound or default_id(place, system))
    assert found is not None
    return found


@operation("RegisterPatchBaselineForPatchGroup")
def register_patch_baseline_for_patch_group(place: Place, request: Request) -> Answer:
    baseline = existing(place, request["BaselineId"])
    group, baseline_id = request["PatchGroup"], baseline["BaselineId"]
    bound = place.patch_groups.get((group, baseline["OperatingSystem"]))
    if bound:
        # "Error returned if an attempt is made to register a patch group with a patch baseline that is already
        # registered with a different patch baseline" (API reference): the same pair again is accepted.
        if bound == baseline_id:
            return {"BaselineId": baseline_id, "PatchGroup": group}
        raise SsmError("AlreadyExistsException", f"Patch group {group} is already registered with {bound}.")
    if list(place.patch_groups.values()).count(baseline_id) >= MOST_GROUPS:
        raise SsmError("ResourceLimitExceededException", f"{MOST_GROUPS} patch groups a patch baseline.")
    place.patch_groups[(group, baseline["OperatingSystem"])] = baseline_id
    return {"BaselineId": baseline_id, "PatchGroup": group}


@operation("DeregisterPatchBaselineForPatchGroup")
def deregister_patch_baseline_for_patch_group(place: Place, request: Request) -> Answer:
    group, baseline_id = request["PatchGroup"], request["BaselineId"]
    if not baseline_id.startswith(("pb-", "arn:aws:ssm:")):
        raise SsmError("InvalidResourceId", f"{baseline_id} is no patch baseline id.")
    for key in [key for key, bound in place.patch_groups.items() if key[0] == group and bound == baseline_id]:
        del place.patch_groups[key]
    return {"BaselineId": baseline_id, "PatchGroup": group}


@operation("GetPatchBaselineForPatchGroup")
def get_patch_baseline_for_patch_group(place: Place, request: Request) -> Answer:
    system = request.get("OperatingSystem", "WINDOWS")
    bound = place.patch_groups.get((request["PatchGroup"], system))
    answer = {"BaselineId": bound or default_id(place, system), "OperatingSystem": system}
    return {**answer, "PatchGroup": request["PatchGroup"]}


@operation("DescribePatchGroups")
def describe_patch_groups(place: Place, request: Request) -> Answer:
    rows = []
    for (group, system), baseline_id in sorted(place.patch_groups.items()):
        baseline = find(place, baseline_id)
        assert baseline is not None
        row = {"BaselineId": baseline_id, "BaselineName": baseline["Name"], "OperatingSystem": system}
        kept = True
        for item in request.get("Filters", []):
            kept = kept and _matches(group, system, item.get("Key", ""), item.get("Values", []))
        if kept:
            rows.append({"PatchGroup": group, "BaselineIdentity": {**row, "DefaultBaseline": False}})
    return page("Mappings", rows, request, 50)


def _matches(group: str, system: str, key: str, values: list[str]) -> bool:
    if key == "NAME_PREFIX":
        return any(group.startswith(value) for value in values)
    if key == "OPERATING_SYSTEM":
        return system in values
    raise SsmError("ValidationException", f"DescribePatchGroups has no filter {key}.")
