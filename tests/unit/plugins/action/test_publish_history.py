# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""publish_history on a rollout's directory: what is published, once, and by everybody's own rows alone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.publish_history import ActionModule
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history import publish as publishing

from tests.report import samples


def inventory(run: samples.Run) -> dict[str, Any]:
    """Return task variables whose inventory has the nodes of a scan and one more."""
    hosts = {}
    for node_id, record in run.scan["nodes"].items():
        hosts[node_id] = {f"patchtide_{name}": value for name, value in record.items() if name != "status"}
    hosts["extra"] = {"patchtide_node_id": "i-extra", "patchtide_executor": "ssm", "patchtide_account": "1"}
    hosts["extra"] |= {"patchtide_region": "eu-west-1", "patchtide_coverage": ["unmanaged"]}
    return {"hostvars": hosts, "groups": {"all": list(hosts)}}


def run_action(task_vars: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
    task = Mock(args={key: str(item) if isinstance(item, Path) else item for key, item in options.items()})
    task.check_mode, task.diff, task.async_val, task.environment = check, False, 0, []
    action = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None)
    action.say = Mock()
    result: dict[str, Any] = action.run(task_vars=task_vars)
    return result


def rows(history: Path, dataset: str) -> list[dict[str, Any]]:
    """Return the rows that count, as lines of JSON have them."""
    current = {json.loads(path.read_text())["publication"] for path in (history / "published").iterdir()}
    found: list[dict[str, Any]] = []
    for path in sorted((history / dataset).rglob("*.jsonl.gz")):
        parts = dict(part.split("=", 1) for part in path.relative_to(history).parts[1:-1])
        found += [{**parts, **json.loads(line)} for line in gzip.decompress(path.read_bytes()).splitlines()]
    return [row for row in found if row["publication"] in current]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    samples.completed().write(tmp_path / "run")
    return tmp_path


def test_a_cycle_is_published_once(place: Path) -> None:
    run, ledger = samples.completed(), place / "exceptions.json"
    record = {"exception_id": "CHG1", "select": {"nodes": ["i-extra"]}, "from": "2026-11-01", "to": "2026-11-30"}
    record |= {"reason": "audit", "requested_by": "ana", "status": "approved", "decided_by": "bo"}
    ledger.write_text(json.dumps({"schema": "patchtide/exceptions/1", "exceptions": [record]}))
    options = {"history": place / "history", "dir": place / "run", "ledger": ledger, "format": "jsonl"}
    options["sla"] = {"critical": 14}
    first = run_action(inventory(run), **options)
    assert first["changed"] and [item["kind"] for item in first["published"]] == [
        "limits",
        "scan",
        "rollout",
        "exceptions",
    ]
    files = {path: path.read_bytes() for path in (place / "history").rglob("*") if path.is_file()}
    again = run_action(inventory(run), **options)
    assert not again["changed"] and {path: path.read_bytes() for path in files} == files
    nodes = rows(place / "history", "nodes")
    assert len(nodes) == len(run.scan["nodes"]) and {row["dt"] for row in nodes} == {"2026-11-17"}
    assert {row["owner"] for row in nodes} > {"payments team"} and nodes[0]["os"]
    missing = sum(len(record["missing"]) for record in run.scan["nodes"].values())
    assert len(rows(place / "history", "patches")) == missing
    (rollout,) = rows(place / "history", "rollouts")
    assert (rollout["status"], rollout["nodes"], rollout["account"]) == ("completed_with_failures", 60, "none")
    changed = rows(place / "history", "rollout_nodes")
    assert sum(row["status"] == "succeeded" for row in changed) == 56
    assert [row["verdict"] for row in rows(place / "history", "gates")] == ["promote"] * 3
    problems = {row["node_id"]: row["problem"] for row in rows(place / "history", "coverage")}
    assert problems[""] == "place_failed" and sum(not text for text in problems.values()) == len(nodes)
    (exception,) = rows(place / "history", "exceptions")
    assert (exception["nodes"], exception["valid_until"], exception["decided_by"]) == (1, "2026-11-30", "bo")
    assert [row["node_id"] for row in rows(place / "history", "exception_nodes")] == ["i-extra"]
    assert [(row["name"], row["value"]) for row in rows(place / "history", "limits")] == [("sla_critical", 14.0)]


def test_check_mode_predicts_and_writes_nothing(place: Path) -> None:
    options = {"history": place / "history", "dir": place / "run", "format": "jsonl"}
    assert run_action({}, check=True, **options)["changed"] and not (place / "history").exists()


def test_a_plan_is_a_rollout_until_the_rollout_replaces_it(place: Path) -> None:
    options = {"history": place / "history", "dir": place / "run", "format": "jsonl"}
    journal = (place / "run" / "journal.jsonl").read_bytes()
    (place / "run" / "journal.jsonl").unlink()
    run_action({}, **options)
    (before,) = rows(place / "history", "rollouts")
    (place / "run" / "journal.jsonl").write_bytes(journal)
    run_action({}, **options)
    (after,) = rows(place / "history", "rollouts")
    assert (before["status"], after["status"]) == ("planned", "completed_with_failures")
    assert len({row["node_id"] for row in rows(place / "history", "rollout_nodes")}) == 64


def test_an_earlier_state_never_replaces_a_later_one(place: Path) -> None:
    options = {"history": place / "history", "dir": place / "run", "format": "jsonl"}
    run_action({}, **options)
    journal = place / "run" / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:10]))
    late = run_action({}, **options)
    assert not late["changed"] and "a later state is published" in late["published"][1]["kept"]
    assert rows(place / "history", "rollouts")[0]["status"] == "completed_with_failures"


def test_a_publisher_that_ends_early_leaves_what_was_published(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"history": place / "history", "dir": place / "run", "format": "jsonl"}
    run_action({}, **options)
    before = rows(place / "history", "nodes")
    monkeypatch.setattr(publishing, "to_pointer", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run_action({}, **options, tags={"owner": "Application"})
    assert rows(place / "history", "nodes") == before and before
    monkeypatch.undo()
    run_action({}, **options, tags={"owner": "Application"})
    after = rows(place / "history", "nodes")
    assert len(after) == len(before) and {row["owner"] for row in after} == {row["application"] for row in after}


def test_what_was_edited_or_damaged_is_refused(place: Path) -> None:
    options = {"history": place / "history", "dir": place / "run", "format": "jsonl"}
    journal = place / "run" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    failed = run_action({}, **options)
    assert failed["failed"] and "is not published" in failed["msg"]
    assert not list((place / "history" / "published").glob("rollout-*"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sla": {"urgent": 3}}, "sla.urgent"),
        ({"sla": {"critical": 0}}, "a number of days"),
        ({"dir": "/nonexistent"}, "a directory with scan.json or plan.json"),
        ({"history": "s3://x"}, "s3:// with bucket and prefix"),
    ],
)
def test_wrong_options_are_named(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    failed = run_action({}, **{"history": tmp_path / "history", "format": "jsonl", **options})
    assert failed["failed"] and said in failed["msg"]


def test_a_history_keeps_its_format(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_action({}, history=place / "history", dir=place / "run", format="jsonl")
    failed = run_action({}, history=place / "history", dir=place / "run", format="parquet")
    assert failed["failed"] and "has jsonl files" in failed["msg"]
    monkeypatch.setattr(publishing, "has_duckdb", lambda: False)
    failed = run_action({}, history=place / "other", dir=place / "run", format="parquet")
    assert failed["failed"] and "pip install duckdb" in failed["msg"]
