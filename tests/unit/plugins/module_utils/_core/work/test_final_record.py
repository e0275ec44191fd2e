# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts come from the state after the work: each test is a bug or a complaint somebody had in the field."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import NodeResult, Patch, Status
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.final_record import (
    final_record,
    held_record,
    must_reboot,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import PrecheckRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import Invocation
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stagerun import Ended
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stages import (
    InstallStage,
    PrecheckStage,
    RebootStage,
    ScanStage,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.statuses import (
    ENDED,
    REFUSED,
    patch_status,
)

from tests.fakes.fleet_port import START, FakeClock, FakeFleet, patch_state

NODE = {
    "node_id": "i-1",
    "executor": "ssm",
    "account": "1",
    "region": "r",
    "platform": "windows",
    "patches": [{"id": f"KB{number}"} for number in range(13)],
}
CLEAN = {"status": "succeeded", "counts": {"missing_count": 0, "failed_count": 0}, "missing_after": [], "failed": []}
FACTS = MappingProxyType({"boot_id": "new", "kernel": "6.1", "pending_reboot": False})
PRECHECK = {"facts": {"boot_id": "old", "kernel": "6.0"}}


def final(facts: Any = FACTS, rule: str = "if_required", **stages: Any) -> NodeResult:
    results = {
        "precheck": PRECHECK,
        "patch": {"status": "succeeded"},
        "reboot": {"status": "succeeded", "rebooted": True},
        "scan": CLEAN,
        **stages,
    }
    return final_record(NODE, results, facts, "now", rule)


def code(result: NodeResult) -> str:
    return result.error["code"] if result.error else ""


def test_patched_rebooted_and_clean() -> None:
    result = final()
    assert (result.status, code(result), result.rebooted) == (Status.SUCCEEDED, "", True)
    assert (result.boot_id_before, result.boot_id_after) == ("old", "new")
    assert (result.kernel_before, result.kernel_after) == ("6.0", "6.1")
    assert len(result.installed) == 13


def test_failed_though_everything_is_installed() -> None:
    """AWS-InstallWindowsUpdates says Failed after a reboot though all is in (aws/amazon-ssm-agent#681)."""
    assert patch_status(Status.FAILED, patch_state("i-1", installed=13, failed=0)) is Status.SUCCEEDED
    assert patch_status(Status.FAILED, patch_state("i-1", failed=1)) is Status.FAILED
    assert patch_status(Status.FAILED, patch_state("i-1", operation="Scan")) is Status.FAILED
    assert patch_status(Status.FAILED, None) is Status.FAILED
    assert final(patch={"status": "failed", "error": {"code": "Failed", "text": "1"}}).status is Status.SUCCEEDED


def test_success_with_patches_still_missing_is_a_failure() -> None:
    result = final(scan={**CLEAN, "counts": {"missing_count": 1}, "missing_after": ["KB3"]})
    assert (result.status, code(result)) == (Status.FAILED, "still_missing")
    assert result.error and "KB3" in result.error["text"]
    assert "KB3" not in result.installed and len(result.installed) == 12


def test_one_of_13_failed() -> None:
    """The other 12 are reported, and the reboot happened (LanternOps/breeze#4228)."""
    result = final(patch={"status": "failed", "failed": ["KB7"]}, scan={**CLEAN, "failed": ["KB7"]})
    assert (result.status, code(result), result.rebooted) == (Status.FAILED, "patch_failed", True)
    assert result.failed == ("KB7",) and len(result.installed) == 12


def test_a_reboot_that_did_not_happen() -> None:
    same = {**FACTS, "boot_id": "old"}
    assert code(final(same)) == "not_rebooted"
    assert code(final(same, reboot={"status": "failed", "rebooted": False})) == "reboot_failed"
    assert code(final(same, reboot={"status": "timed_out"})) == "reboot_failed"


LOST = MappingProxyType({"status": "unknown", "error": {"code": "NoEnd", "text": "nobody saw it end"}})


def test_a_reboot_that_nobody_saw_end_is_judged_by_the_boot_id() -> None:
    """The service refused to answer, or the agent came back too late: a node with another boot id was rebooted."""
    back = final(reboot=LOST)
    assert (back.status, back.rebooted) == (Status.SUCCEEDED, True)
    for facts in ({**FACTS, "boot_id": "old"}, {"pending_reboot": True}):
        stayed = final(facts, reboot=LOST)
        assert (stayed.status, code(stayed), stayed.rebooted) == (Status.UNKNOWN, "NoEnd", False)


def test_what_an_unknown_install_left_behind_is_told_by_the_scan() -> None:
    """An unknown install goes to the scan (E3); what is still missing is a failure, what is in is not."""
    results = {"precheck": PRECHECK, "patch": dict(LOST), "scan": CLEAN}
    assert final_record(NODE, results, FACTS, "now").status is Status.SUCCEEDED
    missing = {**CLEAN, "counts": {"missing_count": 1}, "missing_after": ["KB3"]}
    assert code(final_record(NODE, {**results, "scan": missing}, FACTS, "now")) == "still_missing"


@pytest.mark.parametrize("status", ["unreachable", "failed", "cancelled", "skipped", "unknown"])
def test_an_unknown_install_stays_unknown_if_the_scan_after_it_settles_nothing(status: str) -> None:
    """A host that lost its power in mid-install was called unreachable, as if nothing had been begun on it."""
    patch = {"status": "unknown", "error": {"code": "no_end", "text": "no route"}}
    scan = {"status": status, "error": {"code": "HostError", "text": "still none"}}
    result = final(None, patch=patch, reboot={}, scan=scan)
    assert (result.status, code(result)) == (Status.UNKNOWN, "no_end")
    assert result.error and "no route; the scan after it: still none" in result.error["text"]


def test_a_node_patched_without_anybody_knowing_waits_for_its_reboot() -> None:
    """Its reboot was never begun, so it is no failure: "two healthy nodes failed, a reboot is still pending" (E5)."""
    results = {"precheck": PRECHECK, "patch": dict(LOST), "scan": {**CLEAN, "pending_reboot": True}}
    assert final_record(NODE, results, FACTS, "now").status is Status.REBOOT_PENDING
    assert final_record(NODE, results, FACTS, "now", "never").status is Status.SUCCEEDED


def test_an_answer_that_nobody_could_read_is_no_failed_install() -> None:
    """AccessDenied on the scan after a good install (E7)."""
    unread = final(scan={"status": "unknown", "error": {"code": "Refused", "text": "AccessDenied"}})
    assert (unread.status, code(unread)) == (Status.UNKNOWN, "Refused")


@pytest.mark.parametrize("why", ["freeze", "exception", "out_of_time"])
def test_a_reboot_that_was_put_off_is_pending_not_failed(why: str) -> None:
    """34 of 34 patched, none rebooted: the cutoff, a freeze or an exception put the reboot off (E16)."""
    put_off = {"status": "reboot_pending", "rebooted": False, "error": {"code": why, "text": "not tonight"}}
    result = final({**FACTS, "boot_id": "old", "pending_reboot": True}, reboot=put_off)
    assert (result.status, code(result)) == (Status.REBOOT_PENDING, why)
    assert not result.status.is_failure and not result.status.is_good
    assert final(reboot=put_off, scan={**CLEAN, "failed": ["KB7"]}).status is Status.FAILED


def test_a_reboot_that_still_pends() -> None:
    none = {"status": "no_op", "rebooted": False}
    pending = {**FACTS, "boot_id": "old", "pending_reboot": True}
    assert code(final(pending, reboot=none)) == "pending_reboot"
    assert code(final(reboot=none, scan={**CLEAN, "pending_reboot": True})) == "pending_reboot"
    asked = final(pending, "never", reboot=none)
    assert (asked.status, asked.pending_reboot) == (Status.SUCCEEDED, True)


def test_a_node_that_cannot_be_looked_at_is_not_patched() -> None:
    """A node that never came back after its reboot (aws/amazon-ssm-agent#320)."""
    assert code(final(None)) == "not_verified"
    assert code(final(scan={})) == "not_verified"
    silent = final(None, scan={"status": "unreachable", "error": {"code": "Undeliverable", "text": "gone"}})
    assert (silent.status, code(silent)) == (Status.UNREACHABLE, "Undeliverable")
    assert silent.installed == ()


def test_nothing_done_is_no_op() -> None:
    bare = {**NODE, "patches": []}
    results = {"precheck": PRECHECK, "patch": {"status": "no_op"}, "reboot": {"status": "no_op"}, "scan": CLEAN}
    assert final_record(bare, results, FACTS, "now").status is Status.NO_OP


def test_a_held_node_was_never_touched() -> None:
    findings = [{"check": "disk", "ok": False, "text": "40 MB free on /"}, {"check": "lock", "ok": True, "text": ""}]
    result = held_record(NODE, {"outcome": "skip", "findings": findings}, "now")
    assert (result.status, code(result)) == (Status.SKIPPED, "precheck_disk")
    assert not result.status.is_failure and result.installed == ()


@pytest.mark.parametrize(
    ("rule", "pending", "patched", "due"),
    [
        ("never", True, True, False),
        ("always", False, False, True),
        ("if_required", True, False, True),
        ("if_required", False, True, False),
        ("if_patched", False, True, True),
        ("if_patched", True, False, False),
    ],
)
def test_reboot_rules(rule: str, pending: bool, patched: bool, due: bool) -> None:
    assert must_reboot(rule, pending=pending, patched=patched) is due


def ended(**statuses: str) -> Ended:
    """Invocations that ended, and whose states were waited for."""
    rows = {node: Invocation(node_id=node, status=status) for node, status in statuses.items()}
    return Ended(rows, START, frozenset(rows))


def test_every_node_is_judged_alone() -> None:
    """A command is Success though nodes were never reached: those do not count against MaxErrors."""
    fleet = FakeFleet(FakeClock(), states={"a": patch_state("a", installed=1), "c": patch_state("c", failed=1)})
    rows = ended(a="Success", b="Undeliverable", c="Failed", d="DeliveryTimedOut", e="InvalidPlatform")
    found = {item["node_id"]: item["status"] for item in InstallStage().evaluate(rows, fleet)}
    assert found == {"a": "succeeded", "b": "unreachable", "c": "failed", "d": "unknown", "e": "failed"}


@pytest.mark.parametrize("status", sorted(set(ENDED) - {"Success"}))
def test_only_success_is_good(status: str) -> None:
    assert not ENDED[status].is_good
    result = InstallStage().evaluate(ended(a=status), FakeFleet(FakeClock()))[0]
    assert result["error"]["text"]


@pytest.mark.parametrize("stage", [ScanStage(), InstallStage()])
def test_success_without_a_state_says_nothing_and_so_is_unknown(stage: ScanStage | InstallStage) -> None:
    result = stage.evaluate(ended(a="Success"), FakeFleet(FakeClock()))[0]
    assert (result["status"], result["error"]["code"]) == ("unknown", "no_state")


@pytest.mark.parametrize("stage", [ScanStage(), RebootStage()])
def test_a_refused_scan_or_reboot_leaves_a_node_unknown_that_was_worked_on_before(
    stage: ScanStage | RebootStage,
) -> None:
    """AccessDenied on the scan after a good install was called "failed" (E7)."""
    assert stage.evaluate(ended(a=REFUSED), FakeFleet(FakeClock()))[0]["status"] == "unknown"
    assert InstallStage().evaluate(ended(a=REFUSED), FakeFleet(FakeClock()))[0]["status"] == "unreachable"


def test_a_scan_names_what_is_open() -> None:
    listed = [Patch(id="KB1", state="MISSING"), Patch(id="KB2", state="FAILED")]
    states = {"a": patch_state("a", "Scan", missing=1, failed=1, installed_pending_reboot=1)}
    result = ScanStage(details=True).evaluate(
        ended(a="Success"), FakeFleet(FakeClock(), states=states, listed={"a": listed})
    )[0]
    assert (result["missing_after"], result["failed"], result["pending_reboot"]) == (["KB1"], ["KB2"], True)
    assert [row["id"] for row in result["missing"]] == ["KB1"]


def test_a_probe_that_did_not_run_holds_the_node() -> None:
    result = PrecheckStage(PrecheckRules()).evaluate(ended(a="Undeliverable"), FakeFleet(FakeClock()))[0]
    assert result["outcome"] == "skip" and "Undeliverable" in result["findings"][0]["text"]


def test_a_place_that_refuses_the_probe_is_a_failure_not_a_held_node() -> None:
    rows = {"a": Invocation(node_id="a", status="Undeliverable", output="AccessDenied: not authorized")}
    result = PrecheckStage(PrecheckRules()).evaluate(Ended(rows, START), FakeFleet(FakeClock()))[0]
    assert (result["outcome"], result["status"]) == ("skip", "unreachable")
    assert result["error"]["text"] == "AccessDenied: not authorized"


DOWN = MappingProxyType({**FACTS, "services_down": ["shop", "db@main"], "services_down_total": 2})


def test_services_that_ran_before_and_do_not_now_fail_the_node_by_name() -> None:
    result = final(DOWN)
    assert (result.status, code(result)) == (Status.FAILED, "services_down")
    assert result.error == {"code": "services_down", "text": "services that ran before do not run: shop, db@main"}
    assert result.evidence["verify"] == {"services_down": ["shop", "db@main"]}
    many = final({**DOWN, "services_down_total": 31})
    assert many.error and many.error["text"].endswith("shop, db@main and 29 more")


def test_services_are_only_told_where_the_policy_says_so() -> None:
    precheck = {"facts": {**PRECHECK["facts"], "services": "record"}}
    result = final(DOWN, precheck=precheck)
    assert (result.status, result.error) == (Status.SUCCEEDED, None)
    assert result.evidence["verify"] == {"services_down": ["shop", "db@main"]}


@pytest.mark.parametrize("down", [[], None, "shop", 3])
def test_no_services_down_or_nobody_knows(down: Any) -> None:
    result = final({**FACTS, "services_down": down})
    assert result.status is Status.SUCCEEDED and "verify" not in result.evidence


def test_another_failure_comes_first_and_the_services_are_named_all_the_same() -> None:
    result = final(DOWN, scan={**CLEAN, "failed": ["KB1"]})
    assert code(result) == "patch_failed" and result.error
    assert result.error["text"].endswith("KB1; services that ran before do not run: shop, db@main")
    pending = final({**DOWN, "pending_reboot": True}, reboot={"status": "no_op", "rebooted": False})
    assert code(pending) == "services_down"
