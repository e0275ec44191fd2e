# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags a machine lacks, and what is written."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.required_tags import judge, to_tag_rules

RULES = to_tag_rules(
    "required_tags",
    {"Patch Group": {"default": "none"}, "Environment": {"allowed": ["dev", "prod"]}, "Owner": {"pattern": "[a-z-]+"}},
)
GOOD = {"Patch Group": "web", "Environment": "dev", "Owner": "web-team"}


def test_good_tags() -> None:
    assert judge(GOOD, RULES).compliant
    assert judge({**GOOD, "More": "x"}, RULES).compliant


def test_missing_tags_get_their_default_if_they_have_one() -> None:
    found = judge({}, RULES)
    assert found.missing == ("Patch Group", "Environment", "Owner")
    assert found.defaults == {"Patch Group": "none"}


def test_an_empty_value_is_missing() -> None:
    assert judge({**GOOD, "Patch Group": ""}, RULES).missing == ("Patch Group",)


def test_values_that_are_not_valid_are_never_replaced() -> None:
    found = judge({**GOOD, "Environment": "test", "Owner": "Web Team"}, RULES)
    assert found.invalid == {
        "Environment": "expected one of dev, prod",
        "Owner": "expected a value that matches [a-z-]+",
    }
    assert found.defaults == {} and found.missing == ()


def test_the_whole_value_has_to_match() -> None:
    assert "Owner" in judge({**GOOD, "Owner": "web-team!"}, RULES).invalid


def test_another_spelling_is_the_same_tag_in_azure() -> None:
    found = judge({"PATCH GROUP": "web", "Environment": "dev", "Owner": "x"}, RULES)
    assert found.missing == () and found.misspelt == {"Patch Group": "PATCH GROUP"}
    assert not found.compliant


def test_a_default_is_written_under_the_spelling_that_is_there() -> None:
    """Otherwise Azure would keep the old spelling, and a second run would change it again."""
    assert judge({"PATCH GROUP": ""}, RULES).defaults == {"PATCH GROUP": "none"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "required_tags: {} is not valid, expected at least one tag"),
        ({"a/b": {}}, "expected a tag name"),
        ({" a": {}}, "expected a tag name"),
        ({"x" * 513: {}}, "expected a tag name"),
        ({"Owner": {}, "OWNER": {}}, "expected one spelling of Owner"),
        ({"Owner": {"allow": ["x"]}}, "required_tags.Owner.allow: .* expected one of default, allowed, pattern"),
        ({"Owner": {"allowed": "x"}}, "required_tags.Owner.allowed: 'x' is not valid, expected a list"),
        ({"Owner": {"pattern": "("}}, r"required_tags.Owner.pattern: '\(' is not valid, expected a regular expression"),
        (
            {"Owner": {"default": "c", "allowed": ["a", "b"]}},
            "required_tags.Owner.default: 'c' .* expected one of a, b",
        ),
        ({"Owner": {"default": "x" * 257}}, "required_tags.Owner.default: .* expected 1 to 256"),
        ({"Owner": "web"}, "required_tags.Owner: 'web' is not valid, expected a dictionary"),
    ],
)
def test_wrong_rules(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        to_tag_rules("required_tags", given)
