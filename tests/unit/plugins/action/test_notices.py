# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""notices: what one task sends, what it only shows, and what it never fails of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.action import notices as action
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.tags import ALARMS
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.notice.exceptions import OF_LEDGER
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices import evidence
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.ledger import NoticeLedger

from tests.fakes.fleet_port import FakeClock
from tests.fakes.receivers import WebReceiver, web_receiver
from tests.report import samples

ALARM = {"kind": "hand_edited", "text": "The tag was edited by hand.", "node_id": "i-1", "exception_id": "EX-1"}


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebReceiver]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "PATCHTIDE_CLOCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(action, "find_clock", lambda: FakeClock(samples.START + timedelta(hours=9)))
    with web_receiver() as found:
        yield found


def write(folder: Path, web: WebReceiver, *routes: dict[str, Any], **more: Any) -> None:
    given = [
        {"name": f"r{number}", "webhook": {"url": web.url}, **route} for number, route in enumerate(routes or [{}])
    ]
    policy = {"version": 1, "name": "production", "notices": {"routes": given, **more}}
    (folder / "policy.yml").write_text(yaml.safe_dump(policy), "utf-8")


def run(folder: Path, check: bool = False, **options: Any) -> dict[str, Any]:
    args = {"policy_file": str(folder / "policy.yml"), "dir": str(folder), **options}
    task = Mock(args=args, check_mode=check, diff=False, async_val=0, environment=[])
    result: dict[str, Any] = action.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return result


def kinds(web: WebReceiver) -> list[str]:
    return [json.loads(body)["kind"] for _headers, body in web.requests]


def test_a_rollout_is_notified_once(tmp_path: Path, web: WebReceiver) -> None:
    samples.paused().write(tmp_path / "2026-11")
    write(tmp_path, web, {"severity": "warning"})
    shown = run(tmp_path, check=True)
    assert (shown["changed"], kinds(web), (tmp_path / "notices.jsonl").exists()) == (True, [], False)
    assert shown["notices"][0]["receiver"] == f"webhook {web.url}" and shown["notices"][0]["kind"] == "paused"
    done = run(tmp_path)
    assert (done["changed"], kinds(web), done["failed_routes"], done["problems"]) == (True, ["paused"], [], [])
    again = run(tmp_path)
    assert (again["changed"], again["notices"], kinds(web)) == (False, [], ["paused"])


def test_a_lost_ledger_or_a_lost_record_sends_the_same_key_again(tmp_path: Path, web: WebReceiver) -> None:
    samples.paused().write(tmp_path / "2026-11")
    write(tmp_path, web, {"severity": "warning"})
    run(tmp_path)
    (tmp_path / "notices.jsonl").unlink()
    run(tmp_path)
    first, second = (headers["webhook-id"] for headers, _body in web.requests)
    assert first == second


@pytest.mark.parametrize("name", ["hostile", "paused"])
def test_rehearsals_are_not_notified_unless_the_policy_says_so(
    name: str, tmp_path: Path, web: WebReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsed plan, and a real one at the time of the lab."""
    monkeypatch.setattr(action, "is_rehearsal", lambda: name == "paused")
    samples.RUNS[name]().write(tmp_path / "2026-11")
    write(tmp_path, web)
    found = run(tmp_path)
    assert (found["changed"], kinds(web)) == (False, []) and found["later"] >= 3
    write(tmp_path, web, rehearsals=True)
    assert len(run(tmp_path)["notices"]) == len(web.requests)
    told = {"hostile": 1, "paused": 0}[name]
    assert found["later"] - len(web.requests) == told, "a promoted wave counts before its nodes are known"


def test_a_route_that_cannot_be_used_is_named_and_the_others_are_served(tmp_path: Path, web: WebReceiver) -> None:
    samples.paused().write(tmp_path / "2026-11")
    write(tmp_path, web, {"webhook": {"url": "${UNSET_IN_TESTS}"}}, {"kinds": ["paused"]})
    for check in (True, False):
        found = run(tmp_path, check)
        (failed,) = found["failed_routes"]
        assert failed["route"] == "r0" and "${UNSET_IN_TESTS}" in failed["text"] and not found.get("failed")
    assert kinds(web) == ["paused"]


def test_an_alarm_survives_a_receiver_that_is_down(tmp_path: Path, web: WebReceiver) -> None:
    """The tag is corrected by then, so that nothing else would raise it again."""
    write(tmp_path, web)
    web.answers = [(404, {})]
    assert run(tmp_path, alarms=[ALARM])["failed_routes"][0]["text"].endswith("answered 404")
    web.answers = [(200, {})]
    assert [row["kind"] for row in run(tmp_path)["notices"]] == ["exception_alarm"]
    assert not run(tmp_path)["notices"] and len(web.requests) == 2


@pytest.mark.parametrize("kind", ALARMS)
def test_every_alarm_that_tags_raise_reaches_people(kind: str, tmp_path: Path, web: WebReceiver) -> None:
    """The others follow from the ledger: test_evidence.py (TM-9, TM-10)."""
    write(tmp_path, web)
    run(tmp_path, alarms=[{**ALARM, "kind": kind}])
    assert kinds(web) == ([] if kind in OF_LEDGER else ["exception_alarm"])


def test_alarms_that_follow_from_the_ledger_are_not_sent_twice(tmp_path: Path, web: WebReceiver) -> None:
    write(tmp_path, web)
    shown = run(tmp_path, check=True, alarms=[ALARM, {**ALARM, "kind": "expiring"}])
    assert len(shown["notices"]) == 1 and not (tmp_path / "notices.jsonl").exists()


def test_another_process_that_sends_is_no_error(tmp_path: Path, web: WebReceiver) -> None:
    write(tmp_path, web)
    with NoticeLedger(tmp_path / "notices.jsonl").alone(1):
        found = run(tmp_path, seconds=1, alarms=[ALARM])
    assert "another process sends notices" in found["problems"][0] and not found.get("failed")
    assert len(run(tmp_path)["notices"]) == 1


def test_a_policy_without_routes_needs_nothing(tmp_path: Path, web: WebReceiver) -> None:
    (tmp_path / "policy.yml").write_text("version: 1\nname: x\n")
    found = run(tmp_path, dir="/nowhere")
    assert (found["changed"], found["notices"]) == (False, [])
    (tmp_path / "policy.yml").write_text("version: 2\nname: x\n")
    assert run(tmp_path)["failed"] is True
    write(tmp_path, web)
    assert run(tmp_path, seconds=0)["msg"] == "seconds: 0 is not valid, expected 1 or more"


def test_findings_of_a_day_are_sent_once_and_checked_without_a_trace(tmp_path: Path, web: WebReceiver) -> None:
    write(tmp_path, web)
    rows = [
        {"node_id": "i-1", "name": "web-1", "owner": "web", "findings": [{"what": "is silent", "fix": "Restart it."}]}
    ]
    assert not run(tmp_path, check=True, coverage=rows)["notices"] and not (tmp_path / "coverage.json").exists()
    assert [row["kind"] for row in run(tmp_path, coverage=rows)["notices"]] == ["coverage_found"]
    assert not run(tmp_path)["notices"] and not run(tmp_path, coverage=rows)["notices"]
    assert not run(tmp_path, coverage=[])["notices"] and kinds(web) == ["coverage_found"]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what a run reads whole: reports, with journal and scan, and states of rollouts."""
    found: Counter[str] = Counter()

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(evidence, name)

        def call(*args: Any, **more: Any) -> Any:
            found[name] += 1
            return real(*args, **more)

        return call

    for name in ("build_report", "RolloutDir", "_scan"):
        monkeypatch.setattr(evidence, name, counted(name))
    return found


@pytest.mark.parametrize(("name", "states"), [("paused", 1), ("unfinished", 1), ("completed", 0), ("aborted", 0)])
def test_what_was_sent_is_not_read_again(
    name: str, states: int, tmp_path: Path, web: WebReceiver, opened: Counter[str]
) -> None:
    """Neither by the next run, nor by those of a week; completed has a promoted wave with nothing to say."""
    samples.RUNS[name]().write(tmp_path / "2026-11")
    write(tmp_path, web)
    first = run(tmp_path)
    assert first["changed"] and opened == Counter(build_report=1, RolloutDir=1, _scan=1)
    opened.clear()
    for check in (True, False):
        again = run(tmp_path, check)
        assert (again["notices"], again["problems"], again["later"]) == ([], [], 0)
    assert opened == Counter(RolloutDir=2 * states) - Counter()


def test_a_gate_that_waits_for_the_digest_is_not_read_until_then(
    tmp_path: Path, web: WebReceiver, opened: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    samples.paused().write(tmp_path / "2026-11")
    at = samples.START + timedelta(hours=10)
    write(tmp_path, web, {"digest": {"at": f"{at:%H:%M}"}})
    found = run(tmp_path)
    assert (found["later"], opened["build_report"], kinds(web)) == (3, 0, [])
    monkeypatch.setattr(action, "find_clock", lambda: FakeClock(at + timedelta(minutes=1)))
    assert [row["kind"] for row in run(tmp_path)["notices"]] == ["digest"] and opened["build_report"] == 1
    assert [item["kind"] for item in json.loads(web.requests[0][1])["notices"]] == ["plan_made", "started", "paused"]
    assert json.loads(web.requests[0][1])["notices"][-1]["point_count"] > 0
