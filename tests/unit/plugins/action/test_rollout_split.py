# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_split writes child plans once, repairs what a crash left out, and refuses to split in another way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_split import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import check_plan
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import read_stores

from tests.fakes.events import started
from tests.fakes.fleet_port import FakeClock
from tests.fakes.plans import completed

TABLES = {"claims": "dynamodb:eu-central-1/claims", "journal": "dynamodb:eu-central-1/journals"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    nodes = [{"node_id": f"i-{account}", "account": account, "region": "r"} for account in "abc"]
    (tmp_path / "plan.json").write_text(json.dumps(completed([{"name": "w", "nodes": nodes}])), "utf-8")
    return tmp_path


def split(folder: Path, *, check: bool = False, **options: Any) -> dict[str, Any]:
    args = {"dir": str(folder), **TABLES, **options}
    task = Mock(args=args, check_mode=check, diff=False, async_val=0, environment=[])
    found: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return found


def test_each_child_has_its_plan_and_the_tables_and_the_second_run_changes_nothing(folder: Path) -> None:
    found = split(folder, at_most=2)
    assert found["changed"] and [row["nodes"] for row in found["children"]] == [2, 1]
    for row in found["children"]:
        plan = json.loads((Path(row["dir"]) / "plan.json").read_text("utf-8"))
        check_plan(plan)
        assert (plan["digest"], plan["rollout"]) == (row["digest"], row["rollout"])
        stores = read_stores(Path(row["dir"]))
        assert (stores.claims, stores.journal) == (TABLES["claims"], TABLES["journal"])
    again = split(folder, at_most=2)
    assert not again["changed"] and again["children"] == found["children"]


def test_check_mode_writes_nothing(folder: Path) -> None:
    assert split(folder, check=True)["changed"]
    assert [path.name for path in folder.iterdir()] == ["plan.json"]


def test_what_a_crash_left_out_is_written_by_the_next_run(folder: Path) -> None:
    path = Path(split(folder)["children"][1]["dir"]) / "plan.json"
    path.unlink()
    assert split(folder)["changed"] and path.exists() and not split(folder)["changed"]


@pytest.mark.parametrize(
    ("options", "text"),
    [({"by": "account"}, "not split in another way"), ({"at_most": 1}, "not split in another way")],
)
def test_a_plan_is_not_split_twice_in_different_ways(folder: Path, options: dict[str, Any], text: str) -> None:
    split(folder)
    assert text in split(folder, **options)["msg"]


def test_controllers_need_one_table_of_claims_and_a_rollout_that_has_not_begun(folder: Path) -> None:
    assert "dynamodb:<table>" in split(folder, claims="none")["msg"]
    rollout = RolloutDir(folder, FakeClock())
    rollout.record(started(rollout.plan["digest"]))
    assert "a plan whose rollout has not begun" in split(folder)["msg"]
    assert not (folder / "split.json").exists()
