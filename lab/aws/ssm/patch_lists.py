# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists to be installed: DescribeAvailablePatches, DescribeEffectivePatchesForPatchBaseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..catalogue import OperatingSystem, Patch
from ..world import world
from .baselines import existing
from .evaluate import approval
from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place


def to_patch(system: OperatingSystem, patch: Patch) -> dict[str, Any]:
    """One Patch of the API."""
    common = {
        "ReleaseDate": patch.released,
        "Title": patch.title,
        "Product": patch.product,
        "Classification": patch.classification,
        "CVEIds": list(patch.cves),
    }
    if system.platform == "Windows":
        family = "Windows" if patch.product.startswith("WindowsServer") else "SQL Server"
        own = {"Vendor": "Microsoft", "ProductFamily": family, "MsrcSeverity": patch.severity or "Unspecified"}
        return {"Id": patch.patch_id, "KbNumber": patch.patch_id, **common, **own}
    arch = patch.patch_id.rpartition(".")[2]
    return {
        "Name": patch.name,
        "Version": patch.version,
        "Arch": arch,
        "Severity": patch.severity,
        "AdvisoryIds": [patch.advisory] if patch.advisory else [],
        **common,
    }


_LOOKS = {
    "PRODUCT": "Product",
    "PRODUCT_FAMILY": "ProductFamily",
    "CLASSIFICATION": "Classification",
    "MSRC_SEVERITY": "MsrcSeverity",
    "SEVERITY": "Severity",
    "NAME": "Name",
    "PATCH_ID": "KbNumber",
}


@operation("DescribeAvailablePatches")
def describe_available_patches(place: Place, request: Request) -> Answer:
    filters = {item.get("Key", ""): item.get("Values", []) for item in request.get("Filters", [])}
    wanted = filters.pop("OPERATING_SYSTEM", None) or ["WINDOWS"]  # the documented default
    systems = [system for system in world().systems.values() if system.baseline_os in wanted]
    rows = [to_patch(system, patch) for system in systems for patch in system.updates]
    for key, values in filters.items():
        if key not in _LOOKS:
            raise SsmError("ValidationException", f"DescribeAvailablePatches has no filter {key} here.")
        rows = [row for row in rows if str(row.get(_LOOKS[key], "")) in values]
    return page("Patches", rows, request, 50)


@operation("DescribeEffectivePatchesForPatchBaseline")
def describe_effective_patches(place: Place, request: Request) -> Answer:
    baseline = existing(place, request["BaselineId"])
    if baseline["OperatingSystem"] != "WINDOWS":
        # "Applies to patch baselines for Windows only."
        raise SsmError("UnsupportedOperatingSystem", f"{baseline['OperatingSystem']} has no effective patches here.")
    rows = []
    for system in (item for item in world().systems.values() if item.baseline_os == "WINDOWS"):
        for patch in system.updates:
            verdict = approval(baseline, patch, place.sim.now)
            if verdict.status != "NONE":
                status: dict[str, Any] = {"DeploymentStatus": verdict.status, "ComplianceLevel": verdict.level}
                if verdict.at:
                    status["ApprovalDate"] = verdict.at
                rows.append({"Patch": to_patch(system, patch), "PatchStatus": status})
    return page("EffectivePatches", rows, request, 50)
