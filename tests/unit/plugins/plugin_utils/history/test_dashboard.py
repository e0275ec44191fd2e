# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twelve months on three clouds: each figure of the dashboard's tables is that of its view, and of plain counting.

What the page's script makes of the tables, ``tests/playbooks/test_history_dashboard.py`` reads in a browser, at 5,000
nodes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.dashboard import NODES, QUERIES, estate_tables
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.duck import rows_of
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.read import open_history_tables

from tests.fakes.history_counted import Counted
from tests.fakes.history_months import OWNERS, Estate

#: A year of scans: number of nodes, scans, and days from one to the next. Each fourth scan is followed by a rollout.
YEAR = (200, 13, 28)
Rows = list[dict[str, Any]]


class Year:
    """The dashboard's tables as rows, a query of the views, and plain counting of the same estate."""

    def __init__(self, database: Any, counted: Counted, scans: int) -> None:
        tables, nodes = estate_tables(database)
        self.counted, self.scans = counted, scans
        self.tables = {name: _rows(item["columns"], item["rows"]) for name, item in {**tables, "nodes": nodes}.items()}
        self.view: Callable[[str], Rows] = lambda sql: _rows(*rows_of(database, sql))


def _rows(columns: list[str], rows: Any) -> Rows:
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    size, scans, apart = YEAR
    store = HistoryDirectory(tmp_path_factory.mktemp("year"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _file: None)  # two thousand files, which nobody needs after a power cut
        form = find_format(store, "jsonl", True)
        for run in Estate(size, scans, apart=apart).runs():
            publish(store, run, form, "2026-11-28T00:00:00.000Z")
    with open_history_tables(store) as database:
        yield Year(database, Counted(Estate(size, scans, apart=apart)), scans)


def sums(rows: Rows, name: str, *by: str) -> dict[tuple[Any, ...], Any]:
    found: dict[tuple[Any, ...], Any] = {}
    for row in rows:
        key = tuple(row[column] for column in by)
        found[key] = found.get(key, 0) + (row[name] or 0)
    return {key: value for key, value in found.items() if value}


def test_are_we_compliant(year: Year) -> None:
    expected = Counter(state for _row, state in year.counted.state_on(year.counted.last).values())
    assert set(expected) == {"compliant", "non_compliant", "unknown"}
    for state, count in expected.items():
        assert sums(year.tables["compliance"], state) == {(): count}
        assert year.view(f"SELECT sum({state}) AS n FROM compliance_now") == [{"n": count}]
    accounts = Counter(row["account"] for row, _state in year.counted.state_on(year.counted.last).values())
    assert sums(year.tables["compliance"], "nodes", "account") == {(name,): n for name, n in accounts.items()}
    assert len(accounts) == 5, "two accounts of AWS, a subscription of Azure, a project of Google and on premises"


def test_is_it_getting_better(year: Year) -> None:
    found, viewed = year.tables["days"], year.view("SELECT * FROM compliance_days")
    assert len({row["day"] for row in found}) == year.scans
    for day in sorted({row["day"] for row in found})[:: year.scans // 4]:
        states = year.counted.state_on(day).values()
        expected = Counter(row["owner"] for row, state in states if state == "compliant")
        for rows in (found, viewed):
            mine = [row for row in rows if row["day"] == day]
            assert sums(mine, "compliant", "owner") == {(owner,): count for owner, count in expected.items()}
            assert sums(mine, "nodes") == {(): len(states)}


def test_who_is_late(year: Year) -> None:
    owners = {row["node_id"]: (row["owner"], row["application"]) for row in year.counted.observations()}
    late = [row for row in year.counted.missing_now() if row["overdue"]]
    expected = Counter(owners[row["node_id"]] for row in late)
    assert expected and sums(year.tables["late"], "overdue", "owner", "application") == expected
    assert sums(year.view("SELECT * FROM late_now"), "overdue", "owner", "application") == expected
    assert sums(year.tables["nodes"], "overdue") == {(): len(late)} == sums(year.tables["ageing"], "overdue")
    oldest = max(row["age"] for row in late)
    assert max(row["oldest_days"] for row in year.tables["late"]) == oldest


def test_which_exceptions_end_this_week(year: Year) -> None:
    rows = [row for row in year.tables["exceptions"] if row["state"] == "in_force" and row["days_left"] <= 7]
    viewed = year.view("SELECT * FROM exceptions_now WHERE state = 'in_force' AND days_left <= 7")
    last = year.counted.last
    expected = {
        row["exception_id"]
        for row in year.counted.rows["exceptions"]
        if row["status"] == "approved" and row["valid_from"] <= last <= row["valid_until"] <= "2026-12-04"
    }
    assert {row["exception_id"] for row in rows} == {row["exception_id"] for row in viewed} == expected
    assert len(expected) == 3


def test_did_last_night_s_cve_close(year: Year) -> None:
    before, after = (
        {row["machine"]: row for row in year.counted.rows["findings"] if row["run_id"] == f"findings-{number}"}
        for number in (0, 1)
    )
    state = {"open": "still_open", "fixed": "closed"}
    expected = Counter(state[after[name]["status"]] if name in after else "vanished" for name in before)
    assert sums(year.tables["changes"], "findings", "change") == {(name,): n for name, n in expected.items()}
    assert year.view("SELECT sum(closed) AS n FROM cve_now WHERE cve = 'CVE-2026-99'") == [{"n": expected["closed"]}]
    (row,) = [row for row in year.tables["cves"] if row["cve"] == "CVE-2026-99"]
    assert (row["open"], row["closed"], row["vanished"]) == tuple(
        expected[name] for name in ("still_open", "closed", "vanished")
    )


def test_the_owners_pages_add_up_to_that_of_the_estate(year: Year) -> None:
    names = {"compliance": "nodes", "late": "overdue", "changes": "findings", "rollouts": "good", "coverage": "nodes"}
    for table, column in names.items():
        parts = [sums([row for row in year.tables[table] if row["owner"] == owner], column) for owner in OWNERS]
        assert sum(part.get((), 0) for part in parts) == sums(year.tables[table], column)[()], table


@pytest.mark.parametrize("name", [*QUERIES, "nodes"])
def test_every_table_of_an_owner_is_limited_to_the_owner(name: str) -> None:
    """A page of an owner asks nothing without this condition; only ``as_of`` is about no node."""
    assert ("{owner}" in {**QUERIES, "nodes": NODES}[name]) is (name != "as_of")
