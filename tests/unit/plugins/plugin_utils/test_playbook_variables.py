# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of playbooks: blank is unset, zero and false are not, and what is wrong is named before anything begins."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.playbook_variables import (
    PLAYBOOKS,
    VARIABLES,
    WrongVariables,
    read,
)


def given(playbook: str, **more: Any) -> dict[str, Any]:
    needed = [item.split("|")[0] for item in PLAYBOOKS[playbook].needs]
    values = {name: next(iter(VARIABLES[name].choices), "x") for name in needed}
    return {f"patchtide_{name}": value for name, value in {**values, **more}.items()}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
@pytest.mark.parametrize("blank", ["", "  ", None])
def test_blank_means_unset(playbook: str, blank: object) -> None:
    row = PLAYBOOKS[playbook]
    blanks = dict.fromkeys(row.takes, blank)
    values = given(playbook, **blanks)
    found = read(playbook, values, values)
    assert found == read(playbook, given(playbook), {})
    assert {name: found.get(name) for name in row.takes} == row.takes
    for item in row.needs:
        missing = {f"patchtide_{name}": blank for name in item.split("|")}
        with pytest.raises(WrongVariables, match=f"{playbook} needs patchtide_{item.split('|')[0]} "):
            read(playbook, {**given(playbook), **missing}, {})


def test_zero_and_false_are_values() -> None:
    found = read("run_due", given("run_due", ahead_minutes=0, takeover_minutes="0"), {})
    assert (found["ahead_minutes"], found["takeover_minutes"]) == (0, 0)
    for no in (False, "false", "no"):
        assert read("sync_windows", given("sync_windows", custom_inventory=no), {})["custom_inventory"] is False


def test_values_get_their_types() -> None:
    found = read("choose_window", given("choose_window", nodes="web-1, web-2", until=date(2026, 12, 31)), {})
    assert found["nodes"] == ["web-1", "web-2"] and found["until"] == "2026-12-31"
    assert read("scan_compliance", given("scan_compliance", dir=2026), {})["dir"] == "2026"


@pytest.mark.parametrize(
    ("playbook", "name", "value", "expected"),
    [
        ("rollout_patches", "window_wait_minutes", "-1", "a whole number of minutes, 0 or more"),
        ("rollout_patches", "window_wait_minutes", 1.5, "a whole number of minutes, 0 or more"),
        ("rollout_patches", "poll_interval", 0, "a whole number of seconds, 1 or more"),
        ("rollout_patches", "allow_changed_policy", "perhaps", "true or false"),
        ("approve_plan", "verdict", "aprove", "one of approve, reject"),
        ("steer_rollout", "decision", "undo", "one of promote, retry"),
        ("steer_rollout", "nodes", {"a": 1}, "a list, or texts separated by commas or line ends"),
        ("steer_rollout", "dir", ["a"], "a text"),
        ("steer_rollout", "wave", True, "a text"),
    ],
)
def test_an_invalid_value_is_named(playbook: str, name: str, value: object, expected: str) -> None:
    with pytest.raises(BadInput, match=f"patchtide_{name}: .*{expected}"):
        read(playbook, given(playbook, **{name: value}), {})


def test_a_misspelt_extra_variable_is_named_with_the_right_one() -> None:
    with pytest.raises(WrongVariables, match=r"patchtide_polcy_file \(did you mean patchtide_policy_file\?\)"):
        read("apply_policy", {}, {"patchtide_polcy_file": "p.yml"})
    with pytest.raises(WrongVariables, match="patchtide_rules"):
        read("apply_policy", {}, {"patchtide_rules": {}})
    for known in ("patchtide_plan_digest", "patchtide_executor", "patchtide_wave", "awx_job_id"):
        assert read("apply_policy", {}, {known: "x"}) == {"policy_file": "policy.yml"}


def test_run_due_refuses_what_would_count_for_all_rollouts() -> None:
    for name in PLAYBOOKS["run_due"].refuses:
        extra = {f"patchtide_{name}": "x"}
        with pytest.raises(WrongVariables, match=f"run_due takes no patchtide_{name}: it would count for all rollouts"):
            read("run_due", given("run_due", **{name: "x"}), extra)
        assert read("run_due", given("run_due", **{name: "x"}), {}), "an inventory may set it for other playbooks"
        assert read("run_due", given("run_due"), {f"patchtide_{name}": ""})


def test_every_kind_of_variable_is_known() -> None:
    for playbook, row in PLAYBOOKS.items():
        for name in row.names:
            kind = VARIABLES[name].kind
            value = {"list": ["a"], "yes or no": True, "data": {}}.get(kind, 1)
            value = VARIABLES[name].choices[0] if VARIABLES[name].choices else value
            assert name in read(playbook, given(playbook, **{name: value}), {})
