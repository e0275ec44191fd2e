# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_plan_diff: two files or directories, never a failure because they differ, and nothing but plans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.rollout_plan_diff import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import seal

from tests.report import samples
from tests.report.estate import estate


def run(diff: bool = False, **options: Any) -> dict[str, Any]:
    task = Mock(args={key: str(value) for key, value in options.items()}, diff=diff, async_val=0, environment=[])
    task.check_mode = False
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return result


@pytest.fixture
def plans(tmp_path: Path) -> tuple[Path, Path]:
    """The directory of a plan, and the file of one with a node less in its first wave."""
    samples.completed().write(tmp_path / "june")
    later = json.loads((tmp_path / "june" / "plan.json").read_text("utf-8"))
    later["waves"][0]["nodes"].pop()
    (tmp_path / "july.json").write_text(json.dumps(seal(later)), "utf-8")
    return tmp_path / "june", tmp_path / "july.json"


def test_differences_are_returned_shown_and_no_failure(
    plans: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(before=plans[0], after=plans[1])
    assert not found.get("failed") and found["changed"] is False and found["same"] is False
    assert (len(found["removed"]), found["added"], found["moved"], found["altered"]) == (1, [], [], [])
    assert "Nodes removed: 1" in found["text"] and "diff" not in found
    back = run(before=plans[1], after=plans[0], diff=True)
    assert [node["node_id"] for node in back["added"]] == [node["node_id"] for node in found["removed"]]
    assert back["diff"]["before"].startswith("Plan ") and back["diff"]["before"] != back["diff"]["after"]


def test_the_same_plan(plans: tuple[Path, Path]) -> None:
    found = run(before=plans[0], after=plans[0] / "plan.json", diff=True)
    assert found["same"] is True and "diff" not in found and "have the same effect" in found["text"]


@pytest.mark.parametrize("option", ["before", "after"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "an existing file"),
        ("{", "readable JSON"),
        ("[]", "a plan of the schema patchtide/plan/3"),
        ('{"schema": "patchtide/scan/1"}', "a plan of the schema patchtide/plan/3"),
        (json.dumps({**samples.plan_of(estate(3), (1, 1)), "rehearsal": True}), "was changed after"),
    ],
)
def test_what_is_no_plan_is_named(plans: tuple[Path, Path], option: str, content: str | None, told: str) -> None:
    bad = plans[0].parent / "bad.json"
    if content is not None:
        bad.write_text(content)
    failed = run(**{"before": plans[0], "after": plans[0], option: bad})
    assert failed["failed"] and failed["msg"].startswith(f"{option}: ") and told in failed["msg"]
