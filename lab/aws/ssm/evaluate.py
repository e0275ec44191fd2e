# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a patch baseline makes of a machine's patches. Pure: no clock, no state.

Follows "How patches are selected", "How security patches are selected" and "Understanding patch compliance state
values" of the Systems Manager user guide, as far as README.md of the lab says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from typing import Any

from ..catalogue import Patch

LEVELS = ("UNSPECIFIED", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
NON_COMPLIANT = frozenset({"MISSING", "FAILED", "INSTALLED_PENDING_REBOOT", "INSTALLED_REJECTED"})
_DEBIAN = frozenset({"DEBIAN", "UBUNTU", "RASPBIAN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """APPROVED, PENDING_APPROVAL, EXPLICIT_APPROVED, EXPLICIT_REJECTED (as the API names them) or NONE."""

    status: str
    level: str = "UNSPECIFIED"
    at: datetime | None = None

    @property
    def installs(self) -> bool:
        return self.status in ("APPROVED", "EXPLICIT_APPROVED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How a patch stands on the machine."""

    installed_at: datetime | None = None
    awaits_reboot: bool = False
    failed: bool = False
    version: str = ""  #: which one is installed, where there are several


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a patch report."""

    patch: Patch
    state: str
    level: str
    installed_at: datetime | None = None


def approval(baseline: Mapping[str, Any], patch: Patch, now: datetime) -> Approval:
    """Say whether a baseline approves a patch at a moment. The rejected list wins over everything."""
    system = baseline["OperatingSystem"]
    if listed(baseline.get("RejectedPatches", ()), patch):
        return Approval(status="EXPLICIT_REJECTED")
    if listed(baseline.get("ApprovedPatches", ()), patch):
        non_security = baseline.get("ApprovedPatchesEnableNonSecurity", False)
        if non_security or _in_security_repositories(system, patch):
            level = baseline.get("ApprovedPatchesComplianceLevel", "UNSPECIFIED")
            return Approval(status="EXPLICIT_APPROVED", level=level, at=patch.released)
    if not _filters_match(baseline.get("GlobalFilters", {}), patch, system):
        return Approval(status="NONE")
    rules = baseline.get("ApprovalRules", {}).get("PatchRules", [])
    hits = [rule for rule in rules if _rule_matches(rule, patch, system)]
    due = [(rule, approved_from(rule, patch, system)) for rule in hits]
    open_now = [(rule, at) for rule, at in due if at is not None and at <= now]
    if open_now:
        level = max((rule.get("ComplianceLevel", "UNSPECIFIED") for rule, _ in open_now), key=LEVELS.index)
        return Approval(status="APPROVED", level=level, at=min(at for _, at in open_now))
    later = [at for _, at in due if at is not None]
    return Approval(status="PENDING_APPROVAL", at=min(later)) if later else Approval(status="NONE")


def approved_from(rule: Mapping[str, Any], patch: Patch, system: str) -> datetime | None:
    """Return the moment from which a rule approves a patch it matches; None for never.

    Days count from the release date in UTC. Debian and Ubuntu know no delay.
    """
    if system in _DEBIAN:
        return patch.released
    if "ApproveUntilDate" in rule:
        last = datetime.fromisoformat(rule["ApproveUntilDate"]).replace(tzinfo=timezone.utc) + timedelta(days=1)
        return patch.released if patch.released < last else None
    return patch.released + timedelta(days=rule.get("ApproveAfterDays", 0))


def listed(masks: Iterable[str], patch: Patch) -> bool:
    """Match the forms an approved or rejected list may have: KB, package, package with version, advisory, with *."""
    version = patch.version.split(":", 1)[-1]
    arch = patch.patch_id.rpartition(".")[2]
    names = {patch.patch_id, patch.name, f"{patch.name}-{version}", f"{patch.name}-{version}.{arch}", patch.title}
    names |= {f"{patch.name}-{patch.version}", f"{patch.name}-{patch.version}.{arch}", patch.advisory, *patch.cves}
    return any(fnmatchcase(name, mask) for mask in masks for name in names if name)


def _rule_matches(rule: Mapping[str, Any], patch: Patch, system: str) -> bool:
    if not rule.get("EnableNonSecurity", False) and not _in_security_repositories(system, patch):
        return False
    return _filters_match(rule.get("PatchFilterGroup", {}), patch, system)


def _in_security_repositories(system: str, patch: Patch) -> bool:
    """Without EnableNonSecurity: yum and zypper see only what has an update notice, apt only the security pocket."""
    if system == "WINDOWS":
        return True
    return patch.is_security if system in _DEBIAN else bool(patch.advisory)


def _filters_match(group: Mapping[str, Any], patch: Patch, system: str) -> bool:
    return all(_filter_matches(row["Key"], row["Values"], patch) for row in group.get("PatchFilters", []))


def _filter_matches(key: str, values: Sequence[str], patch: Patch) -> bool:
    is_system = patch.product.startswith("WindowsServer")
    looked_at = {
        "PRODUCT": patch.product,
        "CLASSIFICATION": patch.classification,
        "SEVERITY": patch.severity,
        "MSRC_SEVERITY": patch.severity or "Unspecified",
        "PRIORITY": patch.priority,
        "SECTION": patch.section,
        "PATCH_SET": "OS" if is_system else "APPLICATION",
        "PRODUCT_FAMILY": "Windows" if is_system else "SQL Server",
    }[key]
    return any(fnmatchcase(looked_at, value) for value in values)


def evaluate(
    baseline: Mapping[str, Any], patches: Iterable[Patch], found: Mapping[str, Found], now: datetime
) -> list[Row]:
    """Return the report of one machine: a row for each package that the baseline says something about.

    Of versions, the newest one that is approved and newer than what is installed is missing (the payload,
    ``_has_matched_versions``); what repositories do not offer is not there.
    """
    versions: dict[str, list[Patch]] = {}
    for patch in patches:
        versions.setdefault(patch.patch_id, []).append(patch)
    rows = (_row(baseline, items, found.get(key, Found()), now) for key, items in versions.items())
    return [row for row in rows if row is not None]


def installed_of(versions: Sequence[Patch], found: Found) -> Patch | None:
    """Return which of a package's versions is on the machine."""
    if found.installed_at is None:
        return None
    return next((patch for patch in versions if patch.version == found.version), versions[0])


def newer(versions: Sequence[Patch], installed: Patch | None, now: datetime) -> list[Patch]:
    """Return the versions that could be installed, the newest first."""
    offered = [patch for patch in versions if patch.offered(now) and not (patch.dependency and installed is None)]
    offered.sort(key=lambda patch: patch.released, reverse=True)
    return [patch for patch in offered if installed is None or patch.released > installed.released]


def _row(baseline: Mapping[str, Any], versions: Sequence[Patch], found: Found, now: datetime) -> Row | None:
    installed = installed_of(versions, found)
    candidates = newer(versions, installed, now)
    for patch in candidates:
        verdict = approval(baseline, patch, now)
        if verdict.installs:
            return Row(patch=patch, state="FAILED" if found.failed else "MISSING", level=verdict.level)
    shown = installed or next(iter(candidates), None)
    if shown is None:
        return None
    verdict = approval(baseline, shown, now)
    state = _state(baseline, verdict, shown, found)
    return Row(patch=shown, state=state, level=verdict.level, installed_at=found.installed_at) if state else None


def _state(baseline: Mapping[str, Any], verdict: Approval, patch: Patch, found: Found) -> str:
    if found.installed_at is not None:
        if found.awaits_reboot:
            return "INSTALLED_PENDING_REBOOT"
        if verdict.status == "EXPLICIT_REJECTED":
            # ALLOW_AS_DEPENDENCY: "considered compliant with the patch baseline, and its status is InstalledOther"
            blocked = baseline.get("RejectedPatchesAction") == "BLOCK"
            return "INSTALLED_REJECTED" if blocked else "INSTALLED_OTHER"
        return "INSTALLED" if verdict.installs else "INSTALLED_OTHER"
    if baseline["OperatingSystem"] == "WINDOWS" and patch.is_security and verdict.status != "EXPLICIT_REJECTED":
        return "AVAILABLE_SECURITY_UPDATE"
    return ""


def is_non_compliant(row: Row, baseline: Mapping[str, Any]) -> bool:
    """AVAILABLE_SECURITY_UPDATE counts as the baseline says."""
    if row.state == "AVAILABLE_SECURITY_UPDATE":
        return baseline.get("AvailableSecurityUpdatesComplianceStatus") == "NON_COMPLIANT"
    return row.state in NON_COMPLIANT
