# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan warns of: empty waves, waves without limits, uncovered nodes, trouble, exceptions without a ledger."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.warnings import (
    PlanNotStrict,
    check_strict,
    preference_warnings,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy

BASELINES: dict[str, Any] = {
    "baselines": [
        {"name": "al", "operating_system": "AMAZON_LINUX_2023"},
        {"name": "win", "operating_system": "WINDOWS"},
    ],
    "patch_groups": [{"name": "WEB", "baselines": ["al"]}, {"name": "ALL", "baselines": ["al", "win"]}],
}
REST = {"name": "rest", "select": {"platforms": ["linux", "windows"]}}
LAST = {"name": "last"}


def node(number: int, **more: Any) -> Candidate:
    given = {"executor": "ssm", "platform": "linux", "patch_group": "WEB", "ping_status": "Online", **more}
    return Candidate(node_id=f"i-{number}", host=f"h{number}", account="1", region="r", **given)


def plan_of(
    nodes: list[Candidate],
    *waves: dict[str, Any],
    done: tuple[str, ...] = (),
    places: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """Return the plan; ``done`` names nodes on which nothing is missing, ``places`` those that did not answer."""
    missing = {item.node_id: [] if item.node_id in done else [{"id": "a"}] for item in nodes}
    scan = {key: {"status": "succeeded", "missing": found} for key, found in missing.items()}
    return build_plan(
        nodes,
        to_policy({"name": "p", "patching": {"pin": "baseline"}, "waves": list(waves), **BASELINES, **more}),
        {"nodes": scan, "failed_places": [{"place": name, "error": {"message": "no"}} for name in places]},
        policy_digest="d",
        created_at="2026-06-01T00:00:00Z",
    )


def warnings(nodes: list[Candidate], *waves: dict[str, Any], **more: Any) -> list[str]:
    return list(plan_of(nodes, *waves, **more)["warnings"])


def canary(**select: Any) -> dict[str, Any]:
    return {"name": "canary", "select": select}


@pytest.mark.parametrize(
    ("waves", "done", "why"),
    [
        ([canary(nodes=["gone"]), REST], (), "its select matches no node of the estate; wave rest would go first"),
        (
            [canary(nodes=["i-1"]), REST],
            ("i-1",),
            "no node that it selects can be patched or needs a patch; wave rest would go first",
        ),
        (
            [REST, canary(nodes=["i-1"]), {"name": "last", "select": {"platforms": ["macos"]}}],
            (),
            "earlier waves took the nodes that it selects; wave last would go first",
        ),
    ],
)
def test_the_gate_of_a_wave_without_nodes_pauses_before_the_others(
    waves: list[Any], done: tuple[str, ...], why: str
) -> None:
    nodes = [node(1), node(2), node(3, platform="macos", executor="linux")][: 3 if len(waves) > 2 else 2]
    plan = plan_of(nodes, *waves, done=done)
    assert [wave["emptied"] for wave in plan["waves"] if wave["name"] == "canary"] == [why]
    assert plan["warnings"] == [f"Wave canary has no nodes, so its gate will pause: {why}."]


def test_a_last_wave_that_selects_nobody_is_told_and_does_not_pause() -> None:
    plan = plan_of([node(1)], REST, canary(nodes=["gone"]))
    assert plan["warnings"] == ["Wave canary has no nodes: its select matches no node of the estate."]
    assert not any("emptied" in wave for wave in plan["waves"])


def test_a_wave_that_may_be_empty_is_not_told() -> None:
    assert warnings([node(1)], canary(missed=True), REST) == []
    assert warnings([node(1)], REST, canary(nodes=["i-1"])) == []
    assert warnings([node(1)], canary(nodes=["i-1"]), REST, done=("i-1",)) == []


def test_a_wave_that_nothing_limits_is_told() -> None:
    (text,) = warnings([node(1), node(2)], LAST)
    assert text.startswith("Wave last has no select, so it takes every node that no earlier wave took, 2 nodes")
    assert warnings([node(1)], {"name": "all", "select": {"groups": ["all"]}}) != [text]
    assert warnings([node(1)], {**LAST, "size": 5}) == []


def test_nodes_that_no_baseline_covers_are_counted_and_named() -> None:
    some = [node(1), node(2, patch_group="DB"), node(3, platform="windows"), node(4, patch_group="ALL")]
    (text,) = warnings([*some, *(node(n, patch_group="") for n in range(5, 8))], REST)
    assert text.startswith("5 nodes are covered by no baseline of the policy (h2, h3, h5 and 2 more): ")


def test_the_plan_names_the_baseline_that_covers_a_node() -> None:
    plan = plan_of([node(1), node(2, patch_group="DB"), node(3, executor="linux")], REST)
    assert [item.get("baseline") for wave in plan["waves"] for item in wave["nodes"]] == [None, "al", ""]


@pytest.mark.parametrize(
    ("item", "default"),
    [
        (node(1, os="Amazon Linux", os_version="2023.6"), None),
        (node(1, os="Plan 9"), None),
        (node(1, patch_group="ALL", platform="windows", os="Microsoft Windows Server 2022"), None),
        (node(1, patch_group="DB"), True),
        (node(1, patch_group="DB", executor="linux"), None),
    ],
)
def test_covered_nodes_are_not_told(item: Candidate, default: bool | None) -> None:
    first, second = BASELINES["baselines"]
    assert warnings([item], REST, baselines=[{**first, "default": default}, second]) == []


@pytest.mark.parametrize(
    "item",
    [
        node(1, os="Ubuntu"),
        node(1, os="Amazon Linux", os_version="2"),
        node(1, os="Amazon Linux", os_version="2018.03"),
    ],
)
def test_a_baseline_of_another_system_does_not_cover(item: Candidate) -> None:
    assert "covered by no baseline" in warnings([item], REST)[0]


def test_amazon_linux_2_is_not_2023() -> None:
    al2 = {"baselines": [{"name": "al", "operating_system": "AMAZON_LINUX_2"}]}
    assert warnings([node(1, os="Amazon Linux", os_version="2")], REST, **al2) == []
    assert len(warnings([node(1, os="Amazon Linux", os_version="2023")], REST, **al2)) == 1


def test_trouble_and_silent_places_are_told_decisions_are_not() -> None:
    nodes = [
        node(1),
        node(2, ping_status="ConnectionLost"),
        node(3, state="stopped"),
        node(4, state="stopped"),
        node(5),
    ]
    exclude = [{"select": {"nodes": ["i-5"]}, "reason": "theirs"}]
    trouble, silent = warnings(nodes, REST, exclude=exclude, places=("1/eu", "2/eu"))
    assert trouble == "3 nodes are left out because of trouble: 1 offline, 2 stopped (h2, h3, h4)."
    assert silent == "2 account-Regions did not answer the scan, so their nodes are not in this plan: 1/eu, 2/eu."


def test_exceptions_without_a_ledger_are_told() -> None:
    tagged = node(1, tags={"PatchException": "2026-01-01/2026-01-02"})
    (text,) = warnings([tagged], REST)
    assert text.startswith(
        "1 node has the exception tag PatchException (h1), but the policy names no exceptions.ledger"
    )
    assert warnings([tagged], REST, exceptions={"ledger": "exceptions.json"}) == []
    (text,) = warnings([node(1)], REST, exceptions={"max_days": 30, "four_eyes": False})
    assert (
        text
        == "The policy sets exceptions.max_days, exceptions.four_eyes, which has no effect without exceptions.ledger."
    )


def test_strict_names_every_warning() -> None:
    check_strict([])
    with pytest.raises(PlanNotStrict, match=r"has 2 warnings, so it was not written:\n- one\.\n- two\."):
        check_strict(["one.", "two."])


AZURE_ID = "/subscriptions/1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/web"


@pytest.mark.parametrize(
    ("executor", "ids", "order", "told"),
    [
        ("ssm", (AZURE_ID,), ("azure", "ssm"), "ssm although estate.executor_order prefers azure (web)"),
        ("azure", ("mi-1",), ("ssm",), "azure although estate.executor_order prefers ssm (web)"),
        ("linux", ("i-1", AZURE_ID), ("azure", "ssm"), "linux although estate.executor_order prefers azure (web)"),
        ("azure", ("mi-1",), ("azure", "ssm"), ""),
        ("ssm", ("mi-1",), ("azure", "ssm"), ""),
        ("ssm", (AZURE_ID,), (), ""),
        ("ssm", (AZURE_ID,), ("linux", "ssm"), ""),
    ],
)
def test_machines_that_the_inventory_gives_to_another_executor_than_the_policy_prefers(
    executor: str, ids: tuple[str, ...], order: tuple[str, ...], told: str
) -> None:
    machine = Candidate(node_id="n", host="web", executor=executor, merged_ids=ids)
    found = list(preference_warnings([[machine]], order))
    assert len(found) == bool(told) and all(told in text and "policy_file" in text for text in found)


def test_nodes_of_patch_policies_are_named_with_the_policy_and_its_tag() -> None:
    """Quick Setup tags the nodes of a patch policy ``QSConfigName-ID``; patch policies ignore patch groups."""
    tagged = node(1, tags={"QSConfigName-5sbzn": "Nightly", "Team": "web"})
    found = [text for text in warnings([tagged, node(2)], LAST) if "patch policies" in text]
    assert len(found) == 1
    assert found[0].startswith(
        "1 node is in patch policies of Quick Setup as well (h1): Nightly (tag QSConfigName-5sbzn)"
    )
    assert not [text for text in warnings([node(2)], LAST) if "patch policies" in text]
