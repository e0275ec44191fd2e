# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States that are an attempt's own, and what the stages ask of a place to prove what came in: counted."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Patch
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import Invocation, PatchState
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stagerun import Ended
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stages import (
    InstallStage,
    ScanStage,
    VerifyStage,
    baseline_request,
)

from tests.fakes.fleet_port import FakeClock, FakeFleet

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
MINE, OTHER, LIST = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-000000000000", "s3://lists/a"
GIVEN = {"SnapshotId": [MINE], "InstallOverrideList": [LIST]}


def state(operation: str = "Install", **more: Any) -> PatchState:
    counts = {f"{name}_count": value for name, value in more.pop("counts", {}).items()}
    given = {"snapshot_id": MINE, "override_list": LIST if operation == "Install" else "", **more}
    return PatchState(node_id="i-1", operation=operation, operation_ended_at=NOW, counts=counts, **given)


def fleet(found: PatchState | None, *patches: Patch) -> FakeFleet:
    made = FakeFleet(FakeClock())
    made.states = {"i-1": found} if found else {}
    made.listed["i-1"] = list(patches)
    return made


def ended(status: str = "Success", final: bool = False, output: str = "", **given: Any) -> Ended:
    rows = {"i-1": Invocation(node_id="i-1", status=status, output=output)}
    parameters = {**GIVEN, **given}
    return Ended(rows, NOW, frozenset(rows) if final else frozenset(), parameters=parameters, command_id="c-1")


def test_every_request_has_its_snapshot_and_a_list_goes_with_an_install_alone() -> None:
    document, parameters = baseline_request("Install", MINE, LIST)
    assert document == "AWS-RunPatchBaseline" and parameters["RebootOption"] == ["NoReboot"]
    assert (parameters["SnapshotId"], parameters["InstallOverrideList"]) == ([MINE], [LIST])
    assert "BaselineOverride" not in parameters
    assert "InstallOverrideList" not in baseline_request("Install", MINE)[1]
    assert baseline_request("Scan", MINE, LIST)[1] == {
        "Operation": ["Scan"],
        "RebootOption": ["NoReboot"],
        "SnapshotId": [MINE],
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"snapshot_id": OTHER},
        {"snapshot_id": ""},
        {"override_list": ""},
        {"override_list": "s3://lists/b"},
        {"operation": "Scan", "override_list": LIST},
    ],
)
def test_a_state_of_another_attempt_or_list_is_waited_for_and_never_taken(wrong: dict[str, str]) -> None:
    port = fleet(state(**wrong))
    assert InstallStage().evaluate(ended(), port) == []
    (result,) = InstallStage().evaluate(ended(final=True), port)
    assert (result["status"], result["error"]["code"]) == ("unknown", "no_state")


def test_the_state_of_this_attempt_counts_whatever_case_its_snapshot_has() -> None:
    (result,) = InstallStage().evaluate(ended(), fleet(state(snapshot_id=MINE.upper())))
    assert result["status"] == "succeeded"
    assert result["evidence"]["override_list"] == LIST and result["evidence"]["snapshot_id"] == MINE.upper()


def test_a_snapshot_that_a_user_gives_twice_is_told_by_its_time() -> None:
    old = state()
    early = Ended({"i-1": Invocation(node_id="i-1", status="Success")}, NOW + timedelta(hours=1), parameters=GIVEN)
    assert InstallStage().evaluate(early, fleet(old)) == []


def test_a_scan_s_state_needs_its_snapshot_and_no_list() -> None:
    assert ScanStage().evaluate(ended(), fleet(state("Scan", snapshot_id=OTHER))) == []
    (result,) = ScanStage().evaluate(ended(), fleet(state("Scan")))
    assert result["status"] == "succeeded"


@pytest.mark.parametrize(("lists", "status"), [([LIST], "unknown"), ([], "failed")])
def test_a_pinned_install_that_failed_and_reported_nothing_is_not_known(lists: list[str], status: str) -> None:
    """On SUSE it may have installed; where the list can't be read, nothing was."""
    (result,) = InstallStage().evaluate(ended("Failed", final=True, InstallOverrideList=lists), fleet(None))
    assert result["status"] == status


def test_what_came_in_is_what_is_pending_less_what_was_before_in_one_call() -> None:
    pending = [Patch(id=name, title=f"{name}:1", state="INSTALLED_PENDING_REBOOT") for name in ("a.x", "b.x")]
    port = fleet(state(counts={"installed_pending_reboot": 2, "failed": 1}), *pending, Patch(id="c.x", state="FAILED"))
    (result,) = InstallStage({"i-1": ["b.x:1"]}).evaluate(ended(), port)
    assert result["arrived"] == [{"id": "a.x", "title": "a.x:1"}] and result["failed"] == ["c.x"]
    assert port.calls["patches"] == 1


def test_where_nothing_came_in_nothing_is_asked() -> None:
    port = fleet(state())
    (result,) = InstallStage({}).evaluate(ended(), port)
    assert result["arrived"] == [] and port.calls["patches"] == 0
    (alone,) = InstallStage().evaluate(ended(), port)
    assert "arrived" not in alone


def test_a_scan_says_what_became_of_planned_patches_that_did_not_come_in() -> None:
    rows = [Patch(id="a.x", title="a.x:1", state="MISSING"), Patch(id="b.x", title="b.x:1", state="INSTALLED")]
    port = fleet(state("Scan", counts={"missing": 1}), *rows)
    (result,) = ScanStage(planned={"i-1": ["a.x", "b.x", "c.x"]}).evaluate(ended(), port)
    assert result["missing"] == [{"id": "a.x", "title": "a.x:1"}]
    assert result["unclear"] == [{"id": "b.x", "title": "b.x:1", "state": "INSTALLED"}] and "offered" not in result
    assert port.calls["patches"] == 2


def test_a_scan_after_an_install_of_all_that_was_planned_asks_nothing_more() -> None:
    port = fleet(state("Scan"))
    (result,) = ScanStage(planned={"i-1": []}).evaluate(ended(), port)
    assert result["unclear"] == [] and port.calls["patches"] == 0


def test_for_a_kb_that_is_gone_the_scan_names_what_is_offered_instead() -> None:
    port = fleet(state("Scan"), Patch(id="KB2", title="July", state="AVAILABLE_SECURITY_UPDATE"))
    (result,) = ScanStage(planned={"i-1": ["KB1"]}).evaluate(ended(), port)
    assert result["unclear"] == [] and result["offered"] == [{"id": "KB2", "title": "July"}]


def test_a_scan_names_what_is_installed_though_rejected() -> None:
    port = fleet(
        state("Scan", counts={"installed_rejected": 1}), Patch(id="a.x", title="t", state="INSTALLED_REJECTED")
    )
    (result,) = ScanStage().evaluate(ended(), port)
    assert result["rejected"] == [{"id": "a.x", "title": "t"}]


@pytest.mark.parametrize(("total", "calls", "proof"), [(1, 0, "node"), (2, 1, "node")])
def test_only_a_list_that_was_cut_is_read_again(total: int, calls: int, proof: str) -> None:
    def probe(*rows: str) -> str:
        return json.dumps({"probe": 1, "boot_id": "b", "packages": {"rows": rows, "total": total, "sha256": ""}})

    port = fleet(None)
    port.whole_outputs["i-1"] = probe("a.x 1 2", "b.x 1 2")
    node = {"node_id": "i-1", "executor": "ssm", "platform": "linux", "patches": []}
    results = {"i-1": {"precheck": {"facts": {}}, "scan": {"status": "succeeded", "missing": [], "unclear": []}}}
    stage = VerifyStage({"i-1": node}, results, "never", lambda: "now")
    (record,) = stage.evaluate(ended(output=probe("a.x 1 2")), port)
    assert (port.calls["output"], record["proof"], len(record["changes"])) == (calls, proof, total)


def test_the_proof_of_a_thousand_nodes_costs_one_call_for_each() -> None:
    """Patch states come in pages; what changed and what is missing comes with answers that are read anyway.
    The same with 10,000 nodes: 10,000 calls and 2 times 200 pages."""
    names = [f"i-{number}" for number in range(1_000)]
    pending = [Patch(id="a.x", title="a.x:2", state="INSTALLED_PENDING_REBOOT")]
    port = FakeFleet(FakeClock())
    port.listed = dict.fromkeys(names, pending)
    node = {"executor": "ssm", "platform": "linux", "pin": "list", "patches": [{"id": "a.x", "title": "a.x:2"}]}
    nodes = {name: {**node, "node_id": name} for name in names}
    packages = {"rows": ["a.x 1 2"], "total": 1, "sha256": ""}
    output = json.dumps({"probe": 1, "boot_id": "c", "packages": packages})
    rows = {name: Invocation(node_id=name, status="Success", output=output) for name in names}
    done = Ended(rows, NOW, parameters=GIVEN, command_id="c-1")

    def states(operation: str, **counts: int) -> None:
        found = state(operation, counts=counts)
        port.states = {name: replace(found, node_id=name) for name in names}

    states("Install", installed_pending_reboot=1)
    installed = {item["node_id"]: item for item in InstallStage({}).evaluate(done, port)}
    states("Scan")
    scanned = {item["node_id"]: item for item in ScanStage(planned=dict.fromkeys(names, ())).evaluate(done, port)}
    results = {
        name: {"precheck": {"facts": {"boot_id": "b"}}, "patch": installed[name], "scan": scanned[name]}
        for name in names
    }
    records = VerifyStage(nodes, results, "never", lambda: "now").evaluate(done, port)
    assert {(item["status"], item["proof"], tuple(item["installed"])) for item in records} == {
        ("succeeded", "node", ("a.x",))
    }
    assert (port.calls["patches"], port.calls["output"], port.calls["patch_states"]) == (1_000, 0, 2 * 20)
