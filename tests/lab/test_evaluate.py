# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a baseline makes of patches: rules, delays, lists, states. Sources in lab/aws/ssm/evaluate.py."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from lab.aws.catalogue import Patch
from lab.aws.ssm.evaluate import Found, approval, evaluate, is_non_compliant, listed

NOW = datetime(2026, 6, 1, 6, tzinfo=timezone.utc)
DAY = timedelta(days=1)
REJECTED = {"RejectedPatches": ["openssl"]}


def patch(**changes: Any) -> Patch:
    data: dict[str, Any] = {
        "patch_id": "openssl.x86_64",
        "name": "openssl",
        "title": "openssl.x86_64:1:3.2.2-6.el9",
        "version": "1:3.2.2-6.el9",
        "classification": "Security",
        "severity": "Important",
        "product": "RedhatEnterpriseLinux9.6",
        "released": NOW - 10 * DAY,
        "advisory": "RHSA-1",
    }
    return Patch(**{**data, **changes})


def baseline(system: str = "REDHAT_ENTERPRISE_LINUX", *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"BaselineId": "pb-0", "OperatingSystem": system, "ApprovalRules": {"PatchRules": list(rules)}, **more}


def rule(days: int | None = 0, level: str = "UNSPECIFIED", **more: Any) -> dict[str, Any]:
    filters = more.pop("filters", {"CLASSIFICATION": ["Security"]})
    rows = [{"Key": key, "Values": values} for key, values in filters.items()]
    delay = {} if days is None else {"ApproveAfterDays": days}
    return {"PatchFilterGroup": {"PatchFilters": rows}, "ComplianceLevel": level, **delay, **more}


def status(base: dict[str, Any], of: Patch) -> str:
    return approval(base, of, NOW).status


def test_delay_counts_whole_days_from_the_release_date() -> None:
    released = patch(released=NOW - 7 * DAY)
    assert status(baseline("REDHAT_ENTERPRISE_LINUX", rule(7)), released) == "APPROVED"
    assert status(baseline("REDHAT_ENTERPRISE_LINUX", rule(8)), released) == "PENDING_APPROVAL"


@pytest.mark.parametrize("system", ["UBUNTU", "DEBIAN"])
def test_debian_family_knows_no_delay(system: str) -> None:
    assert status(baseline(system, rule(30, filters={})), patch(released=NOW)) == "APPROVED"


@pytest.mark.parametrize(("until", "expected"), [("2026-05-22", "APPROVED"), ("2026-05-21", "NONE")])
def test_cutoff_date_includes_its_day(until: str, expected: str) -> None:
    dated = rule(None, ApproveUntilDate=until)
    assert status(baseline("REDHAT_ENTERPRISE_LINUX", dated), patch()) == expected


def test_filters_of_one_rule_must_all_match() -> None:
    both = {"CLASSIFICATION": ["Security"], "SEVERITY": ["Critical"]}
    base = baseline("REDHAT_ENTERPRISE_LINUX", rule(filters=both))
    assert status(base, patch()) == "NONE"
    assert status(base, patch(severity="Critical")) == "APPROVED"


def test_several_rules_give_the_highest_level() -> None:
    base = baseline("REDHAT_ENTERPRISE_LINUX", rule(level="LOW"), rule(level="CRITICAL"), rule(99, level="HIGH"))
    assert approval(base, patch(), NOW).level == "CRITICAL"


def test_product_filter_takes_wildcards() -> None:
    product = {"PRODUCT": ["RedhatEnterpriseLinux9.*"]}
    assert status(baseline("REDHAT_ENTERPRISE_LINUX", rule(filters=product)), patch()) == "APPROVED"
    other = patch(product="RedhatEnterpriseLinux8.10")
    assert status(baseline("REDHAT_ENTERPRISE_LINUX", rule(filters=product)), other) == "NONE"


@pytest.mark.parametrize(
    ("system", "of"),
    [("REDHAT_ENTERPRISE_LINUX", patch(advisory="")), ("UBUNTU", patch(classification="", advisory="USN-1"))],
)
def test_non_security_needs_the_switch(system: str, of: Patch) -> None:
    assert status(baseline(system, rule(filters={})), of) == "NONE"
    assert status(baseline(system, rule(filters={}, EnableNonSecurity=True)), of) == "APPROVED"


def test_rejected_wins_over_approved_and_over_rules() -> None:
    base = baseline("REDHAT_ENTERPRISE_LINUX", rule(), ApprovedPatches=["openssl"], RejectedPatches=["openssl*"])
    assert status(base, patch()) == "EXPLICIT_REJECTED"


def test_approved_list_needs_no_rule_and_no_delay() -> None:
    base = baseline(ApprovedPatches=["openssl-3.2.2-6.el9.x86_64"], ApprovedPatchesComplianceLevel="HIGH")
    found = approval(base, patch(released=NOW), NOW)
    assert (found.status, found.level) == ("EXPLICIT_APPROVED", "HIGH")


@pytest.mark.parametrize("mask", ["openssl", "openssl.x86_64", "openssl-3.*", "RHSA-1", "open*"])
def test_lists_take_names_versions_advisories_and_wildcards(mask: str) -> None:
    assert listed([mask], patch())


def test_a_name_is_no_prefix() -> None:
    assert not listed(["open"], patch())


@pytest.mark.parametrize(
    ("found", "more", "expected"),
    [
        (Found(), {}, "MISSING"),
        (Found(failed=True), {}, "FAILED"),
        (Found(installed_at=NOW), {}, "INSTALLED"),
        (Found(installed_at=NOW, awaits_reboot=True), {}, "INSTALLED_PENDING_REBOOT"),
        (
            Found(installed_at=NOW),
            {"RejectedPatches": ["openssl"], "RejectedPatchesAction": "BLOCK"},
            "INSTALLED_REJECTED",
        ),
        (Found(installed_at=NOW), {"RejectedPatches": ["openssl"]}, "INSTALLED_OTHER"),
    ],
)
def test_states(found: Found, more: dict[str, Any], expected: str) -> None:
    base = baseline("REDHAT_ENTERPRISE_LINUX", rule(), **more)
    assert [row.state for row in evaluate(base, [patch()], {"openssl.x86_64": found}, NOW)] == [expected]


def test_installed_beyond_the_baseline_is_other_and_missing_beyond_it_is_nothing() -> None:
    base = baseline("REDHAT_ENTERPRISE_LINUX", rule(30))
    rows = evaluate(base, [patch(), patch(patch_id="b", name="b")], {"b": Found(installed_at=NOW)}, NOW)
    assert [(row.patch.patch_id, row.state) for row in rows] == [("b", "INSTALLED_OTHER")]


def test_windows_shows_unapproved_security_updates_and_the_baseline_says_whether_they_count() -> None:
    kb = patch(patch_id="KB1", classification="SecurityUpdates", product="WindowsServer2022")
    base = baseline("WINDOWS", rule(30, filters={"CLASSIFICATION": ["SecurityUpdates"]}))
    (row,) = evaluate(base, [kb], {}, NOW)
    assert row.state == "AVAILABLE_SECURITY_UPDATE"
    assert not is_non_compliant(row, base)
    assert is_non_compliant(row, {**base, "AvailableSecurityUpdatesComplianceStatus": "NON_COMPLIANT"})
