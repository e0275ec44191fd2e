# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's hosts as candidates: what Ansible templates is templated, and nothing else is asked of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.nodes import candidates


class HostVars(dict[str, dict[str, Any]]):
    """As Ansible's: an item is templated, which ``read`` counts; ``raw_get`` gives what was written."""

    def __init__(self, raw: dict[str, dict[str, Any]]) -> None:
        super().__init__(raw)
        self.read = 0

    def raw_get(self, host: str) -> dict[str, Any]:
        return super().__getitem__(host)

    def __getitem__(self, host: str) -> dict[str, Any]:
        self.read += 1
        return {**super().__getitem__(host), "patchtide_name": "templated", "patchtide_tags": {"App": "templated"}}


def of(**variables: Any) -> tuple[Any, int]:
    hostvars = HostVars({"h": {"patchtide_executor": "linux", **variables}})
    (found,) = candidates({"hostvars": hostvars, "groups": {"all": ["h"], "web": ["h"]}}, "App")
    return found, hostvars.read


def test_plain_variables_are_taken_as_they_are() -> None:
    found, read = of(patchtide_name="n", patchtide_tags={"App": "shop", "Nested": {"a": {"b": 1}}}, other="{{ x }}")
    assert (found.name, found.application, found.groups, read) == ("n", "shop", frozenset({"all", "web"}), 0)


@pytest.mark.parametrize("text", ["{{ x }}", "{% if x %}a{% endif %}", "{# nothing #}b", "a{{x}}"])
@pytest.mark.parametrize("inside", [False, True])
def test_templates_are_templated(text: str, inside: bool) -> None:
    found, read = of(**({"patchtide_tags": {"App": text}} if inside else {"patchtide_name": text}))
    assert read == 1 and "templated" in (found.name, found.application)
