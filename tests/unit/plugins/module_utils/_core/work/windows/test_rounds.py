# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A further round installs what waited for the reboot, and nothing that would fail or be rolled back again."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.rounds import (
    next_round,
    of_all_rounds,
)

LCU, NET = "KB5990101", "KB5990102"
PATCH = {"status": "succeeded", "installed": [LCU], "failed": [], "after_reboot": []}
REBOOT = {"status": "succeeded", "rebooted": True}
SCAN = {"status": "succeeded", "missing_after": [NET]}


def found(patch: Any = None, reboot: Any = None, scan: Any = None, left: int = 1) -> list[str]:
    results = {"patch": {**PATCH, **(patch or {})}, "reboot": {**REBOOT, **(reboot or {})}}
    return next_round([LCU, NET], results, {**SCAN, **(scan or {})}, left)


def test_what_is_offered_only_after_the_reboot_is_next() -> None:
    assert found() == [NET] == found({"withdrawn": [NET]})


def test_what_failed_because_of_a_pending_reboot_is_next() -> None:
    assert found({"status": "failed", "failed": [NET], "after_reboot": [NET]}) == [NET]


@pytest.mark.parametrize(
    "why",
    [
        {"left": 0},
        {"reboot": {"rebooted": False}},
        {"reboot": {"status": "unknown", "rebooted": None}},
        {"patch": {"no_retry": "its window is over"}},
        {"patch": {"failed": [NET]}},
        {"scan": {"status": "failed"}},
        {"scan": {"missing_after": []}},
        {"scan": {"missing_after": ["KB5990199"]}},  # nobody planned it
        {"scan": {"missing_after": [LCU]}},  # Windows has rolled it back
    ],
)
def test_there_is_no_further_round(why: dict[str, Any]) -> None:
    assert found(**why) == []


@pytest.mark.parametrize(
    ("first", "second", "status", "installed", "failed"),
    [
        ({}, {"status": "succeeded", "installed": [NET]}, "succeeded", [LCU, NET], []),
        ({}, {"status": "no_op", "installed": []}, "succeeded", [LCU], []),
        ({"installed": []}, {"status": "no_op", "installed": []}, "no_op", [], []),
        (
            {"status": "failed", "failed": [NET]},
            {"status": "succeeded", "installed": [NET]},
            "succeeded",
            [LCU, NET],
            [],
        ),
        ({"status": "failed", "failed": [NET]}, {"status": "no_op", "installed": []}, "failed", [LCU], [NET]),
        ({}, {"status": "failed", "installed": [], "failed": [NET]}, "failed", [LCU], [NET]),
        ({}, {"status": "unknown"}, "unknown", [LCU], []),
    ],
)
def test_all_rounds_have_one_result(
    first: dict[str, Any], second: dict[str, Any], status: str, installed: list[str], failed: list[str]
) -> None:
    before = {**PATCH, "started_at": "2026-12-01T22:00:00Z", "error": {"code": "install_failed", "text": "…"}, **first}
    both = of_all_rounds({"started_at": "2026-12-01T23:00:00Z", **second}, before)
    assert (both["status"], both["installed"], both["failed"]) == (status, installed, failed)
    assert both["started_at"] == "2026-12-01T22:00:00Z"
    assert status != "failed" or first.get("status") != "failed" or both["error"]["code"] == "install_failed"
