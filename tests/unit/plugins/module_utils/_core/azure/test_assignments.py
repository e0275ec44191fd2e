# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assignments of maintenance configurations."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.azure.assignments import AssignmentNoun, from_body
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput

from tests.fakes.azure_resource import FakeResource

SUB = "/subscriptions/S"
FILTER = {"locations": ["b", "a"], "os_types": None, "tags": {"Env": "dev"}, "match_tags": "all"}
GIVEN: dict[str, Any] = {"state": "present", "name": "n", "scope": SUB, "configuration_id": "/X", "filter": FILTER}


def applied(port: FakeResource, **more: Any) -> bool:
    noun = AssignmentNoun(port, {**GIVEN, **more})
    change = noun.plan()
    if change.changed:
        assert noun.apply(change) == change.after
    return change.changed


def test_written_once_in_the_form_of_the_specification() -> None:
    """ConfigurationAssignmentsForSubscriptions_CreateOrUpdate.json (Microsoft.Maintenance 2023-04-01)"""
    port = FakeResource()
    assert applied(port) and port.found is not None
    assert port.found["properties"] == {
        "maintenanceConfigurationId": "/x",
        "filter": {"locations": ["a", "b"], "tagSettings": {"tags": {"Env": ["dev"]}, "filterOperator": "All"}},
    }
    assert not applied(port) and not applied(port, configuration_id="/x") and port.writes == 1
    assert applied(port, filter={**FILTER, "match_tags": "any"}) and applied(port, configuration_id="/y")


def test_an_assignment_of_somebody_else_is_read() -> None:
    found = from_body("n", SUB, {"properties": {"maintenanceConfigurationId": "/X", "filter": {"osTypes": ["Linux"]}}})
    assert (found.configuration_id, found.filter) == ("/x", {"os_types": ["Linux"]})


def test_deleted_once() -> None:
    port = FakeResource({"properties": {}})
    assert applied(port, state="absent") and not applied(port, state="absent") and port.writes == 1


def test_refused() -> None:
    machine = f"{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
    with pytest.raises(BadInput, match="filter"):
        applied(FakeResource(), scope=machine)
    for scope in ("/subscriptions", f"{SUB}/providers/x", f"{machine}/extensions/e", "web"):
        with pytest.raises(BadInput, match="scope"):
            applied(FakeResource(), scope=scope)
    assert applied(FakeResource(), scope=machine, filter=None)
