# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drafted policy is valid, names what was found, and selects nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.accounts import Account
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.draft import (
    DEFAULT_WINDOW,
    DraftNode,
    FoundBaseline,
    FoundWindow,
    Seen,
    draft_policy,
    rank,
    scalar,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import TagKeys
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.text import plain
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import check_policy, parse_yaml
from hypothesis import given
from hypothesis import strategies as st

ROLE = "arn:aws:iam::111122223333:role/patchtide"
WEB = Account(id="111122223333", name="web", role_arn=ROLE, external_id="x-1")


def node(group: str, environment: str = "", **members: Any) -> DraftNode:
    return DraftNode(patch_group=group, environment=environment, **{"system": "UBUNTU", **members})


def draft(*nodes: DraftNode, **members: Any) -> dict[str, Any]:
    """Return the drafted policy as data, which the policy's own validation has accepted."""
    seen = Seen(name="contoso", **{"regions": ["eu-central-1"], "accounts": [WEB], "nodes": nodes, **members})
    text = draft_policy(seen)
    check_policy(parse_yaml(text, "policy.yml")[0])
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def test_waves_go_from_development_to_production_with_a_canary_and_a_tenth() -> None:
    nodes = [node("WEB", "prod")] * 11 + [node("WEB", "dev")] * 3 + [node("DB", "staging")]
    data = draft(*nodes)
    assert [wave["name"] for wave in data["waves"]] == ["canary", "dev", "staging", "prod-tenth", "prod"]
    assert data["waves"][0]["select"] == {"patch_groups": ["WEB"], "tags": {"Environment": "dev"}}
    assert data["waves"][0]["soak_minutes"] == 60 and data["waves"][0]["gate"] == {
        "max_failure_rate": "0%",
        "min_sample": 5,
    }
    assert data["approval"] == {"required": True} and data["exceptions"] == {"ledger": "exceptions.json"}


def test_every_wave_names_patch_groups_that_were_found_and_no_others() -> None:
    data = draft(node("WEB"), node("DB"), node(""))
    assert {tuple(wave["select"]["patch_groups"]) for wave in data["waves"]} == {("DB", "WEB")}
    assert [group["name"] for group in data["patch_groups"]] == ["DB", "WEB"]


def test_without_a_patch_group_there_is_no_policy() -> None:
    with pytest.raises(ValueError, match="no node has a patch group"):
        draft(node("", "dev"))


def test_a_baseline_that_all_places_agree_on_is_taken_over_as_it_is() -> None:
    rules = [{"filters": {"PRIORITY": ["Required"]}, "compliance_level": "HIGH"}]
    members = {"name": "ours", "operating_system": "UBUNTU", "rules": rules}
    row = FoundBaseline(members=members, groups=frozenset({"WEB"}), places=["111122223333/eu-central-1"])
    data = draft(node("WEB"), node("DB"), baselines=[row])
    assert data["baselines"][0] == members
    bound = {group["name"]: group["baselines"] for group in data["patch_groups"]}
    assert bound == {"WEB": ["ours"], "DB": ["contoso-ubuntu"]}


def test_a_baseline_that_differs_between_places_is_named_and_not_taken_over() -> None:
    members = {"name": "ours", "operating_system": "UBUNTU"}
    row = FoundBaseline(
        members=members, groups=frozenset({"WEB"}), places=["a/eu-central-1"], differs=["b/eu-central-1"]
    )
    seen = Seen(name="contoso", regions=["eu-central-1"], accounts=[], nodes=[node("WEB")], baselines=[row])
    text = draft_policy(seen)
    assert "not taken over, as it is not the same everywhere: ours in a/eu-central-1" in text
    assert [item["name"] for item in yaml.safe_load(text)["baselines"]] == ["contoso-ubuntu"]


@pytest.mark.parametrize(
    ("value", "window"),
    [("cron(30 23 ? * TUE#1 *)", "tag"), ("sunday", "tag"), ("", DEFAULT_WINDOW), ("monday", DEFAULT_WINDOW)],
)
def test_tags_decide_about_the_window_only_if_each_can_be_read(value: str, window: str) -> None:
    members = {"name": "sunday", "schedule": "cron(0 3 ? * SUN *)", "duration_hours": 3, "cutoff_hours": 1}
    data = draft(node("WEB", window=value), windows=[FoundWindow(members=members, places=["a/eu-central-1"])])
    assert {wave["window"] for wave in data["waves"]} == {window}
    assert ("sunday" in [item["name"] for item in data["windows"]]) == (value == "sunday")


@pytest.mark.parametrize("system", ["WINDOWS", "DEBIAN", "CENTOS", "SUSE", "AMAZON_LINUX_2023", "MACOS"])
def test_each_system_gets_a_rule_that_its_baseline_may_have(system: str) -> None:
    (baseline,) = draft(node("WEB", system=system))["baselines"]
    assert baseline["operating_system"] == system and baseline["rules"]


def test_other_tag_keys_are_declared() -> None:
    data = draft(node("WEB", "dev"), tags=TagKeys(patch_group="Patch Group", environment="Stage"))
    assert data["tags"] == {"patch_group": "Patch Group", "environment": "Stage"}
    assert data["waves"][0]["select"]["tags"] == {"Stage": "dev"}


def test_production_comes_last_and_unknown_names_before_it() -> None:
    names = ["production", "blue", "pre-prod", "qa", "development"]
    assert sorted(names, key=rank) == ["development", "qa", "pre-prod", "blue", "production"]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30))
def test_texts_from_tags_are_texts_again_when_they_are_read(text: str) -> None:
    found = yaml.safe_load(f"- {scalar({'name': text})}  # {' '.join(text.split())}\n")
    assert found[0]["name"] == plain(text)
