# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""policy_info as a task: what it returns, and how it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.policy_info import ActionModule

ROOT = Path(__file__).parents[4]


def run_action(**options: Any) -> dict[str, Any]:
    task = Mock(args=options, check_mode=True, diff=False, async_val=0, environment=[])
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return result


def test_policy_is_returned_complete() -> None:
    result = run_action(path=str(ROOT / "examples" / "policy.yml"))
    assert result["changed"] is False
    assert result["policy"]["waves"][0]["gate"]["max_failure_rate"] == 0.0
    assert len(result["digest"]) == 64
    assert result["places"][0] == {
        "place": "111122223333/eu-central-1",
        "account": "111122223333",
        "account_name": "web",
        "region": "eu-central-1",
    }
    assert len(result["places"]) == 4 and len(result["targets"]) == 1
    assert len(result["declared"]["baselines"]) == 4


def test_places_are_left_out_of_the_targets_alone() -> None:
    path = str(ROOT / "examples" / "policy.yml")
    result = run_action(path=path, without_places=["111122223333/eu-central-1"])
    assert [target["regions"] for target in result["targets"]] == [["us-east-1"], ["eu-central-1", "us-east-1"]]
    assert len(result["places"]) == 4


def test_mistakes_fail_the_task_with_one_message() -> None:
    result = run_action(policy={"version": 1, "name": "x", "waves": [{"name": "a", "size": "ten"}, {}]})
    assert result["failed"] is True
    assert result["msg"].splitlines() == [
        "The policy has 2 mistakes:",
        "  waves[0].size: 'ten' is not valid, expected a count such as 5 or a share such as 10%",
        "  waves[1].name is missing, expected name of the wave",
    ]
    assert [mistake["path"] for mistake in result["error"]["mistakes"]] == ["waves[0].size", "waves[1].name"]


@pytest.mark.parametrize("options", [{}, {"path": "a", "policy": {}}])
def test_file_or_policy(options: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"path, policy|mutually exclusive"):
        run_action(**options)
