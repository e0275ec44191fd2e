# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared to gather inventory, and that the service accepts one association for all nodes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import Conflict
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.inventory_associations import (
    DOCUMENT,
    PARAMETERS,
    InventoryAssociationNoun,
    to_options,
)

from tests.fakes.associations import FakeAssociations

OPTIONS: dict[str, Any] = {
    "state": "present",
    "name": "mine",
    "schedule": None,
    "purge_tags": True,
    "off": None,
}


class Fake(FakeAssociations):
    """``everywhere``: names of those that gather on all nodes."""

    everywhere: tuple[str, ...] = ()

    def for_all_nodes(self, document: str) -> tuple[str, ...]:
        assert document == DOCUMENT
        return self.everywhere


def test_all_nodes_are_meant_unless_some_are_selected() -> None:
    assert to_options(OPTIONS)["all_nodes"]
    for given in ({"instance_tags": {"Env": ["prod"]}}, {"instance_ids": ["i-1"]}, {"tag_keys": ["A"]}):
        assert not to_options({**OPTIONS, **given})["all_nodes"]
    assert not to_options({**OPTIONS, "resource_group": "g"})["all_nodes"]


def test_everything_is_gathered_but_what_is_off() -> None:
    found = to_options({**OPTIONS, "off": ["services", "custom"]})
    assert found["document"] == DOCUMENT and set(found["parameters"]) == set(PARAMETERS.values())
    assert to_options(OPTIONS)["parameters"] is None
    assert set(to_options({**OPTIONS, "off": []})["parameters"].values()) == {"Enabled"}
    off = {name for name, value in found["parameters"].items() if value == "Disabled"}
    assert off == {"services", "customInventory"}


def test_a_second_one_for_all_nodes_is_refused_by_its_name_and_one_for_some_is_not() -> None:
    port = Fake()
    port.everywhere = ("Inventory-Association",)
    with pytest.raises(Conflict, match="Association Inventory-Association gathers"):
        InventoryAssociationNoun(port, OPTIONS).plan()
    some = InventoryAssociationNoun(port, {**OPTIONS, "instance_tags": {"Env": ["prod"]}})
    assert some.plan().changed


def test_that_which_is_declared_is_no_conflict_with_itself_and_can_be_removed() -> None:
    port = Fake()
    noun = InventoryAssociationNoun(port, OPTIONS)
    made = noun.apply(noun.plan())
    assert made and made.schedule == "rate(12 hours)"
    own = InventoryAssociationNoun(Fake(), {**OPTIONS, "schedule": "rate(1 day)"}).plan().after
    assert own and own.schedule == "rate(1 day)"
    daily = InventoryAssociationNoun(port, {**OPTIONS, "schedule": "rate(1 day)"})
    daily.apply(daily.plan())
    port.everywhere = ("mine",)
    assert not noun.plan().changed
    gone = InventoryAssociationNoun(port, {**OPTIONS, "state": "absent"})
    assert gone.plan().before and gone.plan().after is None
    port.everywhere = ("other",)
    assert InventoryAssociationNoun(Fake(), {**OPTIONS, "state": "absent"}).plan().after is None
