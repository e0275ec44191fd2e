# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's hosts as candidates: what Ansible templates is templated, and nothing else is asked of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.nodes import candidate_of, candidates
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.claim_file import ClaimFile

from tests.fakes.fleet_port import START


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


def test_an_azure_machine_that_two_inventories_write_differently_can_be_claimed_once(tmp_path: Path) -> None:
    """Resource IDs have no case: azure_rm shows them as the service does, azure_fleet in lower case."""
    shown = "/subscriptions/1/resourceGroups/rg-Web/providers/Microsoft.Compute/virtualMachines/Web-01"
    mine, theirs = of(patchtide_node_id=shown)[0], of(patchtide_node_id=shown.upper())[0]
    assert mine.node_id == theirs.node_id == shown.lower()
    store = ClaimFile(tmp_path / "claims.json")
    held = {"window": "night", "until": START + timedelta(hours=4), "now": START}
    assert [item.owner for item in store.claim([mine.node_id], owner="first", **held)] == ["first"]
    assert [item.owner for item in store.claim([theirs.node_id], owner="second", **held)] == ["first"]
    planned = {"host": "h", "node_id": shown.lower()}
    assert candidate_of({"hostvars": {"h": {"patchtide_node_id": shown}}}, planned, "") is not None
    assert of(patchtide_node_id="Web-01")[0].node_id == "Web-01", "other IDs are taken as they are"


@pytest.mark.parametrize(
    ("executor", "given", "platform"),
    [("windows", "", "windows"), ("linux", "", "linux"), ("windows", "linux", "windows"), ("azure", "", "")],
)
def test_an_executor_of_one_platform_says_which(executor: str, given: str, platform: str) -> None:
    """A proof compares Windows updates by KB: without the platform, all of them would be called unplanned."""
    assert of(patchtide_executor=executor, patchtide_platform=given)[0].platform == platform
