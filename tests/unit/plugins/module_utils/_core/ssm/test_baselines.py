# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits and predictions of patch baselines (limits: botocore's model of CreatePatchBaseline)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.change import Change
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, Conflict
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.baselines import (
    Baseline,
    plan_baseline,
    to_given,
)

RULE = {"approve_after_days": 7}


def plan(before: Baseline | None = None, **options: Any) -> Change[Baseline]:
    return plan_baseline(before, to_given({"name": "web", "tags": None, "default": None, **options}), present=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "x"}, "name: 'x'"),
        ({"name": "sl/ash"}, "name: 'sl/ash'"),
        ({"description": "x" * 1025}, "description"),
        ({"rules": [RULE] * 11}, "rules: '11 entries'"),
        ({"rules": [{}]}, "exactly one of the two"),
        ({"rules": [{"approve_after_days": 1, "approve_until_date": "2026-01-01"}]}, "exactly one of the two"),
        ({"rules": [{"approve_after_days": 361}]}, "0 to 360 days"),
        ({"rules": [{"approve_until_date": "1.1.2026"}]}, "a date such as"),
        ({"rules": [{**RULE, "filters": {"COLOUR": ["red"]}}]}, "one of ARCH"),
        ({"rules": [{**RULE, "classification": ["x"] * 21}]}, "at most 20"),
        ({"rules": [{**RULE, "filters": {"PRODUCT": []}}]}, "at least one value"),
        ({"rules": [{**RULE, "enable_non_security": True}]}, "Linux only"),
        ({"operating_system": "UBUNTU", "rules": [RULE]}, "no release date"),
        ({"approved_patches": [f"KB{n}" for n in range(51)]}, "at most 50"),
        ({"approved_patches": ["KB1"], "rejected_patches": ["KB1"]}, "rejected_patches: 'KB1'"),
        ({"sources": [{"name": "mirror", "products": ["*"], "configuration": "x"}]}, "Linux only"),
        ({"operating_system": "UBUNTU", "available_security_updates_status": "COMPLIANT"}, "Windows only"),
        ({"tags": {"a{b}": "c"}}, "a key of 1 to 128"),
    ],
)
def test_what_the_service_would_refuse_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        plan(**options)


def test_not_given_is_left_alone_and_order_means_nothing() -> None:
    before = Baseline(name="web", description="old", approved_patches=("KB1", "KB2"))
    assert not plan(before, approved_patches=["KB2", "KB1", "KB1"]).changed


def test_single_filter_value_is_a_list_of_one() -> None:
    rule = plan(rules=[{**RULE, "filters": {"PATCH_SET": "APPLICATION"}}]).after.rules[0]
    assert rule.filters == {"PATCH_SET": ("APPLICATION",)}


def test_change_of_system_is_announced_in_the_diff() -> None:
    change = plan(Baseline(name="web", baseline_id="pb-1"), operating_system="SUSE")
    diff = change.to_diff("patch baseline web")
    assert "WINDOWS to SUSE" in diff["after_header"]
    assert "baseline_id" not in diff["after"]


@pytest.mark.parametrize("options", [{"present": False}, {"present": True, "given": {"operating_system": "SUSE"}}])
def test_used_one_is_not_taken_away(options: dict[str, Any]) -> None:
    before = Baseline(name="web", patch_groups=("prod",))
    given = to_given({"name": "web", **options.pop("given", {})})
    with pytest.raises(Conflict, match="patch groups still use it: prod"):
        plan_baseline(before, given, **options)


def test_aws_tags_survive_purging() -> None:
    before = Baseline(name="web", tags={"aws:cloudformation:stack-name": "x", "Team": "web"})
    assert plan(before, tags={}).after.tags == {"aws:cloudformation:stack-name": "x"}
