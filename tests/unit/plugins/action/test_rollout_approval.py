# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_journal state=opened: refuses what was not approved and writes down who approved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_journal import ActionModule

from tests.report import samples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    samples.completed().write(tmp_path)
    (tmp_path / "journal.jsonl").unlink()
    return tmp_path


def start(folder: Path, *, check: bool = False, **options: Any) -> dict[str, Any]:
    arguments = {"dir": str(folder), "state": "opened", "approval_required": True, **options}
    task = Mock(args=arguments, check_mode=check, diff=False, async_val=0, environment=[])
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return result


def started(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "journal.jsonl").read_text().splitlines()[0])["data"]
    return data


def digest(folder: Path) -> str:
    return str(json.loads((folder / "plan.json").read_text())["digest"])


@pytest.mark.parametrize("check", [True, False])
def test_refused_without_approval_and_nothing_is_written(folder: Path, check: bool) -> None:
    found = start(folder, check=check)
    assert found["failed"] and found["error"]["code"] == "NotApproved" and digest(folder) in found["msg"]
    assert not (folder / "journal.jsonl").exists()


def test_the_file_s_approver_stands_in_the_journal_and_resuming_needs_no_file(folder: Path) -> None:
    approval = folder / "approval.yml"
    approval.write_text(f"{{digest: '{digest(folder)}', by: Dana, at: 2026-11-09T14:00:00Z, reason: CHG0040007}}")
    assert start(folder, approval_file=str(approval))["status"] == "running"
    found = started(folder)["approval"]
    assert (found["by"], found["reason"], found["digest"]) == ("Dana", "CHG0040007", digest(folder))
    assert start(folder)["changed"]


def test_a_file_that_is_missing_or_for_another_plan_is_refused(folder: Path) -> None:
    assert "approval_file" in start(folder, approval_file=str(folder / "no.yml"))["msg"]
    (folder / "no.yml").write_text("{digest: abcdefabcdef, by: Dana}")
    assert "approval_file.digest" in start(folder, approval_file=str(folder / "no.yml"))["msg"]
    assert not (folder / "journal.jsonl").exists()
