# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure says of runs, in the published shapes and in broken ones."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.azure.runs import (
    graph_runs,
    missing,
    result,
    state_of,
    summary,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.node_answer import BadAnswer
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from hypothesis import given
from hypothesis import strategies as st

VM = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/web"
#: VirtualMachine_InstallPatches.json and VirtualMachine_Get_InstanceView.json of Azure/azure-rest-api-specs.
INSTALLED: dict[str, Any] = {
    "status": "Succeeded",
    "installationActivityId": "68f8b292-dfc2-4646-9781-33cc88631968",
    "rebootStatus": "Completed",
    "maintenanceWindowExceeded": False,
    "excludedPatchCount": 0,
    "notSelectedPatchCount": 0,
    "pendingPatchCount": 2,
    "installedPatchCount": 3,
    "failedPatchCount": 0,
    "startDateTime": "2020-04-24T21:02:04.2556154Z",
    "patches": [{"name": "x", "kbId": "2267602", "installationState": "Installed"}],
    "error": None,
}
VIEW = {
    "vmAgent": {"statuses": [{"code": "ProvisioningState/succeeded", "displayStatus": "Ready"}]},
    "patchStatus": {
        "availablePatchSummary": {
            "status": "Succeeded",
            "assessmentActivityId": "68f8b292-dfc2-4646-9781-33cc88631968",
            "rebootPending": True,
            "startTime": "2020-04-24T21:02:04.2556154Z",
        },
    },
    "statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/running"}],
}
BEGUN = datetime(2020, 4, 24, 21, 2, 4, tzinfo=timezone.utc)


def test_the_body_of_an_installation() -> None:
    run = result(INSTALLED, "installation")
    assert (run.activity_id, run.status, run.started_at, run.running) == (
        "68f8b292-dfc2-4646-9781-33cc88631968",
        "Succeeded",
        BEGUN,
        False,
    )
    assert run.counts["installedPatchCount"] == 3 and run.reboot_pending is False
    assert run.rows is not None and run.rows[0]["kbId"] == "2267602"


def test_the_instance_view() -> None:
    run = summary(VIEW, "assessment")
    assert run is not None and run.reboot_pending is True and run.rows is None
    assert summary(VIEW, "installation") is None
    assert state_of(VIEW) == ("running", True)
    assert state_of({}) == ("", None)


def test_a_run_is_ours_only_if_it_began_with_our_request() -> None:
    run = result(INSTALLED, "installation")
    assert run.is_ours(BEGUN) and run.is_ours(BEGUN + timedelta(seconds=90))
    assert not run.is_ours(BEGUN + timedelta(minutes=3))


@pytest.mark.parametrize(
    "change",
    [
        {"status": "Sleeping"},
        {"status": None},
        {"startDateTime": "yesterday"},
        {"startDateTime": None},
        {"installedPatchCount": -1},
        {"installedPatchCount": "3"},
        {"failedPatchCount": True},
    ],
)
def test_what_makes_no_sense_is_no_answer(change: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        result({**INSTALLED, **change}, "installation")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(sorted(INSTALLED)), x),
        max_leaves=12,
    )
)
def test_no_answer_breaks_the_reader(data: Any) -> None:
    found = data if isinstance(data, dict) else {"status": data, "startDateTime": data, "error": data}
    try:
        result(found, "installation")
    except BadAnswer:
        return


def test_errors_name_their_code() -> None:
    failed = {
        **INSTALLED,
        "status": "Failed",
        "error": {"details": [{"code": "PACKAGE_MANAGER_FAILURE", "message": "apt"}]},
    }
    assert result(failed, "installation").error == "PACKAGE_MANAGER_FAILURE: apt"
    outer = {"code": "OPERATION_FAILED", "message": "see details", **failed["error"]}
    assert result({**failed, "error": outer}, "installation").error == "OPERATION_FAILED: see details"
    arc = {**failed, "error": None, "errorDetails": outer}
    assert result(arc, "installation").error == "OPERATION_FAILED: see details"


def test_every_count_is_kept_as_evidence() -> None:
    names = ("installed", "failed", "pending", "notSelected", "excluded")
    body = {**INSTALLED, **{f"{name}PatchCount": number for number, name in enumerate(names, 1)}}
    assert result(body, "installation").counts == {f"{name}PatchCount": n for n, name in enumerate(names, 1)}


def test_rows_of_resource_graph() -> None:
    base = f"{VM}/patchAssessmentResults/latest"
    run = {"status": "Succeeded", "startDateTime": "2020-04-24T21:02:04Z", "assessmentActivityId": "a"}
    rows: list[dict[str, Any]] = [
        {"id": f"{base}/softwarePatches/0", "properties": {"patchName": "bash", "version": "5.2"}},
        {"id": base, "properties": run},
        {"id": "/elsewhere/patchAssessmentResults/latest", "properties": {"status": "?"}},
        {"id": None},
    ]
    found = graph_runs(rows, "assessment")
    assert list(found) == [VM] and found[VM].rows == ({"patchName": "bash", "version": "5.2"},)


def test_the_newest_installation_counts() -> None:
    def row(number: int, day: int) -> dict[str, Any]:
        told = {"status": "Succeeded", "startDateTime": f"2020-04-{day:02}T00:00:00Z"}
        return {"id": f"{VM}/patchInstallationResults/{number}", "properties": told}

    assert graph_runs([row(1, 3), row(2, 9), row(3, 5)], "installation")[VM].activity_id == "2"


@pytest.mark.parametrize(
    ("platform", "row", "expected"),
    [
        ("linux", {"patchName": "bash", "version": "5.2", "classifications": ["Security"]}, ("bash", "bash:5.2")),
        ("linux", {"name": "bash", "version": "5.2", "classifications": ["Security"]}, ("bash", "bash:5.2")),
        (
            "windows",
            {"patchName": "2026-05 Update", "kbId": "503", "classifications": ["Security"]},
            ("KB503", "2026-05 Update"),
        ),
        ("windows", {"patchName": "without a number", "kbId": "", "classifications": ["Security"]}, None),
        ("linux", {"patchName": "linux-image-x", "version": "1", "classifications": ["Security"]}, None),
        ("linux", {"patchName": "tzdata", "version": "1", "classifications": ["Other"]}, None),
    ],
)
def test_missing_patches(platform: str, row: dict[str, Any], expected: tuple[str, str] | None) -> None:
    run = result({**INSTALLED, "assessmentActivityId": "a", "availablePatches": [row]}, "assessment")
    rules = PackageRules(security_only=True, exclude=("linux-image*",))
    found = [(item["id"], item["title"]) for item in missing(run, platform, rules)]
    assert found == ([expected] if expected else [])
