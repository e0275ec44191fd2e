# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What steers a plan's run, in words."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.plan_words import (
    health_check_names,
    plan_rules,
    turn_count,
    wave_notes,
    wave_warnings,
)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({}, {}),
        ({"retries": {"delivery": 0, "execution": 0}}, {"Retries": "none"}),
        ({"retries": {"delivery": 1}}, {"Retries": "commands that were not delivered, 1 retry"}),
        ({"budgets": {"wave": 3}}, {"Out of service at once": "at most 3 of each wave"}),
        ({"budgets": {"zone": None}}, {"Out of service at once": "no limit except the size of the wave"}),
    ],
)
def test_rules_are_said_in_words(rules: dict[str, Any], words: dict[str, str]) -> None:
    found = dict(plan_rules({"rules": rules}))
    assert {name: found[name] for name in words} == words
    assert bool(found) == bool(rules)


def test_an_old_wave_has_one_turn_and_no_notes() -> None:
    old = {"name": "canary", "nodes": [{"node_id": "a"}]}
    assert turn_count(old) == 1
    assert not list(wave_notes(old)) and not list(wave_warnings(old)) and not health_check_names(old)


def test_turns_are_as_large_as_the_largest() -> None:
    wave = {"turns": 2, "nodes": [{"turn": 1}, {"turn": 2, "start": True}]}
    assert list(wave_notes(wave)) == [
        "2 turns of at most 1 node",
        "1 stopped node will be started; missing patches are not known yet",
    ]


def test_what_emptied_a_wave_is_a_warning_and_no_note() -> None:
    wave = {"emptied": "frozen", "notes": ["frozen", "another"], "capacity": {"fits": False, "text": "too late"}}
    assert list(wave_notes(wave)) == ["another"]
    assert list(wave_warnings(wave)) == [
        "no nodes, so its gate will pause: frozen",
        "does not fit its window: too late",
    ]
