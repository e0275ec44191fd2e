# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries on Athena: the same text as on DuckDB has the same answers, and what cannot be answered says why."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.athena import AthenaQueries
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.athena import QueryFailed
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.athena import Athena, open_athena
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.duck import select
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.read import open_history_tables, view_names

from tests.fakes.athena import FakeAthena
from tests.fakes.history_months import Estate

MOST = 100 * 2**20


class Ticking:
    """A clock that sleeping alone moves."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 28, tzinfo=timezone.utc)

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history in which a scan was published twice: Athena sees the rows of both."""
    place = tmp_path_factory.mktemp("history")
    store = HistoryDirectory(place)
    runs = list(Estate(12, 5).runs())
    form = find_format(store, "jsonl", True)
    other = next(run for run in runs if run.kind == "scan")
    publish(store, type(other)(**{**_members(other), "rows": list(other.rows)[:5]}), form, "2026-11-28T00:00:00.000Z")
    for run in runs:
        publish(store, run, form, "2026-11-28T00:00:00.000Z")
    return place


def _members(run: Any) -> dict[str, Any]:
    return {name: getattr(run, name) for name in run.__dataclass_fields__}


def athena(client: FakeAthena, since: str = "", said: list[str] | None = None, **more: Any) -> Athena:
    port = AthenaQueries(client, database="patching", workgroup="patching", catalog="AwsDataCatalog", **more)
    lines: list[str] = [] if said is None else said
    return Athena(port=port, clock=Ticking(), most=MOST, seconds=60, since=since, say=lines.append)


@pytest.mark.parametrize("since", ["", "2026-11-15"])
def test_every_view_answers_as_on_duckdb(history: Path, since: str) -> None:
    client = FakeAthena(history)
    asked = athena(client, since)
    with open_history_tables(HistoryDirectory(history), since) as database:
        for name in view_names():
            found = asked.view(name, 10_000)
            columns, rows, _more = select(database, f"SELECT * FROM {name} ORDER BY ALL", 10_000)
            assert found["columns"] == columns
            assert found["rows"] == [list(row) for row in rows], name
            assert (found["scanned_bytes"], found["billed_bytes"]) == (1_500_000, 10 * 2**20)
    assert len(client.started) == len(view_names())


def test_a_query_of_ones_own_has_just_the_views_that_it_needs(history: Path) -> None:
    client = FakeAthena(history)
    found = athena(client).select(
        "query", "SELECT max(as_of_day) AS day, '' AS empty, cast(NULL AS varchar) AS none FROM as_of;", 10
    )
    assert found["rows"] == [["2026-11-27", "", None]]
    sent = client.started[0]["QueryString"]
    assert sent.startswith("WITH all_limits AS (") and "node_now" not in sent and not sent.endswith(";")
    own = "with late AS (SELECT owner FROM late_now) SELECT count(*) AS owners FROM late"
    assert athena(client).select("query", own, 10)["rows"][0][0] > 0


def test_a_long_answer_is_read_page_by_page_as_far_as_it_is_wanted(history: Path) -> None:
    client = FakeAthena(history)
    sql = "SELECT t.n FROM UNNEST(range(1, 2501)) AS t (n)"
    whole = athena(client).select("query", sql, 5000)
    assert [row[0] for row in whole["rows"]] == list(range(1, 2501)) and not whole["truncated"] and client.pages == 3
    cut = athena(client).select("query", sql, 998)
    assert len(cut["rows"]) == 998 and cut["truncated"] and client.pages == 4
    exact = athena(client).select("query", "SELECT t.n FROM UNNEST(range(0, 999)) AS t (n)", 999)
    assert len(exact["rows"]) == 999 and not exact["truncated"]


def test_an_answer_without_rows_has_its_columns(history: Path) -> None:
    found = athena(FakeAthena(history)).select("query", "SELECT owner, nodes FROM late_now WHERE owner = 'nobody'", 10)
    assert (found["columns"], found["rows"]) == (["owner", "nodes"], [])


@pytest.mark.parametrize(
    ("client", "sql", "said"),
    [
        ({}, "SELECT nothing FROM nodes", "failed: .*nothing"),
        ({"broken": ("FAILED", "Bytes scanned limit was exceeded")}, "SELECT 1", "failed: Bytes scanned limit"),
        ({"broken": ("CANCELLED", "")}, "SELECT 1", "cancelled: no reason"),
        ({"scanned": MOST + 1}, "SELECT 1", "scanned 100 MB, more than athena.scan_limit_mb"),
        ({"states": ("QUEUED",) * 99}, "SELECT 1", r"was QUEUED for 60 s \(athena.timeout\)"),
    ],
)
def test_a_query_without_an_answer_says_why_and_does_not_go_on(
    history: Path, client: dict[str, Any], sql: str, said: str
) -> None:
    fake = FakeAthena(history, **client)
    with pytest.raises(QueryFailed, match=said):
        athena(fake).select("query", sql, 10)
    assert len(fake.stopped) == ("scan_limit_mb" in said or "timeout" in said)


@pytest.mark.parametrize(("cutoff", "told"), [(None, "never"), (MOST + 2**20, "only after 101 MB"), (MOST, "")])
def test_a_workgroup_that_lets_a_query_scan_more_is_told(history: Path, cutoff: int | None, told: str) -> None:
    said: list[str] = []
    athena(FakeAthena(history, cutoff=cutoff), said=said).check()
    assert [line for line in said if told in line] == said and len(said) == bool(told)


def test_where_answers_go_is_told_to_the_service(history: Path) -> None:
    client = FakeAthena(history)
    athena(client, output="s3://answers/patching/").select("query", "SELECT 1 AS one", 10)
    athena(client).select("query", "SELECT 1 AS one", 10)
    assert client.started[0]["ResultConfiguration"] == {"OutputLocation": "s3://answers/patching/"}
    assert "ResultConfiguration" not in client.started[1] and client.started[1]["WorkGroup"] == "patching"


GIVEN = {"database": "patching", "workgroup": "primary", "catalog": "AwsDataCatalog", "output": "", "timeout": 60}


@pytest.mark.parametrize(
    ("change", "since", "said"),
    [
        ({"database": "p'; DROP"}, "", "athena.database"),
        ({"scan_limit_mb": 9}, "", "athena.scan_limit_mb"),
        ({"timeout": 0}, "", "athena.timeout"),
        ({"output": "answers"}, "", "athena.output"),
        ({}, "2026-11", "since"),
    ],
)
def test_an_option_that_cannot_be_is_named(change: dict[str, Any], since: str, said: str) -> None:
    options = {"athena": {**GIVEN, "scan_limit_mb": 100, **change}, "since": since, "region": "eu-central-1"}
    with pytest.raises(BadInput, match=f"^{said}: "):
        open_athena(options, Ticking(), print)
