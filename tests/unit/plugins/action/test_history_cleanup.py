# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""history_cleanup: what would be removed is told first, then removed once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.history_cleanup import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.runs import limit_run
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish


def run_action(check: bool = False, **options: Any) -> dict[str, Any]:
    task = Mock(args=options, check_mode=check, diff=False, async_val=0, environment=[])
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    return result


def test_what_was_replaced_is_removed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = HistoryDirectory(tmp_path)
    form = find_format(store, "jsonl", True)
    for days in (7.0, 8.0):
        publish(store, limit_run({"stale": days}, "2026-01-01T00:00:00.000Z"), form, "2026-01-02T00:00:00.000Z")
    for path in tmp_path.rglob("*"):
        os.utime(path, (0, 0))
    before = len(list(tmp_path.rglob("*")))
    asked = run_action(check=True, history=str(tmp_path))
    assert asked["changed"] and len(list(tmp_path.rglob("*"))) == before
    found = run_action(history=str(tmp_path), days=30)
    assert found["changed"] and found["files"] == asked["files"] and len(list(tmp_path.rglob("*"))) == before - 2
    assert not run_action(history=str(tmp_path))["changed"]
    assert "2 files of 1 publications would be removed" in capsys.readouterr().out
    assert "days" in run_action(history=str(tmp_path), days=0)["msg"]
