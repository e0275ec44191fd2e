# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""patchtide_query: answers of views and of one query that only reads, as rows and as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.patchtide.hybrid.plugins.action.patchtide_query import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Sessions
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish

from tests.fakes.athena import FakeAthena
from tests.fakes.history_months import Estate


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("history")
    store = HistoryDirectory(place)
    for run in Estate(5, 2).runs():
        publish(store, run, find_format(store, "jsonl", True), "2026-11-28T00:00:00.000Z")
    return place


def run_action(check: bool = False, **options: Any) -> dict[str, Any]:
    task = Mock(args={key: str(item) if isinstance(item, Path) else item for key, item in options.items()})
    task.check_mode, task.diff, task.async_val, task.environment = check, False, 0, []
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return result


def test_views_are_answered_and_written_once(history: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "history": history,
        "views": ["compliance_now", "exceptions_now"],
        "dest": tmp_path / "csv",
    }
    assert run_action(check=True, **options)["changed"] and not (tmp_path / "csv").exists()
    found = run_action(**options)
    now, exceptions = found["answers"]
    assert sum(row["nodes"] for row in now["rows"]) == 5 and not now["truncated"]
    assert exceptions["rows"][0]["valid_until"] == "2026-11-24"
    lines = (tmp_path / "csv" / "exceptions_now.csv").read_text().splitlines()
    assert lines[0].startswith("ledger,exception_id,") and len(lines) == 8
    assert not run_action(**options)["changed"] and not run_action(check=True, **options)["changed"]


def test_a_query_of_ones_own(history: Path) -> None:
    found = run_action(history=history, sql="SELECT max(as_of_day) AS day, 1 AS one FROM as_of")
    assert found["answers"][0]["rows"] == [{"day": "2026-11-27", "one": 1}]
    cut = run_action(history=history, sql="SELECT node_id FROM nodes", limit=3)["answers"][0]
    assert cut["truncated"] and len(cut["rows"]) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sql": "DROP TABLE nodes"}, "one SELECT"),
        ({"sql": "SELECT 1; SELECT 2"}, "one SELECT"),
        ({"sql": "COPY nodes TO 'x.csv'"}, "one SELECT"),
        ({"sql": "SELECT nothing FROM nodes"}, "a query that DuckDB accepts"),
        ({"views": ["nodes_now"]}, "views[0]"),
        ({"views": ["node_now"], "limit": 0}, "1 or more"),
        ({}, "one of the following is required"),
    ],
)
def test_what_is_no_question_is_refused(history: Path, options: dict[str, Any], said: str) -> None:
    try:
        failed = run_action(history=history, **options)
    except Exception as error:  # Ansible's own check of options
        failed = {"failed": True, "msg": str(error)}
    assert failed["failed"] and said in failed["msg"]


ATHENA = {"database": "patching"}


def test_on_athena_the_answers_are_the_same_and_have_their_cost(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = FakeAthena(history)
    monkeypatch.setattr(Sessions, "client", lambda *_args, **_more: client)
    options: dict[str, Any] = {"views": ["compliance_now"], "dest": tmp_path}
    asked = run_action(check=True, athena=ATHENA, region="eu-central-1", **options)
    assert asked["changed"] and asked["answers"] == [] and not client.started and not list(tmp_path.iterdir())
    client.states = ()
    found = run_action(athena=ATHENA, region="eu-central-1", **options)["answers"][0]
    text = (tmp_path / "compliance_now.csv").read_text()
    here = run_action(history=history, **options)
    assert not here["changed"] and (tmp_path / "compliance_now.csv").read_text() == text
    cost = {name: found.pop(name) for name in ("query_id", "scanned_bytes", "billed_bytes")}
    assert found == here["answers"][0] and cost["billed_bytes"] == 10 * 2**20


@pytest.mark.parametrize(
    ("athena", "sql", "said"),
    [({}, "DROP TABLE nodes", "sql: "), ({"scan_limit_mb": 5}, "SELECT 1", "athena.scan_limit_mb: ")],
)
def test_what_athena_is_not_asked(athena: dict[str, Any], sql: str, said: str) -> None:
    refused = run_action(check=True, region="eu-central-1", athena={**ATHENA, **athena}, sql=sql)
    assert refused["failed"] and said in refused["msg"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"athena": ATHENA, "history": "/srv/history"}, "mutually exclusive"),
        ({}, "one of the following is required: history, athena"),
        ({"athena": {}}, "database"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, Any], said: str) -> None:
    with pytest.raises(AnsibleActionFail, match=said):
        run_action(sql="SELECT 1", **options)
