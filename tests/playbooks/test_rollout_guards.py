# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approval, freezes and exceptions in a rollout on the lab: nothing starts that must not, and it is said why."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.records import (
    ExceptionRecord,
    ExceptionStatus,
    to_period,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Select
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.exceptions.ledger_file import LedgerFile

from tests.playbooks.test_rollout import DATA, WEB, Cycle, cycle, small

__all__ = ["cycle", "small"]

FREEZE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//contoso//freeze//EN
X-CALENDAR-TYPE:DEFAULT_OPEN
BEGIN:VEVENT
UID:1
SUMMARY:Quarter end
DTSTART:{start:%Y%m%dT%H%M%SZ}
DTEND:{end:%Y%m%dT%H%M%SZ}
END:VEVENT
END:VCALENDAR
"""


def approve(cycle: Cycle, name: str, node_id: str) -> None:
    """Put an approved exception into the ledger, for today and the days around."""
    today = from_time(cycle.aws.get("clock")["now"]).date()
    record = ExceptionRecord(
        exception_id=name,
        select=Select(nodes=(node_id,)),
        period=to_period(today, today + timedelta(days=2)),
        reason="Audit",
        requested_by="dana",
        status=ExceptionStatus.APPROVED,
        decided_by="robin",
    )
    LedgerFile(cycle.folder / "exceptions.json").change(name, lambda _before: record)


def freeze(path: Path, window: dict[str, Any], before: int = 1, minutes: int = 100000) -> None:
    start = from_time(window["start"]) - timedelta(minutes=before)
    path.write_text(FREEZE.format(start=start, end=start + timedelta(minutes=minutes)))


def finals(cycle: Cycle) -> dict[str, dict[str, Any]]:
    rows = [row["data"] for row in cycle.journal() if row["kind"] == "outcome" and row["data"]["stage"] == "verify"]
    return {item["node_id"]: item for data in rows for item in data["results"]}


def test_nothing_starts_unapproved_or_frozen_and_excepted_nodes_are_left_alone(cycle: Cycle) -> None:
    calendar = cycle.folder / "freeze.ics"
    cycle.policy |= {
        "approval": {"required": True},
        "exceptions": {"ledger": str(cycle.folder / "exceptions.json")},
        "freeze": {"ics": [str(calendar)]},
    }
    calendar.write_text("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n")
    cycle.prepare()
    plan = cycle.file("plan.json")
    window = plan["waves"][0]["window"]
    canary, production = ([node["node_id"] for node in wave["nodes"]] for wave in plan["waves"])

    approve(cycle, "E1", canary[0])
    assert cycle.play("plan_rollout").status == 0
    plan = cycle.file("plan.json")
    left_out = [row for row in plan["excluded"] if row["code"] == "exception"]
    assert [row["node_id"] for row in left_out] == [canary[0]] and "robin" in left_out[0]["reason"]

    refused = cycle.play("rollout_patches")
    assert refused.status != 0 and plan["digest"] in refused.error() and not cycle.installs()
    freeze(calendar, window)
    approval = ("-e", f"patchtide_approved_digest={plan['digest']}")
    frozen = cycle.play("rollout_patches", *approval)
    assert frozen.status != 0 and "Quarter end" in frozen.error() and not cycle.installs(), frozen.error()

    freeze(calendar, window, minutes=1)
    approve(cycle, "E2", production[0])  # after planning
    done = cycle.play("rollout_patches", *approval)
    assert done.status == 0, done.output + done.errors
    assert cycle.installs() == Counter({*canary, *production} - {canary[0], production[0]})
    held = finals(cycle)[production[0]]
    assert (held["status"], held["error"]["code"]) == ("skipped", "exception") and "E2" in held["error"]["text"]


@pytest.mark.slow
def test_a_frozen_window_is_seen_in_the_plan_and_a_freeze_that_begins_later_skips_the_install(cycle: Cycle) -> None:
    calendar = cycle.folder / "freeze.ics"
    cycle.policy["freeze"] = {"ics": [str(calendar)]}
    calendar.write_text("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n")
    cycle.prepare()
    window = cycle.file("plan.json")["waves"][0]["window"]
    freeze(calendar, window)
    assert cycle.play("plan_rollout").status == 0
    codes = Counter(row["code"] for row in cycle.file("plan.json")["excluded"])
    assert codes["freeze"] == 10 and "Quarter end" in cycle.file("plan.json")["waves"][0]["notes"][0]

    freeze(calendar, window, before=-10)
    assert cycle.play("plan_rollout").status == 0
    codes = Counter(row["code"] for row in cycle.file("plan.json")["excluded"])
    assert codes["no_night"] == 10, "ten minutes are too few for any of them"

    freeze(calendar, window, before=-100)
    assert cycle.play("plan_rollout").status == 0
    assert cycle.file("plan.json")["waves"][0]["notes"][0].startswith("partly frozen")
    freeze(calendar, window, before=-10)
    done = cycle.play("rollout_patches")
    assert not cycle.installs(), done.output
    assert {row["error"]["code"] for row in finals(cycle).values()} == {"freeze"}


@pytest.mark.slow
def test_the_tag_alone_counts(cycle: Cycle) -> None:
    cycle.prepare()
    node = next(n for n in cycle.file("plan.json")["waves"][0]["nodes"] if n["node_id"].startswith("i-"))
    assert node["account"] == WEB
    ec2 = cycle.aws.client("ec2", node["region"], node["account"])
    ec2.create_tags(Resources=[node["node_id"]], Tags=[{"Key": "PatchException", "Value": "2026-01-01/2099-12-31"}])
    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    assert node["node_id"] not in cycle.installs() and "not patched: exception until 2099-12-31" in done.output


def test_exceptions_of_all_accounts_become_tags_by_one_playbook(cycle: Cycle) -> None:
    ledger = cycle.folder / "exceptions.json"
    cycle.policy["exceptions"] = {"ledger": str(ledger)}
    nodes = cycle.aws.get("nodes")["nodes"]
    names = [next(row["node_id"] for row in nodes if row["account"] == account) for account in (WEB, DATA)]
    for number, name in enumerate(names):
        approve(cycle, f"E{number}", name)
    done = cycle.play("sync_exceptions")
    assert (done.status, done.changed) == (0, 1), done.output + done.errors
    shown = {row["node_id"]: row["tags"].get("PatchException") for row in cycle.aws.get("nodes")["nodes"]}
    assert {node for node, value in shown.items() if value} == set(names)
    again = cycle.play("sync_exceptions")
    assert (again.status, again.changed) == (0, 0) and "expiring" in again.output
