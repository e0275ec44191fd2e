# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Child plans: each node in exactly one, bound to the parent's digest, with budgets of the whole parent."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import check_plan, seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.split import (
    BY,
    NotOfParent,
    as_approved,
    check_part,
    group_of,
    split_plan,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.plans import completed, whole_plans

AZURE = "/subscriptions/5b0d/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm1"


def row(number: int, account: str = "1" * 12, region: str = "eu-central-1", **more: Any) -> dict[str, Any]:
    return {"node_id": f"i-{number}", "account": account, "region": region, **more}


def plan_of(*waves: list[dict[str, Any]], **rules: Any) -> dict[str, Any]:
    return completed([{"name": f"w{order}", "nodes": nodes} for order, nodes in enumerate(waves)], **rules)


def ids(plan: dict[str, Any]) -> list[str]:
    return [node["node_id"] for wave in plan["waves"] for node in wave["nodes"]]


PLACES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y", ""])), max_size=12)


@given(first=PLACES, second=PLACES, by=st.sampled_from(BY), at_most=st.integers(0, 5))
def test_each_node_is_in_exactly_one_child_and_each_child_proves_itself(
    first: list[tuple[str, str]], second: list[tuple[str, str]], by: str, at_most: int
) -> None:
    rows = [row(number, *place) for number, place in enumerate(first + second)]
    parent = plan_of(rows[: len(first)], rows[len(first) :])
    children = split_plan(parent, by, at_most)
    assert sorted(node for child in children for node in ids(child)) == sorted(ids(parent))
    assert len({child["rollout"] for child in children} | {parent["rollout"]}) == len(children) + 1
    assert not at_most or len(children) <= at_most
    groups = [{group_of(node, by) for wave in child["waves"] for node in wave["nodes"]} for child in children]
    assert sum(map(len, groups)) == len(set().union(*groups)), "a group is never divided"
    for child in children:
        check_plan(child)
        check_part(child, parent)
        assert [wave["name"] for wave in child["waves"]] == ["w0", "w1"]
        assert child["part"]["nodes"] == children[0]["part"]["nodes"]
        assert child["part"]["nodes"][child["part"]["name"]] == {
            wave["name"]: len(wave["nodes"]) for wave in child["waves"]
        }
        assert child["totals"]["nodes"] == len(ids(child)) > 0


def test_groups_of_a_cloud_of_a_site_and_of_none() -> None:
    aws, azure, host = row(1, tags={"Site": " Graz "}), row(2, "5b0d", "westeurope"), row(3, "", "")
    azure["node_id"] = AZURE
    nodes = [{"tags": {}, **node} for node in (aws, azure, host)]
    assert [group_of(node, "account_region") for node in nodes] == [f"{'1' * 12}/eu-central-1", "5b0d", "hosts"]
    assert [group_of(node, "account") for node in nodes] == ["1" * 12, "5b0d", "hosts"]
    assert [group_of(node, "site") for node in nodes] == ["Graz", "5b0d", "hosts"]


def test_it_is_repeatable_and_balanced() -> None:
    places = ["a"] * 5 + ["b"] * 3 + ["c"] * 2 + ["d"]
    parent = plan_of([row(number, place, "r") for number, place in enumerate(places)])
    children = split_plan(parent, "account", 2)
    assert children == split_plan(parent, "account", 2)
    assert [child["part"]["name"] for child in children] == ["01-a-and-1-more", "02-b-and-1-more"]
    assert Counter(len(ids(child)) for child in children) == {6: 1, 5: 1}


def test_names_are_those_of_directories_and_never_the_same() -> None:
    tags = [{"Site": site} for site in ("Wien/1", "wien 1", "../..", "Ω")]
    parent = plan_of([row(number, tags=tag) for number, tag in enumerate(tags)])
    names = [child["part"]["name"] for child in split_plan(parent, "site")]
    assert names == ["01-part", "02-wien-1", "03-wien-1", "04-part"]


def test_budgets_are_those_of_the_whole_plan() -> None:
    zones = [row(number, "ab"[number % 2], "r", zone="z", cluster="db" if number < 4 else "") for number in range(10)]
    budgets = {"rollout": "30%", "wave": None, "zone": "15%", "cluster": 1}
    parent = plan_of(zones[:9], [{**zones[9], "zone": "y"}], rules={"budgets": budgets})
    one, two = split_plan(parent, "account")
    assert one["part"]["limits"] == {"rollout": 3, "zone z": 2, "cluster db": 1}
    assert two["part"]["limits"] == {"rollout": 3, "zone z": 2, "zone y": 1, "cluster db": 1}
    assert one["rules"] == parent["rules"]


def test_a_wave_without_nodes_of_the_child_waits_for_no_window() -> None:
    night = {"number": 1, "nodes": 1}
    window = {"name": "night", "start": "2026-06-02T22:00:00Z", "cutoff_at": "2026-06-03T01:00:00Z"}
    window["end"] = "2026-06-03T02:00:00Z"
    waves = [
        {"name": "w0", "window": window, "nights": [{**window, **night}], "turns": 3, "nodes": [row(1, "a", "r")]},
        {"name": "w1", "nodes": [row(2, "b", "r")]},
    ]
    one, two = split_plan(completed(waves), "account")
    assert one["waves"][0]["nights"] and one["waves"][0]["window"] and one["waves"][0]["turns"] == 3
    assert (two["waves"][0]["nights"], two["waves"][0]["window"], two["waves"][0]["turns"]) == ([], None, 1)


def test_a_child_has_the_lists_of_its_nodes() -> None:
    parent = whole_plans()[0]
    parent["waves"][2].pop("promote_from")
    other = {**parent["lists"][0], "name": "other", "nodes": 1}
    node = {**parent["waves"][2]["nodes"][0], "node_id": "i-x", "account": "9" * 12, "list": "other"}
    parent["waves"][2]["nodes"].append(node)
    parent["lists"].append(other)
    one, two = split_plan(seal(parent), "account")
    assert two["lists"] == [other] and "other" not in [item["name"] for item in one["lists"]]
    assert [item["name"] for item in one["lists"]] == [item["name"] for item in parent["lists"][:-1]]


def test_only_the_approved_plans_own_children_pass() -> None:
    parent = plan_of([row(1, "a", "r"), row(2, "b", "r")])
    one, two = split_plan(parent, "account")
    other = plan_of([row(1, "a", "r"), row(2, "b", "r"), row(3, "b", "r")])
    with pytest.raises(NotOfParent, match=f"beside it has {other['digest']}"):
        check_part(one, other)
    (mine,), (theirs,) = one["waves"], two["waves"]
    more = seal({**one, "waves": [{**mine, "nodes": [*mine["nodes"], *theirs["nodes"]]}]})
    with pytest.raises(NotOfParent, match=f"split from the parent plan it has {one['digest']}"):
        check_part(more, parent)
    with pytest.raises(NotOfParent, match="it has none"):
        check_part(seal({**one, "part": {**one["part"], "name": "03-c"}}), parent)
    with pytest.raises(NotOfParent):
        check_part(parent, parent)


def test_approvals_name_the_parent() -> None:
    parent = plan_of([row(1, "a", "r"), row(2, "b", "r")])
    found = as_approved(split_plan(parent, "account")[0])
    assert (found["rollout"], found["digest"]) == (parent["rollout"], parent["digest"])
    assert as_approved(parent) == parent


def test_an_edited_part_is_another_plan() -> None:
    one = split_plan(plan_of([row(1, "a", "r"), row(2, "b", "r")]), "account")[0]
    with pytest.raises(BadInput):
        check_plan({**one, "part": {**one["part"], "limits": {"rollout": 99}}})


@pytest.mark.parametrize(
    ("by", "at_most", "text"),
    [("region", 0, "one of account_region, account, site"), ("account", -1, "a number of child plans")],
)
def test_what_cannot_be_meant_is_refused(by: str, at_most: int, text: str) -> None:
    with pytest.raises(BadInput, match=text):
        split_plan(plan_of([row(1)]), by, at_most)


def test_a_child_and_a_plan_that_promotes_patches_are_not_split() -> None:
    with pytest.raises(BadInput, match="not a child plan itself"):
        split_plan(split_plan(plan_of([row(1)]), "account")[0], "account")
    with pytest.raises(BadInput, match="promote_from"):
        split_plan(whole_plans()[0], "account")
