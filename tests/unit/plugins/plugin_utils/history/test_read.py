# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The views on months of an estate have the figures that plain counting gives, whatever was published late or twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.runs import Run
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import publish
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.read import (
    SQL,
    open_history_tables,
    view_names,
)

from tests.fakes.history_counted import Counted, days
from tests.fakes.history_months import LIMITS, Estate

NOW = "2026-11-28T00:00:00.000Z"
SIZE, WEEKS = 30, 10


@pytest.fixture(scope="module")
def counted() -> Counted:
    return Counted(Estate(SIZE, WEEKS))


@pytest.fixture(scope="module", params=["parquet", "jsonl"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A history whose runs were published in disorder, some of them first with other rows and some twice."""
    store = HistoryDirectory(tmp_path_factory.mktemp("history"))
    runs = list(Estate(SIZE, WEEKS).runs())
    store.write("history.json", b'{"schema":"patchtide/history/1","format":"%s"}' % request.param.encode())
    for number, run in enumerate(reversed(runs)):
        if number % 4 == 0:
            wrong = [(part, row) for index, (part, row) in enumerate(run.rows) if index % 3]
            publish(store, replace(run, rows=wrong), request.param, NOW)
        assert publish(store, run, request.param, NOW)["changed"]
    assert not publish(store, runs[0], request.param, NOW)["changed"]
    with open_history_tables(store) as found:
        yield found


def answer(database: Any, sql: str) -> list[tuple[Any, ...]]:
    return sorted(database.execute(sql).fetchall(), key=repr)


def test_every_view_can_be_read(database: Any) -> None:
    empty = [name for name in view_names() if not database.execute(f"SELECT * FROM {name}").fetchall()]
    assert empty == [], "the estate of this test has rows for each view"


def test_calls_in_cloudtrail_are_those_of_a_rollout_or_shown_as_others(database: Any) -> None:
    """CloudTrail user guide, userIdentity of an assumed role: ``arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION``."""
    rollout = database.execute("SELECT min(rollout) FROM rollout_list").fetchone()[0]
    database.execute(
        "CREATE TEMP TABLE cloudtrail_logs (useridentity STRUCT(type VARCHAR, arn VARCHAR), "
        "recipientaccountid VARCHAR, awsregion VARCHAR, eventtime VARCHAR, eventsource VARCHAR, eventname VARCHAR, "
        "errorcode VARCHAR, sourceipaddress VARCHAR, requestid VARCHAR)"
    )
    for role, session, name in (
        ("patchtide", f"patchtide-{rollout}", "SendCommand"),
        ("patchtide", "mallory", "TerminateInstances"),
        ("admin", f"patchtide-{rollout}", "SendCommand"),
    ):
        database.execute(
            "INSERT INTO cloudtrail_logs VALUES ({'type': 'AssumedRole', 'arn': ?}, '222222222222', 'us-east-1', "
            "'2026-11-20T02:00:00Z', 'ssm.amazonaws.com', ?, NULL, '192.0.2.1', 'r')",
            [f"arn:aws:sts::222222222222:assumed-role/{role}/{session}", name],
        )
    sql = (SQL.parent / "athena" / "cloudtrail_sessions.sql").read_text("utf-8")
    found = {(row[0], row[3], row[8]) for row in database.execute(sql).fetchall()}
    assert found == {(rollout, None, "SendCommand"), (None, "mallory", "TerminateInstances")}


def test_compliance_today(database: Any, counted: Counted) -> None:
    expected = Counter((row["owner"], row["os"], state) for row, state in counted.state_on(counted.last).values())
    for state in ("compliant", "non_compliant", "unknown"):
        sql = f"SELECT owner, os, sum({state}) FROM compliance_now GROUP BY owner, os"
        found = {(owner, system): count for owner, system, count in answer(database, sql) if count}
        assert found == {key[:2]: count for key, count in expected.items() if key[2] == state} and found


def test_compliance_over_time(database: Any, counted: Counted) -> None:
    found = answer(
        database, "SELECT day, owner, sum(compliant), sum(unknown), sum(nodes) FROM compliance_days GROUP BY day, owner"
    )
    expected = []
    for day in sorted({row["day"] for row in counted.observations()}):
        states = list(counted.state_on(day).values())
        for owner in sorted({row["owner"] for row, _state in states}):
            mine = [state for row, state in states if row["owner"] == owner]
            expected.append((date.fromisoformat(day), owner, mine.count("compliant"), mine.count("unknown"), len(mine)))
    assert found == sorted(expected, key=repr) and len({row[0] for row in found}) == WEEKS


def test_ages_against_limits(database: Any, counted: Counted) -> None:
    found = answer(database, "SELECT node_id, patch_id, age_days, overdue FROM patch_ages")
    rows = counted.missing_now()
    assert found == sorted([(row["node_id"], row["patch_id"], row["age"], row["overdue"]) for row in rows], key=repr)
    assert {row[3] for row in found} == {True, False, None}
    late = answer(database, "SELECT owner, sum(overdue), max(oldest_days) FROM late_now GROUP BY owner")
    overdue = [row for row in rows if row["overdue"]]
    owners = sorted({row["owner"] for row in counted.rows["nodes"]})
    ids = {row["node_id"]: row["owner"] for row in counted.rows["nodes"]}
    mine = {owner: [row["age"] for row in overdue if ids[row["node_id"]] == owner] for owner in owners}
    assert late == [(owner, len(ages), max(ages)) for owner, ages in mine.items() if ages]
    assert answer(database, "SELECT sum(missing), sum(overdue) FROM ageing_now") == [(len(rows), len(overdue))]


def test_top_missing(database: Any, counted: Counted) -> None:
    found = answer(database, "SELECT patch_id, sum(nodes) FROM top_missing GROUP BY patch_id")
    assert dict(found) == Counter(row["patch_id"] for row in counted.missing_now())


def test_rollouts_and_causes(database: Any, counted: Counted) -> None:
    nodes = counted.rows["rollout_nodes"]
    found = answer(database, "SELECT rollout, good, bad, installed, kernels_changed, compliant_after FROM rollout_list")
    names = sorted({row["rollout"] for row in nodes})
    expected = []
    for name in names:
        mine = [row for row in nodes if row["rollout"] == name]
        tones = Counter(row["tone"] for row in mine)
        after = sum(row["compliance_after"] == "compliant" for row in mine)
        installed = sum(row["installed"] for row in mine)
        expected.append((name, tones["good"], tones["bad"], installed, len(mine), after))
    assert found == sorted(expected, key=repr) and len(names) == 3
    causes = answer(database, "SELECT sum(nodes) FROM failure_causes WHERE code = 'PatchFailed'")
    assert causes == [(sum(row["tone"] == "bad" for row in nodes),)]
    assert answer(database, "SELECT count(*) FROM gate_log WHERE verdict = 'promote'") == [(3,)]
    assert answer(database, "SELECT sum(hands_on_steps), sum(waiting_minutes) FROM effort_months") == [(9, 127.5)]
    assert answer(database, "SELECT count(*) FROM decision_log WHERE act = 'approve'") == [(3,)]


def test_days_from_release_to_installation(database: Any, counted: Counted) -> None:
    ended = {(row["rollout"], row["node_id"]): row["ended_at"][:10] for row in counted.rows["rollout_nodes"]}
    groups: dict[tuple[str, str], list[int]] = {}
    for row in counted.rows["rollout_patches"]:
        if row["result"] == "installed":
            day = ended[row["rollout"], row["node_id"]]
            groups.setdefault((day[:7], row["severity"]), []).append(days(row["released"], day))
    found = answer(database, "SELECT month, severity, patches, median_days FROM release_to_install")
    assert found == sorted([(*key, len(item), median(item)) for key, item in groups.items()], key=repr)


def test_exceptions_that_end(database: Any, counted: Counted) -> None:
    found = answer(database, "SELECT exception_id, state, days_left FROM exceptions_now")
    assert [(state, left) for _name, state, left in found] == [
        ("over", -3),
        ("in_force", 0),
        ("in_force", 2),
        ("in_force", 6),
        ("rejected", 7),
        ("in_force", 8),
        ("upcoming" if counted.last < "2026-12-07" else "in_force", 30),
    ]
    assert len(answer(database, "SELECT node_id FROM exception_nodes_now")) == 7


def test_findings_before_and_after(database: Any, counted: Counted) -> None:
    before, after = (
        {row["machine"]: row for row in counted.rows["findings"] if row["run_id"] == f"findings-{number}"}
        for number in (0, 1)
    )
    states = Counter()  # type: Counter[str]
    for machine in before:
        row = after.get(machine)
        states["vanished" if row is None else "closed" if row["status"] == "fixed" else "still_open"] += 1
    assert dict(answer(database, "SELECT change, count(*) FROM finding_changes GROUP BY change")) == states
    found = answer(database, "SELECT sum(open), sum(closed), sum(vanished) FROM cve_now WHERE cve = 'CVE-2026-99'")
    assert found == [(states["still_open"], states["closed"], states["vanished"])] and all(found[0])


def test_coverage_and_approvals(database: Any, counted: Counted) -> None:
    last = max(row["day"] for row in counted.rows["coverage"])
    expected = Counter(row["problem"] for row in counted.rows["coverage"] if row["day"] == last)
    assert dict(answer(database, "SELECT problem, sum(nodes) FROM coverage_now GROUP BY problem")) == expected
    newest: dict[tuple[str, str], str] = {}
    for row in counted.rows["nodes"]:
        key = (row["os"], row["patch_group"])
        newest[key] = max(newest.get(key, ""), row["day"])
    now = [row for row in counted.rows["patch_states"] if newest[row["os"], row["patch_group"]] == row["day"]]
    found = answer(database, "SELECT sum(known), sum(approved), sum(missing) FROM patch_approvals")
    approved = sum(row["approval"] == "approved" for row in now)
    assert found == [(len(now), approved, sum(row["nodes_missing"] for row in now))]


def test_a_query_reaches_no_files(database: Any, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for sql in (f"SELECT * FROM read_csv('{tmp_path}/secret.csv')", "SET enable_external_access = true"):
        with pytest.raises(Exception, match=r"disabled|locked|Cannot change"):
            database.execute(sql)


def test_a_place_without_a_history_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="publish to it first"), open_history_tables(HistoryDirectory(tmp_path)):
        pass


def test_rows_since_a_day(tmp_path: Path) -> None:
    store = HistoryDirectory(tmp_path)
    store.write("history.json", b'{"schema":"patchtide/history/1","format":"jsonl"}')
    for run in Estate(4, 3).runs():
        publish(store, run, "jsonl", NOW)
    with open_history_tables(store, "2026-11-20") as found:
        assert answer(found, "SELECT DISTINCT dt FROM nodes") == [("2026-11-20",), ("2026-11-27",)]
        assert answer(found, "SELECT count(*) FROM limits") == [(len(LIMITS),)]


def published(place: Path, *runs: Run) -> HistoryDirectory:
    store = HistoryDirectory(place)
    store.write("history.json", b'{"schema":"patchtide/history/1","format":"jsonl"}')
    for run in runs:
        publish(store, run, "jsonl", NOW)
    return store


def test_findings_of_one_check_are_counted_once_each(tmp_path: Path) -> None:
    runs = [run for run in Estate(4, 1).runs() if run.kind == "findings"]
    twice = [[*run.rows, *((part, {**row, "finding_key": "other"}) for part, row in run.rows)] for run in runs]
    store = published(tmp_path, *(replace(run, rows=rows) for run, rows in zip(runs, twice, strict=True)))
    with open_history_tables(store) as found:
        changes = answer(found, "SELECT change, count(*) FROM finding_changes GROUP BY change")
    assert changes == [("closed", 2), ("vanished", 1)]


def test_a_newer_run_without_rows_counts(tmp_path: Path) -> None:
    """An import that found nothing, and a ledger whose records were removed."""
    runs = [run for run in Estate(4, 1).runs() if run.kind in ("findings", "exceptions")]
    late = "2026-11-28T00:00:00.000Z"
    empty = [replace(run, run_id=f"{run.run_id}-later", observed_at=late, as_of=late, rows=[]) for run in runs[:2]]
    name = "exceptions-2026-11-2{}-" + "a" * 64
    ledgers = [replace(runs[0], run_id=name.format(7)), replace(empty[0], run_id=name.format(8))]
    store = published(tmp_path, *runs[1:], *ledgers, empty[1])
    with open_history_tables(store) as found:
        assert answer(found, "SELECT count(*) FROM findings_now") == [(0,)]
        assert answer(found, "SELECT change, count(*) FROM finding_changes GROUP BY change") == []
        assert answer(found, "SELECT count(*) FROM exceptions_now") == [(0,)]
        assert answer(found, "SELECT count(*) FROM exception_nodes_now") == [(0,)]
