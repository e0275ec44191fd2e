# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An installation's outcome is what the machine shows, never the service's counts."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.azure.results import (
    install_result,
    scan_result,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.azure.runs import Run
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules

PATCHES = [{"id": "bash", "title": "bash:5.2"}, {"id": "openssl", "title": "openssl:1:3.0"}]
BASH, OPENSSL = "bash.amd64 5.1 5.2", "openssl.amd64 1:2.9 1:3.0"


def run(status: str = "Succeeded", **more: Any) -> Run:
    base: dict[str, Any] = {"activity_id": "a", "status": status, "running": False}
    return Run(**base, started_at=datetime(2026, 6, 1, tzinfo=timezone.utc), **more)


def facts(*rows: str, total: int | None = None, **more: Any) -> dict[str, Any]:
    text = "".join(f"{row}\n" for row in rows)
    packages = {
        "rows": list(rows),
        "total": len(rows) if total is None else total,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    return {"probe": 1, "boot_id": "b1", "pending_reboot": False, "packages": packages, **more}


@pytest.mark.parametrize(
    ("found", "seen", "status", "installed"),
    [
        (run(), facts(BASH, OPENSSL), "succeeded", ["bash", "openssl"]),
        (run("CompletedWithWarnings"), facts(BASH, OPENSSL), "succeeded", ["bash", "openssl"]),
        (run(), facts(), "no_op", []),
        # what the service calls good and the machine does not show is left to the scan after it
        (run(counts={"installedPatchCount": 2}), facts(BASH), "succeeded", ["bash"]),
        (run("Failed", error="apt"), facts(BASH), "failed", ["bash"]),
        (run("Failed"), facts(BASH, OPENSSL), "failed", ["bash", "openssl"]),
        (run(counts={"failedPatchCount": 1}), facts(BASH), "failed", ["bash"]),
        (run("CompletedWithWarnings", exceeded=True), facts(BASH), "timed_out", ["bash"]),
        (run(), facts(BASH, total=70), "unknown", ["bash"]),
        (run(), {"probe": 1, "packages": None}, "unknown", None),
        (run(), None, "unknown", None),
    ],
)
def test_outcome(found: Run, seen: dict[str, Any] | None, status: str, installed: list[str] | None) -> None:
    result = install_result(found, PATCHES, seen, "linux")
    assert result["status"] == status and result.get("installed") == installed
    assert (status in ("succeeded", "no_op")) == ("error" not in result)


@pytest.mark.parametrize(
    ("found", "seen", "code", "failed"),
    [
        (run("Failed", error="apt"), facts(BASH), "install_failed", ["openssl"]),
        (run(counts={"failedPatchCount": 1}), facts(BASH), "install_failed", ["openssl"]),
        (run(counts={"failedPatchCount": 1}), facts(BASH, OPENSSL), None, None),  # tried again, and it came in
        (run("Failed"), facts(BASH, OPENSSL), "install_failed", None),  # whatever failed, it is no planned patch
        (run("CompletedWithWarnings", exceeded=True), facts(BASH), "not_begun", None),
        (run("CompletedWithWarnings", exceeded=True), facts(BASH, OPENSSL), None, None),
    ],
)
def test_what_an_installation_is_said_to_have_failed_at(
    found: Run, seen: dict[str, Any], code: str | None, failed: list[str] | None
) -> None:
    result = install_result(found, PATCHES, seen, "linux")
    assert result.get("error", {}).get("code") == code and result.get("failed") == failed


def test_another_version_is_not_the_planned_one() -> None:
    assert install_result(run(), PATCHES, facts("bash.amd64 5.1 5.3"), "linux")["installed"] == []


def test_another_package_of_a_similar_name_is_not_the_planned_one() -> None:
    assert install_result(run(), PATCHES, facts("bash-doc.all 5.1 5.2"), "linux")["installed"] == []


def test_windows_by_number() -> None:
    result = install_result(run(), [{"id": "KB503", "title": "x"}], facts("KB503 - 200"), "windows")
    assert result["installed"] == ["KB503"] and result["status"] == "succeeded"


def test_the_boot_id_is_kept_for_the_restart() -> None:
    assert install_result(run(), PATCHES, facts(BASH, OPENSSL), "linux")["evidence"]["boot_id"] == "b1"


def test_a_reboot_is_pending_if_either_says_so() -> None:
    assert install_result(run(reboot_pending=True), PATCHES, facts(BASH, OPENSSL), "linux")["pending_reboot"]
    seen = facts(BASH, OPENSSL, pending_reboot=True)
    assert install_result(run(reboot_pending=False), PATCHES, seen, "linux")["pending_reboot"]


def test_a_scan() -> None:
    rows = ({"patchName": "bash", "version": "5.2", "classifications": ["Security"]},)
    found = scan_result(run(rows=rows, reboot_pending=None), "linux", PackageRules(), True)
    assert found["missing_after"] == ["bash"] and found["pending_reboot"] and found["counts"]["missing_count"] == 1


@pytest.mark.parametrize(
    ("found", "status", "code"),
    [(run("Failed", error="x"), "failed", "assessment_failed"), (run(), "unknown", "no_patches")],
)
def test_a_scan_without_a_list_is_never_clean(found: Run, status: str, code: str) -> None:
    result = scan_result(found, "linux", PackageRules(), None)
    assert result["status"] == status and result["error"]["code"] == code and "missing_after" not in result
