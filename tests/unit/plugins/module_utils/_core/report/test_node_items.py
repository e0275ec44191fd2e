# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compliance items of nodes never flatter, fit the service's limits, and are compared by their content."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.node_items import (
    content_of,
    different,
    items_of,
    open_findings,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.inventory import ComplianceItem, check_items


def record(*severities: str, **more: Any) -> dict[str, Any]:
    missing = [{"id": f"p{number}", "severity": name} for number, name in enumerate(severities)]
    return {"status": "succeeded", "missing": missing, **more}


def item(items: tuple[ComplianceItem, ...], name: str) -> ComplianceItem:
    (found,) = [row for row in items if row.id == name]
    return found


@pytest.mark.parametrize(
    ("found", "status", "severity", "title"),
    [
        (record(), "COMPLIANT", "UNSPECIFIED", "No missing patch"),
        (record("Important", "low"), "NON_COMPLIANT", "HIGH", "2 missing patches"),
        (record("Moderate", pending_reboot=True), "NON_COMPLIANT", "MEDIUM", "1 missing patch; a reboot is pending"),
        (record(pending_reboot=True), "NON_COMPLIANT", "UNSPECIFIED", "A reboot is pending"),
        (record(status="failed", error={"text": "x"}), "NON_COMPLIANT", "UNSPECIFIED", "Not known: x"),
        (record(status="unreachable", missing=None), "NON_COMPLIANT", "UNSPECIFIED", "Not known: unreachable"),
        ({"status": "succeeded", "missing": None}, "NON_COMPLIANT", "UNSPECIFIED", "Not known: succeeded"),
    ],
)
def test_the_state_of_patches(found: dict[str, Any], status: str, severity: str, title: str) -> None:
    (patches,) = items_of(found)
    assert (patches.id, patches.status, patches.severity, patches.title) == ("patches", status, severity, title)


def test_an_exception_explains_and_does_not_make_compliant() -> None:
    items = items_of(record("critical"), "exception EX-1 until 2026-12-31, approved by dana: audit")
    assert item(items, "patches").status == "NON_COMPLIANT" and item(items, "patches").severity == "CRITICAL"
    assert item(items, "exception").title == "Exception EX-1 until 2026-12-31, approved by dana: audit"


def test_findings_are_shown_if_they_were_imported() -> None:
    assert [row.id for row in items_of(record())] == ["patches"]
    assert item(items_of(record(), findings={}), "findings").status == "COMPLIANT"
    some = item(items_of(record(), findings={"high": 2, "low": 1}), "findings")
    assert (some.status, some.severity, some.title) == (
        "NON_COMPLIANT",
        "HIGH",
        "3 open findings of vulnerability scanners",
    )
    rows = [
        {"node_id": "i-1", "status": "open", "severity": "high"},
        {"node_id": "i-1", "status": "unknown", "severity": "low"},
        {"node_id": "i-1", "status": "fixed", "severity": "high"},
        {"node_id": "", "status": "open", "severity": "high"},
    ]
    assert open_findings(rows) == {"i-1": {"high": 1, "low": 1}}


def test_items_fit_the_service() -> None:
    patches = record(*["critical"] * 500)
    for number, patch in enumerate(patches["missing"]):
        patch["id"] = f"a-package-with-a-very-long-name-of-a-vendor-{number:04}" * 4
    items = items_of(patches, "x" * 900, {"high": 1})
    check_items("Custom:Patchtide", items)
    assert item(items, "patches").details["Critical"] == "500"


def test_equal_items_are_written_once() -> None:
    one, other = items_of(record("low")), items_of(record("low", "low"))
    assert content_of(one) == content_of(items_of(record("low"))) != content_of(other) and len(content_of(one)) <= 100
    known = {"i-1": content_of(one), "i-2": content_of(other), "i-9": "gone"}
    assert different({"i-1": one, "i-2": one, "i-3": one}, known) == ["i-2", "i-3"]
