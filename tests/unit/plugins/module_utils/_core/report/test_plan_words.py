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
    start_note,
    turn_count,
    wave_notes,
    wave_warnings,
)

from tests.report import samples


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({}, {"Retries": "none", "Out of service at once": "no limit except the size of the wave"}),
        ({"retries": {"delivery": 0, "execution": 0}}, {"Retries": "none"}),
        ({"retries": {"delivery": 1}}, {"Retries": "commands that were not delivered, 1 retry"}),
        ({"budgets": {"wave": 3}}, {"Out of service at once": "at most 3 of each wave"}),
        ({"budgets": {"zone": None}}, {"Out of service at once": "no limit except the size of the wave"}),
    ],
)
def test_rules_are_said_in_words(rules: dict[str, Any], words: dict[str, str]) -> None:
    found = dict(plan_rules({"rules": rules}))
    assert {name: found[name] for name in words} == words


def test_a_plain_wave_has_one_turn_and_no_notes() -> None:
    plain = samples.plan_of(samples.estate(6))["waves"][0]
    assert turn_count(plain) == 1
    assert not list(wave_notes(plain)) and not list(wave_warnings(plain)) and not health_check_names(plain)


def test_turns_are_as_large_as_the_largest() -> None:
    wave = {"turns": 2, "nodes": [{"turn": 1}, {"turn": 2, "start": True}]}
    assert list(wave_notes(wave)) == [
        "2 turns of at most 1 node",
        "1 stopped node will be started; missing patches are not known yet",
    ]


def test_a_node_that_is_started_says_from_when_its_missing_patches_are() -> None:
    known = {"turn": 1, "start": True, "assessed_at": "2026-06-01T04:05:00Z"}
    assert start_note(known).endswith("those of its assessment on 2026-06-01 at 04:05 UTC")
    assert start_note({"start": True}).endswith("not known yet") and start_note({"assessed_at": "x"}) == ""
    assert list(wave_notes({"turns": 1, "nodes": [known, {"start": True}]})) == [
        "1 stopped node will be started; missing patches are not known yet",
        "1 deallocated node will be started; missing patches are those of the last assessments",
    ]


def test_what_emptied_a_wave_is_a_warning_and_no_note() -> None:
    wave: dict[str, Any] = {"nodes": [], "turns": 1, "emptied": "frozen", "notes": ["frozen", "another"]}
    wave["capacity"] = {"fits": False, "text": "too late"}
    assert list(wave_notes(wave)) == ["another"]
    assert list(wave_warnings(wave)) == [
        "no nodes, so its gate will pause: frozen",
        "does not fit its window: too late",
    ]
