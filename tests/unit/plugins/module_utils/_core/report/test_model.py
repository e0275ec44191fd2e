# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report says what plan, journal and scan say; covers TM-29, TM-37, TM-38, CG-14, CG-15, TCS-23."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Decision,
    Intent,
    Outcome,
    RolloutFinished,
    Sent,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.conclusion import to_conclusion
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import (
    Report,
    build_report,
    to_json,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.rows import Row
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.story import Story
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import from_line
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.machine import fold
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import TagKeys

from tests.fakes.events import resumed, started
from tests.report import samples

PATCHING = Intent(wave="w", stage="patch", nodes=("i-1",), token="t", attempt=1)


def outcome(stage: str, result: dict[str, Any]) -> Outcome:
    return Outcome(wave="w", stage=stage, results=(result,))


def report_of(run: samples.Run) -> Report:
    return build_report(run.plan, run.records, run.scan)


def row(report: Report, node_id: str) -> Row:
    return next(item for item in report.rows if item.node_id == node_id)


@pytest.mark.parametrize("name", ["completed", "aborted", "paused", "unfinished", "hostile"])
def test_the_samples_are_journals_that_the_engine_itself_accepts(name: str) -> None:
    run = samples.RUNS[name]()
    state = fold(run.plan, run.records)
    report = report_of(run)
    decided = {node for node, found in state.nodes.items() if found.final is not None}
    told = {item.node_id: item for item in report.rows if item.status not in ("not_started", "unfinished", "excluded")}
    assert decided <= set(told)
    assert {told[node].status for node in set(told) - decided} <= {"skipped"}
    assert state.status == {"unfinished": "running"}.get(name, report.summary["conclusion"]["code"].split("_")[0])


def test_a_completed_rollout_adds_up() -> None:
    run = samples.completed()
    summary = report_of(run).summary
    assert summary["conclusion"]["code"] == "completed_with_failures"
    assert summary["totals"]["nodes"] == 60 and summary["totals"]["estate"] == 64
    assert summary["totals"]["by_status"] == {
        "succeeded": 56,
        "failed": 2,
        "unreachable": 1,
        "skipped": 1,
        "excluded": 4,
    }
    assert [wave["state"] for wave in summary["waves"]] == ["finished"] * 3
    assert sum(sum(wave["by_status"].values()) for wave in summary["waves"]) == 60
    assert {item["status"] for item in summary["attention"]} == {"failed", "unreachable", "skipped", "excluded"}
    assert [item["code"] for item in summary["attention"] if item["status"] == "excluded"] == ["unmanaged", "offline"]
    assert summary["evidence"] == {
        "records": len(run.records),
        "head": run.records[-1].hash,
        "resumed": 0,
        "chain_error": "",
    }


def test_patches_installed_are_counted_by_the_severity_that_the_scan_knew() -> None:
    run = samples.completed()
    patches = report_of(run).summary["patches"]
    planned = [patch for wave in run.plan["waves"] for node in wave["nodes"] for patch in node["patches"]]
    assert sum(patches["by_severity"].values()) == patches["installed"] < patches["planned"] == len(planned)
    assert list(patches["by_severity"]) == ["critical", "important", "medium", "low", "unspecified"]
    assert patches["top"][0]["severity"] == "critical" and patches["top"][0]["title"]
    assert sum(patches["missing_by_severity"].values()) >= len(planned)


def test_compliance_is_taken_from_state_and_never_guessed() -> None:
    run = samples.completed()
    report = report_of(run)
    by_status = {item.status: item for item in report.rows}
    assert (by_status["succeeded"].compliance_before, by_status["succeeded"].compliance_after) == (
        "non_compliant",
        "compliant",
    )
    assert by_status["failed"].compliance_after == "non_compliant"
    assert by_status["unreachable"].compliance_after == "unknown" and by_status["unreachable"].missing_after is None
    assert by_status["skipped"].compliance_after == "non_compliant"
    estate = report.summary["compliance"]["estate"]
    assert estate["after"]["unknown"] == 3 and estate["missing_unknown"] == 3
    assert report.summary["compliance"]["rollout"]["after"]["compliant"] == 56


def test_an_aborted_rollout_says_why_nothing_else_was_touched() -> None:
    run = samples.aborted()
    report = report_of(run)
    assert report.summary["conclusion"]["code"] == "aborted"
    assert report.summary["conclusion"]["title"] == "Aborted after canary"
    assert "with 90 % confidence the rate exceeds 24.7 %" in report.summary["conclusion"]["reason"]
    waiting = [item for item in report.rows if item.status == "not_started"]
    assert len(waiting) == 54
    assert {item.reason for item in waiting} == {"not started: aborted after canary"}
    assert all(item.compliance_after == item.compliance_before and not item.installed for item in waiting)
    assert [wave["state"] for wave in report.summary["waves"]] == ["aborted", "waiting", "waiting"]


def test_a_paused_rollout_waits_and_a_later_promotion_reopens_it() -> None:
    run = samples.paused()
    assert report_of(run).summary["conclusion"]["title"] == "Paused after canary"
    run.note(resumed())
    run.note(Decision(by="dana", action="promote", wave="canary", reason="a known flake"))
    report = report_of(run)
    assert report.summary["conclusion"]["code"] == "unfinished"
    assert report.summary["waves"][0]["state"] == "finished"
    assert report.summary["decisions"][0]["by"] == "dana"
    assert report.summary["evidence"]["resumed"] == 1


def test_a_killed_rollout_shows_what_is_not_known() -> None:
    report = report_of(samples.unfinished())
    assert report.summary["conclusion"]["title"] == "Unfinished in early"
    assert report.summary["totals"]["tones"]["unknown"] == 17
    lost = [item for item in report.rows if item.status == "unfinished"]
    assert all("reboot" in item.reason and item.compliance_after == "unknown" for item in lost)


@pytest.mark.parametrize("cut", range(0, 200, 9))
def test_a_journal_cut_anywhere_still_reports_every_node_once(cut: int) -> None:
    run = samples.completed()
    report = build_report(run.plan, run.records[:cut], run.scan)
    ids = [item.node_id for item in report.rows]
    assert len(ids) == len(set(ids)) == 64
    assert sum(report.summary["totals"]["by_status"].values()) == 64
    assert report.summary["evidence"]["records"] == min(cut, len(run.records))
    assert not report.summary["warnings"]


def test_a_plan_alone_is_a_plan() -> None:
    run = samples.completed()
    summary = build_report(run.plan, (), run.scan).summary
    assert summary["conclusion"]["code"] == "planned"
    assert summary["totals"]["by_status"]["not_started"] == 60
    assert summary["times"]["as_of"] == run.plan["created_at"]


def test_a_scan_alone_is_a_compliance_report() -> None:
    run = samples.completed()
    report = build_report(scan=run.scan)
    assert report.summary["conclusion"]["code"] == "scanned"
    assert report.summary["totals"]["by_status"] == {"scanned": 62}
    assert report.summary["compliance"]["estate"]["before"] == {
        "compliant": 1,
        "non_compliant": 61,
        "unknown": 0,
        "percent": 1.6,
    }
    assert report.summary["failed_places"][0]["code"] == "AccessDenied"


def test_a_scan_that_failed_is_not_a_compliant_node() -> None:
    scan = {
        "nodes": {"i-1": {"node_id": "i-1", "status": "failed", "missing": [], "error": {"code": "x", "text": "y"}}}
    }
    report = build_report(scan=scan)
    assert report.rows[0].compliance_before == "unknown"
    assert (report.rows[0].missing_before, report.rows[0].reason) == (None, "y")


def test_nothing_at_all_is_a_report_too() -> None:
    summary = build_report().summary
    assert summary["conclusion"]["code"] == "empty"
    assert summary["compliance"]["estate"]["before"]["percent"] is None
    assert json.loads(to_json(summary)) == summary


def test_the_report_is_a_function_of_its_inputs() -> None:
    first, second = (report_of(samples.completed()) for _turn in range(2))
    assert to_json(first.summary) == to_json(second.summary)
    assert first.rows == second.rows


def test_a_changed_record_is_said_and_everything_after_it_is_still_told() -> None:
    run = samples.completed()
    whole = report_of(run).summary
    changed = run.records[10].to_line().replace(run.records[10].at, "2020-01-01T00:00:00.000Z")
    run.records[10] = from_line(changed.encode())
    report = report_of(run)
    assert "record 11 was changed" in report.summary["evidence"]["chain_error"]
    assert "cannot be trusted" in report.summary["warnings"][0]
    assert report.summary["totals"]["by_status"] == whole["totals"]["by_status"]


def test_a_journal_of_another_plan_is_said() -> None:
    run, other = samples.completed(), samples.aborted()
    warnings = build_report(other.plan, run.records, run.scan).summary["warnings"]
    assert any(other.plan["digest"][:12] in text and run.plan["digest"][:12] in text for text in warnings)


def test_attention_comes_first_and_excluded_nodes_last() -> None:
    tones = [(item.tone, item.in_rollout) for item in report_of(samples.completed()).rows]
    assert tones[:6] == [("bad", True)] * 3 + [("unknown", False)] * 2 + [("held", True)]
    assert tones[-2:] == [("idle", False)] * 2


def test_owner_application_and_environment_come_from_tags_of_any_name() -> None:
    run = samples.completed()
    default = report_of(run).summary["totals"]["groups"]
    assert {line["key"] for line in default["owner"]} == {"", "payments team", "retail team", "platform team"}
    other = build_report(run.plan, run.records, run.scan, tags=TagKeys(owner="Application", patch_group="x"))
    assert {line["key"] for line in other.summary["totals"]["groups"]["owner"]} == {
        "",
        "checkout",
        "ledger",
        "search",
        "intranet",
    }


def test_groups_count_the_whole_estate() -> None:
    """Nine patched nodes are no "100 %" where a tenth one is offline."""
    run = samples.completed()
    groups = report_of(run).summary["totals"]["groups"]
    for name, lines in groups.items():
        assert sum(line["nodes"] for line in lines) == 64, name
    totals = [sum(line["tones"][tone] for line in groups["owner"]) for tone in ("good", "bad", "unknown", "outside")]
    assert totals == [56, 3, 2, 2]


def test_what_happened_in_earlier_stages_stays_in_the_final_row() -> None:
    run = samples.Run({}, {})
    run.note(started("d", waves=("w",)))
    run.note(WaveStarted(wave="w"))
    run.note(PATCHING)
    run.note(Sent(wave="w", stage="patch", token="t", place="a/r", command_id="c-1", nodes=("i-1",)))
    patch = {"node_id": "i-1", "status": "succeeded", "installed": ["a"], "failed": ["b"], "kernel_before": "5"}
    run.note(outcome("patch", {**patch, "evidence": {"run": 7}}))
    final = {
        "node_id": "i-1",
        "status": "succeeded",
        "installed": [],
        "failed": [],
        "missing_after": [],
        "kernel_after": "6",
    }
    run.note(outcome("verify", {**final, "evidence": {"reboot": {"id": "x"}}}))
    found = row(build_report(records=run.records), "i-1")
    assert (found.installed, found.failed, found.kernel_before, found.kernel_after) == (["a"], [], "5", "6")
    assert found.evidence == {"patch": {"command_id": "c-1", "run": 7}, "reboot": {"id": "x"}}
    assert found.compliance_after == "compliant"


def test_a_patched_node_that_is_not_compliant_is_named_with_the_reason() -> None:
    run = samples.Run({}, {})
    counts = {"missing_count": 0, "failed_count": 0, "installed_rejected_count": 1}
    final = {"node_id": "i-1", "status": "succeeded", "installed": ["KB1"], "counts": counts}
    run.note(outcome("verify", final))
    report = build_report(records=run.records)
    assert (report.rows[0].tone, report.rows[0].compliance_after) == ("good", "non_compliant")
    assert report.summary["attention"][0]["reason"] == "patched, but not compliant: 1 installed but rejected"


@pytest.mark.parametrize(
    ("severity", "counted"),
    [
        ("Critical", "critical"),
        ("Moderate", "medium"),
        ("Unclassified", "unspecified"),
        (None, "unspecified"),
        ("odd", "odd"),
    ],
)
def test_severities_of_all_vendors_are_counted_together(severity: str | None, counted: str) -> None:
    scan = {"nodes": {"i-1": {"status": "succeeded", "missing": [{"id": "x", "severity": severity}]}}}
    assert build_report(scan=scan).summary["patches"]["missing_by_severity"] == {counted: 1}


def test_without_a_start_in_the_record_the_work_began_with_the_intent_to_patch() -> None:
    run = samples.Run({}, {})
    run.note(PATCHING)
    run.note(resumed(), 30)
    ended = {"started_at": None, "ended_at": run.records[-1].at}
    run.note(outcome("verify", {"node_id": "i-1", "status": "no_op", **ended}))
    assert row(build_report(records=run.records), "i-1").minutes == 30


def test_a_patched_node_that_was_never_verified_is_not_called_patched() -> None:
    run = samples.Run({}, {})
    run.note(PATCHING)
    run.note(outcome("patch", {"node_id": "i-1", "status": "succeeded"}))
    assert row(build_report(records=run.records), "i-1").status == "unfinished"


def test_a_retry_reopens_a_node() -> None:
    run = samples.Run({}, {})
    run.note(outcome("verify", {"node_id": "i-1", "status": "succeeded"}))
    run.note(replace(PATCHING, token="t2", attempt=2))
    assert row(build_report(records=run.records), "i-1").status == "unfinished"


def test_a_person_who_aborted_is_named() -> None:
    run = samples.unfinished()
    run.note(Decision(by="dana", action="abort", reason="release night"))
    run.note(RolloutFinished(status="aborted", reason="aborted by dana"))
    report = report_of(run)
    assert report.summary["conclusion"]["reason"] == "dana decided: release night"
    assert {item.reason for item in report.rows if item.status == "not_started"} == {"not started: aborted by dana"}


def test_percentages_never_round_up_to_all() -> None:
    nodes = {f"i-{index}": {"status": "succeeded", "missing": [], "counts": {}} for index in range(2999)}
    nodes["i-last"] = {"status": "succeeded", "missing": [{"id": "x"}]}
    assert build_report(scan={"nodes": nodes}).summary["compliance"]["estate"]["before"]["percent"] == 99.9


NOT_SERVED = {
    "status": "failed",
    "executor": "sms",
    "error": {"code": "not_served", "text": "executor 'sms' is not served"},
}


def test_a_node_that_nobody_serves_is_seen_and_keeps_a_rollout_from_being_green() -> None:
    run = samples.completed()
    left_out = {"node_id": "typo", "host": "typo", "name": "", "code": "not_served", "reason": "is not served"}
    plan = {**run.plan, "excluded": [*run.plan["excluded"], left_out]}
    scan = {**run.scan, "nodes": {**run.scan["nodes"], "typo": NOT_SERVED}}
    before, report = report_of(run), build_report(plan, run.records, scan)
    assert (row(report, "typo").status, row(report, "typo").executor) == ("not_served", "sms")
    assert [item["host"] for item in report.summary["attention"] if item["code"] == "not_served"] == ["typo"]
    assert report.summary["totals"]["by_status"]["not_served"] == 1
    assert report.summary["totals"]["nodes"] == before.summary["totals"]["nodes"]


def test_a_rollout_without_failures_is_not_good_where_nodes_are_not_served() -> None:
    rows = [Row(node_id="a", status="succeeded", compliance_after="compliant")]
    assert _completed(rows)["tone"] == "good"
    found = _completed([*rows, *(Row(node_id=name, status="not_served", code="not_served") for name in "bc")])
    assert found["tone"] == "held" and found["title"] == "Completed, part of the estate left out"
    assert found["reason"] == "2 nodes of the estate could not be patched: 2 not served."
    silent = _completed(rows, {"failed_places": [{"place": "1/r"}]})
    assert (silent["tone"], silent["reason"]) == ("held", "1 account-Region did not answer the scan.")


def _completed(rows: list[Row], scan: Mapping[str, Any] = MappingProxyType({"failed_places": ()})) -> dict[str, str]:
    finished = RolloutFinished(status="completed", reason="")
    return to_conclusion({}, Story(records=1, finished=finished), scan, rows, [])


def test_a_scan_alone_shows_who_is_not_served() -> None:
    report = build_report(scan={"at": "2026-06-01T00:00:00Z", "nodes": {"typo": NOT_SERVED}, "failed_places": []})
    found = row(report, "typo")
    assert (found.label, found.tone, found.compliance_after) == ("not served", "unknown", "unknown")
    assert report.summary["attention"][0]["reason"] == "executor 'sms' is not served"
    assert report.summary["conclusion"]["tone"] == "held"


@pytest.mark.parametrize(
    ("status", "tone"), [("unknown", "unknown"), ("reboot_pending", "pending"), ("skipped", "held")]
)
def test_what_is_unknown_or_pending_has_a_number_of_its_own(status: str, tone: str) -> None:
    run = samples.Run({}, {})
    run.note(started("d", waves=("w",)))
    run.note(WaveStarted(wave="w"))
    run.note(PATCHING)
    run.note(outcome("verify", {"node_id": "i-1", "status": status, "error": {"code": "x", "text": "y"}}))
    summary = build_report(records=run.records).summary
    assert [name for name, count in summary["totals"]["tones"].items() if count] == [tone]
    assert [item["tone"] for item in summary["attention"]] == [tone]


def test_a_reboot_makes_what_the_install_said_of_the_node_unknown() -> None:
    """A node that was rebooted and not scanned yet is no node that still has to reboot."""
    run = samples.Run({}, {})
    run.note(started("d", waves=("w",)))
    run.note(WaveStarted(wave="w"))
    run.note(PATCHING)
    counts = {"missing_count": 0, "installed_pending_reboot_count": 3}
    run.note(outcome("patch", {"node_id": "i-1", "status": "succeeded", "counts": counts, "pending_reboot": True}))
    assert build_report(records=run.records).summary["reboots"] == {"rebooted": 0, "kernel_changed": 0, "pending": 1}
    run.note(outcome("reboot", {"node_id": "i-1", "status": "succeeded", "rebooted": True}))
    report = build_report(records=run.records)
    assert report.summary["reboots"] == {"rebooted": 1, "kernel_changed": 0, "pending": 0}
    assert row(report, "i-1").compliance_after == "unknown"


def test_a_patched_node_whose_compliance_nobody_knows_needs_attention() -> None:
    assert Row(node_id="a", status="succeeded", compliance_after="unknown").needs_attention
    assert not Row(node_id="a", status="succeeded", compliance_after="compliant").needs_attention
