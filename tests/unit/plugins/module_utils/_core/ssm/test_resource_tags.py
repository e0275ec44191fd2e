# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of many resources at once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.resource_tags import plan_resource_tags

BEFORE = {"mi-1": {"Patch Group": "web", "Team": "web"}, "mi-2": {}}


def test_sets_on_each_and_keeps_the_others() -> None:
    after = plan_resource_tags(BEFORE, {"Patch Group": "db"}, present=True, purge=False).after
    assert after == {"mi-1": {"Patch Group": "db", "Team": "web"}, "mi-2": {"Patch Group": "db"}}


def test_purge_keeps_what_belongs_to_aws() -> None:
    before = {"mi-1": {"aws:x": "1", "Team": "web"}}
    assert plan_resource_tags(before, {}, present=True, purge=True).after == {"mi-1": {"aws:x": "1"}}


@pytest.mark.parametrize(("value", "left"), [("web", False), ("", False), (None, False), ("db", True)])
def test_removes_a_tag_with_that_value_only(value: Any, left: bool) -> None:
    after = plan_resource_tags(BEFORE, {"Patch Group": value}, present=False, purge=False).after
    assert after and ("Patch Group" in after["mi-1"]) is left


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"aws:team": "x"}, "reserved prefix aws:"),
        ({"Team": None}, "tags.Team: None"),
        ({"Team": "x" * 257}, "up to 256"),
        ({"Team": "<b>"}, "letters, digits"),
        ({f"t{n}": "x" for n in range(51)}, "at most 50"),
    ],
)
def test_what_aws_would_refuse_is_named(tags: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        plan_resource_tags(BEFORE, tags, present=True, purge=False)


def test_cron_expression_is_a_tag_value_in_ec2_only() -> None:
    tags = {"Maintenance Window": "cron(30 23 ? * TUE#1 *)"}
    assert plan_resource_tags({"i-1": {}}, tags, present=True, purge=False, any_text=True).changed
    with pytest.raises(BadInput, match="Maintenance Window"):
        plan_resource_tags({"mi-1": {}}, tags, present=True, purge=False)
