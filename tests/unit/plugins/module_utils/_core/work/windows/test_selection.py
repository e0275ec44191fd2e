# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which updates are asked for, and what win_updates answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.read import read
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.node_answer import BadAnswer
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.selection import (
    UpdateRules,
    accept_list,
    strangers,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.updates import Update, read_updates
from hypothesis import given
from hypothesis import strategies as st

LCU = {"title": "2026-11 Cumulative Update (KB5001234)", "kb": ["5001234"], "categories": ["Security Updates"]}


def matches(entry: str, title: str, kb: str) -> bool:
    """Source: win_updates.ps1: title and KBs are one string, which ``-imatch`` searches."""
    return re.search(entry, f"{title}{kb}", re.IGNORECASE) is not None


def test_an_entry_finds_its_kb_and_no_longer_number() -> None:
    (entry,) = accept_list(["KB500123"])
    assert matches(entry, "Update for Windows", "KB500123") and matches(entry, "Update (KB500123)", "KB500123")
    assert not matches(entry, "Update (KB5001234)", "KB5001234")


def test_numbers_are_asked_for_once() -> None:
    assert accept_list(["KB5001234", "kb5001234", "5001234"]) == ["KB5001234(?![0-9])"]


@pytest.mark.parametrize("patch_id", ["", "openssl.amd64:3", "KB5", "KB5001234|.*", "KB5001234\n", ".*"])
def test_what_is_no_kb_is_refused(patch_id: str) -> None:
    with pytest.raises(BadAnswer, match="is no KB number"):
        accept_list([patch_id])


def test_an_update_that_only_mentions_a_planned_kb_is_a_stranger() -> None:
    planned = Update(id="a", title="Cumulative Update (KB5001234)", kbs=("KB5001234",))
    other = Update(id="b", title="Fix of KB5001234 (KB5009999)", kbs=("KB5009999",))
    assert strangers([planned, other], ["KB5001234"], UpdateRules()) == [other]


def of(*categories: str) -> Update:
    return Update(id="a", title="t", kbs=("KB5001234",), categories=categories)


@pytest.mark.parametrize(
    ("rules", "categories", "left_out"),
    [
        ({}, ("Security Updates", "Windows Server 2022"), False),
        ({}, (), False),
        ({}, ("Upgrades",), True),
        ({}, ("DRIVERS",), True),
        ({}, ("Definition Updates",), True),
        ({}, ("Service Packs",), True),
        ({"further": ["Upgrades"]}, ("Upgrades",), False),
        ({"further": ["Upgrades"]}, ("Feature Packs",), True),
        ({"further": ["Upgrades"]}, ("Upgrades", "Drivers"), True),
        ({"categories": ["windows server*"]}, ("Security Updates", "Windows Server 2022"), False),
        ({"categories": ["windows server*"]}, ("Security Updates", "Microsoft SQL Server 2022"), True),
        ({"categories": ["windows server*"]}, (), True),
        ({"categories": ["Security Updates"]}, ("Upgrades",), True),
        ({"exclude_categories": ["*SQL Server*"]}, ("Security Updates", "Microsoft SQL Server 2022"), True),
        ({"exclude_categories": ["*SQL Server*"]}, ("Security Updates", "Windows Server 2022"), False),
        ({"categories": ["*"], "exclude_categories": ["*SQL*"]}, ("Microsoft SQL Server 2022",), True),
    ],
)
def test_what_is_left_out_is_a_stranger_though_planned(
    rules: dict[str, Any], categories: tuple[str, ...], left_out: bool
) -> None:
    update, read_rules = of(*categories), read(UpdateRules, rules)
    assert read_rules.leave_out(update) is left_out
    assert strangers([update], ["KB5001234"], read_rules) == ([update] if left_out else [])


def test_a_search_asks_the_server_of_the_policy_for_all_categories() -> None:
    assert UpdateRules().search == {"category_names": ["*"], "server_selection": "default"}
    assert UpdateRules(server="managed_server").search["server_selection"] == "managed_server"


def test_an_answer_has_what_was_selected_and_why_the_rest_was_not() -> None:
    hidden = {"title": "Hidden (KB5001236)", "kb": "5001236", "categories": [], "filtered_reasons": ["hidden"]}
    driver = {"title": "Driver", "kb": [], "categories": "Drivers", "filtered_reasons": "category_names"}
    found = read_updates({"updates": {"a": {**LCU, "installed": True}}, "filtered_updates": {"b": hidden, "c": driver}})
    assert [(item.id, item.kbs, item.installed) for item in found.selected] == [("a", ("KB5001234",), True)]
    assert [item.reasons for item in found.filtered] == [("hidden",), ("category_names",)]
    assert [item.id for item in found.offered] == ["a", "c"] and not found.trouble


def test_a_failure_keeps_its_code_and_the_updates() -> None:
    """Source: the action plugin adds "(WU_E_… 0x80240022)" to the message, and codes of updates are unsigned."""
    rows = {"a": {**LCU, "failure_hresult_code": 0x80070005}}
    message = (
        "Failed to install all updates - Operation failed for all the updates (WU_E_ALL_UPDATES_FAILED 0x80240022)"
    )
    found = read_updates({"failed": True, "msg": message, "updates": rows, "filtered_updates": {}})
    assert (found.hresult, found.selected[0].hresult, found.lost) == (0x80240022, 0x80070005, False)


def test_a_broken_connection_says_nothing_about_the_updates() -> None:
    found = read_updates({"unreachable": True, "msg": "cut", "updates": {}, "filtered_updates": {}})
    assert found.lost and found.trouble == "cut"


def test_a_failure_without_words_or_updates_is_a_failure() -> None:
    assert read_updates({"failed": True}).trouble == "win_updates failed and said nothing"


@pytest.mark.parametrize("answer", [None, [], {}, {"updates": []}, {"updates": {}}, "text"])
def test_what_is_no_answer_is_refused(answer: object) -> None:
    with pytest.raises(BadAnswer, match="no result of win_updates"):
        read_updates(answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
NAMES = ("title", "kb", "categories", "installed", "failure_hresult_code", "filtered_reasons")
ROW = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6)


@given(st.dictionaries(st.text(max_size=5), ROW | JSON, max_size=3), st.booleans(), JSON)
def test_nothing_that_a_host_answers_breaks_the_reader(rows: dict[str, Any], failed: bool, msg: object) -> None:
    found = read_updates({"updates": rows, "filtered_updates": rows, "failed": failed, "msg": msg})
    assert all(len(item.title) <= 300 and item.title.isprintable() for item in found.offered)
