# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two plans compared: everything that differs is told, once, and nothing else."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.diff import diff_plans, diff_to_text
from hypothesis import given
from hypothesis import strategies as st

LISTS = ("added", "removed", "moved", "altered", "waves", "rules")


def node(name: str, turn: int = 1, patches: tuple[str, ...] = ("curl",), **more: Any) -> dict[str, Any]:
    known = {"node_id": f"i-{name}", "host": f"{name}.internal", "name": name, "executor": "ssm", "platform": "linux"}
    found = [{"id": patch, "title": patch} for patch in patches]
    return {**known, "turn": turn, "patches": found, "patch_count": len(found), "reboot": "no", **more}


def wave(name: str, *nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "window": None, "gate": {"max_failure_rate": 0.1}, **more, "nodes": list(nodes)}


def plan(*waves: dict[str, Any], excluded: tuple[dict[str, Any], ...] = (), **more: Any) -> dict[str, Any]:
    numbered = [{**item, "order": number} for number, item in enumerate(waves, 1)]
    rules = {"retries": {"delivery": 0}, "budgets": {"zone": None}}
    return {"rollout": "x", "policy": {"digest": "p"}, "rules": rules, "waves": numbered, "excluded": excluded, **more}


BEFORE = plan(wave("canary", node("a")), wave("rest", node("b"), node("c")))


def differing(after: dict[str, Any], before: dict[str, Any] = BEFORE) -> dict[str, Any]:
    """Return the kinds of difference that were found; the others must be empty."""
    diff = diff_plans(before, after)
    assert diff["same"] is (not any(diff[name] for name in LISTS))
    return {name: diff[name] for name in LISTS if diff[name]}


def test_a_plan_is_the_same_as_itself_made_again() -> None:
    again = {**deepcopy(BEFORE), "rollout": "y", "created_at": "later", "totals": {}, "warnings": ["w"]}
    again["waves"][0]["capacity"] = {"fits": True}
    assert differing(again) == {}
    assert "have the same effect" in diff_to_text(diff_plans(BEFORE, again))


def test_a_plan_of_an_older_release_has_turn_one() -> None:
    old = deepcopy(BEFORE)
    for item in old["waves"]:
        for member in item["nodes"]:
            del member["turn"]
    assert differing(BEFORE, old) == {} and differing(old) == {}


def test_who_comes_and_who_goes_with_the_reason_of_the_other_plan() -> None:
    left_out = {"node_id": "i-c", "host": "c.internal", "name": "c", "code": "stopped", "reason": "it is stopped"}
    after = plan(wave("canary", node("a")), wave("rest", node("b"), node("d")), excluded=(left_out,))
    found = differing(after)
    assert set(found) == {"added", "removed"}
    assert [(item["name"], item["wave"], item["reason"]) for item in found["removed"]] == [
        ("c", "rest", "stopped: it is stopped")
    ]
    assert [(item["name"], item["reason"]) for item in found["added"]] == [("d", "not in the inventory")]
    assert "stopped: it is stopped" in diff_to_text(diff_plans(BEFORE, after))


def test_moved_to_another_wave_or_turn() -> None:
    found = differing(plan(wave("canary", node("a"), node("b")), wave("rest", node("c", turn=2))))
    assert set(found) == {"moved"}
    assert [(item["name"], item["before"], item["after"]) for item in found["moved"]] == [
        ("b", {"wave": "rest", "turn": 1}, {"wave": "canary", "turn": 1}),
        ("c", {"wave": "rest", "turn": 1}, {"wave": "rest", "turn": 2}),
    ]


def test_other_work_on_a_node() -> None:
    changed = node("a", patches=("openssl",), reboot="yes", executor="linux", start=True)
    (found,) = differing(plan(wave("canary", changed), BEFORE["waves"][1]))["altered"]
    assert (found["patches_added"], found["patches_removed"]) == (["openssl"], ["curl"])
    assert {item["member"]: (item["before"], item["after"]) for item in found["changes"]} == {
        "executor": ("ssm", "linux"),
        "reboot": ("no", "yes"),
        "start": (None, True),
    }


def test_counted_patches_are_compared_where_none_are_listed() -> None:
    before = plan(wave("canary", node("a", patches=(), patch_count=3)))
    (found,) = differing(plan(wave("canary", node("a", patches=(), patch_count=4))), before)["altered"]
    assert found["changes"] == [{"member": "patch_count", "before": 3, "after": 4}]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"window": {"name": "w", "start": "s"}}, [("window", None, {"name": "w", "start": "s"})]),
        ({"gate": {"max_failure_rate": 0.2}}, [("gate.max_failure_rate", 0.1, 0.2)]),
        ({"gate": {}}, [("gate.max_failure_rate", 0.1, None)]),
        ({"soak_minutes": 5, "emptied": "frozen"}, [("emptied", None, "frozen"), ("soak_minutes", None, 5)]),
    ],
)
def test_a_wave_that_works_otherwise(change: dict[str, Any], told: list[tuple[str, Any, Any]]) -> None:
    found = differing(plan({**BEFORE["waves"][0], **change}, BEFORE["waves"][1]))
    assert set(found) == {"waves"}
    ((entry),) = found["waves"]
    assert (entry["wave"], entry["change"]) == ("canary", "changed")
    assert [(item["member"], item["before"], item["after"]) for item in entry["changes"]] == told


def test_waves_that_come_go_or_change_places() -> None:
    first, second = BEFORE["waves"]
    names = [(item["wave"], item["change"]) for item in differing(plan(second, first))["waves"]]
    assert names == [("rest", "changed"), ("canary", "changed")]
    found = differing(plan(wave("new"), first, second))
    assert found == {"waves": [{"wave": "new", "change": "added", "changes": []}]}
    assert differing(plan(first, second), plan(wave("old"), first, second)) == {
        "waves": [{"wave": "old", "change": "removed", "changes": []}]
    }


def test_rules_of_the_whole_rollout() -> None:
    rules = {"retries": {"delivery": 2}, "budgets": {"zone": "25%"}}
    found = differing({**BEFORE, "rules": rules, "policy": {"digest": "q"}})["rules"]
    assert [item["member"] for item in found] == ["policy.digest", "rules.budgets.zone", "rules.retries.delivery"]


def test_the_text_is_short_and_harmless_whatever_the_names() -> None:
    many = [node(f"n{number}\x1b[31m", patches=tuple(f"p{index}" for index in range(9))) for number in range(40)]
    text = diff_to_text(diff_plans(BEFORE, plan(wave("canary", node("a", patches=())), wave("rest", *many))))
    assert "Nodes added: 40" in text and "and 28 more" in text and "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 114 and len(text.splitlines()) < 40


@given(
    before=st.dictionaries(st.integers(0, 8), st.sampled_from(["canary", "rest"])),
    after=st.dictionaries(st.integers(0, 8), st.sampled_from(["canary", "rest"])),
)
def test_each_node_is_told_once_and_the_reverse_is_the_reverse(before: dict[int, str], after: dict[int, str]) -> None:
    one, two = (
        plan(*(wave(name, *(node(str(key)) for key in chosen if chosen[key] == name)) for name in ("canary", "rest")))
        for chosen in (before, after)
    )
    there, back = diff_plans(one, two), diff_plans(two, one)
    assert {item["name"] for item in there["added"]} == {str(key) for key in after.keys() - before.keys()}
    assert {item["name"] for item in there["removed"]} == {item["name"] for item in back["added"]}
    assert {item["name"] for item in there["moved"]} == {
        str(key) for key in before.keys() & after.keys() if before[key] != after[key]
    }
    assert there["altered"] == [] and there["same"] is (before == after)
