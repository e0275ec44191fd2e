# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_ticket: what tickets say follows from the rollout's directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_ticket import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import seal_scan

from tests.report import samples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    samples.aborted().write(tmp_path)
    return tmp_path


def run(folder: Path, **options: Any) -> dict[str, Any]:
    task = Mock(args={"dir": str(folder), **options}, check_mode=False, diff=False, async_val=0, environment=[])
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return result


def test_a_rollout_that_was_aborted(folder: Path) -> None:
    found = run(folder)
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    assert (found["changed"], found["finished"], found["rehearsal"]) == (False, True, False)
    assert found["change"]["correlation_id"] == f"patchtide:{plan['digest']}" and plan["digest"] in found["page"]
    assert found["outcome"]["close_code"] == "unsuccessful"
    assert [row["recovered"] for row in found["incidents"]][-1] is False
    assert found["item_queries"] == [] and "items" not in found and "objections" not in found


def test_a_plan_that_has_not_begun(folder: Path) -> None:
    (folder / "journal.jsonl").unlink()
    found = run(folder)
    assert (found["finished"], found["outcome"], found["incidents"]) == (False, {}, [])


def test_a_change_and_items_are_judged_if_they_are_given(folder: Path) -> None:
    lookups = [{"table": "cmdb_ci_server", "column": "name", "by": "name"}]
    found = run(folder, change={"number": "CHG1"}, lookups=lookups, items={"cmdb_ci_server": []})
    assert "cannot read its sys_id" in found["objections"][0]
    assert found["items"]["linked"] == [] and found["items"]["missing"]
    assert {row["table"] for row in found["item_queries"]} == {"cmdb_ci_server"}


def later_scan(folder: Path, at: str) -> str:
    scan = json.loads((folder / "scan.json").read_text("utf-8"))
    for node in scan["nodes"].values():
        node.update(missing=[], counts={"missing_count": 0, "installed_count": 412, "failed_count": 0})
    scan.pop("digest", None)
    path = folder / "later.json"
    path.write_text(json.dumps(seal_scan({**scan, "at": at})), "utf-8")
    return str(path)


def test_a_later_scan_shows_who_has_recovered(folder: Path) -> None:
    found = run(folder, scan=later_scan(folder, "2026-12-24T00:00:00.000Z"))
    assert all(row["recovered"] for row in found["incidents"])


def test_an_earlier_scan_says_nothing_about_afterwards(folder: Path) -> None:
    found = run(folder, scan=later_scan(folder, "2026-11-17T16:00:00.000Z"))
    assert found["failed"] and "newer than the last record of the rollout" in found["msg"]
