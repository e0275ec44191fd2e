# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's row: what was patched is never shown as missed."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.rows import MISSED, to_row
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.story import NodeStory
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import TagKeys


@pytest.mark.parametrize("code", ["freeze", "out_of_time", "missed_budget"])
def test_a_node_whose_reboot_was_put_off_was_patched_and_not_missed(code: str) -> None:
    """It is on the catch-up list as missed ones are, and keeps what was installed (E16)."""
    record = {"status": "reboot_pending", "error": {"code": code, "text": "not tonight"}, "installed": ["KB1"]}
    row = to_row("a", {}, NodeStory(stage="verify", result=record, decided=True), None, TagKeys())
    assert (row.status, row.code, row.installed) == ("reboot_pending", code, ["KB1"])
    missed = {**record, "status": "skipped", "error": {"code": "missed_budget", "text": "no time"}}
    assert to_row("a", {}, NodeStory(result=missed, decided=True), None, TagKeys()).status == MISSED


def test_a_result_without_a_status_is_no_end_of_a_node() -> None:
    story = NodeStory(stage="precheck", result={"outcome": "pass"})
    assert to_row("a", {}, story, None, TagKeys()).status == "not_started"
