# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices follow from files alone: plan, journal, scan, exception ledger, repositories (PG-15, MO-13, TM-9, TM-10)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Decision
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.tags import Alarm
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Select
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.notice.model import Notice
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.notice.reports import report_notice
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.report import POINTER_SCHEMA
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.evidence import Reader
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.ledger import NoticeLedger
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.driving import night, planned
from tests.fakes.events import started
from tests.fakes.fleet_port import START
from tests.fakes.plans import candidate, completed
from tests.report import samples


class At:
    """A clock that stands."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits")


def reader(now: datetime, name: str = "p", **more: Any) -> Reader:
    nodes = more.pop("nodes", ())
    return Reader(to_policy({"version": 1, "name": name, **more}), At(now), nodes)


def of_sample(name: str, tmp_path: Path) -> dict[str, Notice]:
    run = samples.RUNS[name]()
    run.write(tmp_path / "2026-11")
    found = list(reader(samples.START + timedelta(hours=9), run.plan["policy"]["name"]).rollouts(tmp_path))
    return {item.kind: item for item in found}


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("completed", ["plan_made", "started", "nodes_failed", "finished"]),
        ("aborted", ["plan_made", "started", "aborted", "finished"]),
        ("paused", ["plan_made", "started", "paused"]),
        ("unfinished", ["plan_made", "started"]),
    ],
)
def test_what_a_rollout_is_notified_as(name: str, kinds: list[str], tmp_path: Path) -> None:
    assert list(of_sample(name, tmp_path)) == kinds


def test_a_failed_wave_names_its_nodes_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    found = of_sample("aborted", tmp_path)
    data = found["aborted"].to_data()
    assert (data["severity"], data["wave"], data["node_count"], data["point_count"]) == ("critical", "canary", 6, 4)
    assert data["title"] == "production: rollout aborted after wave canary, 4 nodes to look at"
    assert data["text"].startswith("The gate aborted: 3 of 5 nodes failed (60 %), above the limit of 10 %")
    assert data["nodes"][0]["point"].startswith("failed: 1 patch failed to install: kernel.x86_64")
    assert [bool(node["point"]) for node in data["nodes"]] == [True] * 4 + [False] * 2
    assert found["finished"].to_data()["severity"] == "critical"


def test_the_same_evidence_has_the_same_keys_and_another_gate_another_one(tmp_path: Path) -> None:
    first, again = of_sample("completed", tmp_path / "a"), of_sample("completed", tmp_path / "b")
    assert {kind: item.key for kind, item in first.items()} == {kind: item.key for kind, item in again.items()}
    run = samples.completed()
    run.write(tmp_path / "c")
    found = list(reader(samples.START + timedelta(hours=9), "production").rollouts(tmp_path / "c"))
    assert len({item.key for item in found}) == len(found) == 5


@pytest.mark.parametrize(("days", "count"), [(6, 4), (8, 0)])
def test_a_rollout_that_finished_long_ago_is_not_read_again(days: int, count: int, tmp_path: Path) -> None:
    samples.aborted().write(tmp_path / "2026-11")
    found = list(reader(samples.START + timedelta(days=days), "production").rollouts(tmp_path))
    assert len(found) == count


def test_notices_of_a_policy_are_those_of_its_own_rollouts(tmp_path: Path) -> None:
    samples.aborted().write(tmp_path / "2026-11")
    assert list(reader(samples.START, "another tenant").rollouts(tmp_path)) == []


def test_a_damaged_rollout_is_named_and_hides_no_other_one(tmp_path: Path) -> None:
    samples.aborted().write(tmp_path / "a")
    samples.paused().write(tmp_path / "b")
    (tmp_path / "a" / "plan.json").write_text("{}")
    mine = reader(samples.START + timedelta(hours=9), "production")
    assert [item.kind for item in mine.rollouts(tmp_path)] == ["plan_made", "started", "paused"]
    assert len(mine.problems) == 1 and "/a" in mine.problems[0]
    with pytest.raises(BadInput, match="the directory of a rollout"):
        list(mine.rollouts(tmp_path / "nowhere"))


def write_plan(folder: Path, opens: float) -> None:
    folder.mkdir()
    nights = [night(1, opens, 30)]
    wave = {"name": "dev", "nodes": [{**planned("a", 1), "night": 1}], "nights": nights, "turns": 1}
    plan = completed([wave], rollout="5eed" * 8, windows=[{"name": "w", "occurrences": nights}])
    (folder / "plan.json").write_text(json.dumps(plan), "utf-8")


@pytest.mark.parametrize(
    ("hours_before", "announced"),
    [(97, None), (96, "96"), (25, "96"), (24, "24"), (1, "24"), (0, None)],
)
def test_a_window_is_announced_at_the_nearest_of_the_hours(
    hours_before: int, announced: str | None, tmp_path: Path
) -> None:
    write_plan(tmp_path / "r", hours_before * 60)
    found = [item for item in reader(START).rollouts(tmp_path / "r") if item.kind == "impending"]
    assert [item.about[-1] for item in found] == ([announced] if announced else [])
    for item in found:
        opens = START + timedelta(hours=hours_before)
        assert (item.until, item.at) == (opens, opens - timedelta(hours=int(item.about[-1])))
        assert [node.node_id for node in item.nodes] == ["a"] and item.facts["wave"] == "dev"


def test_an_aborted_rollout_announces_no_window(tmp_path: Path) -> None:
    write_plan(tmp_path / "r", 600)
    rollout = RolloutDir(tmp_path / "r", At(START))
    begin = {"rollout": rollout.plan["rollout"], "waves": ("dev",), "node_count": 1}
    for event, announced in (
        (started(rollout.plan["digest"], **begin), True),
        (Decision(by="dana", action="abort", reason="enough"), False),
    ):
        rollout.record(event)
        kinds = [item.kind for item in reader(START).rollouts(tmp_path)]
        assert ("impending" in kinds) is announced and "started" in kinds


LEDGER = {
    "exception_id": "EX-1",
    "node": "i-1",
    "from": "2026-12-01",
    "to": "2026-12-31",
    "reason": "Audit",
    "requested_by": "robin",
}
NOW = from_time("2026-11-20T12:00:00Z")


def of_ledger(tmp_path: Path, now: datetime = NOW, *, listed: bool = False, **record: str) -> list[Notice]:
    path = tmp_path / "exceptions.json"
    rows = [{**LEDGER, **record}]
    path.write_text(json.dumps({"schema": "patchtide/exceptions/1", "exceptions": rows}), "utf-8")
    mine = reader(now, exceptions={"ledger": str(path)}, nodes=[candidate("i-1"), candidate("i-2")])
    found = list(mine.exceptions({}))
    assert not mine.problems
    return [item for item in found if (item.kind == "exceptions_listed") is listed]


def test_a_request_is_notified_until_it_is_decided(tmp_path: Path) -> None:
    (found,) = of_ledger(tmp_path)
    assert (found.kind, found.at, [node.node_id for node in found.nodes]) == ("exception_requested", None, ["i-1"])
    assert found.to_data()["text"] == (
        "robin requests that its nodes are not patched from 2026-12-01 to 2026-12-31: Audit"
    )
    assert not of_ledger(tmp_path, from_time("2027-01-01T00:00:00Z")), "nobody decides on the past"


@pytest.mark.parametrize(("status", "severity"), [("approved", "info"), ("rejected", "info"), ("revoked", "warning")])
def test_a_decision_is_notified_with_who_and_when(status: str, severity: str, tmp_path: Path) -> None:
    (found,) = of_ledger(tmp_path, status=status, decided_by="dana", decided_at="2026-11-19T08:00:00.000Z")
    assert (found.kind, found.at) == (f"exception_{status}", from_time("2026-11-19T08:00:00Z"))
    data = found.to_data()
    assert data["severity"] == severity and data["text"].startswith("dana ") and data["exception"] == "EX-1"


def test_exceptions_that_begin_unapproved_or_end_soon_raise_alarms(tmp_path: Path) -> None:
    kinds = [item.facts["alarm"] for item in of_ledger(tmp_path, from_time("2026-11-27T12:00:00Z"))[1:]]
    assert kinds == ["not approved"]
    soon = of_ledger(tmp_path, from_time("2026-12-29T12:00:00Z"), status="approved", decided_by="dana")
    assert [item.facts.get("alarm") for item in soon] == [None, "expiring"]


def test_an_exception_without_nodes_in_the_inventory_is_no_alarm(tmp_path: Path) -> None:
    """``send_notices`` may run without an inventory; ``sync_exceptions`` raises the alarm about such exceptions."""
    found = of_ledger(tmp_path, status="approved", decided_by="dana", node="i-9")
    assert [(item.kind, item.nodes) for item in found] == [("exception_approved", ())]


def test_an_alarm_about_a_tag_is_one_notice_a_day() -> None:
    alarm = Alarm(kind="hand_edited", text="The tag was edited.", node_id="i-1")
    raised = [(NOW, alarm), (NOW + timedelta(hours=1), alarm), (NOW + timedelta(days=1), alarm)]
    found = list(reader(NOW, nodes=[candidate("i-1")]).alarms(raised))
    assert [item.nodes[0].node_id for item in found] == ["i-1"] * 3
    assert found[0].key == found[1].key != found[2].key
    assert found[0].to_data()["title"] == "p: exceptions: hand edited"


def test_corrected_repositories_are_one_notice_a_day(tmp_path: Path) -> None:
    rows = [
        {"at": "2026-11-20T10:00:00.000Z", "node_id": "a", "state": "corrected", "repair": "once"},
        {"at": "2026-11-20T11:00:00.000Z", "node_id": "b", "state": "corrected", "repair": "once"},
        {"at": "2026-11-20T11:00:00.000Z", "node_id": "c", "state": "found", "repair": "once"},
    ]
    (tmp_path / "repositories.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = [item for item in reader(START).rollouts(tmp_path) if item.kind == "repository_repaired"]
    assert [[node.node_id for node in item.nodes] for item in found] == [["a", "b"]]
    assert found[0].to_data()["title"] == "p: repositories of 2 nodes corrected"


APPROVED = {"status": "approved", "decided_by": "dana"}


@pytest.mark.parametrize(
    ("now", "more", "month"),
    [
        ("2026-12-01T00:00:00Z", APPROVED, "2026-12"),
        ("2026-12-31T23:59:59Z", APPROVED, "2026-12"),
        ("2026-11-30T23:59:59Z", APPROVED, None),
        ("2027-01-01T00:00:00Z", APPROVED, None),
        ("2026-12-01T00:00:00Z", {}, None),
        ("2026-12-01T00:00:00Z", {**APPROVED, "status": "revoked"}, None),
    ],
)
def test_the_list_of_a_month_has_its_approved_exceptions(
    now: str, more: dict[str, str], month: str | None, tmp_path: Path
) -> None:
    found = of_ledger(tmp_path, from_time(now), listed=True, **more)
    assert [item.about[-1] for item in found] == ([month] if month else [])
    for item in found:
        assert item.at == from_time("2026-12-01T00:00:00Z") and [node.node_id for node in item.nodes] == ["i-1"]
        assert item.points == {"i-1": "EX-1, until 2026-12-31: Audit (approved by dana)"}
        assert item.to_data()["title"] == "p: 1 node with exceptions in 2026-12"


def test_findings_are_read_until_the_next_run_replaces_them(tmp_path: Path) -> None:
    path, mine = tmp_path / "coverage.json", reader(NOW)
    assert not list(mine.coverage(path)) and not mine.problems
    row = {"node_id": "i-1", "name": "web-1", "findings": [{"what": "is silent", "fix": "Restart it."}]}
    NoticeLedger(tmp_path / "notices.jsonl").keep_coverage([row], NOW)
    assert [item.kind for item in mine.coverage(path)] == ["coverage_found"]
    path.write_text("{}")
    assert not list(mine.coverage(path)) and "patchtide/coverage/1" in mine.problems[0]


def test_a_report_in_a_directory_is_noticed_once_by_its_content(tmp_path: Path) -> None:
    store, now = HistoryDirectory(tmp_path), from_time("2026-12-01T06:30:00Z")
    asked = reader(now)
    assert not list(asked.reports(store, timedelta(hours=1))) and "publish_report writes one" in asked.problems[0]
    latest = {"schema": POINTER_SCHEMA, "period": {"name": "2026-11"}, "page": "2026-11/report.html", "digest": "d"}
    latest |= {"as_of": "", "headline": "9 of 10 nodes compliant (90.0 %)", "published_at": "2026-12-01T06:30:00.000Z"}
    store.write("latest.json", json.dumps(latest).encode())
    (found,) = reader(now).reports(store, timedelta(hours=1))
    data = found.to_data()
    assert (found.kind, data["title"]) == ("report_published", "p: patch report 2026-11") and found.at == now
    assert data["text"] == f"9 of 10 nodes compliant (90.0 %). The report is {tmp_path}/2026-11/report.html."
    store.write("latest.json", json.dumps({**latest, "digest": "e"}).encode())
    assert next(iter(reader(now).reports(store, timedelta(hours=1)))).key != found.key


def test_a_report_in_a_bucket_has_a_link_that_does_not_make_another_notice_of_it() -> None:
    latest = {"period": {"name": "2026-11"}, "digest": "d", "headline": "h", "published_at": "2026-12-01T06:30:00Z"}
    links = [("https://x/1", START), ("https://x/2", START + timedelta(hours=1)), None]
    one, two, none = (report_notice(latest, "s3://b/r.html", link, "p") for link in links)
    assert one.key == two.key == none.key
    assert one.to_data()["text"].endswith(f"For everybody until {START:%Y-%m-%d %H:%M} UTC at the latest: https://x/1")
    assert none.to_data()["text"] == "h. The report is s3://b/r.html."
    assert one.only(Select(accounts=("1",))) is None, "receivers of some nodes do not get the figures of all"
