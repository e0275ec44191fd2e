# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not known is unknown, what did not run is said to not have run, and one node's trouble is its own.

Each case is a fault that the service is documented to have; the lab's sources are in ``tests/lab``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import GateJudged, Intent, Outcome
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import final_results
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time

from tests.kill.conftest import Night, is_install
from tests.kill.controller import controller

SHORT = os.environ.get("PATCHTIDE_KILL") == "short"

CANARY, US = ("canary-01", "canary-02"), ("early-us-01", "early-us-02")


def fault(night: Night, name: str, **what: Any) -> None:
    night.aws.post("faults", {"node": name, **what})


def rules(night: Night, *rows: dict[str, Any]) -> None:
    night.aws.post("faults", {"rules": list(rows)})


def finals(night: Night) -> dict[str, dict[str, Any]]:
    names = {node["node_id"]: node["name"] for wave in night.plan["waves"] for node in wave["nodes"]}
    return {names[item["node_id"]]: dict(item) for item in final_results(night.state())}


def installs(night: Night) -> Counter[str]:
    names = {node["node_id"]: node["name"] for wave in night.plan["waves"] for node in wave["nodes"]}
    rows = night.aws.get("ledger")["commands"]
    return Counter(names[node] for row in rows if is_install(row) for node in row["nodes"])


def verdicts(night: Night) -> list[str]:
    events = [record.event() for record in night.records()]
    return [event.verdict for event in events if isinstance(event, GateJudged)]


def minutes(night: Night, stage: str, names: Iterable[str]) -> float:
    """Return how long after its announcement a stage's last outcome on nodes was known."""
    ids = {node["node_id"] for wave in night.plan["waves"] for node in wave["nodes"] if node["name"] in names}
    begun: list[datetime] = []
    ended: list[datetime] = []
    for record in night.records():
        event = record.event()
        if isinstance(event, Intent) and event.stage == stage and ids & set(event.nodes):
            begun.append(from_time(record.at))
        if isinstance(event, Outcome) and event.stage == stage and ids & {row["node_id"] for row in event.results}:
            ended.append(from_time(record.at))
    return (max(ended) - min(begun)).total_seconds() / 60


def run(night: Night) -> int:
    return controller(night.folder, night.environment)


def test_an_install_that_fails_early_is_not_last_months_success(night: Night) -> None:
    """Exit 156 uploads nothing, so the old patch state stays (AWS re:Post, "exit code 156")."""
    fault(night, "early-us-01", fails_early=156)
    run(night)
    final = finals(night)["early-us-01"]
    assert final["status"] == "failed" and final["installed"] == []


def test_an_agent_that_vanishes_in_mid_install_is_unknown_and_never_sent_a_second_install(night: Night) -> None:
    """DeliveryTimedOut is given to what is InProgress as well (API reference, Command.ExpiresAfter)."""
    fault(night, "early-us-01", agent_gone_after=60, agent_gone_for=None, install_survives=False)
    run(night)
    assert finals(night)["early-us-01"]["status"] in ("unknown", "unreachable")
    assert finals(night)["early-us-02"]["status"] == "succeeded"
    assert installs(night)["early-us-01"] == 1


def test_one_instance_that_is_gone_does_not_refuse_the_others(night: Night) -> None:
    """aws/aws-cli#3646: InvalidInstanceId is raised for the whole call."""
    fault(night, "early-us-01", terminate_at=night.aws.get("clock")["now"])
    run(night)
    found = finals(night)
    assert found["early-us-02"]["status"] == "succeeded"
    assert found["early-us-01"]["status"] == "skipped" and installs(night)["early-us-01"] == 0


@pytest.mark.parametrize("details", ["RateExceeded", "AccessDenied"])
def test_a_command_that_the_service_ends_is_seen_at_once_and_nothing_ran(night: Night, details: str) -> None:
    where = {"region": "us-east-1", "body": '"Install"', "times": 1}
    rules(night, {"kind": "refuse_command", "details": details, **where})
    run(night)
    found = finals(night)
    refused = {name for name, row in found.items() if (row["error"] or {}).get("code") == "missed_refused"}
    assert refused == set(US) and {found[name]["status"] for name in US} == {"skipped"}
    others = {*CANARY, "early-win-01"}
    assert {found[name]["status"] for name in others} == {"succeeded"}
    assert {name: installs(night)[name] for name in (*others, *US)} == {
        **dict.fromkeys(others, 1),
        **dict.fromkeys(US, 0),
    }
    assert minutes(night, "patch", US) < 5


@pytest.mark.parametrize("kind", ["deny"] if SHORT else ["throttle", "deny"])
def test_a_lost_answer_and_a_blind_look_up_make_one_install(night: Night, kind: str) -> None:
    lost = {"kind": "lose_response", "name": "lost", "operation": "SendCommand", "body": '"Install"', "times": 1}
    blind = {"kind": kind, "operation": ["ListCommands", "ListCommandInvocations"], "after": "lost", "times": 8}
    rules(night, lost, {**blind, **({"tps": 0} if kind == "throttle" else {})})
    assert run(night) == 0
    night.check()


def test_a_scan_that_is_refused_after_a_good_install_pauses_for_a_person(night: Night) -> None:
    rules(night, {"kind": "deny", "operation": "SendCommand", "body": '"Scan"', "times": 40})
    run(night)
    statuses = {row["status"] for row in finals(night).values()}
    assert statuses == {"unknown"} and verdicts(night)[-1] == "pause"
    assert max(installs(night).values()) == 1


def test_a_controller_with_a_wrong_clock_begins_nothing(night: Night) -> None:
    night.aws.post("clock", {"skew": 86400})
    try:
        assert run(night) != 0
        assert not installs(night)
    finally:
        night.aws.post("clock", {"skew": 0})
