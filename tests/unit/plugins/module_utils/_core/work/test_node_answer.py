# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node answers is brought within bounds before anything else sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.node_answer import (
    LONGEST,
    MOST,
    BadAnswer,
    bounded,
    not_understood,
    read_object,
    words,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import PrecheckRules, evaluate_probe


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5000, "1e999", "-1e999", "NaN", "Infinity", "1" + "0" * 16])
def test_numbers_that_nothing_counts_are_not_known(number: str) -> None:
    assert read_object(f'{{"probe": 1, "cpus": {number}, "load1": 0.5}}') == {"probe": 1, "cpus": None, "load1": 0.5}


def test_deep_and_wide_answers_are_cut() -> None:
    assert read_object('{"a":' * 3000) is None
    deep: Any = "end"
    for _level in range(50):
        deep = {"a": deep}
    assert json.dumps(bounded(deep)).count("{") == 8
    assert len(bounded(["x"] * (MOST + 9))) == MOST and len(bounded("x" * 10**5)) == LONGEST


def test_texts_are_safe_to_keep_and_to_show() -> None:
    assert bounded({"a\x9b": ["b\u202e\0\ud800c"]}) == {"a ": ["b   c"]}
    assert words("x" * 30, 10) == "xxxxxxxxx…"


def test_what_broke_is_named() -> None:
    assert str(not_understood(OverflowError("int too large"))) == (
        "its answer can't be understood (OverflowError: int too large)"
    )
    known = BadAnswer("x")
    assert not_understood(known) is known


@pytest.mark.parametrize("huge", [10**400, -(10**4000), float("inf"), float("nan"), "9" * 400, [[]], {"a": 1}])
def test_a_probe_with_huge_numbers_is_judged(huge: Any) -> None:
    rules = PrecheckRules(max_load_per_cpu=2.0)
    disks = [{"mount": "/", "free_mb": huge}]
    probe = {"probe": 1, "platform": "linux", "load1": huge, "cpus": huge, "disks": disks, "boot_id": huge}
    found = evaluate_probe(probe, rules)
    assert found.outcome == "skip" and {item.check for item in found.findings if not item.ok} >= {"disk", "load"}
    json.dumps(found.to_dict(), allow_nan=False)
