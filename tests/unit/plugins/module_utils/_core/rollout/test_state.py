# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the state keeps of results: enough for what comes next, and little for each of ten thousand nodes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import kept


@pytest.mark.parametrize("name", ["arrived", "changes", "differences"])
def test_equal_rows_of_nodes_are_one_object(name: str) -> None:
    first, second = (kept({"node_id": node, name: [{"id": "bash", "new": "5.2-1"}]}) for node in "ab")
    assert first[name] == [{"id": "bash", "new": "5.2-1"}]
    assert first[name][0] is second[name][0]
    assert kept({name: [{"new": "5.2-1", "id": "zsh"}]})[name] == [{"new": "5.2-1", "id": "zsh"}]


@pytest.mark.parametrize("rows", [None, "bash", ["bash"], [{"id": ["bash"]}], [{"id": None, "new": 1}], [[]]])
def test_rows_that_are_none_are_kept_as_they_are(rows: Any) -> None:
    assert kept({"node_id": "a", "changes": rows}) == {"node_id": "a", "changes": rows}


def test_passed_checks_stay_in_the_journal_only() -> None:
    passed = {"outcome": "pass", "findings": [{"check": "disk", "ok": True}], "facts": {}}
    assert kept(passed) == {"outcome": "pass", "facts": {}}
    assert kept({**passed, "outcome": "skip"})["findings"] == passed["findings"]
    assert kept({"status": "failed"}, ran_before=True) == {"status": "failed", "ran_before": True}
    assert "findings" in passed, "the event is not changed"
