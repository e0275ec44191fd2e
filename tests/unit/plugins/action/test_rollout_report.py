# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_report on a run's directory: writes once, predicts in check mode, refuses what is no run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_report import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.enrich import Enrichment
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.estate import Estate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.finding import Finding, to_asset
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.record import Importer
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.remedy import Patches
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.vulnerability.findings_file import write_if_changed

from tests.report import samples


def run_action(check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
    """Run the action plugin as a task would; its options are checked against its own spec."""
    task = Mock(args={key: str(item) if isinstance(item, Path) else item for key, item in options.items()})
    task.check_mode, task.diff, task.async_val, task.environment = check, diff, 0, []
    action = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None)
    action.say = Mock()
    result: dict[str, Any] = action.run(task_vars={})
    result["said"] = "\n".join(call.args[0] for call in action.say.call_args_list)
    return result


FILES = {"summary.json", "nodes.csv", "patches.csv", "patches.json", "index.html", "plan.html"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    samples.completed().write(tmp_path)
    return tmp_path


def test_a_report_is_written_once(directory: Path) -> None:
    first = run_action(dir=directory)
    files = {path.name: path.read_bytes() for path in (directory / "report").iterdir()}
    assert first["changed"] is True and set(files) == FILES
    again = run_action(dir=directory)
    assert again["changed"] is False
    assert {path.name: path.read_bytes() for path in (directory / "report").iterdir()} == files
    assert json.loads(files["summary.json"]) == first["summary"]
    assert "Completed with failures" in first["said"] and first["files"]["html"] in first["said"]


def test_check_mode_predicts_and_writes_nothing(directory: Path) -> None:
    assert run_action(dir=directory, check=True)["changed"] is True
    assert not (directory / "report").exists()
    run_action(dir=directory)
    assert run_action(dir=directory, check=True)["changed"] is False


def test_check_mode_copes_with_steps_that_only_predicted(tmp_path: Path) -> None:
    assert run_action(dir=tmp_path / "new", check=True)["summary"]["conclusion"]["code"] == "empty"


def test_formats_and_destination(directory: Path, tmp_path: Path) -> None:
    dest = tmp_path / "elsewhere"
    result = run_action(dir=directory, dest=dest, formats=["csv"])
    assert sorted(path.name for path in dest.iterdir()) == ["nodes.csv", "patches.csv"]
    assert result["files"] == {"csv": str(dest / "nodes.csv")}


def test_a_diff_is_short_and_says_what_the_run_amounts_to(directory: Path) -> None:
    run = samples.unfinished()
    run.write(directory)
    run_action(dir=directory)
    samples.completed().write(directory)
    diffs = run_action(dir=directory, diff=True)["diff"]
    summary = next(item for item in diffs if item["after_header"].endswith("summary.json"))
    assert summary["before"].startswith("Unfinished in early") and summary["after"].startswith(
        "Completed with failures"
    )
    assert sum(len(item["before"]) + len(item["after"]) for item in diffs) < 6000


def test_a_torn_last_line_never_counted(directory: Path) -> None:
    whole = run_action(dir=directory)["summary"]
    with (directory / "journal.jsonl").open("a") as journal:
        journal.write('{"seq": 99, "kind": "outco')
    assert run_action(dir=directory)["summary"] == whole


def test_a_damaged_journal_and_an_edited_plan_are_reported_not_hidden(directory: Path) -> None:
    lines = (directory / "journal.jsonl").read_text().splitlines(keepends=True)
    (directory / "journal.jsonl").write_text("".join([*lines[:3], "garbage\n", *lines[3:]]))
    plan = json.loads((directory / "plan.json").read_text())
    plan["waves"][0]["nodes"].pop()
    (directory / "plan.json").write_text(json.dumps(plan))
    result = run_action(dir=directory)
    assert any("not a journal record" in text for text in result["summary"]["warnings"])
    assert any("not what was approved" in text for text in result["summary"]["warnings"])
    assert "WARNING" in result["said"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("plan.json", '{"schema": "patchtide/scan/1"}', "patchtide/plan/3"),
        ("scan.json", "[]", "patchtide/scan/2"),
        ("plan.json", "{", "a readable JSON file"),
    ],
)
def test_what_is_no_run_is_refused_before_anything_is_written(
    directory: Path, name: str, content: str, expected: str
) -> None:
    (directory / name).write_text(content)
    result = run_action(dir=directory)
    assert result["failed"] is True and expected in result["msg"] and name in result["msg"]
    assert not (directory / "report").exists()


@pytest.mark.parametrize("schema", ["patchtide/plan/2", "patchtide/plan/4"])
def test_another_versions_plan_is_refused_with_the_way_out(directory: Path, schema: str) -> None:
    (directory / "plan.json").write_text(json.dumps({"schema": schema}))
    found = run_action(dir=directory)["msg"]
    assert schema in found and "reads patchtide/plan/3" in found and "make a new plan" in found


def test_a_missing_directory_names_the_option(tmp_path: Path) -> None:
    result = run_action(dir=tmp_path / "none")
    assert result["failed"] is True and result["msg"].startswith("dir: ") and "plan.json" in result["msg"]


def import_findings(path: Path, status: str) -> None:
    finding = Finding(source="x", finding_id="1", asset=to_asset(names=["web"]), severity="high", status=status)
    importer = Importer("2026-11-17T18:00:00.000Z", Estate([]), Patches(None, []), Enrichment(), None)
    write_if_changed(path, importer.lines([finding], []))


def test_findings_have_a_section_and_what_changed(directory: Path) -> None:
    assert run_action(dir=directory)["summary"]["vulnerabilities"] is None
    import_findings(directory / "vulnerabilities.jsonl", "open")
    found = run_action(dir=directory)
    assert "1 open finding: 1 of which this is not known." in found["said"]
    page = (directory / "report" / "index.html").read_text()
    assert "matched to another scan" in page and "1 open finding" in page
    import_findings(directory / "vulnerabilities-before.jsonl", "open")
    import_findings(directory / "vulnerabilities.jsonl", "fixed")
    section = run_action(dir=directory)["summary"]["vulnerabilities"]
    assert section["open"] == 0 and section["changes"][0].startswith("Closed: 1 finding")


def test_findings_that_were_cut_are_refused(directory: Path) -> None:
    import_findings(directory / "vulnerabilities.jsonl", "open")
    path = directory / "vulnerabilities.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    failed = run_action(dir=directory)
    assert failed["failed"] and "the file was cut" in failed["msg"]
